// A mailbox that fills while its node is away, and what happens when the node is back: what a
// message costs the more of them wait, how soon the mailbox opens, how fast it drains, and what
// memory it leaves.
//
// Collaborators: BenchNetwork, SimulatedNode. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/load/bench_network.h"

namespace waymark::bench {

struct BacklogResult {
  // Some of the messages, one part after the other.
  struct Part {
    uint64_t messages = 0;
    double seconds = 0;
    double hub_cpu_seconds = 0;
  };
  // How they were stored, and how they were delivered.
  std::vector<Part> filling;
  std::vector<Part> draining;
  // From the connection of the node to its first message.
  absl::Duration opening;
  // The hub's resident bytes: before, with all of them waiting, at most, and when none waits.
  uint64_t before = 0;
  uint64_t filled = 0;
  uint64_t most = 0;
  uint64_t drained = 0;
  // What went wrong, and how often.
  std::map<std::string, uint64_t> failures;
};

// Has the other members send `messages` inquiries to the first, whose node is away, and then
// connects it. What the network returns.
absl::StatusOr<BacklogResult> RunBacklog(BenchNetwork& network, size_t messages);

}  // namespace waymark::bench
