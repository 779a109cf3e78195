#include "client/casework/referral.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "base/lifecycle/inquiry_clocks.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/casework/local_copies.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

void Restore(const local::v1::StateBefore& before, local::v1::Referral& referral) {
  referral.set_state(before.state());
  referral.set_state_since_ms(before.state_since_ms());
  referral.set_state_until_ms(before.state_until_ms());
  referral.set_respond_by_ms(before.respond_by_ms());
  referral.set_prompt_at_ms(before.prompt_at_ms());
  referral.set_time_given_back(before.time_given_back());
  referral.set_review_due_ms(before.review_due_ms());
  if (before.state().empty()) referral.set_state(std::string(Name(NodeState::kDiscarded)));
}

void ClearClocks(local::v1::Referral& referral) {
  referral.set_state_until_ms(0);
  referral.set_respond_by_ms(0);
  referral.set_prompt_at_ms(0);
}

// The question was asked at `asked_at` and answered at `now`: half of the time that was left then
// is there again, once a referral.
void GiveTimeBackOnce(local::v1::Referral& referral, absl::Time asked_at, absl::Time now) {
  if (referral.time_given_back()) return;
  referral.set_time_given_back(true);
  const InquiryClocks clocks = GiveTimeBack({.respond_by = FromMillis(referral.respond_by_ms()),
                                             .prompt_at = FromMillis(referral.prompt_at_ms()),
                                             .ends_at = FromMillis(referral.state_until_ms())},
                                            asked_at, now);
  referral.set_respond_by_ms(ToMillis(clocks.respond_by));
  referral.set_prompt_at_ms(ToMillis(clocks.prompt_at));
}

// Enough of an id for people to find the referral by.
constexpr size_t kShownDigits = 8;

// "OFFER" for KIND_OFFER.
std::string KindWord(v1::Kind kind) {
  constexpr std::string_view kPrefix = "KIND_";
  return v1::Kind_Name(kind).substr(kPrefix.size());
}

}  // namespace

absl::StatusOr<local::v1::Referral> LoadReferral(const Reader& reader, const ReferralId& id) {
  auto referral = GetAs<local::v1::Referral>(reader, DocumentKind::kReferral, id);
  if (!referral.ok() && ReasonOf(referral.status()) == v1::REASON_NOT_FOUND) {
    return Error(v1::REASON_REFERRAL_UNKNOWN, "this node has no referral " + id.hex());
  }
  return referral;
}

absl::StatusOr<std::vector<local::v1::Referral>> LoadReferrals(const Reader& reader) {
  ASSIGN_OR_RETURN(auto all, ParseAll<local::v1::Referral>(reader.List(DocumentKind::kReferral)));
  std::vector<local::v1::Referral> referrals;
  referrals.reserve(all.size());
  for (auto& [unused, referral] : all) referrals.push_back(std::move(referral));
  return referrals;
}

absl::StatusOr<std::optional<ReferralId>> ReferralOfSent(const Reader& reader,
                                                         const MessageId& id) {
  const auto referral = reader.ParentOf(DocumentKind::kSentMessage, id);
  if (referral.ok()) return std::optional(referral->As<ReferralId>());
  if (ReasonOf(referral.status()) != v1::REASON_NOT_FOUND) return referral.status();
  return std::optional<ReferralId>();
}

absl::Status SaveReferral(const CaseworkContext& context, Transaction& transaction,
                          const local::v1::Referral& referral) {
  if (context.local_copies != nullptr && !referral.originated()) {
    RETURN_IF_ERROR(context.local_copies->NoteChange(transaction, referral));
  }
  const auto id = ReferralId::FromBytes(referral.referral_id());
  DocumentId parent;
  if (const auto need = NeedId::FromBytes(referral.need_id())) parent = *need;
  return PutMessage(transaction, DocumentKind::kReferral, *id, parent, referral);
}

std::optional<NodeState> StateOf(const local::v1::Referral& referral) {
  return NodeStateFromName(referral.state());
}

