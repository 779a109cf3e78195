// Where a reader of changed Tasks stands: at an instant, with the Tasks of that instant that it has
// read. Pure; not thread-safe.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/fhir/record.h"

namespace waymark::node {

class FhirPosition {
 public:
  // LOCAL_SYSTEM_REFUSED: the cursor is of something else.
  static absl::StatusOr<FhirPosition> Parse(std::string_view cursor);

  // The search for what was changed since, below the address.
  std::string Path(std::string_view system) const;

  // Moves on to the Task. False: it was read before. LOCAL_SYSTEM_REFUSED: the server does not say
  // when it was changed, or does not sort by that, or has changed too many at once.
  absl::StatusOr<bool> MoveTo(const FhirTask& task);

  std::string Cursor() const;

 private:
  // As the server writes it; empty: before everything.
  std::string instant_;
  absl::Time time_ = absl::InfinitePast();
  // Marks of versions of Tasks.
  std::set<std::string> read_;
};

}  // namespace waymark::node
