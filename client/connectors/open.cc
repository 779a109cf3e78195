#include "client/connectors/open.h"

#include <variant>

#include "client/connectors/command/command_connector.h"
#include "client/connectors/fhir/fhir_connector.h"
#include "client/connectors/files/files_connector.h"
#include "client/connectors/http/http_connector.h"
#include "client/connectors/postgres/postgres_connector.h"
#include "client/connectors/result.h"
#include "client/connectors/sqlite/sqlite_connector.h"

namespace waymark::node {
namespace {

using Made = std::unique_ptr<Connector>;

struct Maker {
  absl::Duration time_limit;
  Clock& steady;

  Made operator()(const SqliteSettings& settings) const {
    return std::make_unique<SqliteConnector>(settings, time_limit);
  }
  Made operator()(const PostgresSettings& settings) const {
    return std::make_unique<PostgresConnector>(settings, time_limit);
  }
  Made operator()(const HttpSettings& settings) const {
    return std::make_unique<HttpConnector>(settings, time_limit, steady);
  }
  Made operator()(const FhirSettings& settings) const {
    return std::make_unique<FhirConnector>(settings, time_limit, steady);
  }
  Made operator()(const FilesSettings& settings) const {
    return std::make_unique<FilesConnector>(settings, steady);
  }
  Made operator()(const CommandSettings& settings) const {
    return std::make_unique<CommandConnector>(settings, time_limit);
  }
};

}  // namespace

std::unique_ptr<Connector> MakeConnector(const ConnectorSettings& settings, Clock& steady) {
  return std::visit(Maker{settings.time_limit, steady}, settings.kind);
}

absl::StatusOr<std::unique_ptr<Connector>> OpenConnector(const ConnectorSettings& settings,
                                                         Clock& steady) {
  std::unique_ptr<Connector> connector = MakeConnector(settings, steady);
  const absl::Status ready = connector->Ready();
  if (!ready.ok() && !IsSystemUnavailable(ready)) return ready;
  return connector;
}

}  // namespace waymark::node
