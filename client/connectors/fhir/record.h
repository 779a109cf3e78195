// A referral as resources of FHIR R4: made of what a mapping returned, and read again.
//
// A mapping returns one object:
//
//   {"state": "ACCEPTED", "request": {...}, "task": {...}, "patient": {...}}
//
// `request`, `task` and `patient` are members of a ServiceRequest, its Task and the Patient; the
// last two may be left out. What makes them one record, what the flavour says and what the state
// means is added here. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/connectors/connector.h"
#include "client/connectors/fhir/flavour.h"
#include "client/connectors/json_members.h"

namespace waymark::node {

// In the order in which they are erased: none is there without what it refers to.
inline constexpr std::string_view kFhirRecordTypes[] = {"Task", "ServiceRequest", "Patient"};

// How the resources of one referral are told.
struct FhirKey {
  // A URI.
  std::string system;
  std::string value;

  // "identifier=SYSTEM|KEY", percent-encoded.
  std::string Query() const;
};

// A Task as the server has it.
struct FhirTask {
  std::string json;
  // What its meta says; empty when it says nothing.
  std::string version;
  std::string last_updated;
  std::string id;
  std::string status;
  // A code of the flavour's business system, or a word in lower case.
  std::string business;
  // Whether its status is the one that was last written by this node, by the tag that it put there.
  bool ours = false;
};

// Whether the resource has the key among its identifiers.
bool HasFhirKey(std::string_view resource, const FhirKey& key);

// nullopt: this is no Task, or none with an identifier of the system.
std::optional<FhirTask> ReadFhirTask(std::string_view json, std::string_view system,
                                     const FhirFlavour& flavour);

// Returns the transaction that makes the server hold the record: one ServiceRequest, one Task and
// at most one Patient with this key, whatever it holds now. `task` is the Task that it has: what
// others added to it stays, and a status that is further on is not set back; where nothing of it is
// new it is left alone. LOCAL_SYSTEM_REFUSED: the mapping's object is none of these.
absl::StatusOr<std::string> WriteTransaction(const LocalRecord& record, const FhirKey& key,
                                             const FhirFlavour& flavour,
                                             const std::optional<FhirTask>& task);

// Returns the transaction that deletes the resources of the key.
std::string EraseTransaction(const FhirKey& key);

// Returns what a resource becomes that may not be deleted: its id and key, entered in error, and
// nothing else. LOCAL_SYSTEM_REFUSED: it has no id.
absl::StatusOr<std::string> EnteredInError(std::string_view type, std::string_view resource,
                                           const FhirKey& key);

}  // namespace waymark::node
