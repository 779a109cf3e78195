#include "base/time/clock.h"

#include "absl/time/clock.h"

namespace waymark {
namespace {

class MachineClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

absl::Time FloorTo(absl::Time time, absl::Duration unit) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), unit);
}

}  // namespace

Clock& SystemClock() {
  static MachineClock& clock = *new MachineClock;
  return clock;
}

absl::Time FloorMinute(absl::Time time) { return FloorTo(time, absl::Minutes(1)); }
absl::Time FloorHour(absl::Time time) { return FloorTo(time, absl::Hours(1)); }

}  // namespace waymark
