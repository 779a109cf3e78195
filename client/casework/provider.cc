#include "client/casework/provider.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/envelope/token.h"
#include "base/policy/evaluator.h"
#include "base/schema/date.h"
#include "base/schema/validate.h"
#include "base/status/status.h"
#include "client/casework/clarification.h"
#include "client/casework/composer.h"
#include "client/casework/referral.h"
#include "client/casework/revocation.h"
#include "client/casework/sections.h"
#include "client/directory/room.h"

namespace waymark::node {

// One step of a referral that its message takes.
struct Provider::Step {
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  CloseDetail detail = CloseDetail::kNone;
  v1::Payload payload;
  absl::Time respond_by = absl::InfinitePast();
  // Looks at the referral before anything happens, and fills in what depends on it.
  std::function<absl::Status(const Reader&, const local::v1::Referral&, Step&)> prepare;
  // Sets the clocks of the state that was reached.
  std::function<void(local::v1::Referral&)> settle;
};

namespace {

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds());
}

// The hub refuses a hold or a review that is over, or further ahead than the network allows.
absl::Status CheckAhead(const CaseworkContext& context, const std::string& what, absl::Time time) {
  const auto days = static_cast<int>(context.catalogue.clocks().waitlist_review_days());
  const absl::Time now = FloorMinute(context.clock.Now());
  if (time > now && time <= now + days * absl::Hours(24)) return absl::OkStatus();
  return Error(v1::REASON_TIME_INVALID, what + " is to be in the future, and at most " +
                                            std::to_string(days) + " days ahead");
}

// How many of the places that the service counts an offer of so many of the need's unit holds. What
// is asked for in another unit, beds in a family room, cannot be converted: it holds one.
absl::StatusOr<uint32_t> PlacesFor(const Reader& reader, const ServiceEntry* service,
                                   const local::v1::Referral& referral, uint32_t quantity) {
  ASSIGN_OR_RETURN(const v1::Sections received,
                   ReadAllSections(reader, *ReferralId::FromBytes(referral.referral_id()),
                                   SectionDirection::kReceived));
  const bool other = service != nullptr && received.need().has_unit() &&
                     received.need().unit() != service->service.capacity_unit();
  return other ? std::min(quantity, 1U) : quantity;
}

// Two offers of one place cannot both be made: each is checked in the transaction that makes it.
absl::Status CheckRoom(const Reader& reader, const local::v1::Referral& referral, uint32_t places,
                       absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<uint32_t> free,
                   FreePlaces(reader, referral.service_id(), now));
  if (!free.has_value() || places <= *free) return absl::OkStatus();
  return Error(v1::REASON_NO_ROOM, "the service has " + std::to_string(*free) +
                                       " free that no offer holds, and the offer needs " +
                                       std::to_string(places));
}

// START counts as reached by itself, as far as the token goes; everything else names what is
// reached.
v1::Stage StageFor(v1::Kind kind, NodeState state, const v1::ConsentToken& token) {
  if (kind == v1::KIND_START) return std::min(v1::STAGE_STARTED, token.stage_ceiling());
  const v1::Stage reached = StageOf(state);
  return reached == v1::STAGE_NONE ? v1::STAGE_INQUIRY : reached;
}

}  // namespace

