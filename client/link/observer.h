// What the link tells the rest of the node.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::node {

// How the connection to the hub stands.
struct LinkState {
  bool connected = false;
  // The member is suspended: only REVOKE arrives, only REVOKE_ACK is taken. As of the last welcome.
  bool restricted = false;
  // The hub's clock minus ours, as of the last welcome. Off by more than a minute: warn.
  absl::Duration clock_skew = absl::ZeroDuration();
  // Why there is no connection; OK while connected and before the first attempt.
  absl::Status error;
};

// Called on the link's own thread, one call at a time, without a lock held. A call may use the
// vault and Link::Wake, and delays the link while it runs; it must not stop the link.
class LinkObserver {
 public:
  virtual ~LinkObserver() = default;

  // The vault's inbox has grown.
  virtual void OnInbox() = 0;
  // The hub's outcome for an outbox entry; it is in the vault already. UNSPECIFIED: accepted.
  virtual void OnOutcome(std::string_view item_id, v1::Reason reason) = 0;
  // The recipient of an urgent message has not fetched it for 2 minutes: phone.
  virtual void OnPeerOffline(const MessageId& message) = 0;
  virtual void OnState(const LinkState& state) = 0;
};

}  // namespace waymark::node
