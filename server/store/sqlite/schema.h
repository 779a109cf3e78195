// The tables of the SQLite store, and the file that holds them.
//
// Every table that traffic writes is clustered by an increasing number that the store assigns,
// without a secondary index: with 16 KiB pages a batch of inserts then dirties a handful of pages,
// where random ids as keys would dirty one each. Threads: as Connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {

// The schema this program writes and reads; PRAGMA user_version.
inline constexpr int kSchemaVersion = 3;

// What the store knows of itself.
struct StoreIdentity {
  std::string epoch;
  // As Store::restored_at.
  std::optional<absl::Time> restored_at;
  // No number from here on has been assigned to a row.
  int64_t reserved = 1;
};

// Opens the connections; the first two may write.
absl::StatusOr<std::unique_ptr<Connection>> OpenWriter(const std::string& path);
absl::StatusOr<std::unique_ptr<Connection>> OpenCheckpointer(const std::string& path);
absl::StatusOr<std::unique_ptr<Connection>> OpenReader(const std::string& path);
// One that VACUUM INTO is run on, which a reader refuses.
absl::StatusOr<std::unique_ptr<Connection>> OpenCopier(const std::string& path);
// One to a file that nobody writes to meanwhile: it changes nothing in its folder, takes no lock,
// and does not see what a write-ahead log beside the file holds.
absl::StatusOr<std::unique_ptr<Connection>> OpenUnchanged(const std::string& path);

// Makes the tables of kSchemaVersion in an empty database.
absl::Status MakeTables(Connection& connection);

// Returns the version of the schema, 0 for that of an empty file. FILE_UNUSABLE: the database is
// another program's.
absl::StatusOr<int> ReadSchemaVersion(Connection& connection);

// Whether the structure of the file is whole, indexes included. DATA_CORRUPT: it is not.
absl::Status CheckStructure(Connection& connection);

// Creates the tables in the empty file at `path`, or checks those that are there and brings them to
// kSchemaVersion (migration.h): FILE_UNUSABLE when the file belongs to another program,
// VERSION_UNSUPPORTED when a newer program wrote it, DATA_CORRUPT when its structure is broken, and
// Migrate's.
absl::Status PrepareSchema(Connection& connection, const std::string& path);

// Reads who the store is. A first opening, and the opening of a file that is a copy (its inode or
// its birth is not what was recorded), begin a new epoch from `random`. The latter is a restore at
// `now`: what Store::restored_at says is let go of, in the same transaction.
absl::StatusOr<StoreIdentity> PrepareIdentity(Connection& connection, const std::string& path,
                                              Random& random, absl::Time now);

// Reads who the store at `path` is, without beginning anything: nullopt for one that has to be
// opened first, because it is new or a copy.
absl::StatusOr<std::optional<StoreIdentity>> FindIdentity(Connection& connection,
                                                          const std::string& path);

// Marks an item as one whose sender has been told, within a transaction; and reads such a mark.
absl::Status MarkTold(Connection& connection, int64_t sequence);
absl::StatusOr<int64_t> ReadTold(Statement& statement);

// Records that numbers below `reserved` may be assigned.
absl::Status Reserve(Connection& connection, int64_t reserved);

}  // namespace waymark::hub
