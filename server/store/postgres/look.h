// What lies in a PostgreSQL store, for whoever operates the hub. Looks beside running hubs and
// changes nothing. Stateless; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/connection.h"
#include "server/store/routing_log.h"
#include "server/store/store.h"

namespace waymark::hub {

struct DatabaseSight {
  // Of the schema, 0 for none.
  int version = 0;
  // What of the server's settings does not keep its promises, in words; empty when all is well.
  std::string weakness;
  // The statements of the directory's log that are in force.
  std::vector<StatementRow> statements;
};

// The codes of PgConnection::Connect; FILE_UNUSABLE: another program's schema `waymark`.
absl::StatusOr<DatabaseSight> LookAtDatabase(const PgTarget& target);

// The same codes; FILE_UNUSABLE also when there is no store in the database.
absl::StatusOr<RoutingLog> ReadPgRoutingLog(const PgTarget& target);

}  // namespace waymark::hub
