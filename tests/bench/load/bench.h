// The whole benchmark: a network, loops one after the other, results. Collaborators:
// bench_network.h, load.h. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/load/bench_network.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/soak.h"

namespace waymark::bench {

// The loops that are asked for, in their order.
std::vector<LoadPlan> PlansOf(const Options& options);

// What it costs the hub that nodes are there: its resident bytes before, with all of them
// connected, and after they have said nothing for a while.
struct IdleResult {
  size_t nodes = 0;
  absl::Duration connecting;
  absl::Duration idle;
  uint64_t before = 0;
  uint64_t connected = 0;
  uint64_t after = 0;
};

// Connects every node at once and leaves them alone. What the network returns.
absl::StatusOr<IdleResult> RunIdle(BenchNetwork& network, absl::Duration idle);

// The hub is gone from one moment to the next, and all nodes come back at once.
struct StormResult {
  size_t nodes = 0;
  // From the end of the hub: until it serves again, and until half and all of the nodes have been
  // welcomed again.
  absl::Duration serving;
  absl::Duration half;
  absl::Duration all;
  // Attempts that failed, and that the hub put off to a later time.
  uint64_t failed = 0;
  uint64_t turned_away = 0;
};

// Connects every node, kills the hub, starts it again and waits for all of them. What the network
// returns; UNAVAILABLE when a node is not welcomed within ten minutes.
absl::StatusOr<StormResult> RunStorm(BenchNetwork& network);

// The soak that is asked for, once its rate is known.
SoakPlan SoakPlanOf(const Options& options, double rate, double maximum);

// The closed loop that finds what the hub can do at most, for a soak without a rate.
LoadPlan MaximumPlan(const Options& options);

// Prepares referrals for one loop and runs it, with nodes of its own. What the network returns.
absl::StatusOr<LoadResult> RunLoop(BenchNetwork& network, const Options& options,
                                   const LoadPlan& plan);

}  // namespace waymark::bench
