// What a program sees of the machine that it runs on: its own use of it, and the room on a disk.
//
// Linux only. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace waymark {

// What this process uses; a number that the machine does not tell is zero.
struct ProcessUse {
  uint64_t resident_bytes = 0;
  uint64_t open_files = 0;
  // How many it may have open.
  uint64_t file_limit = 0;
  double cpu_seconds = 0;
};
ProcessUse LookAtProcess();

struct DiskSpace {
  // What a process that is not root may still write.
  uint64_t free_bytes = 0;
  uint64_t size_bytes = 0;
};
// REASON_FILE_UNUSABLE: `path` is not there.
absl::StatusOr<DiskSpace> SpaceAt(const std::string& path);

}  // namespace waymark
