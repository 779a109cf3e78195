#include "server/routing/decide.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/lifecycle/lifecycle.h"
#include "base/time/clock.h"
#include "server/consent/recipient_class.h"
#include "server/consent/token_check.h"

namespace waymark::hub {
namespace {

absl::Time FromMinutes(int64_t minutes) { return absl::UnixEpoch() + absl::Minutes(minutes); }

// Kinds whose respond_by is the end of a hold or a review.
bool SetsClock(v1::Kind kind) { return kind == v1::KIND_OFFER || kind == v1::KIND_WAITLIST; }

HubState StateAt(const ReferralRecord& referral, absl::Time now) {
  if (referral.state_until > now) return referral.state;
  return ExpiredHubState(referral.state).value_or(referral.state);
}

// One message under decision. The checks are called in the order of the header's list; each relies
// on those before it.
class Judgement {
 public:
  Judgement(const WorkingState& state, const Submitted& submitted, absl::Time now,
            const Limits& limits)
      : state_(state),
        submitted_(submitted),
        header_(submitted.header),
        kind_(submitted.header.kind()),
        demand_(TokenDemandOf(kind_)),
        now_(now),
        limits_(limits) {}

  v1::Reason CheckSender() const {
    const MemberRecord* sender = state_.membership().Find(submitted_.sender);
    if (sender == nullptr) return v1::REASON_MEMBER_UNKNOWN;
    if (sender->status == v1::MEMBER_STATUS_SUSPENDED && kind_ != v1::KIND_REVOKE_ACK) {
      return v1::REASON_MEMBER_SUSPENDED;
    }
    if (state_.membership().OfUnit(submitted_.sender_unit) != sender) {
      return v1::REASON_UNIT_NOT_OWN;
    }
    return v1::REASON_UNSPECIFIED;
  }

  // The answer to a message whose id is remembered, nullopt for a new one.
  std::optional<v1::Reason> AnswerToRepeat() const {
    const SeenRecord* seen = state_.FindSeen(submitted_.id);
    if (seen == nullptr || seen->remember_until <= now_) return std::nullopt;
    return seen->digest == submitted_.digest ? seen->answer : v1::REASON_ID_REUSED;
  }

  v1::Reason CheckTimes() const {
    const absl::Time sent = FromMinutes(header_.sent_minute());
    const absl::Time respond_by = FromMinutes(header_.respond_by());
    const absl::Time expires_at = FromMinutes(header_.expires_at());
    if (expires_at <= now_) return v1::REASON_MESSAGE_EXPIRED;
    if (SetsClock(kind_) && respond_by <= now_) return v1::REASON_MESSAGE_EXPIRED;
    const absl::Time latest_respond_by = SetsClock(kind_) ? sent + limits_.hold : expires_at;
    if (sent > now_ + limits_.clock_skew || respond_by > latest_respond_by ||
        expires_at > sent + limits_.LifeOf(kind_, header_.urgency())) {
      return v1::REASON_TIME_INVALID;
    }
    return v1::REASON_UNSPECIFIED;
  }

  v1::Reason CheckRecipient() {
    recipient_ = state_.membership().OfUnit(submitted_.recipient_unit);
    if (recipient_ == nullptr) return v1::REASON_UNIT_UNKNOWN;
    if (recipient_->status == v1::MEMBER_STATUS_SUSPENDED && kind_ != v1::KIND_REVOKE) {
      return v1::REASON_RECIPIENT_SUSPENDED;
    }
    if (recipient_->status == v1::MEMBER_STATUS_LEAVING && kind_ == v1::KIND_INQUIRY) {
      return v1::REASON_RECIPIENT_LEAVING;
    }
    switch (RecipientRuleOf(recipient_->organisation_class, limits_)) {
      case RecipientRule::kOpen:
        return v1::REASON_UNSPECIFIED;
      case RecipientRule::kNoticesOnly:
        return kind_ == v1::KIND_NOTICE ? v1::REASON_UNSPECIFIED : v1::REASON_RECIPIENT_BLOCKED;
      case RecipientRule::kSeparateRelease:
        break;
    }
    const bool passes = demand_ != TokenDemand::kNone || kind_ == v1::KIND_CAPACITY_QUERY ||
                        kind_ == v1::KIND_NOTICE;
    return passes ? v1::REASON_UNSPECIFIED : v1::REASON_RECIPIENT_BLOCKED;
  }