absl::Status Provider::CheckReturn(const Reader& reader, const DirectorySnapshot& directory,
                                   const local::v1::Referral& referral, const Step& step,
                                   v1::Stage stage) const {
  const bool bare = FieldNumbersIn(step.payload.sections()).empty();
  if (bare && !DemandsLive(TokenDemandOf(step.kind))) return absl::OkStatus();
  const local::v1::TokenEntry* entry = TokenInUse(referral);
  if (entry == nullptr) return Error(v1::REASON_CONSENT_WITHDRAWN, "the consent was withdrawn");
  ASSIGN_OR_RETURN(const v1::ConsentToken token, ParseToken(entry->token()));
  PolicyContext policy;
  policy.catalogue = &context_.catalogue;
  policy.now = context_.clock.Now();
  policy.kind = step.kind;
  policy.direction = DirectionOf(referral, /*sent=*/true);
  policy.stage = stage;
  policy.reached = stage;
  policy.service_code = referral.service_code();
  const UnitId own = *UnitId::FromBytes(referral.own_unit());
  const UnitId other = *UnitId::FromBytes(referral.other_unit());
  policy.origin = referral.originated() ? own : other;
  policy.origin_pack = PackOf(directory, policy.origin);
  policy.provider = FactsOf(directory, referral.originated() ? other : own, policy.service_code,
                            directory.FindService(*ServiceId::FromBytes(referral.service_id())));
  ASSIGN_OR_RETURN(const v1::Sections earlier,
                   ReadAllSections(reader, *ReferralId::FromBytes(referral.referral_id()),
                                   SectionDirection::kSent));
  policy.earlier = &earlier;
  return ToStatus(
      EvaluateUnderToken(policy, token, entry->revoked(), step.payload.sections()).findings);
}

absl::Status Provider::Take(const Actor& actor, const std::string& referral_id,
                            const std::string& message_id, Step step) {
  const auto id = ReferralId::FromBytes(referral_id);
  const auto message = MessageId::FromBytes(message_id);
  if (!id || !message) return InvalidField("referral_id and message_id are 16 bytes each");
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(t, *id));
    RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(referral.own_unit())));
    if (FindEvent(referral, message_id) != nullptr) return absl::OkStatus();
    const auto from = StateOf(referral);
    // Ends that cross on the wire fit the table; what is sent after one is a mistake.
    if (from && IsEnd(*from)) return DoesNotFit(referral, step.kind);
    if (step.prepare) RETURN_IF_ERROR(step.prepare(t, referral, step));
    RETURN_IF_ERROR(ValidateSections(step.payload.sections()));
    const absl::Time now = context_.clock.Now();
    const local::v1::StateBefore before = Snapshot(referral);
    RETURN_IF_ERROR(Advance(referral, step.kind, /*sent=*/true, step.detail, now));
    v1::Stage stage = v1::STAGE_INQUIRY;
    if (const local::v1::TokenEntry* entry = TokenInUse(referral)) {
      ASSIGN_OR_RETURN(const v1::ConsentToken token, ParseToken(entry->token()));
      stage = StageFor(step.kind, *from, token);
    }
    RETURN_IF_ERROR(CheckReturn(t, *directory, referral, step, stage));
    if (step.settle) step.settle(referral);
    SetReview(referral, step.payload.sections().prog());
    RETURN_IF_ERROR(StoreSections(t, *id, SectionDirection::kSent, stage, step.payload.sections()));
    if (step.kind == v1::KIND_START) {
      RETURN_IF_ERROR(EraseFields(t, *id, context_.catalogue.EraseAtStart()));
    }
    const std::set<uint32_t> fields = FieldNumbersIn(step.payload.sections());
    AddFields(referral, {fields.begin(), fields.end()});
    Outgoing outgoing;
    outgoing.id = *message;
    outgoing.kind = step.kind;
    outgoing.stage = stage;
    outgoing.payload = step.payload;
    outgoing.respond_by = step.respond_by;
    RETURN_IF_ERROR(sender_.SendWithin(t, *directory, referral, std::move(outgoing)));
    KeepBefore(referral, *message, before);
    return SaveReferral(context_, t, referral);
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

