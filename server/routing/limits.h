// The bounds that the hub's rules apply: plain numbers, most of them from the urgency data.
#pragma once

#include <array>

#include "absl/time/time.h"
#include "waymark/v1/common.pb.h"

namespace waymark::hub {

struct Limits {
  // How far a member's clock may differ.
  absl::Duration clock_skew = absl::Minutes(2);
  // How long a message of U0 to U4 may live after it was sent.
  std::array<absl::Duration, 5> message_life = {absl::Hours(4), absl::Hours(24), absl::Hours(72),
                                                absl::Hours(10 * 24), absl::Hours(30 * 24)};
  // How far ahead an OFFER may hold a place or a WAITLIST set its review.
  absl::Duration hold = absl::Hours(28 * 24);
  // How far ahead a token may end.
  absl::Duration token_life = absl::Hours(366 * 24);
  absl::Duration separate_release_life = absl::Hours(7 * 24);

  // The life of a message: that of its urgency, but a withdrawal and its answer may take the
  // longest, because they must outlast a node's days offline.
  absl::Duration LifeOf(v1::Kind kind, v1::Urgency urgency) const {
    if (kind == v1::KIND_REVOKE || kind == v1::KIND_REVOKE_ACK) return message_life.back();
    return message_life.at(urgency - v1::URGENCY_U0);
  }
};

}  // namespace waymark::hub
