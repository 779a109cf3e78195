#include "client/connectors/sqlite/database.h"

#include <poll.h>
#include <sqlite3.h>

#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/result.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

constexpr int kInstructionsPerLook = 1000;
constexpr int kBusyPauseMilliseconds = 10;

// What SQLite says of a constraint names tables and columns. Anything else that it words itself
// may repeat a value.
std::string Detail(int code, sqlite3* handle) {
  std::string detail = std::string("SQLite: ") + sqlite3_errstr(code);
  switch (code) {
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
      return detail + ": " + sqlite3_errmsg(handle);
    default:
      return detail;
  }
}

absl::Status FromSqlite(int code, sqlite3* handle) {
  const std::string detail = Detail(code, handle);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return SystemUnavailable(detail);
    default:
      return SystemRefused(detail);
  }
}

int BindNumber(sqlite3_stmt* statement, int index, const std::string& text) {
  int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return sqlite3_bind_int64(statement, index, whole);
  }
  double number = 0;
  const auto read = std::from_chars(text.data(), end, number);
  // Beyond what a double holds it stays a text, which loses nothing.
  if (read.ec != std::errc()) {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  return sqlite3_bind_double(statement, index, number);
}

int BindValue(sqlite3_stmt* statement, int index, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return sqlite3_bind_null(statement, index);
    case JsonValue::Kind::kBool:
      return sqlite3_bind_int(statement, index, value.text == "true" ? 1 : 0);
    case JsonValue::Kind::kNumber:
      return BindNumber(statement, index, value.text);
    case JsonValue::Kind::kText:
    case JsonValue::Kind::kNested:
      return sqlite3_bind_text64(statement, index, value.text.data(), value.text.size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
  }
  return SQLITE_MISUSE;
}

std::string_view BytesOf(sqlite3_stmt* statement, int column) {
  const void* data = sqlite3_column_blob(statement, column);
  const int size = sqlite3_column_bytes(statement, column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

absl::StatusOr<std::string> RealToJson(double number) {
  if (!std::isfinite(number)) return SystemRefused("a column holds an infinite number");
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  return std::string(buffer, end);
}

absl::StatusOr<std::string> TextToJson(std::string_view text) {
  std::string quoted = QuoteJson(text);
  if (CheckJson(quoted, 0) != JsonText::kValid) {
    return SystemRefused("a column holds a text that is not UTF-8");
  }
  return quoted;
}

}  // namespace

SqliteQuery::SqliteQuery(SqliteQuery&& other) noexcept
    : handle_(other.handle_), statement_(std::exchange(other.statement_, nullptr)) {}

SqliteQuery::~SqliteQuery() { sqlite3_finalize(statement_); }

bool SqliteQuery::read_only() const { return sqlite3_stmt_readonly(statement_) != 0; }

std::vector<std::string> SqliteQuery::Columns() const {
  const int count = sqlite3_column_count(statement_);
  std::vector<std::string> columns;
  columns.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const char* name = sqlite3_column_name(statement_, i);
    columns.emplace_back(name == nullptr ? "" : name);
  }
  return columns;
}

absl::Status SqliteQuery::Bind(const std::vector<JsonValue>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int code = BindValue(statement_, static_cast<int>(i) + 1, values[i]);
    if (code != SQLITE_OK) return FromSqlite(code, handle_);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteQuery::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return FromSqlite(code, handle_);
}

absl::Status SqliteQuery::Run() {
  while (true) {
    ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

absl::StatusOr<std::string> SqliteQuery::Json(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return std::to_string(Int(column));
    case SQLITE_FLOAT:
      return RealToJson(sqlite3_column_double(statement_, column));
    case SQLITE_TEXT:
      return TextToJson(BytesOf(statement_, column));
    case SQLITE_BLOB:
      return QuoteJson(absl::Base64Escape(absl::string_view(BytesOf(statement_, column).data(),
                                                            BytesOf(statement_, column).size())));
    default:
      return std::string("null");
  }
}

std::optional<std::string> SqliteQuery::Text(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  // Turns a number into its text first; the bytes are taken after that.
  sqlite3_column_text(statement_, column);
  return std::string(BytesOf(statement_, column));
}

int64_t SqliteQuery::Int(int column) const { return sqlite3_column_int64(statement_, column); }

int SqliteDatabase::OnBusy(void* database, int /*calls*/) {
  if (SteadyClock().Now() >= static_cast<SqliteDatabase*>(database)->deadline_) return 0;
  poll(nullptr, 0, kBusyPauseMilliseconds);
  return 1;
}

int SqliteDatabase::OnProgress(void* database) {
  return SteadyClock().Now() >= static_cast<SqliteDatabase*>(database)->deadline_ ? 1 : 0;
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path,
                                                                     absl::Time deadline) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(deadline));
  const int code =
      sqlite3_open_v2(path.c_str(), &database->handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) return FromSqlite(code, database->handle_);
  sqlite3_busy_handler(database->handle_, &OnBusy, database.get());
  sqlite3_progress_handler(database->handle_, kInstructionsPerLook, &OnProgress, database.get());
  // A statement of the configuration concerns this file and no other.
  sqlite3_limit(database->handle_, SQLITE_LIMIT_ATTACHED, 0);
  RETURN_IF_ERROR(database->Execute(
      "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; "
      "PRAGMA secure_delete=ON;"));
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(handle_); }

absl::Status SqliteDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : FromSqlite(code, handle_);
}

absl::StatusOr<SqliteQuery> SqliteDatabase::Prepare(const SqlStatement& statement) {
  sqlite3_stmt* prepared = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v2(handle_, statement.text.c_str(),
                                      static_cast<int>(statement.text.size()), &prepared, &tail);
  SqliteQuery query(handle_, prepared);
  if ((code & 0xff) == SQLITE_ERROR) {
    // No value is bound yet: the message is about the statement.
    return SystemRefused(std::string("SQLite does not take the statement: ") +
                         sqlite3_errmsg(handle_));
  }
  if (code != SQLITE_OK) return FromSqlite(code, handle_);
  if (prepared == nullptr ||
      std::string_view(tail).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return SystemRefused("expected one SQL statement; several stand in a list");
  }
  return query;
}

bool SqliteDatabase::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

int64_t SqliteDatabase::Changes() const { return sqlite3_total_changes(handle_); }

}  // namespace waymark::node