absl::StatusOr<v1::OfferResponse> Provider::Offer(const Actor& actor,
                                                  const v1::OfferRequest& request) {
  v1::OfferResponse response;
  uint32_t places = 0;
  Step step;
  step.kind = v1::KIND_OFFER;
  *step.payload.mutable_sections()->mutable_prog() = request.prog();
  step.prepare = [&](const Reader& reader, const local::v1::Referral& referral,
                     Step& self) -> absl::Status {
    v1::ProgSection& prog = *self.payload.mutable_sections()->mutable_prog();
    if (!prog.offer().has_start()) return InvalidField("an offer needs a start and a quantity");
    if (TimeOf(prog.offer().start()) < FloorMinute(context_.clock.Now())) {
      return Error(v1::REASON_TIME_INVALID, "the start of the offer is over");
    }
    if (!prog.offer().has_hold_until()) {
      const v1::UrgencyClock& clock = *context_.catalogue.ClockOf(referral.urgency());
      const absl::Time hold = After(FloorMinute(context_.clock.Now()), clock.hold());
      prog.mutable_offer()->mutable_hold_until()->set_seconds(absl::ToUnixSeconds(hold));
    }
    self.respond_by = TimeOf(prog.offer().hold_until());
    RETURN_IF_ERROR(CheckAhead(context_, "the end of the hold", self.respond_by));
    const auto directory = context_.directory();
    ASSIGN_OR_RETURN(
        places,
        PlacesFor(reader, directory->FindService(*ServiceId::FromBytes(referral.service_id())),
                  referral, prog.offer().quantity()));
    RETURN_IF_ERROR(CheckRoom(reader, referral, places, context_.clock.Now()));
    *response.mutable_hold_until() = prog.offer().hold_until();
    return absl::OkStatus();
  };
  step.settle = [&](local::v1::Referral& referral) {
    const int64_t hold_ms = response.hold_until().seconds() * 1000;
    referral.set_state_until_ms(hold_ms);
    referral.set_respond_by_ms(hold_ms);
    referral.set_held_places(places);
  };
  RETURN_IF_ERROR(Take(actor, request.referral_id(), request.message_id(), std::move(step)));
  return response;
}

