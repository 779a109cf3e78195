#include "tests/scenarios/walkthrough.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "base/schema/date.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/support/poll.h"
#include "tests/support/scenario_terms.h"

namespace waymark::testing {
namespace {

void ByRemoteInterpreter(v1::ConsentRecord& consent) {
  consent.set_interpreter_kind(v1::INTERPRETER_KIND_PROFESSIONAL_REMOTE);
  consent.set_interpreter_independent(true);
}

}  // namespace

std::string NewId(Random& random) { return random.Bytes(16); }

Walkthrough::Walkthrough(NetworkFixture& network, Random& random, Person person)
    : network_(network), random_(random), person_(std::move(person)) {
  for (const char* name : {"case", "interpreter", "room", "bed", "doctor", "c-a", "c-b", "c-c"}) {
    ids_[name] = NewId(random_);
  }
}

const std::string& Walkthrough::Id(const std::string& name) {
  auto found = ids_.find(name);
  if (found == ids_.end()) found = ids_.emplace(name, NewId(random_)).first;
  return found->second;
}

absl::Status Walkthrough::PutNeed(const std::string& name, uint32_t code, uint32_t rank,
                                  const v1::NeedSection& section) {
  v1::PutNeedRequest request;
  request.set_case_id(Id("case"));
  v1::Need& need = *request.mutable_need();
  need.set_need_id(Id(name));
  need.set_service_code(code);
  need.set_person_rank(rank);
  need.set_urgency(v1::URGENCY_U0);
  *need.mutable_section() = section;
  return lead().Call(&NodeStub::PutNeed, request).status();
}

absl::Status Walkthrough::OpenCase() {
  v1::CreateCaseRequest create;
  create.set_case_id(Id("case"));
  create.set_unit_id(network_.unit("qso.night").bytes());
  create.set_label(person_.label);
  RETURN_IF_ERROR(lead().Call(&NodeStub::CreateCase, create).status());
  v1::UpdateCaseRequest update;
  update.set_case_id(Id("case"));
  *update.mutable_sections() = person_.sections;
  if (network_.has("cpl")) update.add_exclude(network_.organisation("cpl").bytes());
  RETURN_IF_ERROR(lead().Call(&NodeStub::UpdateCase, update).status());
  RETURN_IF_ERROR(PutNeed("room", 206, 1, person_.room));
  RETURN_IF_ERROR(PutNeed("bed", 201, 1, person_.bed));
  RETURN_IF_ERROR(PutNeed("interpreter", 601, 2, person_.interpreter));
  return PutNeed("doctor", 402, 3, v1::NeedSection());
}

absl::Status Walkthrough::AskForRoom() {
  for (const auto& [need, service] :
       std::map<std::string, std::string>{{"room", "lin-206"}, {"bed", "bea-201"}}) {
    v1::QueryCapacityRequest request;
    request.set_case_id(Id("case"));
    request.set_need_id(Id(need));
    request.add_service_ids(network_.service(service).bytes());
    request.add_message_ids(Id("query " + service));
    RETURN_IF_ERROR(lead().Call(&NodeStub::QueryCapacity, request).status());
  }
  const bool answered = Eventually([&] {
    const auto listed =
        lead().Call(&NodeStub::ListCapacityQueries, v1::ListCapacityQueriesRequest());
    return listed.ok() && listed->queries_size() == 2 &&
           std::all_of(listed->queries().begin(), listed->queries().end(),
                       [](const v1::CapacityQueryRecord& query) { return query.has_reply(); });
  });
  return answered ? absl::OkStatus()
                  : Error(v1::REASON_INTERNAL, "the questions about room stay unanswered");
}

v1::ConsentRecord Walkthrough::Consent(const std::string& name, absl::Time from,
                                       absl::Time until) const {
  v1::ConsentRecord consent = UnderstoodAndWritten();
  consent.set_consent_id(ids_.at(name));
  consent.set_version(1);
  consent.set_case_id(ids_.at("case"));
  consent.set_controller_unit(network_.unit("qso.night").bytes());
  SetTime(*consent.mutable_valid_from(), from);
  SetTime(*consent.mutable_valid_until(), until);
  consent.set_policy_pack("us-vsp");
  SetTime(*consent.mutable_captured_at(), from);
  consent.set_captured_by_role(v1::CAPTURE_ROLE_CASEWORKER);
  return consent;
}

v1::ConsentRecord Walkthrough::InterpreterConsent() const {
  v1::ConsentRecord consent = Consent("c-a", At(19, 42), At(6, 0, 1));
  consent.add_recipient_units(network_.unit("bwi.pool").bytes());
  consent.add_purposes(601);
  consent.set_stage_ceiling(v1::STAGE_STARTED);
  Append(kNeedFields, consent.mutable_scope_fields());
  Append(kInterpreterFields, consent.mutable_scope_fields());
  return consent;
}

v1::ConsentRecord Walkthrough::InquiryConsent() const {
  v1::ConsentRecord consent = Consent("c-b", At(19, 58), At(8, 0, 1));
  ByRemoteInterpreter(consent);
  for (const char* unit : {"bea.intake", "lin.family"}) {
    if (network_.has(std::string(unit).substr(0, 3))) {
      consent.add_recipient_units(network_.unit(unit).bytes());
    }
  }
  consent.add_purposes(201);
  consent.add_purposes(206);
  consent.set_stage_ceiling(v1::STAGE_INQUIRY);
  consent.add_alternatives_offered(v1::ALTERNATIVE_OFFERED_NO_DISCLOSURE_SELF_CALL);
  consent.add_alternatives_offered(v1::ALTERNATIVE_OFFERED_WAIT_AT_LEAD_SITE);
  consent.set_copy_given(v1::COPY_GIVEN_DECLINED_FOR_SAFETY);
  Append(kNeedFields, consent.mutable_scope_fields());
  Append(kRoomInquiryFields, consent.mutable_scope_fields());
  return consent;
}

v1::ConsentRecord Walkthrough::RoomConsent() const {
  v1::ConsentRecord consent = Consent("c-c", At(20, 12), At(20, 0, 15));
  ByRemoteInterpreter(consent);
  consent.add_recipient_units(network_.unit("lin.family").bytes());
  consent.add_purposes(206);
  consent.set_stage_ceiling(v1::STAGE_STARTED);
  consent.set_onward_mode(v1::ONWARD_MODE_NONE);
  for (const char* fields :
       {kAcceptedFields, kStartedFields, kAcceptedSpecialFields, kStartedSpecialFields}) {
    Append(fields, consent.mutable_scope_fields());
  }
  for (const char* fields : {kAcceptedSpecialFields, kStartedSpecialFields}) {
    Append(fields, consent.mutable_special_fields());
  }
  Append(kReturnFields, consent.mutable_return_fields());
  return consent;
}

absl::Status Walkthrough::Record(const v1::ConsentRecord& consent) {
  v1::ReadBackConsentRequest read_back;
  *read_back.mutable_consent() = consent;
  ASSIGN_OR_RETURN(const auto shown, lead().Call(&NodeStub::ReadBackConsent, read_back));
  v1::RecordConsentRequest request;
  *request.mutable_consent() = consent;
  request.set_readback_digest(shown.digest());
  return lead().Call(&NodeStub::RecordConsent, request).status();
}

v1::PreviewRequest Walkthrough::InquiryContent(const std::string& need, const std::string& service,
                                               const v1::ConsentRecord& consent) const {
  v1::PreviewRequest content;
  content.set_kind(v1::KIND_INQUIRY);
  content.set_case_id(ids_.at("case"));
  content.set_need_id(ids_.at(need));
  content.set_service_id(network_.service(service).bytes());
  content.set_consent_id(consent.consent_id());
  return content;
}

absl::Status Walkthrough::Inquire(const std::string& referral, const v1::PreviewRequest& content) {
  ASSIGN_OR_RETURN(const auto preview, lead().Call(&NodeStub::Preview, content));
  v1::InquireRequest request;
  request.set_referral_id(Id(referral));
  request.set_message_id(NewId(random_));
  *request.mutable_content() = content;
  request.set_preview_digest(preview.digest());
  return lead().Call(&NodeStub::Inquire, request).status();
}

absl::Status Walkthrough::Disclose(const std::string& referral, const v1::ConsentRecord& consent) {
  v1::PreviewRequest content;
  content.set_kind(v1::KIND_DISCLOSE);
  content.set_referral_id(Id(referral));
  content.set_consent_id(consent.consent_id());
  ASSIGN_OR_RETURN(const auto preview, lead().Call(&NodeStub::Preview, content));
  v1::DiscloseRequest request;
  request.set_message_id(NewId(random_));
  *request.mutable_content() = content;
  request.set_preview_digest(preview.digest());
  RETURN_IF_ERROR(lead().Call(&NodeStub::Disclose, request).status());
  return AwaitReceipts("qso", referral);
}

absl::StatusOr<v1::GetReferralResponse> Walkthrough::View(const std::string& node,
                                                          const std::string& referral) {
  v1::GetReferralRequest request;
  request.set_referral_id(Id(referral));
  return network_.node(node).caseworker().Call(&NodeStub::GetReferral, request);
}

absl::Status Walkthrough::AwaitState(const std::string& node, const std::string& referral,
                                     const std::string& state) {
  std::string seen;
  const bool reached = Eventually([&] {
    const auto view = View(node, referral);
    seen = view.ok() ? view->summary().state() : std::string(view.status().message());
    return seen == state;
  });
  if (reached) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL,
               node + "'s referral " + referral + " is not " + state + " but: " + seen);
}

