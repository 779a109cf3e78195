// A connector to a system that keeps its records in an SQLite database on this machine.
//
// Each call opens the file anew and does its work in one transaction: the program to which the
// database belongs may have replaced it since. A commit of SQLite succeeds or is known to have
// failed, so that even an unkeyed write is uncertain only when the disk fails while committing.
//
// See connector.h for threads and errors.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/connectors/sqlite/database.h"
#include "client/connectors/sqlite/sqlite_settings.h"

namespace waymark::node {

class SqliteConnector : public Connector {
 public:
  // Holds the settings against the database, unless that is out of reach: then the first call that
  // reaches it does. LOCAL_SYSTEM_REFUSED: a statement that the database does not take, or a key
  // without a unique index.
  static absl::StatusOr<std::unique_ptr<Connector>> Open(SqliteSettings settings,
                                                         absl::Duration time_limit);

  bool keyed() const override { return settings_.sql.keyed; }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;
  absl::Status Taken(Feed feed, std::string_view cursor) override;

 private:
  SqliteConnector(SqliteSettings settings, absl::Duration time_limit)
      : settings_(std::move(settings)), time_limit_(time_limit) {}

  absl::StatusOr<std::unique_ptr<SqliteDatabase>> Connect();
  absl::Status Check(SqliteDatabase& database) const;
  absl::Status CheckKeyIndex(SqliteDatabase& database) const;
  // Runs the statements in a transaction that is not yet committed.
  static absl::Status Run(SqliteDatabase& database, const std::vector<SqlStatement>& statements,
                          const std::vector<std::vector<JsonValue>>& values);

  const SqliteSettings settings_;
  const absl::Duration time_limit_;
  bool checked_ = false;
};

}  // namespace waymark::node
