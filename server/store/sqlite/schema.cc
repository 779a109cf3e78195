#include "server/store/sqlite/schema.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "base/lifecycle/lifecycle.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "server/store/sqlite/joined_log.h"
#include "server/store/sqlite/migration.h"
#include "server/store/sqlite/store_file.h"

namespace waymark::hub {
namespace {

// "WYMK": what file(1) and this program tell the file by.
constexpr int64_t kApplicationId = 0x57594d4b;

constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;

// Checkpoints are the maintenance thread's: on the commit path they cost 9 to 14 ms at p99.
constexpr char kWriterSettings[] =
    "PRAGMA page_size = 16384;"
    "PRAGMA auto_vacuum = NONE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -32768;"
    "PRAGMA busy_timeout = 2000;";

constexpr char kCheckpointerSettings[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA busy_timeout = 50;";

constexpr char kCopierSettings[] =
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA busy_timeout = 2000;";

constexpr char kReaderSettings[] =
    "PRAGMA query_only = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA busy_timeout = 2000;";

// The items of U0 and U1 whose sender has had an offline notice: few, so that a message that is
// delivered in time costs nothing here.
constexpr char kToldTable[] = R"sql(
CREATE TABLE told (
  sequence INTEGER PRIMARY KEY,
  sum BLOB NOT NULL
) STRICT;
)sql";
// In every table `sum` covers the columns before it; see statement.h.
constexpr char kMetaTable[] = R"sql(
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch BLOB NOT NULL,
  file_mark INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  restored_at INTEGER NOT NULL,
  sum BLOB NOT NULL
) STRICT;
)sql";
constexpr char kTables[] = R"sql(
CREATE TABLE item (
  sequence INTEGER PRIMARY KEY,
  mailbox BLOB NOT NULL,
  message_id BLOB NOT NULL,
  referral BLOB NOT NULL,
  sender BLOB NOT NULL,
  kind INTEGER NOT NULL,
  urgency INTEGER NOT NULL,
  token_hash BLOB NOT NULL,
  stored_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  message BLOB NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE token (
  row INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  issuer BLOB NOT NULL,
  presenter BLOB NOT NULL,
  recipient BLOB NOT NULL,
  ceiling INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  separate_release INTEGER NOT NULL,
  revocation_lock BLOB NOT NULL,
  registered_at INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE referral (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  origin BLOB NOT NULL,
  provider BLOB NOT NULL,
  state INTEGER NOT NULL,
  urgency INTEGER NOT NULL,
  token_hash BLOB NOT NULL,
  state_until INTEGER NOT NULL,
  forget_at INTEGER NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE seen (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  digest BLOB NOT NULL,
  answer INTEGER NOT NULL,
  remember_until INTEGER NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE routing (
  row INTEGER PRIMARY KEY,
  minute INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  referral BLOB NOT NULL,
  sender BLOB NOT NULL,
  recipient BLOB NOT NULL,
  kind INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  urgency INTEGER NOT NULL
) STRICT;
CREATE TABLE statement (
  capacity INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  subject BLOB NOT NULL,
  organisation BLOB NOT NULL,
  version INTEGER NOT NULL,
  statement BLOB NOT NULL,
  digest BLOB NOT NULL,
  head BLOB NOT NULL,
  sum BLOB NOT NULL,
  PRIMARY KEY (capacity, revision)
) STRICT;
CREATE INDEX statement_by_subject ON statement (subject, revision);
CREATE TABLE invitation (
  hash BLOB PRIMARY KEY NOT NULL,
  organisation BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  used_by BLOB NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE enrolment (
  request_id BLOB PRIMARY KEY NOT NULL,
  organisation BLOB NOT NULL,
  invitation_hash BLOB NOT NULL,
  renewal INTEGER NOT NULL,
  state INTEGER NOT NULL,
  requested_at INTEGER NOT NULL,
  request BLOB NOT NULL,
  response BLOB NOT NULL,
  sum BLOB NOT NULL
) STRICT;
)sql";

absl::StatusOr<int64_t> ReadNumber(Connection& connection, const char* sql) {
  ASSIGN_OR_RETURN(Statement query, connection.Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, query.Step());
  return found ? query.Int() : 0;
}

absl::Status WriteIdentity(Connection& connection, const StoreIdentity& identity,
                           int64_t file_mark) {
  ASSIGN_OR_RETURN(Statement write,
                   connection.Prepare("INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?, ?)"));
  return write.Bind(identity.epoch)
      .Bind(file_mark)
      .Bind(identity.reserved)
      .Bind(identity.restored_at.value_or(absl::InfiniteFuture()))
      .BindSum()
      .Run();
}

// Who the store is, and the mark of its file; nullopt before the first writing.
using StoredIdentity = std::optional<std::pair<StoreIdentity, int64_t>>;

// As a store of `version` has it.
absl::StatusOr<StoredIdentity> ReadIdentity(Connection& connection, int version = kSchemaVersion) {
  ASSIGN_OR_RETURN(
      Statement read,
      connection.Prepare(version == 1
                             ? "SELECT epoch, file_mark, reserved, sum FROM meta"
                             : "SELECT epoch, file_mark, reserved, restored_at, sum FROM meta"));
  ASSIGN_OR_RETURN(const bool found, read.Step());
  if (!found) return std::nullopt;
  StoreIdentity identity;
  identity.epoch = read.Bytes();
  const int64_t file_mark = read.Int();
  identity.reserved = read.Int();
  const absl::Time restored_at = version == 1 ? absl::InfiniteFuture() : read.Time();
  if (restored_at != absl::InfiniteFuture()) identity.restored_at = restored_at;
  RETURN_IF_ERROR(read.CheckSum());
  return std::make_pair(std::move(identity), file_mark);
}

absl::Status AddRestoredAt(Connection& connection) {
  ASSIGN_OR_RETURN(const StoredIdentity stored, ReadIdentity(connection, 1));
  RETURN_IF_ERROR(connection.Execute("DROP TABLE meta"));
  RETURN_IF_ERROR(connection.Execute(kMetaTable));
  return stored ? WriteIdentity(connection, stored->first, stored->second) : absl::OkStatus();
}

// Until then the store marked those whose sender had had none.
absl::Status MarkThoseTold(Connection& connection) {
  RETURN_IF_ERROR(connection.Execute(kToldTable));
  std::vector<int64_t> told;
  {
    ASSIGN_OR_RETURN(Statement items,
                     connection.Prepare("SELECT sequence FROM item WHERE urgency IN (?, ?) AND "
                                        "sequence NOT IN (SELECT sequence FROM urgent)"));
    items.Bind(int64_t{v1::URGENCY_U0}).Bind(int64_t{v1::URGENCY_U1});
    while (true) {
      ASSIGN_OR_RETURN(const bool found, items.Step());
      if (!found) break;
      told.push_back(items.Int());
    }
  }
  for (const int64_t sequence : told) RETURN_IF_ERROR(MarkTold(connection, sequence));
  return connection.Execute("DROP TABLE urgent");
}

// One for each version after the first, in order. A step that changes the columns of a table writes
// the sums of its rows anew; MakeTables makes what a new store has after all of them.
constexpr std::array<MigrationStep, kSchemaVersion - 1> kSteps = {
    {{2, AddRestoredAt}, {3, MarkThoseTold}}};

// What Store::restored_at says is let go of. What outlives a withdrawal stays, and mail without a
// token: it is whole, and comes again at the worst.
absl::Status LetGoOfCourses(Connection& connection) {
  RETURN_IF_ERROR(
      connection.Execute("DELETE FROM referral; DELETE FROM seen;"
                         "DELETE FROM token WHERE revoked = 0;"));
  std::vector<int64_t> dropped;
  {
    ASSIGN_OR_RETURN(Statement items,
                     connection.Prepare("SELECT sequence, kind, token_hash FROM item"));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, items.Step());
      if (!found) break;
      const int64_t sequence = items.Int();
      const auto kind = static_cast<v1::Kind>(items.Int());
      if (!items.Bytes().empty() && !OutlivesWithdrawal(kind)) dropped.push_back(sequence);
    }
  }
  ASSIGN_OR_RETURN(Statement item, connection.Prepare("DELETE FROM item WHERE sequence = ?"));
  for (const int64_t sequence : dropped) RETURN_IF_ERROR(item.Bind(sequence).Run());
  return connection.Execute("DELETE FROM told WHERE sequence NOT IN (SELECT sequence FROM item)");
}

// What tells the file from a copy of it: its inode and, where the file system keeps it, the moment
// of its birth, because a copy may get the inode of a file that was deleted before.
absl::StatusOr<int64_t> MarkOf(const std::string& path) {
  struct statx file = {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &file) != 0) {
    return SystemError("look at", path);
  }
  uint64_t mark = file.stx_ino;
  if ((file.stx_mask & STATX_BTIME) != 0) {
    constexpr uint64_t kMix = 0x9E3779B97F4A7C15;
    mark = mark * kMix + static_cast<uint64_t>(file.stx_btime.tv_sec);
    mark = mark * kMix + file.stx_btime.tv_nsec;
  }
  return static_cast<int64_t>(mark);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> OpenWriter(const std::string& path) {
  return Connection::Open(path, kFlags, kWriterSettings, JoinedLogVfs());
}

absl::StatusOr<std::unique_ptr<Connection>> OpenCheckpointer(const std::string& path) {
  return Connection::Open(path, kFlags, kCheckpointerSettings);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenReader(const std::string& path) {
  return Connection::Open(path, kFlags, kReaderSettings);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenCopier(const std::string& path) {
  return Connection::Open(path, kFlags, kCopierSettings);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenUnchanged(const std::string& path) {
  constexpr char kHex[] = "0123456789abcdef";
  // With an empty authority, so that a path may begin with two slashes.
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += c;
    } else {
      uri += {'%', kHex[byte >> 4], kHex[byte & 0xf]};
    }
  }
  return Connection::Open(uri + "?mode=ro&immutable=1",
                          SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                          kReaderSettings);
}

absl::Status MakeTables(Connection& connection) {
  for (const char* tables : {kMetaTable, kToldTable, kTables}) {
    RETURN_IF_ERROR(connection.Execute(tables));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> ReadSchemaVersion(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t application, ReadNumber(connection, "PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, ReadNumber(connection, "PRAGMA user_version"));
  if (application == kApplicationId) return static_cast<int>(version);
  ASSIGN_OR_RETURN(const int64_t tables,
                   ReadNumber(connection, "SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && tables == 0) return 0;
  return Error(v1::REASON_FILE_UNUSABLE, "the configured store is a database of another program");
}

absl::Status CheckStructure(Connection& connection) {
  // Not quick_check: an index that does not fit its table would hide a row. Only the small tables
  // have one, so that it costs no more.
  ASSIGN_OR_RETURN(Statement check, connection.Prepare("PRAGMA integrity_check(1)"));
  ASSIGN_OR_RETURN(const bool found, check.Step());
  if (found && check.Bytes() == "ok") return absl::OkStatus();
  return Error(v1::REASON_DATA_CORRUPT, "the structure of the store's file is broken");
}

absl::Status PrepareSchema(Connection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const int version, ReadSchemaVersion(connection));
  ASSIGN_OR_RETURN(const int64_t tables,
                   ReadNumber(connection, "SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && tables == 0) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
    RETURN_IF_ERROR(MakeTables(connection));
    const std::string marks = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(kSchemaVersion);
    RETURN_IF_ERROR(connection.Execute(marks.c_str()));
    return transaction.Commit();
  }
  if (version < 1 || version > kSchemaVersion) {
    return Error(v1::REASON_VERSION_UNSUPPORTED,
                 "the store has schema version " + std::to_string(version) +
                     " and this program reads version " + std::to_string(kSchemaVersion) +
                     "; install the program that wrote it, or put back the copy that it kept "
                     "before the change, " +
                     CopyBefore(path, version));
  }
  RETURN_IF_ERROR(CheckStructure(connection));
  if (version == kSchemaVersion) return absl::OkStatus();
  RETURN_IF_ERROR(Migrate(connection, path, version, kSteps));
  Log(LogLevel::kInfo, "store_migrated",
      {{"from", version}, {"to", kSchemaVersion}, {"copy", CopyBefore(path, kSchemaVersion)}});
  return absl::OkStatus();
}

absl::StatusOr<StoreIdentity> PrepareIdentity(Connection& connection, const std::string& path,
                                              Random& random, absl::Time now) {
  ASSIGN_OR_RETURN(const int64_t file_mark, MarkOf(path));
  ASSIGN_OR_RETURN(auto stored, ReadIdentity(connection));
  if (stored && stored->second == file_mark) return stored->first;
  StoreIdentity identity;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
  if (stored) {
    identity = stored->first;
    identity.restored_at = now;
    RETURN_IF_ERROR(LetGoOfCourses(connection));
  }
  identity.epoch = random.Bytes(16);
  RETURN_IF_ERROR(WriteIdentity(connection, identity, file_mark));
  RETURN_IF_ERROR(transaction.Commit());
  if (stored) Log(LogLevel::kWarning, "store_restored");
  return identity;
}

absl::StatusOr<std::optional<StoreIdentity>> FindIdentity(Connection& connection,
                                                          const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t file_mark, MarkOf(path));
  ASSIGN_OR_RETURN(auto stored, ReadIdentity(connection));
  if (!stored || stored->second != file_mark) return std::optional<StoreIdentity>();
  return std::optional(std::move(stored->first));
}

absl::Status MarkTold(Connection& connection, int64_t sequence) {
  ASSIGN_OR_RETURN(Statement mark, connection.Prepare("INSERT INTO told VALUES (?, ?)"));
  return mark.Bind(sequence).BindSum().Run();
}

absl::StatusOr<int64_t> ReadTold(Statement& statement) {
  const int64_t sequence = statement.Int();
  RETURN_IF_ERROR(statement.CheckSum());
  return sequence;
}

absl::Status Reserve(Connection& connection, int64_t reserved) {
  ASSIGN_OR_RETURN(auto stored, ReadIdentity(connection));
  if (!stored) return Error(v1::REASON_DATA_CORRUPT, "the store has lost its identity");
  stored->first.reserved = reserved;
  return WriteIdentity(connection, stored->first, stored->second);
}

}  // namespace waymark::hub
