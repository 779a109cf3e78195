// Makes connectors from their settings.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/settings.h"

namespace waymark::node {

// A system that is out of reach is no error: the connector reaches it later. LOCAL_SYSTEM_REFUSED:
// the system is there and does not take the settings. `steady` is a clock that only goes forward,
// and outlives the connector.
absl::StatusOr<std::unique_ptr<Connector>> OpenConnector(const ConnectorSettings& settings,
                                                         Clock& steady);

}  // namespace waymark::node
