#include "base/time/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace waymark {
namespace {

class MachineClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

class MonotonicClock final : public Clock {
 public:
  absl::Time Now() override {
    return absl::UnixEpoch() +
           absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }
};

absl::Time FloorTo(absl::Time time, absl::Duration unit) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), unit);
}

}  // namespace

Clock& SystemClock() {
  static MachineClock& clock = *new MachineClock;
  return clock;
}

Clock& SteadyClock() {
  static MonotonicClock& clock = *new MonotonicClock;
  return clock;
}

absl::Time FloorMinute(absl::Time time) { return FloorTo(time, absl::Minutes(1)); }
absl::Time FloorHour(absl::Time time) { return FloorTo(time, absl::Hours(1)); }

}  // namespace waymark
