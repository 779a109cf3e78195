// The bounds that the hub's rules apply. All but two come from the network's data files.
//
// Values; thread-safe.
#pragma once

#include <array>
#include <vector>

#include "absl/time/time.h"
#include "base/schema/catalogue.h"
#include "base/time/clock.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::hub {

// What the hub takes from members; `items` are messages and registrations.
struct TrafficLimits {
  // Of each member: on average, and at once after a quiet time.
  double items_per_second = 0;
  double burst_items = 0;
  double bytes_per_second = 0;
  double burst_bytes = 0;
  // Of all members: sessions that begin.
  double sessions_per_second = 0;
  double burst_sessions = 0;
};

struct Limits {
  // The bounds that the clocks, policy packs and limits of traffic of `catalogue` set.
  static Limits From(const Catalogue& catalogue);

  // How far a member's clock may differ.
  absl::Duration clock_skew = kMemberClockTolerance;
  // How far ahead a token may end.
  absl::Duration token_life = absl::Hours(366 * 24);

  // How long a message of U0 to U4 may live after it was sent.
  std::array<absl::Duration, 5> message_life;
  // How far ahead an OFFER may hold a place or a WAITLIST set its review.
  absl::Duration hold;
  absl::Duration separate_release_life;
  // When the sender of an undelivered message of U0 or U1 is told; infinite for never.
  absl::Duration offline_notice_after;
  // C8: classes that get nothing about a person without a separate release, and classes that never
  // do.
  std::vector<v1::OrganisationClass> separate_release;
  std::vector<v1::OrganisationClass> notices_only;
  TrafficLimits traffic;

  // The life of a message: that of its urgency, but a withdrawal and its answer may take the
  // longest, because they must outlast a node's days offline.
  absl::Duration LifeOf(v1::Kind kind, v1::Urgency urgency) const {
    if (kind == v1::KIND_REVOKE || kind == v1::KIND_REVOKE_ACK) return message_life.back();
    return message_life.at(urgency - v1::URGENCY_U0);
  }
};

}  // namespace waymark::hub
