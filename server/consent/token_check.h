// Whether a message may travel under the token that its header names (domain.md, rules C2, C3, C6,
// C8 and C13, as far as the hub can see them).
//
// Pure; thread-safe.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/consent/recipient_class.h"
#include "server/store/records.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::hub {

// The two units of a referral.
struct ReferralParties {
  UnitId origin;
  UnitId provider;

  friend bool operator==(const ReferralParties&, const ReferralParties&) = default;
};

// A message and the token that its header names.
struct TokenUse {
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  UnitId sender;
  UnitId recipient;
  RecipientRule recipient_rule = RecipientRule::kOpen;
  // Whether the header names a token, and the hour it gives as that token's end.
  bool named = false;
  int64_t valid_until_hour = 0;
  // The registered token of that hash, nullptr if there is none.
  const TokenRecord* token = nullptr;
  // The referral, if the hub knows it or the message begins it. Whether sender and recipient are
  // its units, in the direction of the kind, was checked before.
  std::optional<ReferralParties> referral;
};

// Returns UNSPECIFIED if the message may travel. Otherwise, in this order:
//   FIELD_INVALID            a kind without a token names one;
//   TOKEN_REQUIRED           the kind demands one and none is named;
//   TOKEN_UNKNOWN            it is not registered;
//   TOKEN_NOT_ISSUER         a REVOKE comes from another unit than the token's issuer;
//   TOKEN_PARTIES            the token was issued for other units than those of the referral;
//   TOKEN_MISMATCH           the header gives another end than was registered;
//   TOKEN_REVOKED, TOKEN_EXPIRED, TOKEN_CEILING
//                            the kind demands a live token and it is not, or not up to this stage;
//   TOKEN_SEPARATE_RELEASE   the recipient's class may learn this only with a separate release.
// REVOKE, REVOKE_ACK and RECEIPT say nothing about a person and need no separate release. `skew` is
// how long after its end a token is still taken.
v1::Reason CheckToken(const TokenUse& use, absl::Time now, absl::Duration skew);

}  // namespace waymark::hub
