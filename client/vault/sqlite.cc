#include "client/vault/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/status/status.h"

namespace waymark::node {
namespace {

absl::Status FromSqlite(int code) {
  const std::string detail = std::string("the vault's database: ") + sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(v1::REASON_DATA_CORRUPT, detail);
    default:
      return Error(v1::REASON_UNAVAILABLE, detail);
  }
}

}  // namespace

Statement::Statement(sqlite3_stmt* statement, int error) : statement_(statement), error_(error) {}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      error_(other.error_),
      next_parameter_(other.next_parameter_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement&& Statement::Bind(int64_t value) && {
  if (error_ == SQLITE_OK) error_ = sqlite3_bind_int64(statement_, next_parameter_++, value);
  return std::move(*this);
}

Statement&& Statement::Blob(std::string_view value) && {
  if (error_ == SQLITE_OK) {
    // A null pointer would bind NULL instead of no bytes.
    const char* data = value.empty() ? "" : value.data();
    error_ = sqlite3_bind_blob64(statement_, next_parameter_++, data, value.size(), SQLITE_STATIC);
  }
  return std::move(*this);
}

Statement&& Statement::Text(std::string_view value) && {
  if (error_ == SQLITE_OK) {
    error_ = sqlite3_bind_text64(statement_, next_parameter_++, value.data(), value.size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
  }
  return std::move(*this);
}

absl::StatusOr<bool> Statement::Step() {
  if (error_ != SQLITE_OK) return FromSqlite(error_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  error_ = code;
  return FromSqlite(code);
}

absl::Status Statement::Run() {
  while (true) {
    ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path) {
  // SQLite would create the file readable by others, and its companions take over its mode.
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    return Error(v1::REASON_FILE_UNUSABLE, "the vault's file cannot be opened: " + path);
  }
  const bool private_to_owner = fchmod(file, 0600) == 0;
  close(file);
  if (!private_to_owner) {
    return Error(v1::REASON_FILE_UNUSABLE, "the vault's file belongs to somebody else: " + path);
  }

  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (code != SQLITE_OK) return FromSqlite(code);

  // locking_mode comes first: an exclusive WAL keeps its index in memory, not in a shared file.
  constexpr char kPragmas[] =
      "PRAGMA locking_mode=EXCLUSIVE;"
      "PRAGMA journal_mode=WAL;"
      "PRAGMA synchronous=FULL;"
      "PRAGMA secure_delete=ON;"
      "PRAGMA temp_store=MEMORY;"
      "PRAGMA trusted_schema=OFF;"
      "BEGIN IMMEDIATE; COMMIT;";
  const int settled = sqlite3_exec(handle, kPragmas, nullptr, nullptr, nullptr);
  if ((settled & 0xff) == SQLITE_BUSY) {
    return Error(v1::REASON_FILE_UNUSABLE, "another process has the vault " + path +
                                               " open; stop it first: one node runs per folder");
  }
  if (settled != SQLITE_OK) return FromSqlite(settled);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : cache_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

absl::Status SqliteConnection::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : FromSqlite(code);
}

Statement SqliteConnection::Prepare(const char* sql) {
  const auto found = cache_.find(std::string_view(sql));
  if (found != cache_.end()) return Statement(found->second, SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code == SQLITE_OK) cache_.emplace(sql, statement);
  return Statement(statement, code);
}

int SqliteConnection::Changes() const { return sqlite3_changes(handle_); }

}  // namespace waymark::node
