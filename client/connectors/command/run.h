// Runs one program to its end: no shell, an environment of the caller's making, a limit on time and
// output.
//
// What it is to read stands in a file in memory, so that a program that does not read cannot hold
// the node up. It has a process group of its own, which is killed with it, at the latest at the
// deadline. Its standard error goes nowhere: it may hold values. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace waymark::node {

struct CommandRun {
  enum class End { kExited, kKilled, kTimedOut, kTooLarge };
  End end = End::kKilled;
  // With kExited.
  int exit_code = 0;
  // What it wrote to standard output.
  std::string output;
};

// LOCAL_SYSTEM_REFUSED: the program cannot be run. LOCAL_SYSTEM_UNAVAILABLE: there is no process or
// descriptor to be had. In both cases nothing ran.
absl::StatusOr<CommandRun> RunCommand(const std::vector<std::string>& command,
                                      const std::vector<std::string>& environment,
                                      std::string_view input, size_t max_output,
                                      absl::Time deadline);

}  // namespace waymark::node
