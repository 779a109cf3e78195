// What a process has used, and how busy the machine is.
//
// Reads the counters of the kernel. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"

namespace waymark::bench {

// Since the process began.
struct ProcessUse {
  // Of all its threads, in user and in kernel mode.
  double cpu_seconds = 0;
  // Of the threads that still run.
  uint64_t context_switches = 0;
  // Now, and the most so far.
  uint64_t resident_bytes = 0;
  uint64_t most_resident_bytes = 0;
};

// FILE_UNUSABLE: there is no such process, or it is another user's.
absl::StatusOr<ProcessUse> LookAt(pid_t pid);

// Since the machine began, in ticks of all its processors.
struct MachineUse {
  uint64_t busy = 0;
  uint64_t all = 0;
  // Of `busy`: what a hypervisor gave to others.
  uint64_t stolen = 0;
};

absl::StatusOr<MachineUse> LookAtMachine();

}  // namespace waymark::bench
