// Waiting for what another thread or process does and does not announce. Wherever a condition
// variable, a callback or an injected clock can tell, use that instead.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace waymark {

// Calls `condition` until it is true or `within` has passed; returns whether it became true.
template <typename Condition>
bool Eventually(Condition condition, absl::Duration within = absl::Seconds(60)) {
  const absl::Time deadline = absl::Now() + within;
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return true;
}

}  // namespace waymark
