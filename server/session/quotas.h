// How much each member may submit, so that none can keep the hub from the others.
//
// Every member has a rate of items and one of bytes, each with a burst that a node which comes back
// after days offline can use (Limits::traffic). They count over all its sessions at this process.
// What is refused is not lost: the node offers it again.
//
// Order: of a frame the first items are taken or none, never a later one without those before it,
// and after a refusal the member rests for kRest, so that what it sent before it learned of the
// refusal does not overtake what was refused.
//
// Thread-safe. It remembers as many members as have spoken.
#pragma once

#include <cstddef>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "server/routing/limits.h"
#include "server/session/token_bucket.h"

namespace waymark::hub {

class Quotas {
 public:
  static constexpr absl::Duration kRest = absl::Seconds(1);

  explicit Quotas(const TrafficLimits& limits) : limits_(limits) {}

  // Returns how many of the items, whose sizes are `bytes`, are within the quota of `member`; the
  // rest is to be answered with QUOTA_EXCEEDED. `now` is monotonic.
  size_t Admit(const OrganisationId& member, std::span<const size_t> bytes, absl::Time now);

 private:
  struct Account {
    TokenBucket items;
    TokenBucket bytes;
    absl::Time rests_until = absl::InfinitePast();
  };

  const TrafficLimits limits_;
  Mutex mu_;
  absl::flat_hash_map<OrganisationId, Account> accounts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::hub
