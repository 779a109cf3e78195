#include "tests/torture/faults.h"

#include <csignal>
#include <utility>

#include "absl/time/clock.h"

namespace waymark::torture {
namespace {

// Shorter than most of what it may meet: a call of the staff, a frame, a commit.
constexpr uint64_t kSoonMicros = 60'000;

absl::Duration Within(uint64_t micros, Random& random) {
  return absl::Microseconds(static_cast<int64_t>(random.Uniform(micros)));
}

Fault DrawKill(const std::vector<Mortal>& mortals, Random& random) {
  Fault fault;
  const size_t first = random.Uniform(mortals.size());
  fault.lasts = Within(400'000, random);
  if (mortals[first].die_at_its_point && random.Uniform(3) == 0) {
    fault.name = "kill " + mortals[first].name + " before its acknowledgement";
    fault.at_its_point = static_cast<int>(first);
    return fault;
  }
  fault.after = Within(kSoonMicros, random);
  fault.killed = {first};
  fault.name = "kill " + mortals[first].name;
  if (mortals[first].lose_disk && random.Uniform(3) == 0) {
    fault.disk_lost = static_cast<int>(first);
    fault.name += " and restore an older copy";
    return fault;
  }
  if (random.Uniform(5) > 0) return fault;
  const size_t second = (first + 1 + random.Uniform(mortals.size() - 1)) % mortals.size();
  fault.killed.push_back(second);
  fault.name += " and " + mortals[second].name;
  return fault;
}

Fault DrawCut(const std::vector<std::string>& ways, Random& random) {
  Fault fault;
  const size_t way = random.Uniform(ways.size());
  fault.way = static_cast<int>(way);
  fault.lasts = absl::Milliseconds(50) + Within(700'000, random);
  switch (random.Uniform(5)) {
    case 0:
      fault.passage = Passage::kCut;
      fault.name = "cut " + ways[way];
      break;
    case 1:
      fault.passage = Passage::kStopped;
      fault.name = "stop " + ways[way];
      break;
    case 2:
      fault.passage = Passage::kUpStopped;
      fault.name = "stop what " + ways[way] + " sends";
      break;
    case 3:
      fault.passage = Passage::kDownStopped;
      fault.name = "stop what " + ways[way] + " is sent";
      break;
    default:
      fault.delay = absl::Milliseconds(5) + Within(60'000, random);
      fault.name = "delay " + ways[way];
  }
  return fault;
}

}  // namespace

Assassin::Assassin(std::vector<pid_t> pids, absl::Duration delay)
    : thread_([pids = std::move(pids), delay] {
        Mutex mu;
        CondVar nothing;
        MutexLock lock(mu);
        const absl::Time moment = absl::Now() + delay;
        while (absl::Now() < moment) nothing.WaitFor(mu, moment - absl::Now());
        for (const pid_t pid : pids) kill(pid, SIGKILL);
      }) {}

Fault DrawFault(const std::vector<Mortal>& mortals, const std::vector<std::string>& ways,
                Random& random) {
  return random.Uniform(4) == 0 ? DrawCut(ways, random) : DrawKill(mortals, random);
}

}  // namespace waymark::torture
