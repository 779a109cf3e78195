// The little of SQLite that the vault needs: one connection, prepared statements, statuses.
//
// Errors: REASON_DATA_CORRUPT when the file is damaged or no database, REASON_UNAVAILABLE for
// anything else that the disk or the library reports; a message names SQLite's code and never a
// value. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace waymark::node {

// One use of a prepared statement. Binds parameters in order; the first error is kept and returned
// by Step or Run. Bound bytes must live until then. Gives the statement back when destroyed.
class Statement {
 public:
  Statement(sqlite3_stmt* statement, int error);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement&& Bind(int64_t value) &&;
  Statement&& Blob(std::string_view value) &&;
  Statement&& Text(std::string_view value) &&;

  // Moves to the next row; false after the last one.
  absl::StatusOr<bool> Step();
  // Runs a statement whose rows, if any, do not matter.
  absl::Status Run();

  // Columns of the present row, from 0. Views live until the next Step.
  int64_t Int(int column) const;
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  sqlite3_stmt* statement_;
  int error_;
  int next_parameter_ = 1;
};

class SqliteConnection {
 public:
  // Opens or creates the file with mode 0600, for this process alone. REASON_FILE_UNUSABLE: the
  // folder cannot be used or another process has the file open.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path);
  ~SqliteConnection();

  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs statements that take no parameters.
  absl::Status Execute(const char* sql);
  // Prepares `sql`, or takes it from the cache; no two uses of the same text at once.
  Statement Prepare(const char* sql);
  // Rows that the latest statement changed.
  int Changes() const;

 private:
  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}

  sqlite3* const handle_;
  std::map<std::string, sqlite3_stmt*, std::less<>> cache_;
};

}  // namespace waymark::node
