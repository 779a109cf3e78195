// What connectors to databases have in common: the statements of the settings are given their
// values here, and a database's own connector runs them.
//
// See connector.h for threads and errors.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/connectors/json_members.h"
#include "client/connectors/sql/sql_settings.h"

namespace waymark::node {

// The values of the parameters of each statement of a list.
using SqlValues = std::vector<std::vector<JsonValue>>;

class SqlConnector : public Connector {
 public:
  bool keyed() const override { return sql_settings().keyed; }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;

 protected:
  explicit SqlConnector(absl::Duration time_limit) : time_limit_(time_limit) {}

  absl::Duration time_limit() const { return time_limit_; }
  // When a call that begins now must end, on SteadyClock.
  absl::Time Deadline() const;

 private:
  virtual const SqlSettings& sql_settings() const = 0;
  // Runs the statements of `write` or `erase` in one transaction.
  virtual WriteResult RunWrite(const SqlValues& values) = 0;
  virtual WriteResult RunErase(const SqlValues& values) = 0;
  // Adds rows to `page` until it is full; returns whether more were left.
  virtual absl::StatusOr<bool> RunRead(Feed feed, const SqlFeed& settings,
                                       const std::vector<JsonValue>& values, SqlPage& page) = 0;

  const absl::Duration time_limit_;
};

}  // namespace waymark::node
