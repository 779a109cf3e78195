#include "client/casework/origin.h"

#include "base/policy/section_fields.h"
#include "client/vault/typed.h"
#include "gmock/gmock.h"
#include "tests/client/casework/desk.h"

namespace waymark::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string>& Asked() {
  static const auto& fields = *new std::vector<std::string>{
      "NEED.need_ref", "NEED.service_id", "NEED.service_code", "NEED.quantity", "NEED.unit"};
  return fields;
}
std::vector<std::string> AskedAnd(const std::string& field) {
  std::vector<std::string> fields = Asked();
  fields.push_back(field);
  return fields;
}

uint32_t NumberOf(const std::string& name) { return FieldByName(name)->field_no; }

class OriginTest : public DeskTest {
 protected:
  // A need for which the partner was asked under a consent to these fields.
  void Ask(const std::vector<std::string>& fields, v1::Urgency urgency = v1::URGENCY_U0) {
    person_ = OpenCase(urgency);
    consent_ = Record(ConsentTo(person_, fields));
    const auto asked = Inquire(InquiryContent(person_, consent_));
    ASSERT_TRUE(asked.ok()) << asked.status();
    referral_ = *asked;
  }

  v1::PreviewRequest FollowUp(v1::Kind kind) const {
    v1::PreviewRequest content;
    content.set_kind(kind);
    content.set_referral_id(referral_);
    content.set_consent_id(consent_);
    return content;
  }

  // The partner holds a place, and the person says yes.
  void OfferAndAccept() {
    const absl::Time hold = office_.clock.Now() + absl::Hours(2);
    v1::Payload offer;
    v1::Offer& place = *offer.mutable_sections()->mutable_prog()->mutable_offer();
    place.mutable_start()->set_seconds(absl::ToUnixSeconds(hold));
    place.mutable_hold_until()->set_seconds(absl::ToUnixSeconds(hold));
    place.set_quantity(1);
    ASSERT_THAT(Answer(referral_, v1::KIND_OFFER, v1::STAGE_INQUIRY, offer, MinuteOf(hold)),
                IsEmpty());
    v1::AcceptRequest accept;
    accept.set_referral_id(referral_);
    accept.set_message_id(NewId());
    accept.set_consent_id(consent_);
    const absl::Status accepted = origin_.Accept(lead_, accept);
    ASSERT_TRUE(accepted.ok()) << accepted;
    accept_id_ = accept.message_id();
  }

  v1::Reason QueryRoom(const Person& person) {
    v1::QueryCapacityRequest request;
    request.set_case_id(person.case_id);
    request.set_need_id(person.need_id);
    request.add_service_ids(office_.qso.service.bytes());
    request.add_message_ids(NewId());
    return ReasonOf(origin_.QueryCapacity(lead_, request));
  }

  Person person_;
  std::string consent_;
  std::string referral_;
  std::string accept_id_;
};

TEST_F(OriginTest, WhomThePersonExcludedIsNeitherAskedNorTold) {
  const Person person = OpenCase();
  EXPECT_EQ(QueryRoom(person), v1::REASON_UNSPECIFIED);
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_CAPACITY_QUERY));
  v1::UpdateCaseRequest exclude;
  exclude.set_case_id(person.case_id);
  exclude.add_exclude(office_.qso.id.bytes());
  ASSERT_TRUE(cases_.Update(lead_, exclude).ok());
  EXPECT_EQ(QueryRoom(person), v1::REASON_EXCLUDED);
  v1::RecordConsentRequest request;
  *request.mutable_consent() = ConsentTo(person, Asked());
  const auto read_back = consents_.ReadBack(lead_, request.consent());
  ASSERT_TRUE(read_back.ok()) << read_back.status();
  request.set_readback_digest(read_back->digest());
  EXPECT_EQ(ReasonOf(consents_.Record(lead_, request)), v1::REASON_EXCLUDED);
}

