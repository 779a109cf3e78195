// A steady load for long, while nodes come and go: what grows that should not, and whether every
// message comes through exactly once all the same.
//
// Messages start at a constant rate, whatever becomes of those before (schedule.h), as whole
// referrals that are made on the way (PrepareQuickly). At a steady pace a node that the seed draws
// leaves, in order or abruptly, for up to two seconds, and comes back over a new connection with
// its cursor and what has no answer yet. Latency is that of the messages whose two nodes have been
// there since a second before they were meant to start: how long a node stays away is not the
// hub's doing. How long the hub takes to welcome one that is back is measured by itself.
//
// Collaborators: BenchNetwork, SimulatedNode. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/load/bench_network.h"

namespace waymark::bench {

struct SoakPlan {
  absl::Duration lasts;
  // Messages that start in a second, above 0, and what a closed loop reached before; 0 if none ran.
  double rate = 0;
  double maximum = 0;
  // Nodes that leave in a minute, all together.
  double leaves = 0;
  uint32_t seed = 1;
};

struct SoakResult {
  // What happened since the one before, and what is so at its end.
  struct Sample {
    // Since the beginning.
    double minutes = 0;
    double seconds = 0;
    // That came through: confirmed, delivered, acknowledged.
    uint64_t messages = 0;
    double hub_cpu_seconds = 0;
    // Milliseconds to the confirmation, of so many messages.
    double confirm_p50 = 0;
    double confirm_p99 = 0;
    uint64_t confirm_count = 0;
    // Nodes that were welcomed back, and the milliseconds that the longest of them took.
    uint64_t welcomes = 0;
    double welcome_most = 0;
    // Of all processes of the hub.
    uint64_t resident_bytes = 0;
    uint64_t descriptors = 0;
    // Messages in the hub's mailboxes; messages whose time has come and that have not started,
    // because the one before them has not come through.
    uint64_t waiting = 0;
    uint64_t late = 0;
    // So far.
    uint64_t referrals = 0;
    uint64_t leaves = 0;
  };

  SoakPlan plan;
  // The beginning, which no slope counts: caches fill, and indexes grow from nothing.
  absl::Duration warmup;
  std::vector<Sample> samples;
  uint64_t left_in_order = 0;
  uint64_t left_abruptly = 0;
  uint64_t started = 0;
  uint64_t confirmed = 0;
  uint64_t delivered = 0;
  // Items that were submitted again.
  uint64_t repeats = 0;
  // What went wrong, and how often; a message that came twice is among it.
  std::map<std::string, uint64_t> failures;
};

// What the network, the process meter and the making of a message return.
absl::StatusOr<SoakResult> RunSoak(BenchNetwork& network, const SoakPlan& plan);

}  // namespace waymark::bench
