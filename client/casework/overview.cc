#include "client/casework/overview.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/envelope/token.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/clarification.h"
#include "client/casework/composer.h"
#include "client/casework/referral.h"
#include "client/casework/retention.h"
#include "client/casework/sections.h"

namespace waymark::node {
namespace {

absl::Time EndOf(const local::v1::TokenEntry& token) {
  return absl::UnixEpoch() + absl::Hours(token.valid_until_hour());
}

// Volunteers, interpreters and drivers see when and where, in which language, and no more (R46).
v1::Sections LogisticsOnly(const v1::Sections& sections) {
  std::set<uint32_t> visible;
  for (const v1::Section section : {v1::SECTION_LOGI, v1::SECTION_LANG}) {
    for (const FieldInfo& field : FieldsOf(section)) {
      if (field.data_class != v1::DATA_CLASS_SPECIAL) visible.insert(field.field_no);
    }
  }
  visible.insert(FieldByName("NEED.topic_class")->field_no);
  visible.insert(FieldByName("NEED.earliest_start")->field_no);
  return KeepFields(sections, visible);
}

// How long before the end of a place on the waiting list both sides are told.
constexpr absl::Duration kReviewNotice = absl::Hours(24);

int64_t BegunAt(const local::v1::Referral& referral) {
  return referral.events().empty() ? referral.state_since_ms() : referral.events(0).at_ms();
}

// Whether the last message of the own unit was refused: another one has taken its place otherwise.
bool LatestWasRefused(const local::v1::Referral& referral) {
  for (auto event = referral.events().rbegin(); event != referral.events().rend(); ++event) {
    if (event->sent()) return event->delivery() == v1::DELIVERY_STATE_REFUSED;
  }
  return false;
}

v1::Urgency UrgencyOf(const v1::ReferralSummary& summary) { return summary.urgency(); }

}  // namespace

bool IsPursued(const local::v1::Referral& referral,
               const std::vector<local::v1::Referral>& referrals) {
  return std::any_of(referrals.begin(), referrals.end(), [&](const local::v1::Referral& other) {
    if (other.need_id() != referral.need_id() || other.referral_id() == referral.referral_id()) {
      return false;
    }
    const auto state = StateOf(other);
    const bool served = state == NodeState::kCompleted || state == NodeState::kEndedEarly;
    return (state && !IsEnd(*state)) || served || BegunAt(other) > BegunAt(referral);
  });
}

std::vector<v1::Prompt> PromptsOf(const local::v1::Referral& referral, bool pursued,
                                  absl::Time now) {
  std::vector<v1::Prompt> prompts;
  const auto state = StateOf(referral);
  if (!state.has_value()) return prompts;
  const auto due = [&](int64_t millis) { return millis != 0 && FromMillis(millis) <= now; };
  const bool waiting = *state == NodeState::kInquired || *state == NodeState::kClarifying;
  const bool came_to_nothing = *state == NodeState::kDeclined || *state == NodeState::kExpired;
  if (referral.originated()) {
    if (referral.peer_offline() && !IsEnd(*state)) prompts.push_back(v1::PROMPT_PHONE);
    if ((waiting && due(referral.prompt_at_ms())) || (came_to_nothing && !pursued)) {
      prompts.push_back(v1::PROMPT_ASK_NEXT);
    }
    if (*state == NodeState::kOffered) prompts.push_back(v1::PROMPT_DECIDE);
    if (due(referral.revoke_ack_due_ms())) prompts.push_back(v1::PROMPT_REVOKE_ACK_MISSING);
  }
  const bool asked = !referral.originated() && *state == NodeState::kInquired;
  if (asked || (!IsEnd(*state) && OpenQuestion(referral) != nullptr)) {
    prompts.push_back(v1::PROMPT_ANSWER_DUE);
  }
  // A place on the list ends with the day of its review, so that this has to come before.
  const bool listed = *state == NodeState::kWaitlisted && referral.state_until_ms() != 0 &&
                      due(referral.state_until_ms() - absl::ToInt64Milliseconds(kReviewNotice));
  const bool served = *state == NodeState::kStarted || *state == NodeState::kOngoing;
  if (listed || (served && due(referral.review_due_ms()))) {
    prompts.push_back(v1::PROMPT_REVIEW_DUE);
  }
  // Of what has ended, only a request that never came to be is worth a second look.
  const bool over = *state == NodeState::kDiscarded ? pursued : IsEnd(*state);
  if (!over && LatestWasRefused(referral)) prompts.push_back(v1::PROMPT_MESSAGE_REFUSED);
  return prompts;
}

absl::StatusOr<v1::ReferralSummary> Overview::Summarise(
    const Reader& reader, const DirectorySnapshot& directory, const local::v1::Referral& referral,
    const std::vector<local::v1::Referral>& all) const {
  v1::ReferralSummary summary;
  summary.set_referral_id(referral.referral_id());
  summary.set_state(referral.state());
  summary.set_own_unit(HandleOf(directory, *UnitId::FromBytes(referral.own_unit())));
  summary.set_other_unit(HandleOf(directory, *UnitId::FromBytes(referral.other_unit())));
  summary.set_originated(referral.originated());
  summary.set_service_code(referral.service_code());
  summary.set_urgency(referral.urgency());
  if (referral.respond_by_ms() != 0) {
    summary.mutable_due_at()->set_seconds(referral.respond_by_ms() / 1000);
  }
  const bool pursued = referral.originated() && IsPursued(referral, all);
  for (const v1::Prompt prompt : PromptsOf(referral, pursued, context_.clock.Now())) {
    summary.add_prompts(prompt);
  }
  int64_t updated_ms = referral.state_since_ms();
  for (const local::v1::Event& event : referral.events()) {
    updated_ms = std::max(updated_ms, event.at_ms());
  }
  summary.mutable_updated_at()->set_seconds(updated_ms / 1000);
  if (referral.originated()) {
    ASSIGN_OR_RETURN(const v1::Case person,
                     LoadCase(reader, *CaseId::FromBytes(referral.case_id())));
    summary.set_case_label(person.label());
  }
  return summary;
}

absl::StatusOr<std::vector<v1::ReferralSummary>> Overview::List(
    const Actor& actor, const v1::ListReferralsRequest& request) {
  if (request.box() == v1::REFERRAL_BOX_UNSPECIFIED || !v1::ReferralBox_IsValid(request.box())) {
    return Error(v1::REASON_ENUM_UNKNOWN, "the box is not one of node_referrals.proto");
  }
  const auto directory = context_.directory();
  std::vector<v1::ReferralSummary> summaries;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto referrals, LoadReferrals(reader));
    for (const local::v1::Referral& referral : referrals) {
      if (!actor.RequireMember(*UnitId::FromBytes(referral.own_unit())).ok()) continue;
      const auto state = StateOf(referral);
      const bool ended = state.has_value() && IsEnd(*state);
      ASSIGN_OR_RETURN(v1::ReferralSummary summary,
                       Summarise(reader, *directory, referral, referrals));
      const bool overdue = !summary.prompts().empty();
      if (ended && !request.include_ended() &&
          !(request.box() == v1::REFERRAL_BOX_OVERDUE && overdue)) {
        continue;
      }
      if (request.box() == v1::REFERRAL_BOX_INBOX && referral.originated()) continue;
      if (request.box() == v1::REFERRAL_BOX_SENT && !referral.originated()) continue;
      if (request.box() == v1::REFERRAL_BOX_OVERDUE && !overdue) continue;
      if (actor.role != v1::STAFF_ROLE_CASEWORKER) summary.clear_case_label();
      summaries.push_back(std::move(summary));
    }
    return absl::OkStatus();
  }));
  std::stable_sort(summaries.begin(), summaries.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(UrgencyOf(a), a.updated_at().seconds()) <
           std::make_tuple(UrgencyOf(b), b.updated_at().seconds());
  });
  return summaries;
}