// An answer is shown for as long as it was given, and never longer than a bed is believed in.
TEST_F(OriginTest, AnAnswerAboutRoomThatIsOverSaysNothing) {
  const Person person = OpenCase();
  struct Case {
    absl::Duration said;
    absl::Duration counts;
  };
  for (const Case& expected :
       {Case{absl::Hours(2), absl::Hours(2)}, Case{absl::ZeroDuration(), absl::Hours(4)},
        Case{absl::Hours(90 * 24), absl::Hours(12)}}) {
    local::v1::CapacityQueryEntry entry;
    entry.set_message_id(NewId());
    entry.set_need_id(person.need_id);
    entry.set_service_id(office_.qso.service.bytes());
    entry.set_unit_id(office_.qso.unit.bytes());
    entry.set_asked_at_ms(ToMillis(office_.clock.Now()));
    v1::CapacityReply& reply = *entry.mutable_reply();
    reply.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
    reply.set_available(2);
    if (expected.said > absl::ZeroDuration()) {
      reply.set_valid_until_minute(MinuteOf(office_.clock.Now() + expected.said));
    }
    office_.Write([&](Transaction& t) {
      return PutMessage(t, DocumentKind::kQuery, *MessageId::FromBytes(entry.message_id()),
                        *NeedId::FromBytes(person.need_id), entry);
    });
    const auto shown = [&] {
      const auto queries = origin_.ListCapacityQueries(lead_, std::nullopt);
      EXPECT_TRUE(queries.ok()) << queries.status();
      for (const v1::CapacityQueryRecord& query : *queries) {
        if (query.message_id() == entry.message_id()) return query.reply();
      }
      return v1::CapacityReply();
    };
    office_.clock.Advance(expected.counts - absl::Minutes(1));
    EXPECT_EQ(shown().status(), v1::CAPACITY_STATUS_HAS_CAPACITY) << expected.counts;
    EXPECT_EQ(shown().available(), 2u);
    office_.clock.Advance(absl::Minutes(1));
    EXPECT_EQ(shown().status(), v1::CAPACITY_STATUS_UNKNOWN) << expected.counts;
    EXPECT_FALSE(shown().has_available());
  }
}

TEST_F(OriginTest, AQuestionAboutRoomIsForTheCodeOfTheNeed) {
  EXPECT_EQ(QueryRoom(OpenCase(v1::URGENCY_U0, /*code=*/102)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(office_.Leaving(), 0);
}

TEST_F(OriginTest, NothingIsRecordedOrSentThatWasNotShown) {
  const Person person = OpenCase();
  v1::RecordConsentRequest record;
  *record.mutable_consent() = ConsentTo(person, AskedAnd("LANG.preferred_language"));
  EXPECT_EQ(ReasonOf(consents_.Record(lead_, record)), v1::REASON_PREVIEW_REQUIRED);

  v1::InquireRequest request;
  request.set_referral_id(NewId());
  request.set_message_id(NewId());
  *request.mutable_content() = InquiryContent(person, Record(record.consent()));
  EXPECT_EQ(ReasonOf(origin_.Inquire(lead_, request).status()), v1::REASON_PREVIEW_REQUIRED);
  const auto preview = origin_.Preview(lead_, request.content());
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_THAT(preview->findings(), IsEmpty());
  request.set_preview_digest(preview->digest());
  v1::UpdateCaseRequest changed;
  changed.set_case_id(person.case_id);
  changed.mutable_sections()->mutable_lang()->set_preferred_language("fr");
  ASSERT_TRUE(cases_.Update(lead_, changed).ok());
  EXPECT_EQ(ReasonOf(origin_.Inquire(lead_, request).status()), v1::REASON_PREVIEW_REQUIRED)
      << "it would say something else now";
  EXPECT_EQ(office_.Leaving(), 0);
  changed.mutable_sections()->mutable_lang()->set_preferred_language("ti");
  ASSERT_TRUE(cases_.Update(lead_, changed).ok());
  EXPECT_EQ(ReasonOf(origin_.Inquire(lead_, request).status()), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(origin_.Inquire(lead_, request).status()), v1::REASON_UNSPECIFIED)
      << "a repeat changes nothing";
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_INQUIRY));
}

