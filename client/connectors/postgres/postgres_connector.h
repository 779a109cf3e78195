// A connector to a system that keeps its records in a PostgreSQL database.
//
// A write is one transaction. What is lost before its COMMIT was sent is certainly not written;
// when the answer to the COMMIT is lost, a keyed write is made again and an unkeyed one is
// uncertain. The connection is kept between calls and made anew when it is found lost.
//
// See connector.h for threads and errors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/connectors/postgres/connection.h"
#include "client/connectors/postgres/postgres_settings.h"
#include "client/connectors/sql/sql_connector.h"

namespace waymark::node {

class PostgresConnector : public SqlConnector {
 public:
  PostgresConnector(PostgresSettings settings, absl::Duration time_limit)
      : SqlConnector(time_limit), settings_(std::move(settings)) {}

  // Refuses a login or statement that the server does not take, and a key without a unique index.
  absl::Status Ready() override;

 private:
  struct Changed {
    absl::Status status;
    int64_t rows = 0;
    // The COMMIT was sent and its answer lost.
    bool answer_lost = false;
  };

  const SqlSettings& sql_settings() const override { return settings_.sql; }
  WriteResult RunWrite(const SqlValues& values) override;
  WriteResult RunErase(const SqlValues& values) override;
  absl::StatusOr<bool> RunRead(Feed feed, const SqlFeed& settings,
                               const std::vector<JsonValue>& values, SqlPage& page) override;

  absl::Status Connect(absl::Time deadline);
  // Prepares all statements; the first time, holds the settings against the database.
  absl::Status Prepare(absl::Time deadline);
  absl::Status CheckFeed(const SqlFeed& feed, const std::string& name, absl::Time deadline);
  absl::Status CheckKeyIndex(absl::Time deadline);
  // Begins a transaction on a connection that works.
  absl::Status Begin(const char* sql, absl::Time deadline);
  // Runs the prepared statements `name`0, `name`1, ... and commits, if a row was changed or none
  // need be.
  Changed Change(const char* name, const SqlValues& values, bool must_change);
  absl::StatusOr<int64_t> RunAll(const char* name, const SqlValues& values, absl::Time deadline);

  const PostgresSettings settings_;
  std::unique_ptr<PgConnection> connection_;
  bool checked_ = false;
};

}  // namespace waymark::node
