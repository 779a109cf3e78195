// The hub's rules: may this message travel, and what changes if it does.
//
// A pure function of what the hub remembers, the message and the time: no I/O, no clock, no gRPC,
// no SQL. The committer calls it for one item after the other and applies what it returns.
#pragma once

#include "absl/time/time.h"
#include "server/routing/decision.h"
#include "server/routing/limits.h"
#include "server/routing/submitted.h"
#include "server/routing/working_state.h"

namespace waymark::hub {

// Decides on `submitted`, whose shape ReadMessage has checked. Checked in this order, the first
// that fails being the answer:
//
//   sender      MEMBER_UNKNOWN; MEMBER_SUSPENDED, but a suspended member may send REVOKE_ACK;
//               UNIT_NOT_OWN unless the sender unit is one of its own.
//   repeat      An accepted id is remembered until 2 minutes (Limits::clock_skew) after its message
//               expired: the same bytes are accepted again and change nothing, other bytes are
//               ID_REUSED. A rejection changes nothing and is not remembered: sending the same
//               again is judged as it would be if it came for the first time, which gives a sender
//               nothing that a new id would not, and a message that came before its token's
//               registration need not be made anew.
//   times       MESSAGE_EXPIRED once expires_at has come, or respond_by of an OFFER or WAITLIST.
//               TIME_INVALID: sent in the future; expires_at farther from sent_minute than its kind
//               and urgency allow; respond_by after expires_at, or for OFFER and WAITLIST, which
//               carry hold and review in it, farther ahead than Limits::hold.
//   recipient   UNIT_UNKNOWN; RECIPIENT_SUSPENDED for all but REVOKE; RECIPIENT_LEAVING for
//   INQUIRY;
//               RECIPIENT_BLOCKED: a class that receives notices only gets another kind, or one
//               that needs a separate release gets a kind without a token that is not
//               CAPACITY_QUERY or NOTICE. (A RECEIPT without a token is a machine's answer and
//               passes.)
//   referral    REFERRAL_UNKNOWN for all but INQUIRY, which begins one, and REVOKE, REVOKE_ACK and
//               RECEIPT, which may outlive the hub's memory. NOT_A_PARTY unless sender and
//               recipient are its two units, or issuer and recipient of its onward token for these
//               three kinds. STATE_FORBIDS when the table of base/lifecycle allows no such step; a
//               state whose clock has run out counts as expired whether or not the store has been
//               swept.
//   stage       STAGE_INVALID (StageFits of base/lifecycle).
//   token       As CheckToken of server/consent/token_check.h.
//
// After a restore from a copy (WorkingState::recovering) what is missing may have been lost. A
// token that is not registered is RECOVERING instead of TOKEN_UNKNOWN, until its issuer has
// registered it again or as revoked. A referral that is not known is taken up, unless its token is
// revoked (STATE_FORBIDS): its units are those of the token and its state the one to which the
// message leads. What was sent before the restore passes, and changes no state, where the table
// does not allow it any more: it comes again because its receipt was lost, and the recipient knows
// it. All other checks hold as ever.
//
// Effects of acceptance: the message in the recipient organisation's mailbox, its id in memory, a
// line of the routing log; the referral's new state, clock and end of memory; for REVOKE also the
// token revoked and everything undelivered under it dropped.
//
// Clocks: a request ends with the inquiry's expires_at, clarifying or not; an offer and a place on
// a waiting list with their respond_by; what was accepted has none. An ended referral is forgotten
// kEndedReferralRetention after its end, one that stays open together with its token.
Decision Decide(const WorkingState& state, const Submitted& submitted, absl::Time now,
                const Limits& limits);

}  // namespace waymark::hub