absl::Status Walkthrough::AwaitReceipts(const std::string& node, const std::string& referral) {
  std::string seen;
  const bool received = Eventually([&] {
    const auto view = View(node, referral);
    if (!view.ok()) return false;
    seen.clear();
    for (const v1::ReferralEvent& event : view->events()) {
      if (!event.sent() || event.delivery() == v1::DELIVERY_STATE_RECEIVED) continue;
      seen += v1::Kind_Name(event.kind()) + " " + v1::DeliveryState_Name(event.delivery()) + " " +
              std::string(ReasonName(event.reason())) + " ";
    }
    return seen.empty();
  });
  if (received) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL, node + "'s referral " + referral + " still has: " + seen);
}

absl::Status Walkthrough::AwaitKind(const std::string& node, const std::string& referral,
                                    v1::Kind kind) {
  const bool there = Eventually([&] {
    const auto view = View(node, referral);
    return view.ok() &&
           std::any_of(view->events().begin(), view->events().end(),
                       [&](const v1::ReferralEvent& event) { return event.kind() == kind; });
  });
  if (there) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL,
               node + "'s referral " + referral + " has no " + v1::Kind_Name(kind));
}

absl::Status Walkthrough::SendOffer(const std::string& node, absl::Time start,
                                    absl::Time hold_until,
                                    const std::vector<std::string>& conditions) {
  RETURN_IF_ERROR(AwaitState(node, node, "INQUIRED"));
  v1::OfferRequest request;
  request.set_referral_id(Id(node));
  request.set_message_id(NewId(random_));
  v1::Offer& offer = *request.mutable_prog()->mutable_offer();
  SetTime(*offer.mutable_start(), start);
  offer.set_quantity(1);
  SetTime(*offer.mutable_hold_until(), hold_until);
  for (const std::string& condition : conditions) offer.add_conditions(condition);
  RETURN_IF_ERROR(network_.node(node).caseworker().Call(&NodeStub::Offer, request).status());
  RETURN_IF_ERROR(AwaitState("qso", node, "OFFERED"));
  return AwaitReceipts(node, node);
}

