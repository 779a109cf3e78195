// What a process has used, and how busy the machine is.
//
// Reads the counters of the kernel. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

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

// The seconds that a process and all its descendants have used, also those that have ended and were
// waited for: a server that has a process for each connection. Of the ended the kernel tells
// hundredths of a second, which are some 20 ms for all of them together. As LookAt; UNAVAILABLE:
// they come and go faster than they can be looked at.
absl::StatusOr<double> FamilyCpuSeconds(pid_t pid);

// What makes up a hub: its processes, and the first process of its database if it has one.
struct Servers {
  std::vector<pid_t> hubs;
  pid_t database = 0;
};

struct ServersUse {
  // Of all hub processes together.
  ProcessUse hubs;
  // Of all the database's processes.
  double database_cpu_seconds = 0;

  double cpu_seconds() const { return hubs.cpu_seconds + database_cpu_seconds; }
};

// What LookAt and FamilyCpuSeconds return.
absl::StatusOr<ServersUse> LookAtServers(const Servers& servers);

// Open files and connections of all hub processes. As LookAt.
absl::StatusOr<uint64_t> CountDescriptors(const Servers& servers);

// Since the machine began, in ticks of all its processors.
struct MachineUse {
  uint64_t busy = 0;
  uint64_t all = 0;
  // Of `busy`: what a hypervisor gave to others.
  uint64_t stolen = 0;
};

absl::StatusOr<MachineUse> LookAtMachine();

}  // namespace waymark::bench
