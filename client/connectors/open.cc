#include "client/connectors/open.h"

#include <variant>

#include "client/connectors/command/command_connector.h"
#include "client/connectors/fhir/fhir_connector.h"
#include "client/connectors/files/files_connector.h"
#include "client/connectors/http/http_connector.h"
#include "client/connectors/postgres/postgres_connector.h"
#include "client/connectors/sqlite/sqlite_connector.h"

namespace waymark::node {
namespace {

using Opened = absl::StatusOr<std::unique_ptr<Connector>>;

struct Opener {
  absl::Duration time_limit;
  Clock& steady;

  Opened operator()(const SqliteSettings& settings) const {
    return SqliteConnector::Open(settings, time_limit);
  }
  Opened operator()(const PostgresSettings& settings) const {
    return PostgresConnector::Open(settings, time_limit);
  }
  Opened operator()(const HttpSettings& settings) const {
    return std::make_unique<HttpConnector>(settings, time_limit, steady);
  }
  Opened operator()(const FhirSettings& settings) const {
    return std::make_unique<FhirConnector>(settings, time_limit, steady);
  }
  Opened operator()(const FilesSettings& settings) const {
    return std::make_unique<FilesConnector>(settings, steady);
  }
  Opened operator()(const CommandSettings& settings) const {
    return std::make_unique<CommandConnector>(settings, time_limit);
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Connector>> OpenConnector(const ConnectorSettings& settings,
                                                         Clock& steady) {
  return std::visit(Opener{settings.time_limit, steady}, settings.kind);
}

}  // namespace waymark::node
