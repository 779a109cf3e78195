// Scenario 1 as the evaluator sees it: what goes, in both directions, on both sides, and what does
// not.
#include <gtest/gtest.h>

#include "tests/base/policy/scene.h"

namespace waymark::testing {
namespace {

void ExpectAllowed(const Scene& scene, const v1::Sections& sections) {
  const Evaluation sender = scene.AsSender(sections);
  EXPECT_TRUE(sender.allowed()) << Show(sender.findings);
  const Evaluation recipient = scene.AsRecipient(sections);
  EXPECT_TRUE(recipient.allowed()) << Show(recipient.findings);
}

TEST(ScenarioTest, TheInterpreterInquirySpendsThreeOfFour) {
  const Scene scene = InterpreterScene();
  ExpectAllowed(scene, InterpreterInquiry());
  const Evaluation evaluation = scene.AsSender(InterpreterInquiry());
  EXPECT_EQ(evaluation.budget_spent, 3);
  EXPECT_EQ(evaluation.budget, 4);
  EXPECT_TRUE(evaluation.proposed_without.empty());
}

TEST(ScenarioTest, TheRoomInquirySpendsSixOfSix) {
  const Scene scene = RoomInquiryScene();
  ExpectAllowed(scene, RoomInquiry());
  const Evaluation evaluation = scene.AsSender(RoomInquiry());
  EXPECT_EQ(evaluation.budget_spent, 6);
  EXPECT_EQ(evaluation.budget, 6);
}

TEST(ScenarioTest, TheLanguageWouldMakeItEightAndIsProposedToStayOut) {
  Scene scene = RoomInquiryScene();
  scene.Allow("LANG.preferred_language");
  v1::Sections sections = RoomInquiry();
  sections.mutable_lang()->set_preferred_language("ti");
  for (const Evaluation& evaluation : {scene.AsSender(sections), scene.AsRecipient(sections)}) {
    EXPECT_EQ(evaluation.budget_spent, 8);
    EXPECT_TRUE(Has(evaluation.findings, v1::REASON_BUDGET_EXCEEDED)) << Show(evaluation.findings);
    EXPECT_EQ(evaluation.findings.size(), 1) << Show(evaluation.findings);
    EXPECT_EQ(evaluation.proposed_without, std::vector<uint32_t>{301});
  }
  EXPECT_EQ(Permitted(scene.context, scene.consent, sections).SerializeAsString(),
            RoomInquiry().SerializeAsString());
}

TEST(ScenarioTest, ANameInTheInquiryIsRefusedByStageAndByProfile) {
  Scene scene = RoomInquiryScene();
  scene.Allow("IDEN.name_to_use");
  v1::Sections sections = RoomInquiry();
  sections.mutable_iden()->set_name_to_use("Sara");
  for (const Evaluation& evaluation : {scene.AsSender(sections), scene.AsRecipient(sections)}) {
    EXPECT_TRUE(Has(evaluation.findings, v1::REASON_CONSENT_STAGE, "IDEN.name_to_use"));
    EXPECT_TRUE(Has(evaluation.findings, v1::REASON_PROFILE_FIELD, "IDEN.name_to_use"));
  }
}

TEST(ScenarioTest, TheAcceptanceSaysNothingAndNeedsTheCeiling) {
  Scene scene = RoomAcceptedScene();
  scene.context.kind = v1::KIND_ACCEPT;
  ExpectAllowed(scene, v1::Sections());
  scene.consent.set_stage_ceiling(v1::STAGE_INQUIRY);
  EXPECT_TRUE(Has(scene.AsSender({}).findings, v1::REASON_CONSENT_STAGE));
}

TEST(ScenarioTest, TheDisclosuresGo) {
  ExpectAllowed(RoomAcceptedScene(), RoomDisclosure());
  ExpectAllowed(RoomStartedScene(), RoomStartedDisclosure());
}

TEST(ScenarioTest, TheStartedDisclosureDoesNotGoAtTheAcceptance) {
  const Evaluation evaluation = RoomAcceptedScene().AsSender(RoomStartedDisclosure());
  EXPECT_TRUE(Has(evaluation.findings, v1::REASON_PROFILE_FIELD, "IDEN.name_to_use"));
  EXPECT_TRUE(Has(evaluation.findings, v1::REASON_CONSENT_STAGE, "DEPN.age_years"));
}

TEST(ScenarioTest, OfferScheduleAndProgressComeBack) {
  const auto returns = [](v1::Kind kind, v1::Stage stage, const v1::Sections& sections) {
    const Evaluation evaluation = RoomReturnScene(kind, stage).AsRecipient(sections);
    EXPECT_TRUE(evaluation.allowed()) << v1::Kind_Name(kind) << "\n" << Show(evaluation.findings);
    EXPECT_EQ(evaluation.budget, 0);
  };
  returns(v1::KIND_OFFER, v1::STAGE_INQUIRY, SectionsOf(R"pb(
            prog {
              offer {
                start { seconds: 1804627800 }
                quantity: 1
                hold_until { seconds: 1804626540 }
              }
            })pb"));
  returns(v1::KIND_DECLINE, v1::STAGE_INQUIRY,
          SectionsOf("prog { decline_code: DECLINE_CODE_HOUSEHOLD_NOT_ACCOMMODATED }"));
  returns(v1::KIND_SCHEDULE, v1::STAGE_ACCEPTED, SectionsOf(R"pb(
            logi {
              meeting_point_kind: MEETING_POINT_KIND_PUBLIC_NEUTRAL
              meeting_point: "Pharmacy entrance, Tollgate Square"
              arrival_window { from_minute: 30077115 to_minute: 30077130 }
            })pb"));
  returns(v1::KIND_PROGRESS, v1::STAGE_STARTED, SectionsOf(R"pb(
            prog {
              status: PROGRESS_STATUS_ONGOING
              review_date { year: 2027 month: 3 day: 16 }
              next_need_codes: [ 102, 402, 801 ]
            })pb"));
}

TEST(ScenarioTest, TheDefaultPreviewIsWhatConsentAndProfileBothAllow) {
  const Scene scene = RoomAcceptedScene();
  const std::set<uint32_t> unlocked = Unlocked(scene.context, scene.consent);
  for (const uint32_t field_no : FieldNumbersIn(RoomDisclosure())) {
    EXPECT_TRUE(unlocked.count(field_no)) << field_no;
  }
  for (const uint32_t field_no : FieldNumbersIn(RoomStartedDisclosure())) {
    EXPECT_FALSE(unlocked.count(field_no)) << field_no;
  }
  EXPECT_FALSE(unlocked.count(903)) << "she does not release CONT.handle";
}

}  // namespace
}  // namespace waymark::testing
