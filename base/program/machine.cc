#include "base/program/machine.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/status/status.h"

namespace waymark {

ProcessUse LookAtProcess() {
  ProcessUse use;
  // In pages: the size, then what of it is in memory.
  std::ifstream memory("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  if (memory >> size >> resident) {
    use.resident_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    ++use.open_files;
  }
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) use.file_limit = limit.rlim_cur;
  timespec cpu = {};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    use.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9;
  }
  return use;
}

absl::StatusOr<DiskSpace> SpaceAt(const std::string& path) {
  struct statvfs space = {};
  if (statvfs(path.c_str(), &space) != 0) {
    return Error(v1::REASON_FILE_UNUSABLE, path + " cannot be looked at");
  }
  return DiskSpace{.free_bytes = uint64_t{space.f_bavail} * space.f_frsize,
                   .size_bytes = uint64_t{space.f_blocks} * space.f_frsize};
}

}  // namespace waymark
