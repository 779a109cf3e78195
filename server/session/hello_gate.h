// How many sessions may begin at once, so that the return of all nodes does not stop the hub.
//
// A session that begins costs a claim and the first page of a mailbox. When the hub was away,
// thousands of nodes come back within a second: those beyond the rate (Limits::traffic) are told
// when to try again, each at a time of its own, in the order in which they came and no faster than
// the rate. Thread-safe.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "server/routing/limits.h"
#include "server/session/token_bucket.h"

namespace waymark::hub {

class HelloGate {
 public:
  // The least wait, and how far around their turn nodes are spread.
  static constexpr absl::Duration kSpread = absl::Milliseconds(500);

  // `random` outlives it.
  HelloGate(const TrafficLimits& limits, Random* random)
      : per_second_(limits.sessions_per_second),
        random_(random),
        room_(limits.sessions_per_second, limits.burst_sessions) {}

  // Returns nullopt when a session may begin now, else after what time to try again. `now` is
  // monotonic.
  std::optional<absl::Duration> Admit(absl::Time now);

 private:
  const double per_second_;
  Random* const random_;

  Mutex mu_;
  TokenBucket room_ ABSL_GUARDED_BY(mu_);
  // When the latest of those who were sent away was told to come.
  absl::Time last_turn_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace waymark::hub
