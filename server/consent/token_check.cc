#include "server/consent/token_check.h"

#include "base/lifecycle/lifecycle.h"

namespace waymark::hub {
namespace {

// Whether the token was issued for the units between which the message travels. A withdrawal goes
// from the issuer straight to the recipient, past the presenter of an onward step, and is answered
// the same way.
bool IsOfTheseParties(const TokenUse& use) {
  const TokenRecord& token = *use.token;
  if (use.referral && *use.referral != ReferralParties{token.presenter, token.recipient}) {
    return false;
  }
  const auto between = [&use](const UnitId& sender, const UnitId& recipient) {
    return use.sender == sender && use.recipient == recipient;
  };
  switch (use.kind) {
    case v1::KIND_REVOKE:
      return between(token.issuer, token.recipient);
    case v1::KIND_REVOKE_ACK:
      return between(token.recipient, token.issuer);
    case v1::KIND_RECEIPT:
      return between(token.presenter, token.recipient) ||
             between(token.recipient, token.presenter) || between(token.issuer, token.recipient) ||
             between(token.recipient, token.issuer);
    default:
      return between(token.presenter, token.recipient) || between(token.recipient, token.presenter);
  }
}

v1::Reason CheckLive(const TokenUse& use, absl::Time now, absl::Duration skew) {
  if (use.token->revoked) return v1::REASON_TOKEN_REVOKED;
  if (now >= use.token->valid_until + skew) return v1::REASON_TOKEN_EXPIRED;
  if (use.stage > use.token->ceiling) return v1::REASON_TOKEN_CEILING;
  return v1::REASON_UNSPECIFIED;
}

}  // namespace

v1::Reason CheckToken(const TokenUse& use, absl::Time now, absl::Duration skew) {
  const TokenDemand demand = TokenDemandOf(use.kind);
  if (demand == TokenDemand::kNone) {
    return use.named ? v1::REASON_FIELD_INVALID : v1::REASON_UNSPECIFIED;
  }
  if (!use.named) {
    const bool may_do_without =
        demand == TokenDemand::kRegisteredWithinReferral && !use.referral.has_value();
    return may_do_without ? v1::REASON_UNSPECIFIED : v1::REASON_TOKEN_REQUIRED;
  }
  if (use.token == nullptr) return v1::REASON_TOKEN_UNKNOWN;
  if (use.kind == v1::KIND_REVOKE && use.sender != use.token->issuer) {
    return v1::REASON_TOKEN_NOT_ISSUER;
  }
  if (!IsOfTheseParties(use)) return v1::REASON_TOKEN_PARTIES;
  if (use.token->valid_until != absl::UnixEpoch() + absl::Hours(use.valid_until_hour)) {
    return v1::REASON_TOKEN_MISMATCH;
  }
  if (DemandsLive(demand)) {
    if (const v1::Reason reason = CheckLive(use, now, skew); reason != v1::REASON_UNSPECIFIED) {
      return reason;
    }
  }
  if (use.recipient_rule == RecipientRule::kSeparateRelease && !use.token->separate_release &&
      !OutlivesWithdrawal(use.kind)) {
    return v1::REASON_TOKEN_SEPARATE_RELEASE;
  }
  return v1::REASON_UNSPECIFIED;
}

}  // namespace waymark::hub
