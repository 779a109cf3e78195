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
inline constexpr int kSchemaVersion = 2;

// What the store knows of itself.
struct StoreIdentity {
  std::string epoch;
  // As Store::restored_at.
  std::optional<absl::Time> restored_at;
  // No number from here on has been assigned to a row.
  int64_t reserved = 1;
};

// Holds `path` for this process; released with the object or the process.
class FileLock {
 public:
  // UNAVAILABLE when another process holds it; FILE_UNUSABLE when the path cannot be used.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  const int fd_;
};

// Makes sure that `path` exists, readable and writable by its owner alone, and goes on to exist
// when the power fails. FILE_UNUSABLE when the path cannot be used.
absl::Status EnsurePrivateFile(const std::string& path);

// Opens the connections; the first two may write.
absl::StatusOr<std::unique_ptr<Connection>> OpenWriter(const std::string& path);
absl::StatusOr<std::unique_ptr<Connection>> OpenCheckpointer(const std::string& path);
absl::StatusOr<std::unique_ptr<Connection>> OpenReader(const std::string& path);

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

// Records that numbers below `reserved` may be assigned.
absl::Status Reserve(Connection& connection, int64_t reserved);

}  // namespace waymark::hub
