#include "client/connectors/sql/sql_connector.h"

#include <optional>
#include <string>
#include <utility>

#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/result.h"

namespace waymark::node {

absl::Time SqlConnector::Deadline() const { return SteadyClock().Now() + time_limit_; }

WriteResult SqlConnector::Write(const LocalRecord& record) {
  const auto values = BindRecord(record, sql_settings().write);
  return values.ok() ? RunWrite(*values) : ResultOf(values.status());
}

WriteResult SqlConnector::Erase(std::string_view key) {
  if (sql_settings().erase.empty()) return CannotErase();
  const absl::Status valid = CheckKey(key);
  if (!valid.ok()) return ResultOf(valid);
  return RunErase(
      SqlValues(sql_settings().erase.size(), {{JsonValue::Kind::kText, std::string(key)}}));
}

absl::StatusOr<FeedPage> SqlConnector::Read(Feed feed, std::string_view cursor) {
  const std::optional<SqlFeed>& settings = sql_settings().feed(feed);
  if (!settings) return NoSuchFeed();
  SqlPage page(*settings, cursor);
  ASSIGN_OR_RETURN(const bool more, RunRead(feed, *settings, BindRead(*settings, cursor), page));
  return std::move(page).Finish(more);
}

}  // namespace waymark::node
