#include "client/casework/origin.h"

#include <algorithm>
#include <utility>

#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/clarification.h"
#include "client/casework/consents.h"
#include "client/casework/referral.h"
#include "client/casework/sections.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

// The handle of the lead's role: random, and the same for all that one recipient gets of one case.
absl::StatusOr<std::string> LeadRoleRef(const Reader& reader, const CaseId& person,
                                        const UnitId& recipient, Random& random) {
  ASSIGN_OR_RETURN(const std::vector<local::v1::Referral> referrals, LoadReferrals(reader));
  for (const local::v1::Referral& referral : referrals) {
    if (referral.case_id() == person.bytes() && referral.other_unit() == recipient.bytes()) {
      return referral.lead_role_ref();
    }
  }
  return random.Bytes(16);
}

// Whether the referral has the message already: a repeat changes nothing, whatever its content
// would be by now.
absl::StatusOr<bool> IsRepeated(const Reader& reader, const Actor& actor,
                                const std::string& referral_id, const std::string& message_id) {
  const auto id = ReferralId::FromBytes(referral_id);
  if (!id) return InvalidField("referral_id is not 16 bytes");
  ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(reader, *id));
  RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(referral.own_unit())));
  return FindEvent(referral, message_id) != nullptr;
}

}  // namespace

absl::Status Origin::LoadInquiry(const Reader& reader, const DirectorySnapshot& directory,
                                 const v1::PreviewRequest& request, Draft& draft) const {
  const auto person = CaseId::FromBytes(request.case_id());
  const auto need = NeedId::FromBytes(request.need_id());
  const auto service = ServiceId::FromBytes(request.service_id());
  if (!person || !need || !service)
    return InvalidField("case_id, need_id and service_id are 16 bytes");
  ASSIGN_OR_RETURN(CaseAndNeed loaded, LoadNeed(reader, *person, *need));
  draft.person = std::move(loaded.person);
  draft.need = std::move(loaded.need);
  draft.service = directory.FindService(*service);
  if (draft.service == nullptr) {
    return Error(v1::REASON_NOT_FOUND, "the directory has no such service");
  }
  draft.stage = v1::STAGE_INQUIRY;
  draft.referral.set_originated(true);
  draft.referral.set_own_unit(draft.person.unit_id());
  draft.referral.set_other_unit(draft.service->unit.bytes());
  draft.referral.set_case_id(person->bytes());
  draft.referral.set_need_id(need->bytes());
  draft.referral.set_service_id(service->bytes());
  draft.referral.set_service_code(draft.need.service_code());
  draft.referral.set_urgency(draft.need.urgency());
  draft.referral.set_need_ref(context_.random.Bytes(16));
  ASSIGN_OR_RETURN(*draft.referral.mutable_lead_role_ref(),
                   LeadRoleRef(reader, *person, draft.service->unit, context_.random));
  return absl::OkStatus();
}

absl::Status Origin::LoadFollowUp(const Reader& reader, const DirectorySnapshot& directory,
                                  const v1::PreviewRequest& request, Draft& draft) const {
  const auto id = ReferralId::FromBytes(request.referral_id());
  if (!id) return InvalidField("referral_id is not 16 bytes");
  ASSIGN_OR_RETURN(draft.referral, LoadReferral(reader, *id));
  if (!draft.referral.originated()) {
    return Error(v1::REASON_STATE_FORBIDS,
                 "this unit was asked; it does not share about the person");
  }
  ASSIGN_OR_RETURN(CaseAndNeed loaded,
                   LoadNeed(reader, *CaseId::FromBytes(draft.referral.case_id()),
                            *NeedId::FromBytes(draft.referral.need_id())));
  draft.person = std::move(loaded.person);
  draft.need = std::move(loaded.need);
  draft.service = directory.FindService(*ServiceId::FromBytes(draft.referral.service_id()));
  if (draft.service == nullptr) {
    return Error(v1::REASON_NOT_FOUND, "the service is no longer in the directory");
  }
  ASSIGN_OR_RETURN(const v1::Sections sent, ReadAllSections(reader, *id, SectionDirection::kSent));
  draft.earlier = KeepFields(sent, FieldsSent(draft.referral));
  const auto state = StateOf(draft.referral);
  draft.stage = request.kind() == v1::KIND_ACCEPT ? v1::STAGE_ACCEPTED
                                                  : (state ? StageOf(*state) : v1::STAGE_NONE);
  return absl::OkStatus();
}

