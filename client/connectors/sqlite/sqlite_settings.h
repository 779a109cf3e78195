// What the configuration says of an SQLite database.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "client/connectors/sql/sql_settings.h"

namespace waymark::node {

struct SqliteSettings {
  std::string database;
  SqlSettings sql;
};

absl::StatusOr<SqliteSettings> ReadSqliteSettings(ConfigSection& connector);

}  // namespace waymark::node
