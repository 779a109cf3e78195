#include "server/consent/registration.h"

#include <optional>

#include "base/crypto/hash.h"
#include "base/time/clock.h"
#include "server/consent/recipient_class.h"

namespace waymark::hub {
namespace {

v1::Reason CheckShape(const v1::TokenRegistration& registration) {
  const auto issuer = UnitId::FromBytes(registration.issuer_unit());
  const auto presenter = UnitId::FromBytes(registration.presenter_unit());
  const auto recipient = UnitId::FromBytes(registration.recipient_unit());
  if (!issuer || !presenter || !recipient || recipient == issuer || recipient == presenter) {
    return v1::REASON_FIELD_INVALID;
  }
  if (registration.token_hash().size() != kSha256Size ||
      registration.revocation_lock().size() != kSha256Size) {
    return v1::REASON_FIELD_INVALID;
  }
  switch (registration.stage_ceiling()) {
    case v1::STAGE_INQUIRY:
    case v1::STAGE_ACCEPTED:
    case v1::STAGE_STARTED:
      return v1::REASON_UNSPECIFIED;
    case v1::STAGE_NONE:
      return v1::REASON_FIELD_INVALID;
    default:
      return v1::REASON_ENUM_UNKNOWN;
  }
}

TokenRecord RecordOf(const v1::TokenRegistration& registration) {
  TokenRecord token;
  token.hash = registration.token_hash();
  token.issuer = *UnitId::FromBytes(registration.issuer_unit());
  token.presenter = *UnitId::FromBytes(registration.presenter_unit());
  token.recipient = *UnitId::FromBytes(registration.recipient_unit());
  token.ceiling = registration.stage_ceiling();
  token.valid_until = absl::UnixEpoch() + absl::Hours(registration.valid_until_hour());
  token.separate_release = registration.separate_release();
  token.revocation_lock = registration.revocation_lock();
  token.revoked = registration.revoked();
  return token;
}

// Whether `stored` came from the same registration.
bool SameContent(TokenRecord stored, const TokenRecord& token) {
  stored.registered_at = token.registered_at;
  stored.revoked = token.revoked;
  return stored == token;
}

v1::Reason CheckIssuer(const Membership& membership, const OrganisationId& sender,
                       const UnitId& issuer) {
  const MemberRecord* member = membership.Find(sender);
  if (member == nullptr) return v1::REASON_MEMBER_UNKNOWN;
  if (member->status == v1::MEMBER_STATUS_SUSPENDED) return v1::REASON_MEMBER_SUSPENDED;
  if (membership.OfUnit(issuer) != member) return v1::REASON_TOKEN_NOT_ISSUER;
  return v1::REASON_UNSPECIFIED;
}

v1::Reason CheckNewToken(const Membership& membership, const TokenRecord& token, absl::Time now,
                         const Limits& limits) {
  const MemberRecord* recipient = membership.OfUnit(token.recipient);
  if (membership.OfUnit(token.presenter) == nullptr || recipient == nullptr) {
    return v1::REASON_UNIT_UNKNOWN;
  }
  const RecipientRule rule = RecipientRuleOf(recipient->organisation_class, limits);
  if (rule == RecipientRule::kNoticesOnly) return v1::REASON_RECIPIENT_BLOCKED;
  if (token.valid_until <= now) return v1::REASON_TOKEN_EXPIRED;
  if (token.valid_until > now + limits.token_life) return v1::REASON_TIME_INVALID;
  const bool needs_release = rule == RecipientRule::kSeparateRelease;
  const bool too_long = token.valid_until > now + limits.separate_release_life;
  if ((needs_release && !token.separate_release) || (token.separate_release && too_long)) {
    return v1::REASON_TOKEN_SEPARATE_RELEASE;
  }
  return v1::REASON_UNSPECIFIED;
}

// What was registered as standing and is now withdrawn.
Decision Revocation(TokenRecord token) {
  Decision decision;
  decision.effects.drop.push_back({token.hash});
  token.revoked = true;
  decision.effects.put_tokens.push_back(std::move(token));
  return decision;
}

}  // namespace

Decision DecideRegistration(const WorkingState& state, const OrganisationId& sender,
                            const v1::TokenRegistration& registration, absl::Time now,
                            const Limits& limits) {
  if (const auto reason = CheckShape(registration); reason != v1::REASON_UNSPECIFIED) {
    return {reason, {}};
  }
  TokenRecord token = RecordOf(registration);
  const Membership& membership = state.membership();
  if (const auto reason = CheckIssuer(membership, sender, token.issuer);
      reason != v1::REASON_UNSPECIFIED) {
    return {reason, {}};
  }
  if (const TokenRecord* stored = state.FindToken(token.hash)) {
    if (!SameContent(*stored, token)) return {v1::REASON_ID_REUSED, {}};
    return token.revoked && !stored->revoked ? Revocation(*stored) : Decision{};
  }
  if (const auto reason = CheckNewToken(membership, token, now, limits);
      reason != v1::REASON_UNSPECIFIED) {
    return {reason, {}};
  }
  token.registered_at = FloorMinute(now);
  Decision decision;
  decision.effects.put_tokens.push_back(std::move(token));
  return decision;
}

}  // namespace waymark::hub