absl::Status Provider::Waitlist(const Actor& actor, const v1::WaitlistRequest& request) {
  if (!request.prog().has_waitlist() || !request.prog().waitlist().has_review_date()) {
    return InvalidField("a place on the waiting list needs a review date");
  }
  Step step;
  step.kind = v1::KIND_WAITLIST;
  *step.payload.mutable_sections()->mutable_prog() = request.prog();
  step.respond_by = StartOf(request.prog().waitlist().review_date());
  RETURN_IF_ERROR(CheckAhead(context_, "the day of the review", step.respond_by));
  step.settle = [review = step.respond_by](local::v1::Referral& referral) {
    referral.set_state_until_ms(ToMillis(review));
    referral.set_respond_by_ms(ToMillis(review));
  };
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Decline(const Actor& actor, const v1::DeclineRequest& request) {
  const v1::DeclineInfo* info = context_.catalogue.FindDecline(request.code());
  if (info == nullptr) return InvalidField("the decline code is none of D01 to D22");
  Step step;
  step.kind = v1::KIND_DECLINE;
  step.payload.mutable_sections()->mutable_prog()->set_decline_code(info->code());
  step.prepare = [&](const Reader&, const local::v1::Referral& referral, Step&) -> absl::Status {
    const auto state = StateOf(referral);
    if (!context_.catalogue.AllowsDecline(info->code(), referral.service_code(), StageOf(*state))) {
      return InvalidField("decline code " + request.code() +
                          " is not for this kind of service at this stage");
    }
    return absl::OkStatus();
  };
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Clarify(const Actor& actor, const v1::ClarifyRequest& request) {
  RETURN_IF_ERROR(CheckClarification(request.clarification()));
  Step step;
  step.kind = v1::KIND_CLARIFICATION;
  *step.payload.mutable_clarification() = request.clarification();
  step.prepare = [&](const Reader&, const local::v1::Referral& referral, Step&) -> absl::Status {
    if (request.clarification().code() == v1::CLARIFICATION_CODE_ANSWERED &&
        referral.originated()) {
      return InvalidField("ANSWERED carries values of the lead's; send them with 'waymark answer'");
    }
    return absl::OkStatus();
  };
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Schedule(const Actor& actor, const v1::ScheduleRequest& request) {
  Step step;
  step.kind = v1::KIND_SCHEDULE;
  *step.payload.mutable_sections()->mutable_logi() = request.logi();
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Start(const Actor& actor, const v1::StartRequest& request) {
  Step step;
  step.kind = v1::KIND_START;
  // The day is quasi-identifying: it goes back only where the consent lets it.
  step.prepare = [&](const Reader&, const local::v1::Referral& referral,
                     Step& self) -> absl::Status {
    const local::v1::TokenEntry* entry = TokenInUse(referral);
    if (entry == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const v1::ConsentToken token, ParseToken(entry->token()));
    const FieldInfo* field = FieldByName("PROG.started_on");
    const auto& allowed = token.return_fields();
    if (std::find(allowed.begin(), allowed.end(), field->field_no) == allowed.end()) {
      return absl::OkStatus();
    }
    *self.payload.mutable_sections()->mutable_prog()->mutable_started_on() =
        DateOf(context_.clock.Now());
    return absl::OkStatus();
  };
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::ReportProgress(const Actor& actor,
                                      const v1::ReportProgressRequest& request) {
  Step step;
  step.kind = v1::KIND_PROGRESS;
  *step.payload.mutable_sections()->mutable_prog() = request.prog();
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Close(const Actor& actor, const v1::CloseRequest& request) {
  Step step;
  step.kind = v1::KIND_CLOSE;
  v1::ProgSection& prog = *step.payload.mutable_sections()->mutable_prog();
  switch (request.outcome()) {
    case v1::CLOSE_OUTCOME_COMPLETED:
      step.detail = CloseDetail::kCompleted;
      prog.set_status(v1::PROGRESS_STATUS_COMPLETED);
      break;
    case v1::CLOSE_OUTCOME_ENDED_EARLY:
      step.detail = CloseDetail::kEndedEarly;
      prog.set_status(v1::PROGRESS_STATUS_ENDED_EARLY);
      break;
    case v1::CLOSE_OUTCOME_NOT_STARTED:
      step.detail = CloseDetail::kNotStarted;
      prog.set_status(v1::PROGRESS_STATUS_NOT_STARTED);
      break;
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "the outcome of the close is not known");
  }
  *prog.mutable_next_need_codes() = request.next_need_codes();
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::Cancel(const Actor& actor, const v1::CancelRequest& request) {
  const std::string code = request.code().empty() ? "PE3" : request.code();
  if (context_.catalogue.FindEnd(code) == nullptr) {
    return InvalidField("the code is none of PE1 to PE4");
  }
  Step step;
  step.kind = v1::KIND_CANCEL;
  step.payload.mutable_cancellation()->set_code(code);
  return Take(actor, request.referral_id(), request.message_id(), std::move(step));
}

absl::Status Provider::RecordRetention(const Actor& actor,
                                       const v1::RecordRetentionRequest& request) {
  const auto id = ReferralId::FromBytes(request.referral_id());
  const auto message = MessageId::FromBytes(request.message_id());
  if (!id || !message) return InvalidField("referral_id and message_id are 16 bytes each");
  v1::RevocationAck ack;
  ack.set_outcome(v1::ERASURE_OUTCOME_ERASED_EXCEPT);
  ack.set_ground(request.ground());
  *ack.mutable_kept_until() = request.kept_until();
  RETURN_IF_ERROR(CheckAcknowledgement(ack));
  if (StartOf(request.kept_until()) + absl::Hours(24) <= context_.clock.Now()) {
    return InvalidField("the day until which something is kept is over");
  }
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(t, *id));
    RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(referral.own_unit())));
    if (referral.originated()) {
      return Error(v1::REASON_STATE_FORBIDS, "this unit asked; it received nothing to keep");
    }
    if (FindEvent(referral, request.message_id()) != nullptr) return absl::OkStatus();
    referral.set_retention_ground(request.ground());
    *referral.mutable_kept_until() = request.kept_until();
    if (StateOf(referral) == NodeState::kWithdrawn) {
      RETURN_IF_ERROR(sender_.AcknowledgeRevocation(t, *directory, referral, *message));
    }
    return SaveReferral(context_, t, referral);
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

}  // namespace waymark::node