absl::Status Origin::LoadAnswer(Draft& draft, std::set<uint32_t>& wanted) const {
  const v1::Clarification* question = OpenQuestion(draft.referral);
  if (question == nullptr) {
    return Error(v1::REASON_STATE_FORBIDS, "no question of the other unit waits for an answer");
  }
  if (wanted.empty()) wanted = FieldsAskedFor(*question);
  if (wanted.empty()) {
    return InvalidField(
        "the question is about no field; name those of the answer, or answer by a code");
  }
  draft.answer.set_code(v1::CLARIFICATION_CODE_ANSWERED);
  *draft.answer.mutable_field_nos() = question->field_nos();
  draft.answer.set_condition_id(question->condition_id());
  return absl::OkStatus();
}

absl::StatusOr<Origin::Draft> Origin::MakeDraft(const Reader& reader,
                                                const DirectorySnapshot& directory,
                                                const Actor& actor,
                                                const v1::PreviewRequest& request) const {
  Draft draft;
  switch (request.kind()) {
    case v1::KIND_INQUIRY:
      RETURN_IF_ERROR(LoadInquiry(reader, directory, request, draft));
      break;
    case v1::KIND_ACCEPT:
    case v1::KIND_DISCLOSE:
    case v1::KIND_CLARIFICATION:
      RETURN_IF_ERROR(LoadFollowUp(reader, directory, request, draft));
      break;
    default:
      return InvalidField("kind is INQUIRY, ACCEPT, DISCLOSE or CLARIFICATION");
  }
  const UnitId own_unit = *UnitId::FromBytes(draft.referral.own_unit());
  RETURN_IF_ERROR(actor.RequireCaseworker(own_unit));
  const auto consent = ConsentId::FromBytes(request.consent_id());
  if (!consent) {
    return Error(v1::REASON_CONSENT_MISSING, "C1: no consent was named");
  }
  ASSIGN_OR_RETURN(draft.consent, LoadConsent(reader, *consent));
  if (draft.consent.case_id() != draft.person.case_id()) {
    return Error(v1::REASON_CONSENT_MISSING, "C1: the consent belongs to another case");
  }
  PolicyContext policy;
  policy.catalogue = &context_.catalogue;
  policy.now = context_.clock.Now();
  policy.kind = request.kind();
  policy.direction = Direction::kOriginToProvider;
  policy.stage = draft.stage;
  policy.reached = draft.stage;
  policy.service_code = draft.referral.service_code();
  policy.origin = own_unit;
  policy.origin_pack = PackOf(directory, own_unit);
  policy.provider = FactsOf(directory, draft.service->unit, policy.service_code, draft.service);
  policy.earlier = &draft.earlier;
  CompositionInput input;
  input.person = &draft.person;
  input.need = &draft.need;
  input.service = &draft.service->service;
  input.consent = &draft.consent;
  input.need_ref = draft.referral.need_ref();
  input.lead_role_ref = draft.referral.lead_role_ref();
  input.sent = FieldNumbersIn(draft.earlier);
  input.wanted = {request.field_nos().begin(), request.field_nos().end()};
  input.without = {request.without().begin(), request.without().end()};
  if (request.kind() == v1::KIND_CLARIFICATION) {
    RETURN_IF_ERROR(LoadAnswer(draft, input.wanted));
  }
  draft.composition = Compose(policy, input);
  if (request.kind() == v1::KIND_CLARIFICATION &&
      FieldNumbersIn(draft.composition.sections).empty()) {
    return InvalidField("nothing is noted that answers the question");
  }
  return draft;
}

