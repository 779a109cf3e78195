#include "server/store/sqlite/routing_log.h"

#include <filesystem>

#include "base/status/status.h"
#include "server/store/sqlite/rows.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {
namespace {

RoutingRecord ReadLine(Statement& statement) {
  RoutingRecord line;
  statement.Int();  // The row's number.
  line.minute = statement.Time();
  line.message_id = statement.Read<MessageId>();
  line.referral = statement.Read<ReferralId>();
  line.sender = statement.Read<UnitId>();
  line.recipient = statement.Read<UnitId>();
  line.kind = static_cast<v1::Kind>(statement.Int());
  line.stage = static_cast<v1::Stage>(statement.Int());
  line.urgency = static_cast<v1::Urgency>(statement.Int());
  return line;
}

}  // namespace

absl::StatusOr<RoutingLog> ReadRoutingLog(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "there is no hub's store at " + path + "; give the data folder of a hub");
  }
  RoutingLog log;
  ASSIGN_OR_RETURN(const auto connection, OpenReader(path));
  {
    ASSIGN_OR_RETURN(Statement lines, connection->Prepare("SELECT * FROM routing ORDER BY row"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, lines.Step());
      if (!more) break;
      log.lines.push_back(ReadLine(lines));
    }
  }
  {
    ASSIGN_OR_RETURN(Statement rows,
                     connection->Prepare("SELECT * FROM statement "
                                         "WHERE capacity = 0 AND statement != x''"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      ASSIGN_OR_RETURN(StatementRow row, ReadStatement(rows));
      log.statements.push_back(std::move(row));
    }
  }
  ASSIGN_OR_RETURN(Statement waiting,
                   connection->Prepare("SELECT count(*), coalesce(sum(length(message)), 0) "
                                       "FROM item"));
  RETURN_IF_ERROR(waiting.Step().status());
  log.waiting = waiting.Int();
  log.waiting_bytes = waiting.Int();
  return log;
}

}  // namespace waymark::hub
