// The routing log as it lies in a store, for whoever operates the hub: everything that the hub
// knows of who wrote to whom.
#pragma once

#include <cstdint>
#include <vector>

#include "server/store/records.h"
#include "server/store/store.h"

namespace waymark::hub {

struct RoutingLog {
  // Oldest first.
  std::vector<RoutingRecord> lines;
  // The statements of the directory's log that are in force, to name units by.
  std::vector<StatementRow> statements;
  // Messages that wait for their recipients, and the bytes of their sealed boxes and headers.
  int64_t waiting = 0;
  int64_t waiting_bytes = 0;
};

}  // namespace waymark::hub
