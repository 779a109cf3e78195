// What the hub could tell to whoever seizes its disk, in a form that people can read.
#pragma once

#include <ostream>

#include "server/store/routing_log.h"

namespace waymark::hub {

// Writes the routing log of a store, one line a message, and what waits.
void Inspect(const RoutingLog& log, std::ostream& out);

}  // namespace waymark::hub
