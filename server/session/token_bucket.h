// A rate with a burst: what a bucket holds may be taken, and it fills again with time.
//
// Pure; time is the caller's, and one that goes back fills nothing. Not thread-safe.
#pragma once

#include <algorithm>
#include <optional>

#include "absl/time/time.h"

namespace waymark::hub {

class TokenBucket {
 public:
  // Full at first. `per_second` and `burst` are above 0.
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), held_(burst) {}

  bool Has(double amount, absl::Time now) {
    if (!filled_at_) filled_at_ = now;
    if (now > *filled_at_) {
      held_ = std::min(burst_, held_ + per_second_ * absl::ToDoubleSeconds(now - *filled_at_));
      filled_at_ = now;
    }
    return held_ >= amount;
  }

  // Takes what Has has found.
  void Take(double amount) { held_ -= amount; }

 private:
  const double per_second_;
  const double burst_;
  double held_;
  std::optional<absl::Time> filled_at_;
};

}  // namespace waymark::hub
