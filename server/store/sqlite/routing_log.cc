#include "server/store/sqlite/routing_log.h"

#include <filesystem>
#include <utility>

#include "base/status/status.h"
#include "server/store/sqlite/rows.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {
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
      ASSIGN_OR_RETURN(RoutingRecord line, ReadRouting(lines));
      log.lines.push_back(line);
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
