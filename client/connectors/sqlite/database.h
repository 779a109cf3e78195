// The little of SQLite that a connector needs: somebody else's database, opened for one
// transaction.
//
// Unlike the vault's: the file belongs to another program, which may lock, move or replace it at
// any time. Errors: LOCAL_SYSTEM_UNAVAILABLE when it is locked, not there or the disk fails,
// LOCAL_SYSTEM_REFUSED otherwise; a message holds names of the schema and never a value. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/json_members.h"
#include "client/connectors/sql/statement.h"

struct sqlite3;
struct sqlite3_stmt;

namespace waymark::node {

// A prepared statement. Ends before its database.
class SqliteQuery {
 public:
  SqliteQuery(sqlite3* handle, sqlite3_stmt* statement) : handle_(handle), statement_(statement) {}
  SqliteQuery(SqliteQuery&& other) noexcept;
  SqliteQuery& operator=(SqliteQuery&&) = delete;
  ~SqliteQuery();

  // Whether it changes nothing.
  bool read_only() const;
  std::vector<std::string> Columns() const;

  // Binds one value per parameter; they must live until the last Step.
  absl::Status Bind(const std::vector<JsonValue>& values);
  // Moves to the next row; false after the last one.
  absl::StatusOr<bool> Step();
  // Runs through all rows.
  absl::Status Run();

  // The value of a column of the present row, from 0, as JSON. LOCAL_SYSTEM_REFUSED: a text that is
  // not UTF-8, a number that is none.
  absl::StatusOr<std::string> Json(int column) const;
  // The same as a text; nullopt for NULL.
  std::optional<std::string> Text(int column) const;
  int64_t Int(int column) const;

 private:
  sqlite3* const handle_;
  sqlite3_stmt* statement_;
};

class SqliteDatabase {
 public:
  // Opens a file that is there, for reading and writing. Whatever is done with it ends at
  // `deadline` on SteadyClock.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::string& path,
                                                              absl::Time deadline);
  // Rolls back what was not committed.
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs a statement of ours.
  absl::Status Execute(const char* sql);
  // LOCAL_SYSTEM_REFUSED: it is no statement of this database.
  absl::StatusOr<SqliteQuery> Prepare(const SqlStatement& statement);
  // Whether a transaction is open that can still be rolled back.
  bool InTransaction() const;
  // Rows changed since the database was opened, by triggers too.
  int64_t Changes() const;

 private:
  explicit SqliteDatabase(absl::Time deadline) : deadline_(deadline) {}

  static int OnBusy(void* database, int calls);
  static int OnProgress(void* database);

  const absl::Time deadline_;
  sqlite3* handle_ = nullptr;
};

}  // namespace waymark::node
