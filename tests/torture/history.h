// What happened among the members of a network, as it can be seen from outside: what their staff
// asked for and was answered, and what lies in their vaults in the end.
//
// Collaborators: the campaign records it (campaign.h), the model judges it (model.h). Values; a
// History is not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "waymark/v1/common.pb.h"

namespace waymark::torture {

enum class What {
  // The staff of `party` asked its node to send `message`, of `kind` and `detail`, in `referral`. A
  // call that is repeated because its answer was lost is one submission.
  kSubmitted,
  // The node answered that it will be sent: from here on it may not be lost.
  kConfirmed,
  // The node answered that it will not, for the reason in `detail`.
  kRefused,
  // The vault of `party`, the recipient, holds `message`. Once for each time that it does.
  kDelivered,
  // The vault of `party`, the sender, holds the recipient's receipt.
  kAcknowledged,
  // The vault of `party`, the sender, says that hub or recipient sent it back, for the reason in
  // `detail`, or that a withdrawal dropped it on its way.
  kReturned,
  // `party` sees `referral` in the state in `detail`: the name of a node's state.
  kSeen,
};

struct Event {
  What what = What::kSubmitted;
  // A member's handle, for example "qso".
  std::string party;
  // Ids, or whatever else tells referrals and messages apart. Events of a vault name them as well.
  std::string referral;
  // Empty for kSeen.
  std::string message;
  // Of the message; unspecified for kSeen.
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  // A CLOSE's outcome, a reason or a state, by their names; else empty.
  std::string detail;

  friend bool operator==(const Event&, const Event&) = default;
};

// In the order in which it was recorded: submissions as they were made, what a vault holds in that
// vault's order.
using History = std::vector<Event>;

// The event as a line of text, for people: "delivered lin <referral> <message> OFFER".
std::string Format(const Event& event);
std::string_view Name(What what);

}  // namespace waymark::torture
