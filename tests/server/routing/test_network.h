// A small invented network and the messages of its members, for tests of the hub's rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/crypto/hash.h"
#include "base/envelope/payload.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "server/consent/registration.h"
#include "server/routing/decide.h"
#include "server/routing/submitted.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::hub {

// The same id for the same name.
template <typename SomeId>
SomeId IdOf(std::string_view name) {
  return *SomeId::FromBytes(Sha256("test/id", {name}).substr(0, SomeId::kSize));
}

inline OrganisationId Organisation(std::string_view handle) { return IdOf<OrganisationId>(handle); }
inline UnitId Unit(std::string_view handle) { return IdOf<UnitId>(handle); }
// The member of a unit: "lin" of "lin.family".
inline std::string MemberOf(std::string_view unit) {
  return std::string(unit.substr(0, unit.find('.')));
}

inline int64_t Minutes(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }
inline int64_t Hours(absl::Time time) { return absl::ToUnixSeconds(time) / 3600; }

// Scenario 1's members, and one of each kind that the rules treat differently.
inline std::vector<MemberRecord> TestMembers() {
  const auto member = [](std::string_view handle, v1::OrganisationClass organisation_class,
                         std::vector<UnitId> units) {
    return MemberRecord{Organisation(handle), organisation_class, v1::MEMBER_STATUS_ACTIVE,
                        std::move(units)};
  };
  return {
      member("qso", v1::ORGANISATION_CLASS_NGO, {Unit("qso.night"), Unit("qso.day")}),
      member("bwi", v1::ORGANISATION_CLASS_INTERPRETER_POOL, {Unit("bwi.pool")}),
      member("bea", v1::ORGANISATION_CLASS_NGO, {Unit("bea.intake")}),
      member("lin", v1::ORGANISATION_CLASS_NGO, {Unit("lin.family")}),
      member("cpl", v1::ORGANISATION_CLASS_LAW_ENFORCEMENT, {Unit("cpl.desk")}),
      member("prs", v1::ORGANISATION_CLASS_MEDIA, {Unit("prs.desk")}),
  };
}

// The stage that a message of the kind names when all goes well.
inline v1::Stage UsualStage(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_INQUIRY:
    case v1::KIND_CLARIFICATION:
    case v1::KIND_OFFER:
    case v1::KIND_WAITLIST:
    case v1::KIND_DECLINE:
      return v1::STAGE_INQUIRY;
    case v1::KIND_ACCEPT:
    case v1::KIND_DISCLOSE:
    case v1::KIND_SCHEDULE:
      return v1::STAGE_ACCEPTED;
    case v1::KIND_START:
    case v1::KIND_PROGRESS:
    case v1::KIND_CLOSE:
      return v1::STAGE_STARTED;
    default:
      return v1::STAGE_NONE;
  }
}

// The hub's memory and clock, and what its members say to it.
class TestNetwork {
 public:
  // 19:41 on the evening of scenario 1.
  absl::Time now = absl::FromCivil(absl::CivilMinute(2027, 3, 9, 19, 41), absl::UTCTimeZone());
  Limits limits = Limits::From(Catalogue::Default());

  TestNetwork() : membership_(TestMembers()) { state_.emplace(membership_, LoadedState{}); }
  TestNetwork(const TestNetwork&) = delete;

  const WorkingState& state() const { return *state_; }
  const Membership& membership() const { return membership_; }

  void SetMember(std::string_view handle, v1::MemberStatus status) {
    std::vector<MemberRecord> members = membership_.members();
    for (MemberRecord& member : members) {
      if (member.organisation == Organisation(handle)) member.status = status;
    }
    membership_ = Membership(std::move(members));
  }

  void Remove(std::string_view handle) {
    std::vector<MemberRecord> members = membership_.members();
    std::erase_if(members, [&](const MemberRecord& member) {
      return member.organisation == Organisation(handle);
    });
    membership_ = Membership(std::move(members));
  }

  v1::TokenRegistration Token(std::string_view name, std::string_view issuer,
                              std::string_view recipient) const {
    v1::TokenRegistration token;
    token.set_token_hash(Sha256("test/token", {name}));
    token.set_issuer_unit(Unit(issuer).bytes());
    token.set_presenter_unit(Unit(issuer).bytes());
    token.set_recipient_unit(Unit(recipient).bytes());
    token.set_stage_ceiling(v1::STAGE_STARTED);
    token.set_valid_until_hour(Hours(now) + 5 * 24);
    token.set_revocation_lock(Sha256("test/lock", {name}));
    return token;
  }

  v1::Reason Register(std::string_view sender, const v1::TokenRegistration& token) {
    const Decision decision = DecideRegistration(*state_, Organisation(sender), token, now, limits);
    state_->Apply(decision.effects);
    return decision.reason;
  }

