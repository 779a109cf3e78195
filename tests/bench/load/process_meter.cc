#include "tests/bench/load/process_meter.h"

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
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

// What the process has used itself; nullopt when there is none.
std::optional<double> OwnCpuSeconds(pid_t pid) {
  clockid_t clock = 0;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return absl::ToDoubleSeconds(absl::DurationFromTimespec(time));
}

struct Kinship {
  pid_t parent = 0;
  // What its children had used that have ended and were waited for, and theirs.
  double ended_cpu_seconds = 0;
};

// From /proc/PID/stat; nullopt when there is no such process.
std::optional<Kinship> ReadKinship(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name, in parentheses, may hold anything.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  constexpr int kBetween = 11;  // From the parent to what the children used.
  Kinship kinship;
  std::string skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  fields >> skipped >> kinship.parent;
  for (int i = 0; i < kBetween; ++i) fields >> skipped;
  fields >> user >> system;
  if (!fields) return std::nullopt;
  kinship.ended_cpu_seconds =
      static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return kinship;
}

std::map<pid_t, Kinship> AllProcesses() {
  std::map<pid_t, Kinship> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    if (const auto kinship = ReadKinship(pid)) all.emplace(pid, *kinship);
  }
  return all;
}

// nullopt when one of them ended meanwhile.
std::optional<double> SumOfFamily(pid_t pid) {
  const std::map<pid_t, Kinship> all = AllProcesses();
  std::vector<pid_t> family = {pid};
  double sum = 0;
  for (size_t i = 0; i < family.size(); ++i) {
    const auto found = all.find(family[i]);
    const auto own = OwnCpuSeconds(family[i]);
    if (found == all.end() || !own) return std::nullopt;
    sum += *own + found->second.ended_cpu_seconds;
    for (const auto& [other, kinship] : all) {
      if (kinship.parent == family[i]) family.push_back(other);
    }
  }
  return sum;
}

absl::Status Gone(pid_t pid) {
  return Error(v1::REASON_FILE_UNUSABLE,
               "process " + std::to_string(pid) + " has ended or is another user's");
}

}  // namespace

absl::StatusOr<ProcessUse> LookAt(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::error_code error;
  const std::filesystem::directory_iterator tasks(folder + "/task", error);
  const auto cpu_seconds = OwnCpuSeconds(pid);
  if (error || !cpu_seconds) return Gone(pid);
  ProcessUse use;
  use.cpu_seconds = *cpu_seconds;
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

absl::StatusOr<double> FamilyCpuSeconds(pid_t pid) {
  constexpr int kAttempts = 100;
  for (int i = 0; i < kAttempts; ++i) {
    // A child that is waited for between the two is in neither or in both of what is summed up.
    const auto before = ReadKinship(pid);
    if (!before) return Gone(pid);
    const auto sum = SumOfFamily(pid);
    const auto after = ReadKinship(pid);
    if (sum && after && after->ended_cpu_seconds == before->ended_cpu_seconds) return *sum;
  }
  return Error(v1::REASON_UNAVAILABLE,
               "the children of process " + std::to_string(pid) + " come and go too fast");
}

absl::StatusOr<ServersUse> LookAtServers(const Servers& servers) {
  ServersUse all;
  for (const pid_t hub : servers.hubs) {
    ASSIGN_OR_RETURN(const ProcessUse use, LookAt(hub));
    all.hubs.cpu_seconds += use.cpu_seconds;
    all.hubs.context_switches += use.context_switches;
    all.hubs.resident_bytes += use.resident_bytes;
    all.hubs.most_resident_bytes += use.most_resident_bytes;
  }
  if (servers.database != 0) {
    ASSIGN_OR_RETURN(all.database_cpu_seconds, FamilyCpuSeconds(servers.database));
  }
  return all;
}

absl::StatusOr<uint64_t> CountDescriptors(const Servers& servers) {
  uint64_t count = 0;
  for (const pid_t hub : servers.hubs) {
    std::error_code error;
    const std::filesystem::directory_iterator open("/proc/" + std::to_string(hub) + "/fd", error);
    if (error) return Gone(hub);
    count += static_cast<uint64_t>(std::distance(begin(open), end(open)));
  }
  return count;
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