local::v1::Referral NewlyAsked(const v1::Header& header, const v1::NeedSection& need) {
  local::v1::Referral referral;
  referral.set_referral_id(header.referral_id());
  referral.set_own_unit(header.recipient_unit());
  referral.set_other_unit(header.sender_unit());
  referral.set_urgency(header.urgency());
  referral.set_service_code(need.service_code());
  referral.set_service_id(need.service_id());
  referral.set_need_ref(need.need_ref());
  return referral;
}

Direction DirectionOf(const local::v1::Referral& referral, bool sent) {
  return referral.originated() == sent ? Direction::kOriginToProvider
                                       : Direction::kProviderToOrigin;
}

local::v1::StateBefore Snapshot(const local::v1::Referral& referral) {
  local::v1::StateBefore before;
  before.set_state(referral.state());
  before.set_state_since_ms(referral.state_since_ms());
  before.set_state_until_ms(referral.state_until_ms());
  before.set_respond_by_ms(referral.respond_by_ms());
  before.set_prompt_at_ms(referral.prompt_at_ms());
  before.set_time_given_back(referral.time_given_back());
  before.set_review_due_ms(referral.review_due_ms());
  return before;
}

void KeepBefore(local::v1::Referral& referral, const MessageId& message,
                const local::v1::StateBefore& before) {
  local::v1::Event* event = FindEvent(referral, message.view());
  if (event == nullptr) return;
  if (Snapshot(referral).SerializeAsString() == before.SerializeAsString()) return;
  *event->mutable_before() = before;
}

void TakeBack(local::v1::Referral& referral, std::string_view message_id) {
  local::v1::Event* refused = FindEvent(referral, message_id);
  if (refused == nullptr || !refused->has_before() || refused->kind() == v1::KIND_REVOKE) return;
  const local::v1::StateBefore before = refused->before();
  refused->clear_before();
  bool later = false;
  for (local::v1::Event& event : *referral.mutable_events()) {
    if (later && event.has_before()) {
      *event.mutable_before() = before;
      return;
    }
    later = later || event.message_id() == message_id;
  }
  if (StateOf(referral) != NodeState::kWithdrawn) Restore(before, referral);
}

absl::Status DoesNotFit(const local::v1::Referral& referral, v1::Kind kind) {
  const auto state = StateOf(referral);
  const std::string id = absl::BytesToHexString(referral.referral_id()).substr(0, kShownDigits);
  return Error(v1::REASON_STATE_FORBIDS,
               KindWord(kind) + " does not fit referral " + id + ", which " +
                   (state ? "is " + std::string(Name(*state)) : "has not begun") +
                   "; 'waymark show " + id + "' tells what happened");
}

absl::Status Advance(local::v1::Referral& referral, v1::Kind kind, bool sent, CloseDetail detail,
                     absl::Time now) {
  const auto from = StateOf(referral);
  const auto to = NextNodeState(from, kind, DirectionOf(referral, sent), detail);
  if (!to.has_value()) {
    return DoesNotFit(referral, kind);
  }
  if (to == from) return absl::OkStatus();
  const absl::Time asked_at = FromMillis(referral.state_since_ms());
  referral.set_state(std::string(Name(*to)));
  referral.set_state_since_ms(ToMillis(now));
  if (from == NodeState::kInquired && to == NodeState::kClarifying) return absl::OkStatus();
  if (from == NodeState::kClarifying && to == NodeState::kInquired) {
    GiveTimeBackOnce(referral, asked_at, now);
    return absl::OkStatus();
  }
  // Every state sets its own clock; the one that was left no longer runs.
  ClearClocks(referral);
  return absl::OkStatus();
}

absl::Time EndOfState(const local::v1::Referral& referral) {
  const auto state = StateOf(referral);
  const bool ends = state && ExpiredNodeState(*state) && referral.state_until_ms() != 0;
  return ends ? FromMillis(referral.state_until_ms()) : absl::InfiniteFuture();
}

bool ExpireIfDue(local::v1::Referral& referral, absl::Time now) {
  if (EndOfState(referral) > now) return false;
  referral.set_state(std::string(Name(*ExpiredNodeState(*StateOf(referral)))));
  referral.set_state_since_ms(referral.state_until_ms());
  ClearClocks(referral);
  return true;
}

