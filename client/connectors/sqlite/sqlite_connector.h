// A connector to a system that keeps its records in an SQLite database on this machine.
//
// Each call opens the file anew and does its work in one transaction: the program to which the
// database belongs may have replaced it since. A commit of SQLite succeeds or is known to have
// failed, so that even an unkeyed write is uncertain only when the disk fails while committing.
//
// See connector.h for threads and errors.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/connectors/sql/sql_connector.h"
#include "client/connectors/sqlite/database.h"
#include "client/connectors/sqlite/sqlite_settings.h"

namespace waymark::node {

class SqliteConnector : public SqlConnector {
 public:
  SqliteConnector(SqliteSettings settings, absl::Duration time_limit)
      : SqlConnector(time_limit), settings_(std::move(settings)) {}

  // Refuses a statement that the database does not take, and a key without a unique index.
  absl::Status Ready() override;

 private:
  const SqlSettings& sql_settings() const override { return settings_.sql; }
  WriteResult RunWrite(const SqlValues& values) override;
  WriteResult RunErase(const SqlValues& values) override;
  absl::StatusOr<bool> RunRead(Feed feed, const SqlFeed& settings,
                               const std::vector<JsonValue>& values, SqlPage& page) override;

  absl::StatusOr<std::unique_ptr<SqliteDatabase>> Connect();
  absl::Status Check(SqliteDatabase& database) const;
  absl::Status CheckKeyIndex(SqliteDatabase& database) const;
  // Runs the statements in a transaction that is not yet committed.
  static absl::Status Run(SqliteDatabase& database, const std::vector<SqlStatement>& statements,
                          const SqlValues& values);

  const SqliteSettings settings_;
  bool checked_ = false;
};

}  // namespace waymark::node