absl::Status Walkthrough::SendAccept(const std::string& referral,
                                     const v1::ConsentRecord& consent) {
  v1::AcceptRequest request;
  request.set_referral_id(Id(referral));
  request.set_message_id(NewId(random_));
  request.set_consent_id(consent.consent_id());
  RETURN_IF_ERROR(lead().Call(&NodeStub::Accept, request).status());
  RETURN_IF_ERROR(AwaitState(referral, referral, "ACCEPTED"));
  return AwaitReceipts("qso", referral);
}

absl::Status Walkthrough::SendStart(const std::string& node) {
  v1::StartRequest request;
  request.set_referral_id(Id(node));
  request.set_message_id(NewId(random_));
  RETURN_IF_ERROR(network_.node(node).caseworker().Call(&NodeStub::Start, request).status());
  RETURN_IF_ERROR(AwaitState("qso", node, "STARTED"));
  return AwaitReceipts(node, node);
}

absl::Status Walkthrough::RecordInterpreterConsent() {
  network_.MoveTo(At(19, 42));
  return Record(InterpreterConsent());
}

absl::Status Walkthrough::InquireInterpreter() {
  RETURN_IF_ERROR(Inquire("bwi", InquiryContent("interpreter", "bwi-601", InterpreterConsent())));
  return AwaitReceipts("qso", "bwi");
}

absl::Status Walkthrough::InterpreterAnswersAndStarts() {
  network_.MoveTo(At(19, 46));
  RETURN_IF_ERROR(SendOffer("bwi", At(19, 50), At(20, 46), {}));
  network_.MoveTo(At(19, 47));
  RETURN_IF_ERROR(SendAccept("bwi", InterpreterConsent()));
  network_.MoveTo(At(19, 50));
  return SendStart("bwi");
}

