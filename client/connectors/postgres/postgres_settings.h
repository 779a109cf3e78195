// What the configuration says of a PostgreSQL database.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/secret/secret.h"
#include "client/connectors/sql/sql_settings.h"

namespace waymark::node {

struct PostgresSettings {
  // A name or address, or the folder of a socket on this machine.
  std::string host;
  int64_t port = 5432;
  std::string database;
  std::string user;
  SecretReference password;
  // The certificates by which the server must be known; empty only for one on this machine.
  std::string ca;
  SqlSettings sql;
};

absl::StatusOr<PostgresSettings> ReadPostgresSettings(ConfigSection& connector);

}  // namespace waymark::node
