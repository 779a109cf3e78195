// Makes connectors from their settings.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/settings.h"

namespace waymark::node {

// A connector that has asked nobody anything yet: see Connector::Ready. `steady` is a clock that
// only goes forward, and outlives the connector.
std::unique_ptr<Connector> MakeConnector(const ConnectorSettings& settings, Clock& steady);

// One that is ready. A system that is out of reach is no error: the connector reaches it later.
// LOCAL_SYSTEM_REFUSED as for Connector::Ready.
absl::StatusOr<std::unique_ptr<Connector>> OpenConnector(const ConnectorSettings& settings,
                                                         Clock& steady);

}  // namespace waymark::node