absl::Status Walkthrough::RecordInquiryConsent() {
  network_.MoveTo(At(19, 58));
  return Record(InquiryConsent());
}

absl::Status Walkthrough::InquireRooms() {
  network_.MoveTo(At(20, 0));
  RETURN_IF_ERROR(Inquire("lin", InquiryContent("room", "lin-206", InquiryConsent())));
  RETURN_IF_ERROR(AwaitReceipts("qso", "lin"));
  if (!network_.has("bea")) return absl::OkStatus();
  RETURN_IF_ERROR(Inquire("bea", InquiryContent("bed", "bea-201", InquiryConsent())));
  return AwaitReceipts("qso", "bea");
}

absl::Status Walkthrough::RoomsAnswer() {
  if (network_.has("bea")) {
    network_.MoveTo(At(20, 6));
    v1::DeclineRequest request;
    request.set_referral_id(Id("bea"));
    request.set_message_id(NewId(random_));
    request.set_code("D07");
    RETURN_IF_ERROR(network_.node("bea").caseworker().Call(&NodeStub::Decline, request).status());
    RETURN_IF_ERROR(AwaitState("qso", "bea", "DECLINED"));
  }
  network_.MoveTo(At(20, 9));
  return SendOffer("lin", At(21, 30), At(21, 9), {"lin206-rules", "lin206-sober"});
}

absl::Status Walkthrough::Decide() {
  network_.MoveTo(At(20, 12));
  RETURN_IF_ERROR(Record(RoomConsent()));
  network_.MoveTo(At(20, 14));
  return SendAccept("lin", RoomConsent());
}

absl::Status Walkthrough::DiscloseAtAcceptance() {
  network_.MoveTo(At(20, 15));
  return Disclose("lin", RoomConsent());
}

absl::Status Walkthrough::Schedule() {
  network_.MoveTo(At(20, 20));
  v1::ScheduleRequest request;
  request.set_referral_id(Id("lin"));
  request.set_message_id(NewId(random_));
  *request.mutable_logi() = person_.meeting;
  RETURN_IF_ERROR(network_.node("lin").caseworker().Call(&NodeStub::Schedule, request).status());
  RETURN_IF_ERROR(AwaitState("qso", "lin", "SCHEDULED"));
  return AwaitReceipts("lin", "lin");
}

absl::Status Walkthrough::Start() {
  network_.MoveTo(At(21, 32));
  return SendStart("lin");
}

absl::Status Walkthrough::DiscloseAtStart() {
  network_.MoveTo(At(21, 40));
  return Disclose("lin", RoomConsent());
}

absl::Status Walkthrough::ReportProgress() {
  network_.MoveTo(At(9, 0, 1));
  v1::ReportProgressRequest request;
  request.set_referral_id(Id("lin"));
  request.set_message_id(NewId(random_));
  v1::ProgSection& prog = *request.mutable_prog();
  prog.set_status(v1::PROGRESS_STATUS_ONGOING);
  *prog.mutable_review_date() = DateOf(At(0, 0, 7));
  for (const uint32_t code : {102, 402, 801}) prog.add_next_need_codes(code);
  RETURN_IF_ERROR(
      network_.node("lin").caseworker().Call(&NodeStub::ReportProgress, request).status());
  RETURN_IF_ERROR(AwaitState("qso", "lin", "ONGOING"));
  return AwaitReceipts("lin", "lin");
}

absl::Status Walkthrough::WalkAll() {
  RETURN_IF_ERROR(OpenCase());
  RETURN_IF_ERROR(AskForRoom());
  RETURN_IF_ERROR(RecordInterpreterConsent());
  RETURN_IF_ERROR(InquireInterpreter());
  RETURN_IF_ERROR(InterpreterAnswersAndStarts());
  RETURN_IF_ERROR(RecordInquiryConsent());
  RETURN_IF_ERROR(InquireRooms());
  RETURN_IF_ERROR(RoomsAnswer());
  RETURN_IF_ERROR(Decide());
  RETURN_IF_ERROR(DiscloseAtAcceptance());
  RETURN_IF_ERROR(Schedule());
  RETURN_IF_ERROR(Start());
  RETURN_IF_ERROR(DiscloseAtStart());
  return ReportProgress();
}

}  // namespace waymark::testing
