// Moments of the steady clock in nanoseconds, as loads count them. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include "tests/support/pace.h"

namespace waymark::bench {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
inline constexpr double kNanosASecond = 1e9;

inline int64_t Nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline void SleepUntil(int64_t nanos) {
  testing::PaceUntil(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanos)));
}

}  // namespace waymark::bench