void SetInquiryClocks(local::v1::Referral& referral, const Catalogue& catalogue, absl::Time now) {
  const absl::Time sent = FloorMinute(now);
  const v1::UrgencyClock& clock = *catalogue.ClockOf(referral.urgency());
  referral.set_respond_by_ms(ToMillis(After(sent, clock.answer_due())));
  referral.set_prompt_at_ms(ToMillis(After(sent, clock.prompt_after())));
  referral.set_state_until_ms(ToMillis(After(sent, clock.expires_after())));
}

void SetReview(local::v1::Referral& referral, const v1::ProgSection& report) {
  if (!report.has_review_date()) return;
  const v1::Date& day = report.review_date();
  referral.set_review_due_ms(ToMillis(
      absl::FromCivil(absl::CivilDay(day.year(), day.month(), day.day()), absl::UTCTimeZone())));
}

local::v1::Event& AddEvent(local::v1::Referral& referral, const MessageId& id, v1::Kind kind,
                           v1::Stage stage, bool sent, absl::Time now) {
  if (local::v1::Event* event = FindEvent(referral, id.view())) return *event;
  local::v1::Event& event = *referral.add_events();
  event.set_message_id(id.bytes());
  event.set_kind(kind);
  event.set_stage(stage);
  event.set_sent(sent);
  event.set_at_ms(ToMillis(now));
  event.set_delivery(sent ? v1::DELIVERY_STATE_QUEUED : v1::DELIVERY_STATE_INCOMING);
  return event;
}

void KeepBody(const v1::Payload& payload, local::v1::Event& event) {
  if (payload.has_clarification()) *event.mutable_clarification() = payload.clarification();
  if (payload.has_cancellation()) event.set_cancellation_code(payload.cancellation().code());
}

local::v1::Event* FindEvent(local::v1::Referral& referral, std::string_view message_id) {
  for (local::v1::Event& event : *referral.mutable_events()) {
    if (event.message_id() == message_id) return &event;
  }
  return nullptr;
}

void MarkDropped(local::v1::Referral& referral, const std::vector<std::string>& message_ids) {
  for (const std::string& id : message_ids) {
    // Registrations of tokens are no events.
    if (local::v1::Event* event = FindEvent(referral, id)) {
      event->set_delivery(v1::DELIVERY_STATE_DROPPED);
    }
  }
}

void MarkUndeliveredDropped(local::v1::Referral& referral) {
  for (local::v1::Event& event : *referral.mutable_events()) {
    const bool open = event.delivery() == v1::DELIVERY_STATE_QUEUED ||
                      event.delivery() == v1::DELIVERY_STATE_CONFIRMED;
    if (event.sent() && open && event.kind() != v1::KIND_REVOKE) {
      event.set_delivery(v1::DELIVERY_STATE_DROPPED);
    }
  }
}

void AddFields(local::v1::Referral& referral, const std::vector<uint32_t>& field_nos) {
  auto* known = referral.mutable_field_nos();
  for (const uint32_t field_no : field_nos) {
    if (std::find(known->begin(), known->end(), field_no) == known->end()) {
      referral.add_field_nos(field_no);
    }
  }
}

std::set<uint32_t> FieldsSent(const local::v1::Referral& referral) {
  std::set<uint32_t> fields;
  for (const local::v1::Event& event : referral.events()) {
    if (!event.sent() || event.delivery() == v1::DELIVERY_STATE_REFUSED ||
        event.delivery() == v1::DELIVERY_STATE_DROPPED) {
      continue;
    }
    fields.insert(event.field_nos().begin(), event.field_nos().end());
  }
  return fields;
}

const local::v1::TokenEntry* TokenInUse(const local::v1::Referral& referral) {
  for (int i = referral.tokens_size() - 1; i >= 0; --i) {
    if (!referral.tokens(i).revoked()) return &referral.tokens(i);
  }
  return nullptr;
}

absl::Time FromMillis(int64_t millis) { return absl::FromUnixMillis(millis); }
int64_t ToMillis(absl::Time time) { return absl::ToUnixMillis(time); }

}  // namespace waymark::node