TEST_F(OriginTest, AnInquiryThatNamesNoServiceDoesNotPassThePreview) {
  const Person person = OpenCase();
  const std::string consent = Record(ConsentTo(person, {"NEED.service_code"}));
  const auto preview = origin_.Preview(lead_, InquiryContent(person, consent));
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_EQ(preview->findings_size(), 1);
  EXPECT_EQ(preview->findings(0).reason(), v1::REASON_CONSENT_PURPOSE);
  EXPECT_EQ(preview->findings(0).field(), "NEED.service_id");
  EXPECT_EQ(ReasonOf(Inquire(InquiryContent(person, consent)).status()),
            v1::REASON_CONSENT_PURPOSE);
}

TEST_F(OriginTest, AsManyAreAskedAtOnceAsTheUrgencyAllows) {
  Ask(Asked(), v1::URGENCY_U2);
  EXPECT_EQ(ReasonOf(Inquire(InquiryContent(person_, consent_)).status()),
            v1::REASON_TOO_MANY_ASKED);
  v1::Payload decline;
  decline.mutable_sections()->mutable_prog()->set_decline_code(
      Catalogue::Default().FindDecline("D07")->code());
  ASSERT_THAT(Answer(referral_, v1::KIND_DECLINE, v1::STAGE_INQUIRY, decline), IsEmpty());
  EXPECT_EQ(StateOfReferral(referral_), "DECLINED");
  EXPECT_TRUE(Inquire(InquiryContent(person_, consent_)).ok());
}

TEST_F(OriginTest, AnInquiryThatTheHubRefusesIsDiscardedAndMadeAnew) {
  Ask(Asked(), v1::URGENCY_U2);
  const std::string inquiry = Load(referral_).events(0).message_id();
  ASSERT_TRUE(upkeep_.OnOutcome(inquiry, v1::REASON_RECIPIENT_SUSPENDED).ok());
  EXPECT_EQ(StateOfReferral(referral_), "DISCARDED");
  const std::string discarded = referral_;
  EXPECT_TRUE(Inquire(InquiryContent(person_, consent_)).ok()) << "nobody is asked any more";
  v1::CancelRequest cancel;
  cancel.set_referral_id(discarded);
  cancel.set_message_id(NewId());
  EXPECT_EQ(ReasonOf(provider_.Cancel(lead_, cancel)), v1::REASON_STATE_FORBIDS);
  v1::WithdrawRequest withdraw;
  withdraw.set_case_id(person_.case_id);
  const auto withdrawn = origin_.Withdraw(lead_, withdraw);
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_EQ(withdrawn->referral_ids_size(), 2) << "whoever refused it may have read it";
}

TEST_F(OriginTest, WhatTheRecipientRefusesIsStillToBeSent) {
  Ask(AskedAnd("NEED.person_rank"));
  OfferAndAccept();
  const auto preview = origin_.Preview(lead_, FollowUp(v1::KIND_DISCLOSE));
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_THAT(FieldNumbersIn(preview->sections()), Contains(NumberOf("NEED.person_rank")));
  v1::DiscloseRequest request;
  request.set_message_id(NewId());
  *request.mutable_content() = FollowUp(v1::KIND_DISCLOSE);
  EXPECT_EQ(ReasonOf(origin_.Disclose(lead_, request)), v1::REASON_PREVIEW_REQUIRED);
  request.set_preview_digest(preview->digest());
  ASSERT_TRUE(origin_.Disclose(lead_, request).ok());
  const auto left = [&] {
    return FieldNumbersIn(origin_.Preview(lead_, FollowUp(v1::KIND_DISCLOSE))->sections());
  };
  EXPECT_THAT(left(), Not(Contains(NumberOf("NEED.person_rank"))));
  Receipt(referral_, request.message_id(), v1::REASON_CONSENT_FIELD);
  EXPECT_EQ(StateOfReferral(referral_), "ACCEPTED");
  EXPECT_THAT(left(), Contains(NumberOf("NEED.person_rank")));
}

