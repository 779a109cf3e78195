#include "server/store/postgres/look.h"

#include <utility>

#include "base/status/status.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/schema.h"

namespace waymark::hub {
namespace {

// Seven days of lines are many.
constexpr absl::Duration kLookLimit = absl::Minutes(5);

constexpr char kInForce[] =
    "SELECT capacity, revision, subject, organisation, version, statement, digest, head FROM "
    "waymark.statement WHERE capacity = 0 AND statement <> ''";
constexpr char kLines[] =
    "SELECT minute, message_id, referral, sender, recipient, kind, stage, urgency FROM "
    "waymark.routing ORDER BY minute";
constexpr char kWaiting[] =
    "SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(bytes), 0)::bigint FROM "
    "waymark.mailbox";

absl::StatusOr<std::vector<StatementRow>> ReadInForce(PgConnection& connection) {
  const PgReply reply = connection.Run(PgCommand{kInForce, {}}, kLookLimit);
  RETURN_IF_ERROR(reply.status);
  std::vector<StatementRow> statements;
  for (int i = 0; i < reply.rows[0].size(); ++i) {
    PgRow row = reply.rows[0][i];
    statements.push_back(ReadStatementRow(row));
  }
  return statements;
}

}  // namespace

absl::StatusOr<DatabaseSight> LookAtDatabase(const PgTarget& target) {
  ASSIGN_OR_RETURN(const auto connection, PgConnection::Connect(target));
  DatabaseSight sight;
  ASSIGN_OR_RETURN(sight.version, ReadPgVersion(*connection));
  ASSIGN_OR_RETURN(sight.weakness, WeaknessOf(*connection));
  if (sight.version == 0) return sight;
  ASSIGN_OR_RETURN(sight.statements, ReadInForce(*connection));
  return sight;
}

absl::StatusOr<RoutingLog> ReadPgRoutingLog(const PgTarget& target) {
  ASSIGN_OR_RETURN(const auto connection, PgConnection::Connect(target));
  ASSIGN_OR_RETURN(const int version, ReadPgVersion(*connection));
  if (version == 0) {
    return Error(v1::REASON_FILE_UNUSABLE, "there is no hub's store in the database");
  }
  RoutingLog log;
  ASSIGN_OR_RETURN(log.statements, ReadInForce(*connection));
  const PgCommand commands[] = {{kLines, {}}, {kWaiting, {}}};
  const PgReply reply = connection->Run(commands, kLookLimit);
  RETURN_IF_ERROR(reply.status);
  for (int i = 0; i < reply.rows[0].size(); ++i) {
    PgRow row = reply.rows[0][i];
    log.lines.push_back(ReadLineRow(row));
  }
  PgRow waiting = reply.rows[1][0];
  log.waiting = waiting.Int();
  log.waiting_bytes = waiting.Int();
  return log;
}

}  // namespace waymark::hub