absl::StatusOr<v1::PreviewResponse> Origin::Preview(const Actor& actor,
                                                    const v1::PreviewRequest& request) {
  const auto directory = context_.directory();
  v1::PreviewResponse response;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Draft draft, MakeDraft(reader, *directory, actor, request));
    const Evaluation& evaluation = draft.composition.evaluation;
    *response.mutable_sections() = draft.composition.sections;
    response.set_digest(draft.composition.digest);
    *response.mutable_findings() = ToProto(evaluation.findings);
    response.set_budget_spent(evaluation.budget_spent);
    response.set_budget(evaluation.budget);
    response.mutable_proposed_without()->Assign(evaluation.proposed_without.begin(),
                                                evaluation.proposed_without.end());
    response.set_recipient(HandleOf(*directory, draft.service->unit));
    response.set_stage(draft.stage);
    return absl::OkStatus();
  }));
  return response;
}

absl::Status Origin::CheckAskedAtOnce(const Reader& reader, const Draft& draft) const {
  const uint32_t most = context_.catalogue.ClockOf(draft.referral.urgency())->max_asked_at_once();
  ASSIGN_OR_RETURN(const auto others,
                   ParseAll<local::v1::Referral>(reader.List(
                       DocumentKind::kReferral, *NeedId::FromBytes(draft.referral.need_id()))));
  uint32_t open = 0;
  for (const auto& [unused, other] : others) {
    const auto state = StateOf(other);
    if (state && (*state == NodeState::kInquired || *state == NodeState::kClarifying)) ++open;
  }
  if (open < most) return absl::OkStatus();
  return Error(v1::REASON_TOO_MANY_ASKED, "at this urgency at most " + std::to_string(most) +
                                              " may be asked at the same time");
}

absl::Status Origin::SendDraft(Transaction& transaction, const DirectorySnapshot& directory,
                               const MessageId& id, v1::Kind kind, Draft& draft) const {
  RETURN_IF_ERROR(ToStatus(draft.composition.evaluation.findings));
  const absl::Time now = context_.clock.Now();
  const local::v1::StateBefore before = Snapshot(draft.referral);
  RETURN_IF_ERROR(Advance(draft.referral, kind, /*sent=*/true, CloseDetail::kNone, now));
  if (kind == v1::KIND_INQUIRY) SetInquiryClocks(draft.referral, context_.catalogue, now);
  ASSIGN_OR_RETURN(const local::v1::TokenEntry token,
                   sender_.TokenUnder(transaction, draft.consent, draft.referral));
  Outgoing outgoing;
  outgoing.id = id;
  outgoing.kind = kind;
  outgoing.stage = draft.stage;
  outgoing.token_hash = token.hash();
  if (kind == v1::KIND_INQUIRY) outgoing.respond_by = FromMillis(draft.referral.respond_by_ms());
  *outgoing.payload.mutable_sections() = draft.composition.sections;
  if (kind == v1::KIND_CLARIFICATION) {
    *outgoing.payload.mutable_clarification() = draft.answer;
  }
  const auto referral_id = *ReferralId::FromBytes(draft.referral.referral_id());
  RETURN_IF_ERROR(StoreSections(transaction, referral_id, SectionDirection::kSent, draft.stage,
                                draft.composition.sections));
  const std::set<uint32_t> fields = FieldNumbersIn(draft.composition.sections);
  AddFields(draft.referral, {fields.begin(), fields.end()});
  RETURN_IF_ERROR(sender_.SendWithin(transaction, directory, draft.referral, std::move(outgoing)));
  KeepBefore(draft.referral, id, before);
  return SaveReferral(context_, transaction, draft.referral);
}

