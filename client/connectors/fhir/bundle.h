// What a FHIR server answers: pages of a search, transactions, outcomes. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waymark::node {

struct FhirPage {
  // What the search was for, and what it includes besides.
  std::vector<std::string> matches;
  std::vector<std::string> included;
  // The link to the next page; empty at the end.
  std::string next;
};

// LOCAL_SYSTEM_REFUSED: this is no page of a search.
absl::StatusOr<FhirPage> ReadFhirPage(std::string_view json);

// OK: every part of the transaction was done. LOCAL_SYSTEM_REFUSED: the answer says otherwise, or
// is none to a transaction.
absl::Status CheckTransactionAnswer(std::string_view json);

// The codes of an OperationOutcome, such as "invalid, required"; nothing of its texts, which may
// repeat a value. Empty: this is none.
std::string OutcomeCodes(std::string_view json);

// One item for each HealthcareService of the page: {"service": {...}, "organization": {...},
// "locations": [...]}, the last two as far as they are included.
std::vector<std::string> CapacityItems(const FhirPage& page);

}  // namespace waymark::node
