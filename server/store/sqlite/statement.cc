#include "server/store/sqlite/statement.h"

#include <limits>
#include <utility>

#include "base/crypto/hash.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

constexpr size_t kSumSize = 8;
constexpr int64_t kInfiniteFuture = std::numeric_limits<int64_t>::max();

v1::Reason ReasonOfCode(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return v1::REASON_QUOTA_EXCEEDED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA:
      return v1::REASON_DATA_CORRUPT;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_CONSTRAINT:
      return v1::REASON_INTERNAL;
    default:
      return v1::REASON_UNAVAILABLE;
  }
}

}  // namespace

absl::Status SqliteError(int code, std::string_view what) {
  // A short read is how SQLite reports a file that ends too early.
  const v1::Reason reason =
      code == SQLITE_IOERR_SHORT_READ ? v1::REASON_DATA_CORRUPT : ReasonOfCode(code);
  return Error(reason, "the store could not " + std::string(what) + " (" + sqlite3_errstr(code) +
                           ", SQLite code " + std::to_string(code) + ")");
}

int64_t TimeToRow(absl::Time time) {
  return time == absl::InfiniteFuture() ? kInfiniteFuture : absl::ToUnixMicros(time);
}

absl::Time TimeFromRow(int64_t micros) {
  return micros == kInfiniteFuture ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
}

// Statement ---------------------------------------------------------------------------------------

Statement::~Statement() {
  if (statement_ != nullptr) Reset();
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      next_(other.next_),
      error_(other.error_),
      summed_(other.summed_),
      sum_(std::move(other.sum_)) {}

Statement& Statement::Bind(int64_t value) {
  const int code = sqlite3_bind_int64(statement_, ++next_, value);
  if (code != SQLITE_OK) error_ = code;
  Summarise('i', {reinterpret_cast<const char*>(&value), sizeof(value)});
  return *this;
}

Statement& Statement::Bind(std::string_view bytes) {
  // SQLite would store a null pointer as NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(statement_, ++next_, data, bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) error_ = code;
  Summarise('b', bytes);
  return *this;
}

Statement& Statement::BindSum() {
  sum_ = TakeSum();
  const int code =
      sqlite3_bind_blob64(statement_, ++next_, sum_.data(), sum_.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) error_ = code;
  return *this;
}

absl::Status Statement::Run() {
  const int code = error_ != SQLITE_OK ? error_ : sqlite3_step(statement_);
  Reset();
  if (code == SQLITE_DONE) return absl::OkStatus();
  return SqliteError(code == SQLITE_ROW ? SQLITE_MISUSE : code, "write");
}

absl::StatusOr<bool> Statement::Step() {
  const int code = error_ != SQLITE_OK ? error_ : sqlite3_step(statement_);
  next_ = 0;
  summed_.clear();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(code, "read");
}

int64_t Statement::Int() {
  const int64_t value = sqlite3_column_int64(statement_, next_++);
  Summarise('i', {reinterpret_cast<const char*>(&value), sizeof(value)});
  return value;
}

std::string Statement::Bytes() {
  const void* data = sqlite3_column_blob(statement_, next_);
  const int size = sqlite3_column_bytes(statement_, next_);
  ++next_;
  std::string bytes;
  if (data != nullptr) bytes.assign(static_cast<const char*>(data), static_cast<size_t>(size));
  Summarise('b', bytes);
  return bytes;
}

absl::Status Statement::CheckSum() {
  const std::string expected = TakeSum();
  if (Bytes() == expected) return absl::OkStatus();
  return Error(v1::REASON_DATA_CORRUPT, "a row of the store is not as it was written");
}

int Statement::columns() const { return sqlite3_column_count(statement_); }

std::string_view Statement::name(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? std::string_view() : name;
}

bool Statement::AtNumber() const {
  return sqlite3_column_type(statement_, next_) == SQLITE_INTEGER;
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  next_ = 0;
  error_ = SQLITE_OK;
  summed_.clear();
}

void Statement::Summarise(char type, std::string_view bytes) {
  const uint64_t size = bytes.size();
  summed_ += type;
  summed_.append(reinterpret_cast<const char*>(&size), sizeof(size));
  summed_.append(bytes);
}

std::string Statement::TakeSum() {
  std::string sum = PlainSha256(summed_);
  sum.resize(kSumSize);
  summed_.clear();
  return sum;
}

// Connection --------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, int flags,
                                                             const char* settings,
                                                             const char* vfs) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, vfs);
  auto connection = std::unique_ptr<Connection>(new Connection(db));
  if (code != SQLITE_OK) return SqliteError(code, "open its file");
  sqlite3_extended_result_codes(db, 1);
  RETURN_IF_ERROR(connection->Execute(settings));
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, prepared] : statements_) sqlite3_finalize(prepared.statement);
  sqlite3_close(db_);
}

absl::Status Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(code, "execute a statement");
}

absl::StatusOr<Statement> Connection::Prepare(const char* sql) {
  Prepared& prepared = statements_[sql];
  if (prepared.statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared.statement, nullptr);
    if (code != SQLITE_OK) {
      statements_.erase(sql);
      return SqliteError(code, "prepare a statement");
    }
  }
  return Statement(prepared.statement, &prepared.summed);
}

absl::Status Connection::Checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(code, "checkpoint");
}

// Transaction -------------------------------------------------------------------------------------

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection) {
  ASSIGN_OR_RETURN(Statement begin, connection.Prepare("BEGIN IMMEDIATE"));
  RETURN_IF_ERROR(begin.Run());
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite has already rolled back after some errors; there is then nothing to end.
  if (connection_ != nullptr && sqlite3_get_autocommit(connection_->handle()) == 0) {
    connection_->Execute("ROLLBACK").IgnoreError();
  }
}

absl::Status Transaction::Commit() {
  ASSIGN_OR_RETURN(Statement commit, connection_->Prepare("COMMIT"));
  RETURN_IF_ERROR(commit.Run());
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace waymark::hub
