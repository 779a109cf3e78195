// The whole benchmark: a network, loops one after the other, results. Collaborators:
// bench_network.h, load.h. Not thread-safe.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/load/bench_network.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"

namespace waymark::bench {

// The loops that are asked for, in their order.
std::vector<LoadPlan> PlansOf(const Options& options);

// Prepares referrals for one loop and runs it, with nodes of its own. What the network returns.
absl::StatusOr<LoadResult> RunLoop(BenchNetwork& network, const Options& options,
                                   const LoadPlan& plan);

}  // namespace waymark::bench
