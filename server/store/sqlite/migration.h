// Brings a store that an older program wrote to today's schema.
//
// Forward only, one step for each version, all steps in one transaction: after a crash the store is
// what it was before, or done. Before anything is changed a copy of the store is put beside it,
// from which the older program can go on: that is the way back. Threads: as Connection.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {

// Changes a store of the version before `version` into one of `version`, within a transaction.
struct MigrationStep {
  int version = 0;
  absl::Status (*apply)(Connection& connection) = nullptr;
};

// Where the copy lies that is made before the store at `path` gets `version`.
std::string CopyBefore(const std::string& path, int version);

// Applies to the store at `path`, of version `from`, the steps after it, in order, and records the
// last one's version. The copy, readable by its owner alone, replaces one of an earlier attempt.
// QUOTA_EXCEEDED: there is no room for the copy or the changes. FILE_UNUSABLE: the copy cannot be
// made. INTERNAL: the steps do not begin after `from`. On error the store is as it was.
absl::Status Migrate(Connection& connection, const std::string& path, int from,
                     std::span<const MigrationStep> steps);

}  // namespace waymark::hub
