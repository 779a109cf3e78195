// The clock, injected wherever a rule depends on the time of day.
#pragma once

#include "absl/time/time.h"

namespace waymark {

// Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // The present time.
  virtual absl::Time Now() = 0;
};

// The machine's clock. Never destroyed.
Clock& SystemClock();

// A clock that only goes forward, at the pace of real time, from an arbitrary beginning: for limits
// that must not notice when the time of day is set. Never destroyed.
Clock& SteadyClock();

// How far the clocks of two members, or of a member and its hub, may differ (C2): a rule that holds
// one against the other allows for it.
inline constexpr absl::Duration kMemberClockTolerance = absl::Minutes(2);

// Returns `time` rounded down to a whole minute, hour: what headers carry.
absl::Time FloorMinute(absl::Time time);
absl::Time FloorHour(absl::Time time);

}  // namespace waymark
