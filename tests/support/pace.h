// Letting time pass, for what must happen at its time, as a load does. Not for waiting: a test that
// waits for something asks for it (poll.h).
#pragma once

#include <chrono>
#include <thread>

#include "absl/time/time.h"

namespace waymark::testing {

inline void PaceUntil(std::chrono::steady_clock::time_point moment) {
  std::this_thread::sleep_until(moment);
}

inline void PaceFor(absl::Duration time) {
  PaceUntil(std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(time));
}

}  // namespace waymark::testing
