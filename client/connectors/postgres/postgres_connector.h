// A connector to a system that keeps its records in a PostgreSQL database.
//
// A write is one transaction. What is lost before its COMMIT was sent is certainly not written;
// when the answer to the COMMIT is lost, a keyed write is made again and an unkeyed one is
// uncertain. The connection is kept between calls and made anew when it is found lost.
//
// See connector.h for threads and errors.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/connectors/postgres/connection.h"
#include "client/connectors/postgres/postgres_settings.h"

namespace waymark::node {

class PostgresConnector : public Connector {
 public:
  // Holds the settings against the database, unless that is out of reach: then the first call that
  // reaches it does. LOCAL_SYSTEM_REFUSED: a login or statement that the server does not take, or a
  // key without a unique index.
  static absl::StatusOr<std::unique_ptr<Connector>> Open(PostgresSettings settings,
                                                         absl::Duration time_limit);

  bool keyed() const override { return settings_.sql.keyed; }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;
  absl::Status Taken(Feed feed, std::string_view cursor) override;

 private:
  struct Changed {
    absl::Status status;
    int64_t rows = 0;
    // The COMMIT was sent and its answer lost.
    bool answer_lost = false;
  };

  PostgresConnector(PostgresSettings settings, absl::Duration time_limit)
      : settings_(std::move(settings)), time_limit_(time_limit) {}

  absl::Status Connect(absl::Time deadline);
  // Prepares all statements; the first time, holds the settings against the database.
  absl::Status Prepare(absl::Time deadline);
  absl::Status CheckFeed(const SqlFeed& feed, const std::string& name, absl::Time deadline);
  absl::Status CheckKeyIndex(absl::Time deadline);
  // Begins a transaction on a connection that works.
  absl::Status Begin(const char* sql, absl::Time deadline);
  // Runs the prepared statements `name`0, `name`1, ... and commits, if a row was changed or none
  // need be.
  Changed Change(const char* name, const std::vector<std::vector<JsonValue>>& values,
                 bool must_change);
  absl::StatusOr<int64_t> RunAll(const char* name,
                                 const std::vector<std::vector<JsonValue>>& values,
                                 absl::Time deadline);

  const PostgresSettings settings_;
  const absl::Duration time_limit_;
  std::unique_ptr<PgConnection> connection_;
  bool checked_ = false;
};

}  // namespace waymark::node
