// The rule by which the hub takes a consent token into its registry.
//
// Pure; thread-safe.
#pragma once

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/routing/decision.h"
#include "server/routing/limits.h"
#include "server/routing/working_state.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::hub {

// Decides on a token that `sender` registers. Checked in this order:
//   FIELD_INVALID            hash or lock without 32 bytes, a unit without 16, a recipient that is
//   also
//                            issuer or presenter, a ceiling of NONE;
//   ENUM_UNKNOWN             a ceiling that is unspecified or unknown;
//   MEMBER_UNKNOWN, MEMBER_SUSPENDED
//                            the sender's standing;
//   TOKEN_NOT_ISSUER         the issuer is not a unit of the sender's;
//   ID_REUSED                the hash is registered with other content. With the same content the
//                            answer is again that it is accepted: a revoked token stays revoked,
//                            and one that is registered as revoked becomes so, by which what waits
//                            under it is dropped;
//   UNIT_UNKNOWN             presenter or recipient is not in the directory;
//   RECIPIENT_BLOCKED        the recipient's class may never receive anything about a person;
//   TOKEN_EXPIRED, TIME_INVALID
//                            it has ended already, or ends beyond the longest validity;
//   TOKEN_SEPARATE_RELEASE   the recipient's class needs a separate release and this is none, or a
//                            separate release ends beyond its own longest validity.
Decision DecideRegistration(const WorkingState& state, const OrganisationId& sender,
                            const v1::TokenRegistration& registration, absl::Time now,
                            const Limits& limits);

}  // namespace waymark::hub
