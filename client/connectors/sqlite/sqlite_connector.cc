#include "client/connectors/sqlite/sqlite_connector.h"

#include <algorithm>
#include <utility>

#include "base/status/status.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// Unique, whole, and of this column alone.
constexpr char kUniqueIndexQuery[] =
    "SELECT count(*) FROM pragma_index_list(?1) AS l WHERE l.\"unique\" AND NOT l.partial AND "
    "(SELECT group_concat(i.name) FROM pragma_index_info(l.name) AS i) = ?2 COLLATE NOCASE";

absl::Status CheckRead(SqliteDatabase& database, const SqlFeed& feed) {
  ASSIGN_OR_RETURN(const SqliteQuery query, database.Prepare(feed.read));
  if (!query.read_only()) {
    return SystemRefused(
        "the statement of `read` changes the database; what was read may have to be read again");
  }
  return CheckColumns(feed, query.Columns());
}

absl::StatusOr<std::string> RowToJson(const SqliteQuery& query,
                                      const std::vector<std::string>& columns) {
  JsonObject row;
  for (size_t i = 0; i < columns.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string value, query.Json(static_cast<int>(i)));
    row.Add(columns[i], value);
  }
  return std::move(row).Finish();
}

}  // namespace

absl::StatusOr<SqliteSettings> ReadSqliteSettings(ConfigSection& connector) {
  SqliteSettings settings;
  ASSIGN_OR_RETURN(settings.database, connector.Path("database"));
  ASSIGN_OR_RETURN(settings.sql, ReadSqlSettings(connector, SqlDialect::kSqlite));
  return settings;
}

absl::Status SqliteConnector::Ready() { return checked_ ? absl::OkStatus() : Connect().status(); }

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteConnector::Connect() {
  ASSIGN_OR_RETURN(auto database, SqliteDatabase::Open(settings_.database, Deadline()));
  if (checked_) return database;
  RETURN_IF_ERROR(Check(*database));
  checked_ = true;
  return database;
}

absl::Status SqliteConnector::Check(SqliteDatabase& database) const {
  const SqlSettings& sql = settings_.sql;
  for (const auto* statements : {&sql.write, &sql.erase}) {
    for (const SqlStatement& statement : *statements) {
      RETURN_IF_ERROR(database.Prepare(statement).status());
    }
  }
  for (const auto* feed : {&sql.capacity, &sql.updates}) {
    if (feed->has_value()) RETURN_IF_ERROR(CheckRead(database, **feed));
  }
  if (sql.write.empty() || !sql.keyed) return absl::OkStatus();
  return CheckKeyIndex(database);
}

absl::Status SqliteConnector::CheckKeyIndex(SqliteDatabase& database) const {
  const std::vector<JsonValue> names = {{JsonValue::Kind::kText, settings_.sql.table},
                                        {JsonValue::Kind::kText, settings_.sql.key}};
  ASSIGN_OR_RETURN(SqliteQuery query, database.Prepare({.text = kUniqueIndexQuery}));
  RETURN_IF_ERROR(query.Bind(names));
  RETURN_IF_ERROR(query.Step().status());
  if (query.Int(0) > 0) return absl::OkStatus();
  return NoUniqueIndex(settings_.sql);
}

absl::Status SqliteConnector::Run(SqliteDatabase& database,
                                  const std::vector<SqlStatement>& statements,
                                  const SqlValues& values) {
  RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  for (size_t i = 0; i < statements.size(); ++i) {
    ASSIGN_OR_RETURN(SqliteQuery query, database.Prepare(statements[i]));
    RETURN_IF_ERROR(query.Bind(values[i]));
    RETURN_IF_ERROR(query.Run());
  }
  return absl::OkStatus();
}

WriteResult SqliteConnector::RunWrite(const SqlValues& values) {
  const auto database = Connect();
  if (!database.ok()) return ResultOf(database.status());
  const absl::Status run = Run(**database, settings_.sql.write, values);
  if (!run.ok()) return ResultOf(run);
  if ((*database)->Changes() == 0) return ResultOf(NothingWritten());
  const absl::Status committed = (*database)->Execute("COMMIT");
  if (IsSystemUnavailable(committed) && !(*database)->InTransaction() && !keyed()) {
    return Uncertain("the disk failed in the commit");
  }
  return ResultOf(committed);
}

WriteResult SqliteConnector::RunErase(const SqlValues& values) {
  const auto database = Connect();
  if (!database.ok()) return ResultOf(database.status());
  const absl::Status run = Run(**database, settings_.sql.erase, values);
  return ResultOf(run.ok() ? (*database)->Execute("COMMIT") : run);
}

absl::StatusOr<bool> SqliteConnector::RunRead(Feed /*feed*/, const SqlFeed& settings,
                                              const std::vector<JsonValue>& values, SqlPage& page) {
  ASSIGN_OR_RETURN(const auto database, Connect());
  ASSIGN_OR_RETURN(SqliteQuery query, database->Prepare(settings.read));
  RETURN_IF_ERROR(query.Bind(values));
  const std::vector<std::string> columns = query.Columns();
  const auto position = std::find(columns.begin(), columns.end(), settings.cursor);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found || page.full()) return found;
    ASSIGN_OR_RETURN(std::string row, RowToJson(query, columns));
    std::optional<std::string> next;
    if (position != columns.end()) {
      next = query.Text(static_cast<int>(position - columns.begin()));
    }
    RETURN_IF_ERROR(page.Add(std::move(row), next));
  }
}

}  // namespace waymark::node
