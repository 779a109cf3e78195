// What the hub could tell to whoever seizes its disk, in a form that people can read.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace waymark::hub {

// Writes the routing log of the store in `data_folder`, one line a message, and what waits. Errors
// of ReadRoutingLog.
absl::Status Inspect(const std::string& data_folder, std::ostream& out);

}  // namespace waymark::hub
