#include "client/casework/overview.h"

#include "base/policy/section_fields.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/casework/sections.h"
#include "client/vault/typed.h"
#include "gmock/gmock.h"
#include "tests/base/schema/fill.h"
#include "tests/client/casework/desk.h"

namespace waymark::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sections with every field that there is.
v1::Sections Everything() {
  v1::Sections sections;
  const auto* reflection = v1::Sections::GetReflection();
  for (int i = 0; i < v1::Sections::descriptor()->field_count(); ++i) {
    const auto* field = v1::Sections::descriptor()->field(i);
    Fill(field->is_repeated() ? *reflection->AddMessage(&sections, field)
                              : *reflection->MutableMessage(&sections, field));
  }
  return sections;
}

class OverviewTest : public DeskTest {
 protected:
  local::v1::Event& AddSent(local::v1::Referral& referral, v1::Kind kind) {
    const auto id = MessageId::Generate(SystemRandom());
    office_.Write([&](Transaction& t) {
      return t.Put(DocumentKind::kSentMessage, id, *ReferralId::FromBytes(referral.referral_id()),
                   "");
    });
    return AddEvent(referral, id, kind, v1::STAGE_NONE, /*sent=*/true, office_.clock.Now());
  }

  // A referral that the own unit sent, under a consent of a case of its own.
  local::v1::Referral ReferralOfACase(const Actor& lead, v1::Urgency urgency = v1::URGENCY_U0) {
    v1::CreateCaseRequest person;
    person.set_case_id(CaseId::Generate(SystemRandom()).bytes());
    person.set_label("LIN-1");
    person.set_unit_id(office_.lin.unit.bytes());
    EXPECT_TRUE(cases_.Create(lead, person).ok());
    v1::ConsentRecord consent;
    const auto consent_id = ConsentId::Generate(SystemRandom());
    consent.set_consent_id(consent_id.bytes());
    consent.set_case_id(person.case_id());
    consent.set_controller_unit(office_.lin.unit.bytes());
    consent.set_state(v1::CONSENT_STATE_GIVEN);
    office_.Write([&](Transaction& t) {
      return PutMessage(t, DocumentKind::kConsent, consent_id, *CaseId::FromBytes(person.case_id()),
                        consent);
    });
    local::v1::Referral referral = office_.Referral(NodeState::kAccepted, /*originated=*/true);
    referral.set_case_id(person.case_id());
    referral.set_urgency(urgency);
    referral.mutable_tokens(0)->set_consent_id(consent.consent_id());
    office_.Save(referral);
    return referral;
  }

  std::vector<v1::Prompt> Prompts(const local::v1::Referral& referral) {
    return PromptsOf(office_.Load(referral), /*pursued=*/false, office_.clock.Now());
  }
};

