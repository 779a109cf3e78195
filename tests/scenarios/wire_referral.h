// A referral of a member whose node is the test itself: its token, what the hub is told of it, and
// messages under it.
//
// Collaborators: wire_member.h. Values; not thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/envelope/token.h"
#include "base/ids/ids.h"
#include "tests/support/wire_member.h"
#include "waymark/v1/exchange.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark::testing {

struct WireReferral {
  // 16 bytes.
  std::string id;
  UnitId recipient;
  SignedToken token;
  v1::TokenRegistration registration;
};

// A new referral to `recipient` about a room (206), with a token of its own for the evening of the
// scenario, up to the start. `change` is made to the token alone: the hub is told what the token
// would be without it.
absl::StatusOr<WireReferral> BeginReferral(
    const WireMember& sender, const UnitId& recipient,
    const std::function<void(v1::ConsentToken&)>& change = [](v1::ConsentToken&) {});

// A message of the referral under its token, sealed and signed as a node would.
absl::StatusOr<v1::Message> SealUnder(WireMember& sender, const WireReferral& referral,
                                      v1::Kind kind, v1::Stage stage, const v1::Sections& sections);

// The inquiry about `service`, which says besides that what `sections` hold.
absl::StatusOr<v1::Message> SealInquiry(WireMember& sender, const WireReferral& referral,
                                        const ServiceId& service, v1::Sections sections = {});

}  // namespace waymark::testing