TEST_F(OriginTest, AnAcceptanceThatIsRefusedLeavesTheOffer) {
  Ask(Asked());
  OfferAndAccept();
  EXPECT_EQ(StateOfReferral(referral_), "ACCEPTED");
  Receipt(referral_, accept_id_, v1::REASON_CONSENT_STAGE);
  EXPECT_EQ(StateOfReferral(referral_), "OFFERED");
  EXPECT_EQ(Load(referral_).state_until_ms(), ToMillis(office_.clock.Now() + absl::Hours(2)));
}

class AnswerTest : public OriginTest {
 protected:
  void PartnerAsks(v1::ClarificationCode code, const std::vector<std::string>& fields) {
    v1::Payload question;
    question.mutable_clarification()->set_code(code);
    for (const std::string& field : fields) {
      question.mutable_clarification()->add_field_nos(NumberOf(field));
    }
    ASSERT_THAT(Answer(referral_, v1::KIND_CLARIFICATION, v1::STAGE_INQUIRY, question), IsEmpty());
  }
  v1::GetReferralResponse Show() {
    const auto shown = overview_.Get(lead_, *ReferralId::FromBytes(referral_));
    EXPECT_TRUE(shown.ok()) << shown.status();
    return *shown;
  }
};

TEST_F(AnswerTest, TheLeadAnswersWithWhatWasAskedForAndShown) {
  person_ = OpenCase();
  consent_ = Record(ConsentTo(person_, AskedAnd("LANG.preferred_language")));
  v1::PreviewRequest content = InquiryContent(person_, consent_);
  content.add_without(NumberOf("LANG.preferred_language"));
  referral_ = Inquire(content).value();
  EXPECT_EQ(ReasonOf(origin_.Preview(lead_, FollowUp(v1::KIND_CLARIFICATION)).status()),
            v1::REASON_STATE_FORBIDS)
      << "nobody asked";

  PartnerAsks(v1::CLARIFICATION_CODE_FIELDS_NEEDED, {"LANG.preferred_language"});
  EXPECT_EQ(StateOfReferral(referral_), "CLARIFYING");
  v1::GetReferralResponse shown = Show();
  EXPECT_THAT(shown.summary().prompts(), ElementsAre(v1::PROMPT_ANSWER_DUE));
  EXPECT_EQ(shown.events(1).clarification().code(), v1::CLARIFICATION_CODE_FIELDS_NEEDED);
  EXPECT_THAT(shown.events(1).clarification().field_nos(),
              ElementsAre(NumberOf("LANG.preferred_language")));

  const auto preview = origin_.Preview(lead_, FollowUp(v1::KIND_CLARIFICATION));
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_THAT(FieldNumbersIn(preview->sections()),
              ElementsAre(NumberOf("LANG.preferred_language")));
  v1::AnswerRequest request;
  request.set_message_id(NewId());
  *request.mutable_content() = FollowUp(v1::KIND_CLARIFICATION);
  EXPECT_EQ(ReasonOf(origin_.Answer(lead_, request)), v1::REASON_PREVIEW_REQUIRED);
  request.set_preview_digest(preview->digest());
  EXPECT_EQ(ReasonOf(origin_.Answer(lead_, request)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(origin_.Answer(lead_, request)), v1::REASON_UNSPECIFIED) << "a repeat";
  EXPECT_EQ(StateOfReferral(referral_), "INQUIRED");
  EXPECT_THAT(Show().summary().prompts(), IsEmpty());
  const auto leaving = office_.OpenLeaving();
  ASSERT_FALSE(leaving.empty());
  const Opened& answer = leaving.back();
  EXPECT_EQ(answer.header.kind(), v1::KIND_CLARIFICATION);
  EXPECT_EQ(answer.payload.clarification().code(), v1::CLARIFICATION_CODE_ANSWERED);
  EXPECT_EQ(answer.payload.sections().lang().preferred_language(), "ti");

  // Refused, the question is open again.
  Receipt(referral_, request.message_id(), v1::REASON_BUDGET_EXCEEDED);
  EXPECT_EQ(StateOfReferral(referral_), "CLARIFYING");
  EXPECT_THAT(Show().summary().prompts(), Contains(v1::PROMPT_ANSWER_DUE));
}

TEST_F(AnswerTest, NothingIsAnsweredThatTheConsentDoesNotList) {
  Ask(Asked());
  PartnerAsks(v1::CLARIFICATION_CODE_FIELDS_NEEDED, {"LANG.preferred_language"});
  const auto preview = origin_.Preview(lead_, FollowUp(v1::KIND_CLARIFICATION));
  ASSERT_TRUE(preview.ok()) << preview.status();
  ASSERT_FALSE(preview->findings().empty());
  EXPECT_EQ(preview->findings(0).reason(), v1::REASON_CONSENT_FIELD);
}

TEST_F(AnswerTest, ACodeAloneAnswersToo) {
  Ask(Asked());
  PartnerAsks(v1::CLARIFICATION_CODE_CALL_UNIT, {});
  EXPECT_EQ(ReasonOf(origin_.Preview(lead_, FollowUp(v1::KIND_CLARIFICATION)).status()),
            v1::REASON_FIELD_INVALID)
      << "it asks for no field";
  v1::ClarifyRequest request;
  request.set_referral_id(referral_);
  request.set_message_id(NewId());
  request.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_ANSWERED);
  EXPECT_EQ(ReasonOf(provider_.Clarify(lead_, request)), v1::REASON_FIELD_INVALID)
      << "an answer with values is previewed";
  request.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_PREFER_NOT_TO_SAY);
  EXPECT_EQ(ReasonOf(provider_.Clarify(lead_, request)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(StateOfReferral(referral_), "INQUIRED");
  EXPECT_THAT(Show().summary().prompts(), IsEmpty());
}

TEST_F(OriginTest, AHubThatLostAWithdrawnTokenGetsItAsRevoked) {
  Ask(Asked());
  const std::string token = Load(referral_).tokens(0).hash();
  v1::WithdrawRequest request;
  request.set_consent_id(consent_);
  v1::Submission again;
  ASSERT_TRUE(
      office_.vault->Write([&](Transaction& t) { return t.MarkOutcome(token, v1::Reason()); })
          .ok());
  ASSERT_TRUE(origin_.Withdraw(lead_, request).ok());
  ASSERT_TRUE(office_.vault
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.ResendConfirmed().status());
                    ASSIGN_OR_RETURN(const auto items,
                                     t.NextOutbox(absl::InfiniteFuture(), {}, 64, 1 << 20));
                    EXPECT_EQ(items.at(0).item_id, token) << "before everything else";
                    EXPECT_TRUE(again.ParseFromString(items.at(0).submission));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(again.registration().token_hash(), token);
  EXPECT_TRUE(again.registration().revoked());
}

TEST_F(OriginTest, TwoWithdrawalsBeforeAnythingLeftBothLeave) {
  Ask(Asked());
  OfferAndAccept();
  const std::string first = consent_;
  consent_ = Record(ConsentTo(person_, AskedAnd("NEED.person_rank")));
  const auto preview = origin_.Preview(lead_, FollowUp(v1::KIND_DISCLOSE));
  ASSERT_TRUE(preview.ok()) << preview.status();
  v1::DiscloseRequest disclose;
  disclose.set_message_id(NewId());
  *disclose.mutable_content() = FollowUp(v1::KIND_DISCLOSE);
  disclose.set_preview_digest(preview->digest());
  ASSERT_TRUE(origin_.Disclose(lead_, disclose).ok());
  for (const std::string& consent : {first, consent_}) {
    v1::WithdrawRequest request;
    request.set_consent_id(consent);
    ASSERT_TRUE(origin_.Withdraw(lead_, request).ok());
  }
  EXPECT_THAT(office_.KindsLeaving(),
              ElementsAre(v1::KIND_RECEIPT, v1::KIND_REVOKE, v1::KIND_REVOKE));
  EXPECT_EQ(office_.Leaving(), 5) << "and the registration of each token";
}

}  // namespace
}  // namespace waymark::node
