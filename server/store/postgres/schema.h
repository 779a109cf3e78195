// The tables of the store in a PostgreSQL database: made, brought forward, and told apart.
//
// They are in a schema of their own, `waymark`. The layout differs from the SQLite backend's where
// several processes share it: keys are found through indexes of the database, because no process
// may keep one in memory; the hot table of what waits has its key, which grows within a mailbox,
// and three narrow indexes (by the first bytes of a token's hash, by the minute of expiry, and by
// age of what is urgent). A message lies in its row up to 8 KiB and is never compressed: it is
// sealed.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "server/store/postgres/connection.h"

namespace waymark::hub {

// The version that this program reads and writes.
inline constexpr int kPgSchemaVersion = 2;

// The statements that lead from one version to the next.
using PgMigrationStep = const char*;

// Makes the tables, or brings them forward to version 1 + the number of `steps`, under a lock that
// other hubs wait for. VERSION_UNSUPPORTED: a newer program wrote them. FILE_UNUSABLE: there is a
// schema `waymark` of another program.
absl::Status PreparePgSchema(PgConnection& connection, std::span<const PgMigrationStep> steps);
// With the steps of this program.
absl::Status PreparePgSchema(PgConnection& connection);

// The version in the database, 0 for none, without changing anything.
absl::StatusOr<int> ReadPgVersion(PgConnection& connection);

// The store's epoch, as Store::epoch and Store::restored_at.
struct PgEpoch {
  std::string id;
  std::optional<absl::Time> restored_at;
};

// Returns the epoch, and begins one in a store that is new or a copy: in another database or
// cluster than before. The latter is a restore at `now`: what Store::restored_at says is let go of,
// in the same transaction.
absl::StatusOr<PgEpoch> PrepareEpoch(PgConnection& connection, Random& random, absl::Time now);
// Returns the epoch's id as it is. VERSION_UNSUPPORTED: a newer program has changed the tables.
absl::StatusOr<std::string> ReadEpoch(PgConnection& connection);

// What of the server's settings does not keep its promises, in words; empty when all is well.
absl::StatusOr<std::string> WeaknessOf(PgConnection& connection);

}  // namespace waymark::hub