absl::StatusOr<v1::GetReferralResponse> Overview::Get(const Actor& actor, const ReferralId& id) {
  const auto directory = context_.directory();
  v1::GetReferralResponse response;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const local::v1::Referral referral, LoadReferral(reader, id));
    RETURN_IF_ERROR(actor.RequireMember(*UnitId::FromBytes(referral.own_unit())));
    ASSIGN_OR_RETURN(const auto all, LoadReferrals(reader));
    ASSIGN_OR_RETURN(*response.mutable_summary(), Summarise(reader, *directory, referral, all));
    const local::v1::TokenEntry* token = TokenInUse(referral);
    const absl::Time now = context_.clock.Now();
    if (token != nullptr) {
      response.mutable_consent_until()->set_seconds(absl::ToUnixSeconds(EndOf(*token)));
    }
    // C14: what the consent covered is locked at its end; what came back is the origin's own
    // record.
    const bool locked = token == nullptr || EndOf(*token) <= now;
    if (referral.originated() || !locked) {
      ASSIGN_OR_RETURN(v1::Sections sections,
                       ReadAllSections(reader, id, SectionDirection::kReceived));
      ASSIGN_OR_RETURN(const v1::Sections sent,
                       ReadAllSections(reader, id, SectionDirection::kSent));
      sections.MergeFrom(sent);
      *response.mutable_sections() =
          actor.role == v1::STAFF_ROLE_CASEWORKER ? sections : LogisticsOnly(sections);
    }
    for (const local::v1::Event& event : referral.events()) {
      v1::ReferralEvent* shown = response.add_events();
      shown->set_message_id(event.message_id());
      shown->set_kind(event.kind());
      shown->set_sent(event.sent());
      shown->mutable_at()->set_seconds(event.at_ms() / 1000);
      shown->set_delivery(event.delivery());
      shown->set_reason(event.reason());
      *shown->mutable_field_nos() = event.field_nos();
      if (event.has_clarification()) *shown->mutable_clarification() = event.clarification();
      shown->set_cancellation_code(event.cancellation_code());
    }
    if (actor.role != v1::STAFF_ROLE_CASEWORKER) {
      response.mutable_summary()->clear_case_label();
    } else if (referral.has_revoke_ack()) {
      *response.mutable_revocation_ack() = referral.revoke_ack();
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<std::vector<v1::Disclosure>> Overview::ListDisclosures(const Actor& actor,
                                                                      const CaseId& person_id) {
  const auto directory = context_.directory();
  std::vector<std::pair<int64_t, v1::Disclosure>> found;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Case person, LoadCase(reader, person_id));
    RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(person.unit_id())));
    ASSIGN_OR_RETURN(const auto referrals, LoadReferrals(reader));
    for (const local::v1::Referral& referral : referrals) {
      if (referral.case_id() != person_id.bytes()) continue;
      for (const local::v1::Event& event : referral.events()) {
        const bool received = event.delivery() == v1::DELIVERY_STATE_RECEIVED;
        const bool on_its_way = event.delivery() == v1::DELIVERY_STATE_CONFIRMED;
        if (!event.sent() || event.field_nos().empty() || !(received || on_its_way)) continue;
        v1::Disclosure disclosure;
        disclosure.set_delivery(event.delivery());
        disclosure.mutable_at()->set_seconds(event.at_ms() / 1000);
        disclosure.set_recipient(HandleOf(*directory, *UnitId::FromBytes(referral.other_unit())));
        disclosure.set_referral_id(referral.referral_id());
        disclosure.set_stage(event.stage());
        for (const uint32_t field_no : event.field_nos()) {
          if (const FieldInfo* field = FieldByNumber(field_no)) {
            disclosure.add_fields(field->name);
          }
        }
        for (const local::v1::TokenEntry& token : referral.tokens()) {
          if (token.hash() != event.token_hash()) continue;
          disclosure.set_consent_id(token.consent_id());
          disclosure.mutable_until()->set_seconds(absl::ToUnixSeconds(EndOf(token)));
        }
        const bool erased = referral.revoke_ack().outcome() == v1::ERASURE_OUTCOME_ERASED ||
                            referral.expiry_told_at_ms() != 0;
        disclosure.set_erased(received && erased);
        found.emplace_back(event.at_ms(), std::move(disclosure));
      }
    }
    return absl::OkStatus();
  }));
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<v1::Disclosure> disclosures;
  disclosures.reserve(found.size());
  for (auto& [unused, disclosure] : found) disclosures.push_back(std::move(disclosure));
  return disclosures;
}

}  // namespace waymark::node