absl::StatusOr<v1::InquireResponse> Origin::Inquire(const Actor& actor,
                                                    const v1::InquireRequest& request) {
  const auto referral_id = ReferralId::FromBytes(request.referral_id());
  const auto message_id = MessageId::FromBytes(request.message_id());
  if (!referral_id || !message_id) return InvalidField("referral_id and message_id are 16 bytes");
  const auto directory = context_.directory();
  v1::InquireResponse response;
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    auto before = LoadReferral(t, *referral_id);
    if (before.ok()) {
      if (FindEvent(*before, request.message_id()) == nullptr) {
        return Error(v1::REASON_ID_REUSED, "another referral has this id");
      }
      response.mutable_respond_by()->set_seconds(before->respond_by_ms() / 1000);
      return absl::OkStatus();
    }
    v1::PreviewRequest content = request.content();
    content.set_kind(v1::KIND_INQUIRY);
    ASSIGN_OR_RETURN(Draft draft, MakeDraft(t, *directory, actor, content));
    draft.referral.set_referral_id(request.referral_id());
    RETURN_IF_ERROR(ToStatus(draft.composition.evaluation.findings));
    if (!ConstantTimeEquals(draft.composition.digest, request.preview_digest())) {
      return Error(v1::REASON_PREVIEW_REQUIRED, "the preview of this inquiry was not confirmed");
    }
    RETURN_IF_ERROR(CheckAskedAtOnce(t, draft));
    RETURN_IF_ERROR(SendDraft(t, *directory, *message_id, v1::KIND_INQUIRY, draft));
    response.mutable_respond_by()->set_seconds(draft.referral.respond_by_ms() / 1000);
    return absl::OkStatus();
  }));
  context_.outbox_grew();
  return response;
}

absl::Status Origin::SendConfirmed(const Actor& actor, const std::string& message_id,
                                   v1::PreviewRequest content, v1::Kind kind,
                                   const std::string& digest) const {
  const auto message = MessageId::FromBytes(message_id);
  if (!message) return InvalidField("message_id is not 16 bytes");
  content.set_kind(kind);
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(const bool repeated, IsRepeated(t, actor, content.referral_id(), message_id));
    if (repeated) return absl::OkStatus();
    ASSIGN_OR_RETURN(Draft draft, MakeDraft(t, *directory, actor, content));
    RETURN_IF_ERROR(ToStatus(draft.composition.evaluation.findings));
    if (!ConstantTimeEquals(draft.composition.digest, digest)) {
      return Error(v1::REASON_PREVIEW_REQUIRED, "the preview of this message was not confirmed");
    }
    return SendDraft(t, *directory, *message, kind, draft);
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

absl::Status Origin::Disclose(const Actor& actor, const v1::DiscloseRequest& request) {
  return SendConfirmed(actor, request.message_id(), request.content(), v1::KIND_DISCLOSE,
                       request.preview_digest());
}

absl::Status Origin::Answer(const Actor& actor, const v1::AnswerRequest& request) {
  return SendConfirmed(actor, request.message_id(), request.content(), v1::KIND_CLARIFICATION,
                       request.preview_digest());
}

absl::Status Origin::Accept(const Actor& actor, const v1::AcceptRequest& request) {
  const auto message_id = MessageId::FromBytes(request.message_id());
  if (!message_id) return InvalidField("message_id is not 16 bytes");
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    v1::PreviewRequest content;
    content.set_kind(v1::KIND_ACCEPT);
    content.set_referral_id(request.referral_id());
    content.set_consent_id(request.consent_id());
    ASSIGN_OR_RETURN(Draft draft, MakeDraft(t, *directory, actor, content));
    if (FindEvent(draft.referral, request.message_id()) != nullptr) return absl::OkStatus();
    return SendDraft(t, *directory, *message_id, v1::KIND_ACCEPT, draft);
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

absl::StatusOr<v1::WithdrawResponse> Origin::Withdraw(const Actor& actor,
                                                      const v1::WithdrawRequest& request) {
  const auto directory = context_.directory();
  v1::WithdrawResponse response;
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    std::vector<std::string> consent_ids;
    ASSIGN_OR_RETURN(std::vector<local::v1::Referral> referrals, LoadReferrals(t));
    if (request.has_case_id()) {
      const auto person = CaseId::FromBytes(request.case_id());
      if (!person) return InvalidField("case_id is not 16 bytes");
      RETURN_IF_ERROR(LoadCase(t, *person).status());
      ASSIGN_OR_RETURN(const auto all, t.List(DocumentKind::kConsent, *person));
      for (const Document& consent : all) consent_ids.emplace_back(consent.id.view());
    } else if (request.has_consent_id()) {
      consent_ids.push_back(request.consent_id());
    } else {
      for (const local::v1::Referral& referral : referrals) {
        if (referral.referral_id() != request.referral_id()) continue;
        for (const auto& token : referral.tokens()) consent_ids.push_back(token.consent_id());
      }
      if (consent_ids.empty()) {
        return Error(v1::REASON_REFERRAL_UNKNOWN, "this node has no such referral of its own");
      }
    }
    for (const std::string& id : consent_ids) {
      const auto consent_id = ConsentId::FromBytes(id);
      if (!consent_id) return InvalidField("consent_id is not 16 bytes");
      ASSIGN_OR_RETURN(v1::ConsentRecord consent, LoadConsent(t, *consent_id));
      RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(consent.controller_unit())));
      if (consent.state() == v1::CONSENT_STATE_WITHDRAWN) continue;
      consent.set_state(v1::CONSENT_STATE_WITHDRAWN);
      v1::ConsentEvent& event = *consent.add_events();
      event.set_state(v1::CONSENT_STATE_WITHDRAWN);
      event.set_channel(v1::CONSENT_CHANNEL_IN_PERSON);
      event.mutable_at()->set_seconds(absl::ToUnixSeconds(FloorMinute(context_.clock.Now())));
      RETURN_IF_ERROR(SaveConsent(t, consent));
    }
    for (local::v1::Referral& referral : referrals) {
      if (!referral.originated()) continue;
      const int before = referral.events_size();
      RETURN_IF_ERROR(WithdrawReferral(t, *directory, consent_ids, referral));
      if (referral.events_size() > before) response.add_referral_ids(referral.referral_id());
    }
    return absl::OkStatus();
  }));
  context_.outbox_grew();
  return response;
}