  v1::Reason CheckReferral() {
    if (demand_ == TokenDemand::kNone) return v1::REASON_UNSPECIFIED;
    token_ = state_.FindToken(header_.token_hash());
    referral_ = state_.FindReferral(submitted_.referral);
    if (referral_ != nullptr && referral_->forget_at <= now_) referral_ = nullptr;

    Direction direction = Direction::kOriginToProvider;
    if (referral_ != nullptr) {
      parties_ = {referral_->origin, referral_->provider};
      const std::optional<Direction> found = DirectionWithin(*parties_);
      if (!found) return v1::REASON_NOT_A_PARTY;
      direction = *found;
      from_ = StateAt(*referral_, now_);
    } else if (kind_ == v1::KIND_INQUIRY) {
      parties_ = {submitted_.sender_unit, submitted_.recipient_unit};
    } else if (OutlivesWithdrawal(kind_)) {
      return v1::REASON_UNSPECIFIED;
    } else {
      return state_.recovering(now_) ? TakeUpReferral() : v1::REASON_REFERRAL_UNKNOWN;
    }
    to_ = NextHubState(from_, kind_, direction);
    return to_ ? v1::REASON_UNSPECIFIED : LetLatePass(direction);
  }

  v1::Reason CheckStage() const {
    const auto fits_after = [this](const std::optional<HubState>& from) {
      return StageFits(kind_, header_.stage(), from);
    };
    const bool fits =
        lost_.empty() ? fits_after(from_) : std::any_of(lost_.begin(), lost_.end(), fits_after);
    return fits ? v1::REASON_UNSPECIFIED : v1::REASON_STAGE_INVALID;
  }

  v1::Reason CheckTheToken() const {
    TokenUse use;
    use.kind = kind_;
    use.stage = header_.stage();
    use.sender = submitted_.sender_unit;
    use.recipient = submitted_.recipient_unit;
    use.recipient_rule = RecipientRuleOf(recipient_->organisation_class, limits_);
    use.named = !header_.token_hash().empty();
    use.valid_until_hour = header_.token_valid_until();
    use.token = token_;
    use.referral = parties_;
    const v1::Reason reason = CheckToken(use, now_, limits_.clock_skew);
    return reason == v1::REASON_TOKEN_UNKNOWN && state_.recovering(now_) ? v1::REASON_RECOVERING
                                                                         : reason;
  }

  Effects Accept() const {
    Effects effects;
    if (to_) {
      ReferralRecord next = NextRecord();
      if (referral_ == nullptr || next != *referral_) {
        effects.put_referrals.push_back(std::move(next));
      }
    }
    if (kind_ == v1::KIND_REVOKE) {
      if (!token_->revoked) {
        TokenRecord revoked = *token_;
        revoked.revoked = true;
        effects.put_tokens.push_back(std::move(revoked));
      }
      effects.drop.push_back({header_.token_hash()});
    }
    effects.deliver.push_back(Item());
    effects.put_seen.push_back({submitted_.id, submitted_.digest, v1::REASON_UNSPECIFIED,
                                FromMinutes(header_.expires_at()) + limits_.clock_skew});
    effects.log.push_back(LogLine());
    return effects;
  }

 private:
  // A referral that a restored hub has lost goes on where the message finds it: its units are those
  // of the token, and its state is the one to which every state leads that the message may follow.
  // A kind that changes nothing says too little to begin a record with.
  v1::Reason TakeUpReferral() {
    if (token_ == nullptr) return v1::REASON_RECOVERING;
    // It ended with the withdrawal.
    if (token_->revoked) return v1::REASON_STATE_FORBIDS;
    parties_ = {token_->presenter, token_->recipient};
    const std::optional<Direction> direction = DirectionWithin(*parties_);
    if (!direction) return v1::REASON_NOT_A_PARTY;
    lost_ = HubStatesBefore(kind_, *direction);
    if (lost_.empty()) return v1::REASON_STATE_FORBIDS;
    to_ = NextHubState(lost_.front(), kind_, *direction);
    for (const auto& from : lost_) {
      if (NextHubState(from, kind_, *direction) != to_) to_.reset();
    }
    return v1::REASON_UNSPECIFIED;
  }

  // What was sent before the restore may come again after messages that followed it: it passes and
  // changes nothing. After a withdrawal nothing does, not even how it ended.
  v1::Reason LetLatePass(Direction direction) {
    const absl::Time sent = FromMinutes(header_.sent_minute()) - limits_.clock_skew;
    const bool withdrawn = from_ == HubState::kWithdrawn || (token_ != nullptr && token_->revoked);
    if (withdrawn || !state_.may_have_been_lost(sent, now_)) return v1::REASON_STATE_FORBIDS;
    lost_ = HubStatesBefore(kind_, direction);
    return lost_.empty() ? v1::REASON_STATE_FORBIDS : v1::REASON_UNSPECIFIED;
  }

