#include "client/connectors/postgres/postgres_connector.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "base/status/status.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr char kWrite[] = "write";
constexpr char kErase[] = "erase";
constexpr char kCapacity[] = "capacity";
constexpr char kUpdates[] = "updates";
constexpr char kUniqueIndex[] = "unique";

// Unique, whole, checked at once, and of this column alone.
constexpr char kUniqueIndexSql[] =
    "SELECT count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a "
    "ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
    "WHERE i.indrelid = pg_catalog.to_regclass($1::text) AND i.indisunique AND i.indisvalid "
    "AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 1 AND a.attname = $2::text";

// Pointers into `values`.
PgValues Pointers(const std::vector<JsonValue>& values) {
  PgValues pointers;
  pointers.reserve(values.size());
  for (const JsonValue& value : values) {
    pointers.push_back(value.kind == JsonValue::Kind::kNull ? nullptr : value.text.c_str());
  }
  return pointers;
}

absl::Status CheckNoZero(const SqlValues& values) {
  for (const std::vector<JsonValue>& statement : values) {
    for (const JsonValue& value : statement) {
      if (value.text.find('\0') == std::string::npos) continue;
      return SystemRefused(
          "a text of the record holds the character U+0000, which PostgreSQL cannot store; take it "
          "out in the mapping");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PostgresSettings> ReadPostgresSettings(ConfigSection& connector) {
  PostgresSettings settings;
  ASSIGN_OR_RETURN(settings.host, connector.String("host"));
  ASSIGN_OR_RETURN(settings.port, connector.Integer("port", 1, 65535, 5432));
  ASSIGN_OR_RETURN(settings.database, connector.String("database"));
  ASSIGN_OR_RETURN(settings.user, connector.String("user"));
  ASSIGN_OR_RETURN(settings.password, ReadSecretReference(connector, "password"));
  ASSIGN_OR_RETURN(settings.ca, connector.Path("ca", ""));
  if (settings.ca.empty() && !IsLocalHost(settings.host)) {
    return connector.Invalid(
        "ca",
        "is missing; a server on another machine proves who it is by its certificate: name "
        "the file with the authority's certificate");
  }
  ASSIGN_OR_RETURN(settings.sql, ReadSqlSettings(connector, SqlDialect::kPostgres));
  return settings;
}

absl::Status PostgresConnector::Ready() {
  return checked_ ? absl::OkStatus() : Connect(Deadline());
}

absl::Status PostgresConnector::Connect(absl::Time deadline) {
  connection_ = nullptr;
  ASSIGN_OR_RETURN(connection_, PgConnection::Connect(settings_, time_limit(), deadline));
  absl::Status prepared = Prepare(deadline);
  if (!prepared.ok()) connection_ = nullptr;
  return prepared;
}

absl::Status PostgresConnector::Prepare(absl::Time deadline) {
  const SqlSettings& sql = settings_.sql;
  const auto prepare = [&](const std::string& name, const SqlStatement& statement) {
    const absl::Status status = connection_->Prepare(name, statement.text, deadline);
    return status.ok() ? status : Annotate(status, "the statement of " + name);
  };
  for (size_t i = 0; i < sql.write.size(); ++i) {
    RETURN_IF_ERROR(prepare(kWrite + std::to_string(i), sql.write[i]));
  }
  for (size_t i = 0; i < sql.erase.size(); ++i) {
    RETURN_IF_ERROR(prepare(kErase + std::to_string(i), sql.erase[i]));
  }
  if (sql.capacity) RETURN_IF_ERROR(prepare(kCapacity, sql.capacity->read));
  if (sql.updates) RETURN_IF_ERROR(prepare(kUpdates, sql.updates->read));
  if (checked_) return absl::OkStatus();
  if (sql.capacity) RETURN_IF_ERROR(CheckFeed(*sql.capacity, kCapacity, deadline));
  if (sql.updates) RETURN_IF_ERROR(CheckFeed(*sql.updates, kUpdates, deadline));
  if (!sql.write.empty() && sql.keyed) RETURN_IF_ERROR(CheckKeyIndex(deadline));
  checked_ = true;
  return absl::OkStatus();
}

absl::Status PostgresConnector::CheckFeed(const SqlFeed& feed, const std::string& name,
                                          absl::Time deadline) {
  ASSIGN_OR_RETURN(const std::vector<std::string> columns, connection_->Columns(name, deadline));
  return CheckColumns(feed, columns);
}

absl::Status PostgresConnector::CheckKeyIndex(absl::Time deadline) {
  const SqlSettings& sql = settings_.sql;
  RETURN_IF_ERROR(connection_->Prepare(kUniqueIndex, kUniqueIndexSql, deadline));
  ASSIGN_OR_RETURN(const PgResult result,
                   connection_->Run(kUniqueIndex, {sql.table.c_str(), sql.key.c_str()}, deadline));
  if (std::string_view(PQgetvalue(result.get(), 0, 0)) != "0") return absl::OkStatus();
  return NoUniqueIndex(sql);
}

absl::Status PostgresConnector::Begin(const char* sql, absl::Time deadline) {
  if (connection_ != nullptr && !connection_->broken()) {
    absl::Status begun = connection_->Execute(sql, deadline);
    if (begun.ok() || !connection_->broken()) return begun;
    // Lost since the last call: nothing has been done on it yet.
  }
  RETURN_IF_ERROR(Connect(deadline));
  return connection_->Execute(sql, deadline);
}

absl::StatusOr<int64_t> PostgresConnector::RunAll(const char* name, const SqlValues& values,
                                                  absl::Time deadline) {
  int64_t rows = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    ASSIGN_OR_RETURN(const PgResult result,
                     connection_->Run(name + std::to_string(i), Pointers(values[i]), deadline));
    int64_t changed = 0;
    if (absl::SimpleAtoi(PQcmdTuples(result.get()), &changed)) rows += changed;
  }
  return rows;
}

PostgresConnector::Changed PostgresConnector::Change(const char* name, const SqlValues& values,
                                                     bool must_change) {
  const absl::Time deadline = Deadline();
  Changed changed;
  changed.status = Begin("BEGIN", deadline);
  if (!changed.status.ok()) return changed;
  const absl::StatusOr<int64_t> rows = RunAll(name, values, deadline);
  changed.status = rows.status();
  if (rows.ok() && *rows == 0 && must_change) changed.status = NothingWritten();
  if (!changed.status.ok()) {
    // A connection that cannot even roll back is of no use.
    if (connection_->broken() || !connection_->Execute("ROLLBACK", deadline).ok()) {
      connection_ = nullptr;
    }
    return changed;
  }
  changed.status = connection_->Execute("COMMIT", deadline);
  changed.answer_lost = !changed.status.ok() && connection_->broken();
  return changed;
}

WriteResult PostgresConnector::RunWrite(const SqlValues& values) {
  const absl::Status storable = CheckNoZero(values);
  if (!storable.ok()) return ResultOf(storable);
  const Changed changed = Change(kWrite, values, true);
  if (!changed.answer_lost) return ResultOf(changed.status);
  constexpr std::string_view kLost = "the answer to the commit was lost";
  return keyed() ? ResultOf(SystemUnavailable(kLost)) : Uncertain(kLost);
}

WriteResult PostgresConnector::RunErase(const SqlValues& values) {
  // An erasure may always be repeated, so a lost answer is only a failure.
  const Changed changed = Change(kErase, values, false);
  if (changed.answer_lost) return ResultOf(SystemUnavailable("the answer to the commit was lost"));
  return ResultOf(changed.status);
}

absl::StatusOr<bool> PostgresConnector::RunRead(Feed feed, const SqlFeed& settings,
                                                const std::vector<JsonValue>& values,
                                                SqlPage& page) {
  const absl::Time deadline = Deadline();
  RETURN_IF_ERROR(Begin("BEGIN READ ONLY", deadline));
  bool more = false;
  const auto take = [&](const PGresult& row) -> absl::StatusOr<bool> {
    if (page.full()) {
      more = true;
      return false;
    }
    JsonObject object;
    std::optional<std::string> next;
    for (int i = 0; i < PQnfields(&row); ++i) {
      object.Add(PQfname(&row, i), PgJson(row, i));
      const bool is_cursor = settings.cursor == PQfname(&row, i);
      if (is_cursor && PQgetisnull(&row, 0, i) == 0) next = PQgetvalue(&row, 0, i);
    }
    RETURN_IF_ERROR(page.Add(std::move(object).Finish(), next));
    return true;
  };
  const absl::Status streamed = connection_->Stream(feed == Feed::kCapacity ? kCapacity : kUpdates,
                                                    Pointers(values), deadline, take);
  // It only read: how its transaction ends does not matter.
  if (connection_->broken() || !connection_->Execute("ROLLBACK", deadline).ok()) {
    connection_ = nullptr;
  }
  RETURN_IF_ERROR(streamed);
  return more;
}

}  // namespace waymark::node
