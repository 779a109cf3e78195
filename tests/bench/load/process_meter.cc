#include "tests/bench/load/process_meter.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "base/status/status.h"

namespace waymark::bench {
namespace {

constexpr uint64_t kKiB = 1024;

// The lines "name: number unit" of a file of /proc.
std::map<std::string, uint64_t> ReadNumbers(const std::string& path) {
  std::map<std::string, uint64_t> numbers;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t digit = line.find_first_not_of(" \t", colon + 1);
    if (digit == std::string::npos || line[digit] < '0' || line[digit] > '9') continue;
    numbers[line.substr(0, colon)] = std::stoull(line.substr(digit));
  }
  return numbers;
}

}  // namespace

absl::StatusOr<ProcessUse> LookAt(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  clockid_t clock = 0;
  timespec time = {};
  std::error_code error;
  const std::filesystem::directory_iterator tasks(folder + "/task", error);
  if (error || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "process " + std::to_string(pid) + " has ended or is another user's");
  }
  ProcessUse use;
  use.cpu_seconds = absl::ToDoubleSeconds(absl::DurationFromTimespec(time));
  for (const auto& task : tasks) {
    auto numbers = ReadNumbers(task.path().string() + "/status");
    use.context_switches += numbers["voluntary_ctxt_switches"];
    use.context_switches += numbers["nonvoluntary_ctxt_switches"];
  }
  auto numbers = ReadNumbers(folder + "/status");
  use.resident_bytes = numbers["VmRSS"] * kKiB;
  use.most_resident_bytes = numbers["VmHWM"] * kKiB;
  return use;
}

absl::StatusOr<MachineUse> LookAtMachine() {
  std::ifstream file("/proc/stat");
  std::string name;
  uint64_t user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0;
  file >> name >> user >> nice >> system >> idle >> waiting >> hard >> soft >> stolen;
  if (!file) return Error(v1::REASON_FILE_UNUSABLE, "/proc/stat does not read as expected");
  MachineUse use;
  use.busy = user + nice + system + hard + soft + stolen;
  use.all = use.busy + idle + waiting;
  use.stolen = stolen;
  return use;
}

}  // namespace waymark::bench
