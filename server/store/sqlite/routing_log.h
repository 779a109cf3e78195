// The routing log as it lies in the store's file, for whoever operates the hub: everything that the
// hub knows of who wrote to whom.
//
// Reads beside a running hub and changes nothing. Thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/store/routing_log.h"

namespace waymark::hub {

// FILE_UNUSABLE: there is no store at `path`; DATA_CORRUPT: it does not read back.
absl::StatusOr<RoutingLog> ReadRoutingLog(const std::string& path);

}  // namespace waymark::hub