TEST_F(OverviewTest, LogisticsStaffSeeNoFieldOfClassSpecial) {
  const local::v1::Referral referral = office_.Referral(NodeState::kScheduled, false);
  const auto id = *ReferralId::FromBytes(referral.referral_id());
  const v1::Sections everything = Everything();
  for (const auto direction : {SectionDirection::kReceived, SectionDirection::kSent}) {
    office_.Write([&](Transaction& t) {
      return StoreSections(t, id, direction, v1::STAGE_ACCEPTED, everything);
    });
  }
  const auto shown_to = [&](v1::StaffRole role) {
    const auto shown = overview_.Get(LogIn(role), id);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return FieldNumbersIn(shown->sections());
  };

  const auto all = shown_to(v1::STAFF_ROLE_CASEWORKER);
  const auto logistics = shown_to(v1::STAFF_ROLE_LOGISTICS);
  EXPECT_EQ(all, FieldNumbersIn(everything)) << "the test has every field to hide";
  int special = 0;
  for (const uint32_t number : all) {
    if (FieldByNumber(number)->data_class == v1::DATA_CLASS_SPECIAL) ++special;
  }
  EXPECT_GT(special, 0);
  for (const uint32_t number : logistics) {
    EXPECT_NE(FieldByNumber(number)->data_class, v1::DATA_CLASS_SPECIAL)
        << FieldByNumber(number)->name;
  }
  for (const char* needed : {"LOGI.meeting_point", "LANG.preferred_language"}) {
    EXPECT_THAT(logistics, Contains(FieldByName(needed)->field_no)) << needed;
  }
  EXPECT_EQ(ReasonOf(overview_.Get(LogIn(v1::STAFF_ROLE_ADMINISTRATOR), id).status()),
            v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(OverviewTest, TheHubsOutcomeReachesTheReferralOfItsMessage) {
  local::v1::Referral referral = office_.Referral(NodeState::kInquired, /*originated=*/true);
  const std::string taken = AddSent(referral, v1::KIND_INQUIRY).message_id();
  const std::string refused = AddSent(referral, v1::KIND_CLARIFICATION).message_id();
  office_.Save(referral);
  EXPECT_TRUE(upkeep_.OnOutcome(taken, v1::REASON_UNSPECIFIED).ok());
  EXPECT_TRUE(upkeep_.OnOutcome(refused, v1::REASON_TOKEN_EXPIRED).ok());
  EXPECT_TRUE(upkeep_.OnPeerOffline(*MessageId::FromBytes(taken)).ok());
  referral = office_.Load(referral);
  EXPECT_EQ(referral.events(0).delivery(), v1::DELIVERY_STATE_CONFIRMED);
  EXPECT_EQ(referral.events(1).delivery(), v1::DELIVERY_STATE_REFUSED);
  EXPECT_EQ(referral.events(1).reason(), v1::REASON_TOKEN_EXPIRED);
  EXPECT_TRUE(referral.peer_offline());
}

TEST_F(OverviewTest, TheDisclosureLogHasWhatArrivedOrMayArrive) {
  const Actor lead = LogIn(v1::STAFF_ROLE_CASEWORKER);
  local::v1::Referral referral = ReferralOfACase(lead);
  for (const auto delivery :
       {v1::DELIVERY_STATE_QUEUED, v1::DELIVERY_STATE_CONFIRMED, v1::DELIVERY_STATE_RECEIVED,
        v1::DELIVERY_STATE_REFUSED, v1::DELIVERY_STATE_DROPPED}) {
    local::v1::Event& event = AddSent(referral, v1::KIND_DISCLOSE);
    event.add_field_nos(FieldByName("NEED.service_code")->field_no);
    event.set_delivery(delivery);
  }
  referral.mutable_revoke_ack()->set_outcome(v1::ERASURE_OUTCOME_ERASED);
  office_.Save(referral);
  const auto log = overview_.ListDisclosures(lead, *CaseId::FromBytes(referral.case_id()));
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 2u);
  EXPECT_EQ(log->at(0).delivery(), v1::DELIVERY_STATE_CONFIRMED);
  EXPECT_FALSE(log->at(0).erased()) << "nobody said that it arrived";
  EXPECT_EQ(log->at(1).delivery(), v1::DELIVERY_STATE_RECEIVED);
  EXPECT_TRUE(log->at(1).erased());
}

TEST_F(OverviewTest, WhatAWithdrawalDropsIsNotSaidToWait) {
  const Actor lead = LogIn(v1::STAFF_ROLE_CASEWORKER);
  local::v1::Referral referral = ReferralOfACase(lead);
  const std::string dropped = AddSent(referral, v1::KIND_DISCLOSE).message_id();
  const std::string delivered = AddSent(referral, v1::KIND_DISCLOSE).message_id();
  office_.Save(referral);
  office_.Write([&](Transaction& t) {
    return t.AppendOutbox(
        {.item_id = dropped, .referral = *ReferralId::FromBytes(referral.referral_id())});
  });
  v1::WithdrawRequest request;
  request.set_referral_id(referral.referral_id());
  ASSERT_TRUE(Origin(office_.context).Withdraw(lead, request).ok());
  const auto delivery_of = [&](int event) {
    return office_.Load(referral).events(event).delivery();
  };
  EXPECT_EQ(delivery_of(0), v1::DELIVERY_STATE_DROPPED);
  EXPECT_EQ(delivery_of(1), v1::DELIVERY_STATE_QUEUED) << "its outbox row has gone already";

  // It was in flight: the hub took it after all.
  EXPECT_TRUE(upkeep_.OnOutcome(dropped, v1::REASON_UNSPECIFIED).ok());
  EXPECT_EQ(delivery_of(0), v1::DELIVERY_STATE_CONFIRMED);
  // What has no receipt when the withdrawal is acknowledged never arrived.
  referral = office_.Load(referral);
  MarkUndeliveredDropped(referral);
  EXPECT_EQ(referral.events(0).delivery(), v1::DELIVERY_STATE_DROPPED);
  EXPECT_EQ(referral.events(1).delivery(), v1::DELIVERY_STATE_DROPPED);
  EXPECT_EQ(referral.events(2).delivery(), v1::DELIVERY_STATE_QUEUED) << "the withdrawal itself";
}

TEST_F(OverviewTest, TheLeadAsksTheNextUntilTheNeedIsPursued) {
  local::v1::Referral asked = office_.Referral(NodeState::kDeclined, /*originated=*/true);
  asked.set_need_id(NewId());
  AddSent(asked, v1::KIND_INQUIRY);
  const auto prompts = [&](const std::vector<local::v1::Referral>& all) {
    return PromptsOf(asked, IsPursued(asked, all), office_.clock.Now());
  };
  const auto other = [&](NodeState state, absl::Duration later) {
    local::v1::Referral referral = asked;
    referral.set_referral_id(NewId());
    referral.set_state(std::string(Name(state)));
    referral.mutable_events(0)->set_at_ms(ToMillis(office_.clock.Now() + later));
    return referral;
  };
  for (const NodeState state : {NodeState::kDeclined, NodeState::kExpired}) {
    asked.set_state(std::string(Name(state)));
    EXPECT_THAT(prompts({asked}), ElementsAre(v1::PROMPT_ASK_NEXT));
    EXPECT_THAT(prompts({asked, other(NodeState::kDeclined, absl::ZeroDuration())}),
                ElementsAre(v1::PROMPT_ASK_NEXT))
        << "asked together, and nobody since";
    EXPECT_THAT(prompts({asked, other(NodeState::kInquired, -absl::Hours(1))}), IsEmpty());
    EXPECT_THAT(prompts({asked, other(NodeState::kCompleted, -absl::Hours(1))}), IsEmpty());
    EXPECT_THAT(prompts({asked, other(NodeState::kDeclined, absl::Hours(1))}), IsEmpty())
        << "that one prompts";
    local::v1::Referral elsewhere = other(NodeState::kInquired, absl::Hours(1));
    elsewhere.set_need_id(NewId());
    EXPECT_THAT(prompts({asked, elsewhere}), ElementsAre(v1::PROMPT_ASK_NEXT));
  }
}

TEST_F(OverviewTest, ARefusedMessageIsTheDesksBusinessUntilItIsDoneRightOrOver) {
  local::v1::Referral referral = office_.Referral(NodeState::kAccepted, /*originated=*/true);
  AddSent(referral, v1::KIND_DISCLOSE).set_delivery(v1::DELIVERY_STATE_REFUSED);
  const auto prompts = [&](NodeState state, bool pursued) {
    referral.set_state(std::string(Name(state)));
    return PromptsOf(referral, pursued, office_.clock.Now());
  };
  EXPECT_THAT(prompts(NodeState::kAccepted, false), ElementsAre(v1::PROMPT_MESSAGE_REFUSED));
  EXPECT_THAT(prompts(NodeState::kDiscarded, false), ElementsAre(v1::PROMPT_MESSAGE_REFUSED));
  EXPECT_THAT(prompts(NodeState::kDiscarded, true), IsEmpty());
  EXPECT_THAT(prompts(NodeState::kCancelled, false), IsEmpty());
  EXPECT_THAT(prompts(NodeState::kWithdrawn, false), IsEmpty());
  AddSent(referral, v1::KIND_DISCLOSE);
  EXPECT_THAT(prompts(NodeState::kAccepted, false), IsEmpty());
}

TEST_F(OverviewTest, AReviewIsDueOnBothSides) {
  for (const bool originated : {true, false}) {
    local::v1::Referral referral = office_.Referral(NodeState::kWaitlisted, originated);
    const absl::Time now = office_.clock.Now();
    const auto prompts = [&](absl::Duration after) {
      return PromptsOf(referral, /*pursued=*/false, now + after);
    };
    referral.set_state_until_ms(ToMillis(now + absl::Hours(72)));
    EXPECT_THAT(prompts(absl::Hours(47)), IsEmpty());
    EXPECT_THAT(prompts(absl::Hours(48)), ElementsAre(v1::PROMPT_REVIEW_DUE));

    referral.set_state(std::string(Name(NodeState::kOngoing)));
    EXPECT_THAT(prompts(absl::Hours(48)), IsEmpty()) << "no review was announced";
    referral.set_review_due_ms(ToMillis(now + absl::Hours(24)));
    EXPECT_THAT(prompts(absl::Hours(23)), IsEmpty());
    EXPECT_THAT(prompts(absl::Hours(24)), ElementsAre(v1::PROMPT_REVIEW_DUE));
    referral.set_state(std::string(Name(NodeState::kCompleted)));
    EXPECT_THAT(prompts(absl::Hours(24)), IsEmpty());
  }
}

// However many referrals there are, only the message's own is opened: the others could not be.
TEST_F(OverviewTest, TheReferralOfAMessageIsFoundWithoutOpeningAnother) {
  local::v1::Referral referral = office_.Referral(NodeState::kInquired, /*originated=*/true);
  const std::string message = AddSent(referral, v1::KIND_INQUIRY).message_id();
  office_.Save(referral);
  office_.Write([&](Transaction& t) {
    return t.Put(DocumentKind::kReferral, ReferralId::Generate(SystemRandom()), DocumentId(),
                 "not a referral");
  });
  ASSERT_FALSE(
      office_.vault->Read([](const Reader& reader) { return LoadReferrals(reader).status(); })
          .ok());
  EXPECT_TRUE(upkeep_.OnOutcome(message, v1::REASON_UNSPECIFIED).ok());
  EXPECT_TRUE(upkeep_.OnPeerOffline(*MessageId::FromBytes(message)).ok());
  EXPECT_TRUE(office_.Load(referral).peer_offline());
  EXPECT_TRUE(upkeep_.OnOutcome(SystemRandom().Bytes(16), v1::REASON_UNSPECIFIED).ok())
      << "a message outside any referral";
  EXPECT_TRUE(upkeep_.OnOutcome(SystemRandom().Bytes(32), v1::REASON_UNSPECIFIED).ok())
      << "a token's registration";
}

TEST_F(OverviewTest, WhatTheLawMakesTheUnitKeepIsSaidWithTheAcknowledgement) {
  const Actor staff = LogIn(v1::STAFF_ROLE_CASEWORKER);
  Provider provider(office_.context);
  local::v1::Referral referral = office_.Referral(NodeState::kWithdrawn, /*originated=*/false);
  AddEvent(referral, MessageId::Generate(SystemRandom()), v1::KIND_REVOKE, v1::STAGE_NONE,
           /*sent=*/false, office_.clock.Now())
      .set_token_hash(referral.tokens(0).hash());
  referral.mutable_tokens(0)->set_revoked(true);
  office_.Save(referral);

  v1::RecordRetentionRequest request;
  request.set_referral_id(referral.referral_id());
  request.set_message_id(MessageId::Generate(SystemRandom()).bytes());
  const auto record = [&] { return ReasonOf(provider.RecordRetention(staff, request)); };
  EXPECT_EQ(record(), v1::REASON_FIELD_INVALID) << "no ground";
  request.set_ground(v1::RETENTION_GROUND_FINANCIAL_RECORD);
  request.mutable_kept_until()->set_year(2026);
  request.mutable_kept_until()->set_month(12);
  request.mutable_kept_until()->set_day(31);
  EXPECT_EQ(record(), v1::REASON_FIELD_INVALID) << "over";
  request.mutable_kept_until()->set_year(2034);
  EXPECT_EQ(ReasonOf(provider.RecordRetention(LogIn(v1::STAFF_ROLE_LOGISTICS), request)),
            v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(record(), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(record(), v1::REASON_UNSPECIFIED) << "a repeat changes nothing";
  const auto leaving = office_.OpenLeaving();
  ASSERT_EQ(leaving.size(), 1u);
  EXPECT_EQ(leaving.front().header.kind(), v1::KIND_REVOKE_ACK);
  EXPECT_EQ(leaving.front().payload.revocation_ack().outcome(), v1::ERASURE_OUTCOME_ERASED_EXCEPT);
  EXPECT_EQ(office_.Load(referral).events(1).token_hash(), referral.tokens(0).hash());

  const local::v1::Referral own = office_.Referral(NodeState::kAccepted, /*originated=*/true);
  request.set_referral_id(own.referral_id());
  EXPECT_EQ(record(), v1::REASON_STATE_FORBIDS);
}

// C13: 2 hours at U0 and U1, 24 hours otherwise; then the lead is told, until it comes.
struct Deadline {
  v1::Urgency urgency;
  absl::Duration after;
};

class AcknowledgementTest : public OverviewTest, public ::testing::WithParamInterface<Deadline> {};

TEST_P(AcknowledgementTest, OneThatIsMissingIsTheLeadsBusiness) {
  const Actor lead = LogIn(v1::STAFF_ROLE_CASEWORKER);
  local::v1::Referral referral = ReferralOfACase(lead, GetParam().urgency);
  v1::WithdrawRequest request;
  request.set_case_id(referral.case_id());
  const auto withdrawn = Origin(office_.context).Withdraw(lead, request);
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_THAT(withdrawn->referral_ids(), ElementsAre(referral.referral_id()));
  EXPECT_EQ(office_.Load(referral).state(), "WITHDRAWN");

  office_.clock.Advance(GetParam().after - absl::Seconds(1));
  EXPECT_THAT(Prompts(referral), IsEmpty());
  office_.clock.Advance(absl::Seconds(1));
  EXPECT_THAT(Prompts(referral), ElementsAre(v1::PROMPT_REVOKE_ACK_MISSING));
  v1::ListReferralsRequest overdue;
  overdue.set_box(v1::REFERRAL_BOX_OVERDUE);
  const auto listed = overview_.List(lead, overdue);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1u) << "although the referral has ended";
  EXPECT_EQ(listed->front().referral_id(), referral.referral_id());
}

INSTANTIATE_TEST_SUITE_P(C13, AcknowledgementTest,
                         ::testing::Values(Deadline{v1::URGENCY_U0, absl::Hours(2)},
                                           Deadline{v1::URGENCY_U1, absl::Hours(2)},
                                           Deadline{v1::URGENCY_U2, absl::Hours(24)},
                                           Deadline{v1::URGENCY_U3, absl::Hours(24)},
                                           Deadline{v1::URGENCY_U4, absl::Hours(24)}),
                         [](const auto& deadline) {
                           return v1::Urgency_Name(deadline.param.urgency).substr(8);
                         });

}  // namespace
}  // namespace waymark::node
