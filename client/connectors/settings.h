// The connectors of a node as its configuration describes them:
//
//   connectors:
//     - name: register
//       kind: sqlite
//       time_limit: 10s
//       poll: 1m
//       database: /var/lib/beds/beds.db
//       referrals:                     # a section per use; at least one
//         mapping: register-out.jq
//         ...                          # what the kind asks for: docs/connectors.md
//       capacity: {mapping: register-capacity.jq, ...}
//       updates: {mapping: register-updates.jq, ...}
//
// A kind adds its struct to the variant, its reader to settings.cc and its connector to open.cc.
// Values; thread-safe to read.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/config/config.h"
#include "client/connectors/command/command_settings.h"
#include "client/connectors/fhir/fhir_settings.h"
#include "client/connectors/files/files_settings.h"
#include "client/connectors/http/http_settings.h"
#include "client/connectors/postgres/postgres_settings.h"
#include "client/connectors/sqlite/sqlite_settings.h"

namespace waymark::node {

struct ConnectorSettings {
  // Lower-case letters, digits and '-'; what logs and errors call it.
  std::string name;
  // How long one call may take.
  absl::Duration time_limit;
  // How often capacity and updates are read.
  absl::Duration poll;
  // The mapping's file for each use that the connector has.
  std::optional<std::string> referrals;
  std::optional<std::string> capacity;
  std::optional<std::string> updates;
  std::variant<SqliteSettings, PostgresSettings, HttpSettings, FhirSettings, FilesSettings,
               CommandSettings>
      kind;
};

// Reads the list `connectors`, which may be absent. CONFIG_INVALID names the key and the way out;
// the caller's ConfigFile::Finish() finds the keys that nobody knows.
absl::StatusOr<std::vector<ConnectorSettings>> ReadConnectors(ConfigSection& root);

}  // namespace waymark::node
