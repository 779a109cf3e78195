// What waymark-bench is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/load/prepared.h"

namespace waymark::bench {

// What the hub stores in.
enum class Store { kSqlite, kPostgresql };

struct Options {
  // Closed loops, one after the other: so many messages are under way at any time.
  std::vector<size_t> in_flight;
  // Then open loops: so many messages start in a second.
  std::vector<double> rates;
  // Before the loops: every node is connected and says nothing for so many seconds; 0 for not at
  // all.
  double idle = 0;
  // Then the hub is killed and started again, and every node comes back at once.
  bool storm = false;
  // Then so many messages wait for a node that is away and comes back; 0 for none.
  size_t backlog = 0;
  Store store = Store::kSqlite;
  // Processes of the hub; more than one only on PostgreSQL.
  size_t hubs = 1;
  // Then a steady load for so many minutes, at so many messages a second, or at half of what a
  // closed loop reaches if 0, while so many nodes leave in a minute; 0 minutes for none.
  double soak = 0;
  double soak_rate = 0;
  double leaves = 30;
  uint32_t seed = 1;
  // Organisations, each with a node, at least 2.
  size_t members = 16;
  // Units of all of them together, spread evenly, at most 64 for each.
  size_t units = 1000;
  // How long each loop is measured, after how long a time that is not.
  double seconds = 5;
  double warmup = 1;
  // Prepared for each loop, which ends early when they run out.
  size_t messages = 60'000;
  Mix mix = Mix::kReferral;
  // The folder in which the network lies while it runs; empty for the system's temporary one.
  std::string folder;
  // The hub's program.
  std::string hub;
  // Files to write, each only if it is named.
  std::string json;
  std::string svg;
};

// Reads the command line. FIELD_INVALID: an argument, and what it may be; nullopt when the help was
// asked for, which is printed. `hub` is the program to measure unless another one is named.
absl::StatusOr<std::optional<Options>> ParseOptions(int argc, const char* const* argv,
                                                    const std::string& hub);

}  // namespace waymark::bench