absl::Status Origin::WithdrawReferral(Transaction& transaction, const DirectorySnapshot& directory,
                                      const std::vector<std::string>& consent_ids,
                                      local::v1::Referral& referral) const {
  const auto id = *ReferralId::FromBytes(referral.referral_id());
  std::vector<local::v1::TokenEntry*> withdrawn;
  for (local::v1::TokenEntry& token : *referral.mutable_tokens()) {
    const bool named =
        std::find(consent_ids.begin(), consent_ids.end(), token.consent_id()) != consent_ids.end();
    if (named && !token.revoked()) withdrawn.push_back(&token);
  }
  if (withdrawn.empty()) return absl::OkStatus();
  for (local::v1::TokenEntry* token : withdrawn) {
    token->set_revoked(true);
    RETURN_IF_ERROR(sender_.NoteRevoked(transaction, *token));
  }
  ASSIGN_OR_RETURN(const auto dropped, transaction.DropWaiting(id));
  MarkDropped(referral, dropped);
  // A registration that waited was dropped with the rest and is made again, so that the hub can
  // refuse the token whatever of it was already on its way; also that of another token of the
  // referral, which may be withdrawn later.
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    if (std::find(dropped.begin(), dropped.end(), token.hash()) == dropped.end()) continue;
    RETURN_IF_ERROR(sender_.Register(transaction, referral, token, Sender::RegisterTo::kRevoke));
  }
  const absl::Time now = context_.clock.Now();
  RETURN_IF_ERROR(Advance(referral, v1::KIND_REVOKE, /*sent=*/true, CloseDetail::kNone, now));
  for (const local::v1::TokenEntry* token : withdrawn) {
    Outgoing outgoing;
    outgoing.id = MessageId::Generate(context_.random);
    outgoing.kind = v1::KIND_REVOKE;
    outgoing.stage = v1::STAGE_NONE;
    outgoing.token_hash = token->hash();
    outgoing.payload.mutable_revocation()->add_token_hashes(token->hash());
    RETURN_IF_ERROR(sender_.SendWithin(transaction, directory, referral, std::move(outgoing)));
  }
  const v1::UrgencyClock& clock = *context_.catalogue.ClockOf(referral.urgency());
  referral.set_revoke_ack_due_ms(ToMillis(After(now, clock.revoke_ack_due())));
  RETURN_IF_ERROR(transaction.EraseSections(id).status());
  return SaveReferral(context_, transaction, referral);
}

}  // namespace waymark::node