  // A message of a fresh id under `token`, which may be nullptr.
  v1::Header Header(v1::Kind kind, std::string_view from, std::string_view to,
                    std::string_view referral, const v1::TokenRegistration* token) {
    v1::Header header;
    header.set_message_id(IdOf<MessageId>("message " + std::to_string(++messages_)).bytes());
    header.set_referral_id(IdOf<ReferralId>(referral).bytes());
    header.set_kind(kind);
    header.set_stage(UsualStage(kind));
    header.set_sender_unit(Unit(from).bytes());
    header.set_recipient_unit(Unit(to).bytes());
    header.set_urgency(v1::URGENCY_U0);
    header.set_sent_minute(Minutes(now));
    header.set_respond_by(Minutes(now) + 30);
    header.set_expires_at(Minutes(now) + 4 * 60);
    if (token != nullptr) {
      header.set_token_hash(token->token_hash());
      header.set_token_valid_until(token->valid_until_hour());
    }
    header.set_size_bucket(v1::SIZE_BUCKET_2_KIB);
    header.set_schema_version(1);
    header.set_taxonomy_version(1);
    return header;
  }

  static v1::Message Message(const v1::Header& header, char filling = 'x') {
    v1::Message message;
    message.set_header(header.SerializeAsString());
    message.set_sealed(std::string(BucketBytes(header.size_bucket()), filling));
    message.set_signature(std::string(71, 's'));
    return message;
  }

  Decision Send(std::string_view sender, const v1::Message& message) {
    const auto submitted = ReadMessage(Organisation(sender), message);
    if (!submitted.ok()) return {ReasonOf(submitted.status()), {}};
    Decision decision = Decide(*state_, *submitted, now, limits);
    state_->Apply(decision.effects);
    return decision;
  }
  Decision Send(std::string_view sender, const v1::Header& header) {
    return Send(sender, Message(header));
  }

  // The hub is restored from a copy now, and `kept` is what the copy still has.
  void Restore(LoadedState kept = {}) { state_.emplace(membership_, std::move(kept), now); }

  void Apply(const Effects& effects) { state_->Apply(effects); }

  const ReferralRecord* Referral(std::string_view name) const {
    return state_->FindReferral(IdOf<ReferralId>(name));
  }

 private:
  Membership membership_;
  std::optional<WorkingState> state_;
  int messages_ = 0;
};

struct Step {
  v1::Kind kind;
  Direction direction;
};

inline constexpr Direction kOut = Direction::kOriginToProvider;
inline constexpr Direction kBack = Direction::kProviderToOrigin;

// The steps by which a referral comes into `state`; for EXPIRED its clock has yet to run out.
inline std::vector<Step> WayTo(HubState state) {
  std::vector<Step> way = {{v1::KIND_INQUIRY, kOut}};
  const auto then = [&way](v1::Kind kind, Direction direction) {
    way.push_back({kind, direction});
  };
  switch (state) {
    case HubState::kRequested:
    case HubState::kExpired:
      return way;
    case HubState::kClarifying:
      then(v1::KIND_CLARIFICATION, kBack);
      return way;
    case HubState::kWaitlisted:
      then(v1::KIND_WAITLIST, kBack);
      return way;
    case HubState::kClosed:
      then(v1::KIND_DECLINE, kBack);
      return way;
    case HubState::kWithdrawn:
      then(v1::KIND_REVOKE, kOut);
      return way;
    default:
      break;
  }
  then(v1::KIND_OFFER, kBack);
  if (state != HubState::kOffered) then(v1::KIND_ACCEPT, kOut);
  if (state == HubState::kScheduled) then(v1::KIND_SCHEDULE, kBack);
  if (state == HubState::kStarted) then(v1::KIND_START, kBack);
  return way;
}

// Referral 9ab1 of scenario 1: qso.night asks lin.family, under one registered token.
class LindenReferral {
 public:
  TestNetwork network;
  v1::TokenRegistration token = network.Token("c-c", "qso.night", "lin.family");

  LindenReferral() { network.Register("qso", token); }
  explicit LindenReferral(HubState state) : LindenReferral() {
    for (const Step& step : WayTo(state)) Take(step);
    if (state == HubState::kExpired) network.now += absl::Hours(5);
  }

  v1::Header Header(const Step& step) {
    const bool out = step.direction == kOut;
    const bool named = TokenDemandOf(step.kind) != TokenDemand::kNone;
    return network.Header(step.kind, out ? "qso.night" : "lin.family",
                          out ? "lin.family" : "qso.night", "9ab1", named ? &token : nullptr);
  }
  Decision Send(const v1::Header& header) {
    return network.Send(header.sender_unit() == Unit("qso.night").bytes() ? "qso" : "lin", header);
  }
  Decision Take(const Step& step) { return Send(Header(step)); }

  const ReferralRecord* record() const { return network.Referral("9ab1"); }
};

}  // namespace waymark::hub