  // Which way the message goes between the two units, nullopt when it does not. What concerns a
  // withdrawal may also go between the issuer of the referral's onward token and the provider.
  std::optional<Direction> DirectionWithin(const ReferralParties& parties) const {
    const auto goes = [this](const UnitId& origin,
                             const UnitId& provider) -> std::optional<Direction> {
      if (submitted_.sender_unit == origin && submitted_.recipient_unit == provider) {
        return Direction::kOriginToProvider;
      }
      if (submitted_.sender_unit == provider && submitted_.recipient_unit == origin) {
        return Direction::kProviderToOrigin;
      }
      return std::nullopt;
    };
    if (const auto direction = goes(parties.origin, parties.provider)) return direction;
    const bool onward = OutlivesWithdrawal(kind_) && token_ != nullptr &&
                        parties == ReferralParties{token_->presenter, token_->recipient};
    return onward ? goes(token_->issuer, token_->recipient) : std::nullopt;
  }

  ReferralRecord NextRecord() const {
    ReferralRecord next;
    if (referral_ != nullptr) {
      next = *referral_;
    } else {
      next.id = submitted_.referral;
      next.origin = parties_->origin;
      next.provider = parties_->provider;
      next.urgency = header_.urgency();
    }
    next.state = *to_;
    if (DemandsLive(demand_)) next.token_hash = header_.token_hash();
    SetTimes(next);
    return next;
  }

  void SetTimes(ReferralRecord& next) const {
    const bool changes = referral_ == nullptr || next.state != referral_->state;
    if (kind_ == v1::KIND_INQUIRY) next.state_until = FromMinutes(header_.expires_at());
    if (SetsClock(kind_)) next.state_until = FromMinutes(header_.respond_by());
    if (!ExpiredHubState(next.state)) next.state_until = absl::InfiniteFuture();
    if (IsEnd(next.state)) {
      if (changes) next.forget_at = now_ + kEndedReferralRetention;
      return;
    }
    if (next.state_until == absl::InfiniteFuture() && DemandsLive(demand_)) {
      const absl::Time with_token = token_->valid_until + kTokenRetention;
      const bool first = next.forget_at == absl::InfiniteFuture();
      next.forget_at = first ? with_token : std::max(next.forget_at, with_token);
    }
  }

  MailboxItem Item() const {
    MailboxItem item;
    item.mailbox = recipient_->organisation;
    item.message_id = submitted_.id;
    item.referral = submitted_.referral;
    item.sender = submitted_.sender;
    item.kind = kind_;
    item.urgency = header_.urgency();
    item.token_hash = header_.token_hash();
    item.stored_at = now_;
    item.expires_at = FromMinutes(header_.expires_at());
    item.message = submitted_.message;
    return item;
  }

  RoutingRecord LogLine() const {
    RoutingRecord line;
    line.minute = FloorMinute(now_);
    line.message_id = submitted_.id;
    line.referral = submitted_.referral;
    line.sender = submitted_.sender_unit;
    line.recipient = submitted_.recipient_unit;
    line.kind = kind_;
    line.stage = header_.stage();
    line.urgency = header_.urgency();
    return line;
  }

  const WorkingState& state_;
  const Submitted& submitted_;
  const v1::Header& header_;
  const v1::Kind kind_;
  const TokenDemand demand_;
  const absl::Time now_;
  const Limits& limits_;

  // Found by CheckRecipient.
  const MemberRecord* recipient_ = nullptr;
  // Found by CheckReferral; as they are here for a kind outside a referral.
  const TokenRecord* token_ = nullptr;
  const ReferralRecord* referral_ = nullptr;
  std::optional<ReferralParties> parties_;
  // The state that the message finds, nullopt for a referral that it begins.
  std::optional<HubState> from_;
  // The states that it may have found before the hub lost them.
  std::vector<std::optional<HubState>> lost_;
  // nullopt: the message leaves the record as it is.
  std::optional<HubState> to_;
};

}  // namespace

Decision Decide(const WorkingState& state, const Submitted& submitted, absl::Time now,
                const Limits& limits) {
  Judgement judgement(state, submitted, now, limits);
  v1::Reason reason = judgement.CheckSender();
  if (reason != v1::REASON_UNSPECIFIED) return {reason, {}};
  if (const auto answer = judgement.AnswerToRepeat()) return {*answer, {}};
  reason = judgement.CheckTimes();
  if (reason == v1::REASON_UNSPECIFIED) reason = judgement.CheckRecipient();
  if (reason == v1::REASON_UNSPECIFIED) reason = judgement.CheckReferral();
  if (reason == v1::REASON_UNSPECIFIED) reason = judgement.CheckStage();
  if (reason == v1::REASON_UNSPECIFIED) reason = judgement.CheckTheToken();
  if (reason != v1::REASON_UNSPECIFIED) return {reason, {}};
  return {reason, judgement.Accept()};
}

}  // namespace waymark::hub
