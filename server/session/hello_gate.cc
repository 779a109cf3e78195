#include "server/session/hello_gate.h"

#include <algorithm>

namespace waymark::hub {

std::optional<absl::Duration> HelloGate::Admit(absl::Time now) {
  MutexLock lock(mu_);
  if (room_.Has(1, now)) {
    room_.Take(1);
    return std::nullopt;
  }
  last_turn_ = std::max(last_turn_, now) + absl::Seconds(1 / per_second_);
  const auto spread = static_cast<uint64_t>(absl::ToInt64Milliseconds(kSpread));
  return last_turn_ - now + kSpread + absl::Milliseconds(random_->Uniform(spread + 1));
}

}  // namespace waymark::hub
