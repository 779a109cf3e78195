// What flows back from the provider beyond the rows of return_rules_test.cc, and consents by
// themselves, before they are used.
#include <gtest/gtest.h>

#include <string>

#include "base/schema/field_registry.h"
#include "tests/base/policy/scene.h"

namespace waymark::testing {
namespace {

Evaluation Returns(const Scene& scene, const std::string& text) {
  return scene.AsRecipient(SectionsOf(text));
}

TEST(ReturnTest, WhatIsNotListedDoesNotComeBack) {
  const Scene scene = RoomReturnScene(v1::KIND_CLOSE, v1::STAGE_STARTED);
  EXPECT_TRUE(Has(Returns(scene, "prog { started_on { year: 2027 month: 3 day: 9 } }").findings,
                  v1::REASON_CONSENT_FIELD, "PROG.started_on"));
}

TEST(ReturnTest, AttendanceIsSpecialForHealthAndWellbeingOnly) {
  const std::string text = "prog { attendance: ATTENDANCE_ATTENDED }";
  Scene room = RoomReturnScene(v1::KIND_PROGRESS, v1::STAGE_STARTED);
  room.AllowReturn("PROG.attendance");
  EXPECT_TRUE(Returns(room, text).allowed()) << Show(Returns(room, text).findings);
  Scene clinic = room;
  clinic.context.service_code = 402;
  clinic.consent.add_purposes(402);
  EXPECT_TRUE(Has(Returns(clinic, text).findings, v1::REASON_CONSENT_SPECIAL, "PROG.attendance"));
  clinic.consent.add_special_fields(FieldByName("PROG.attendance")->field_no);
  EXPECT_TRUE(Returns(clinic, text).allowed());
}

TEST(ReturnTest, ARefusalOrAnEndMayFollowTheEndOfTheConsent) {
  Scene scene = RoomReturnScene(v1::KIND_CLOSE, v1::STAGE_STARTED);
  scene.context.now = At("2027-04-09T12:00");
  EXPECT_TRUE(Returns(scene, "prog { status: PROGRESS_STATUS_COMPLETED }").allowed());
  EXPECT_TRUE(
      Has(Returns(scene, "prog { next_need_codes: 801 }").findings, v1::REASON_CONSENT_TIME));
  scene.context.kind = v1::KIND_PROGRESS;
  EXPECT_TRUE(Has(Returns(scene, "prog { status: PROGRESS_STATUS_ONGOING }").findings,
                  v1::REASON_CONSENT_TIME));
}

TEST(ContentTest, KindsWithoutSectionsCarryNone) {
  Scene scene = RoomAcceptedScene();
  for (const v1::Kind kind : {v1::KIND_ACCEPT, v1::KIND_CANCEL, v1::KIND_REVOKE,
                              v1::KIND_CAPACITY_QUERY, v1::KIND_NOTICE}) {
    scene.context.kind = kind;
    EXPECT_TRUE(Has(scene.AsSender(RoomDisclosure()).findings, v1::REASON_CONTENT_FORBIDDEN));
    EXPECT_EQ(Permitted(scene.context, scene.consent, RoomDisclosure()).ByteSizeLong(), 0);
  }
  Scene question = RoomReturnScene(v1::KIND_CLARIFICATION, v1::STAGE_STARTED);
  EXPECT_TRUE(Has(Returns(question, "prog { status: PROGRESS_STATUS_ONGOING }").findings,
                  v1::REASON_CONTENT_FORBIDDEN));
}

TEST(ContentTest, WhatTheSchemaDoesNotKnowIsRefused) {
  const Scene scene = RoomAcceptedScene();
  v1::Sections sections = RoomDisclosure();
  v1::LangSection& lang = *sections.mutable_lang();
  v1::LangSection::GetReflection()->MutableUnknownFields(&lang)->AddLengthDelimited(99, "a story");
  EXPECT_FALSE(scene.AsRecipient(sections).allowed());
  v1::Sections odd = RoomDisclosure();
  odd.mutable_need()->add_not_said(49);
  EXPECT_FALSE(scene.AsRecipient(odd).allowed());
  EXPECT_EQ(Permitted(scene.context, scene.consent, odd).SerializeAsString(),
            RoomDisclosure().SerializeAsString());
}

// C7: what was received is passed on only under a token of its own.
TEST(OnwardTest, AReceivedTokenDoesNotCoverTheNextUnit) {
  Scene scene = RoomAcceptedScene();
  const v1::ConsentToken received = scene.Token();
  scene.context.origin = UnitOf("lin.family");
  scene.context.provider.unit = UnitOf("stb.house");
  const Evaluation evaluation =
      EvaluateUnderToken(scene.context, received, /*revoked=*/false, RoomDisclosure());
  EXPECT_TRUE(Has(evaluation.findings, v1::REASON_CONSENT_ONWARD)) << Show(evaluation.findings);
  EXPECT_TRUE(Has(evaluation.findings, v1::REASON_CONSENT_RECIPIENT));
}

TEST(OnwardTest, ATokenOfTheLeadForTheNextUnitDoes) {
  Scene scene = RoomAcceptedScene();
  v1::ConsentToken onward = scene.Token();
  onward.set_presenter_unit(UnitOf("lin.family").bytes());
  onward.set_recipient_unit(UnitOf("stb.house").bytes());
  scene.context.origin = UnitOf("lin.family");
  scene.context.provider.unit = UnitOf("stb.house");
  const auto evaluate = [&] {
    return EvaluateUnderToken(scene.context, onward, /*revoked=*/false, RoomDisclosure());
  };
  EXPECT_TRUE(evaluate().allowed()) << Show(evaluate().findings);
  onward.set_onward_mode(v1::ONWARD_MODE_NAMED);
  EXPECT_TRUE(Has(evaluate().findings, v1::REASON_CONSENT_ONWARD)) << "depth is one";
}

// C14b: a journey home needs the attestation before anything beyond the inquiry leaves.
TEST(RequiredFieldTest, NothingMoreLeavesWithoutTheAttestation) {
  Scene scene = RoomAcceptedScene();
  scene.context.service_code = 1203;
  scene.consent.add_purposes(1203);
  scene.Allow("XBOR.risk_assessment_attested");
  v1::Sections sections = SectionsOf("need { person_rank: 1 }");
  EXPECT_TRUE(Has(scene.AsSender(sections).findings, v1::REASON_CONSENT_STALE));
  EXPECT_TRUE(Has(scene.AsRecipient(sections).findings, v1::REASON_CONSENT_STALE));
  const v1::Sections attested = SectionsOf(R"pb(
    xbor {
      risk_assessment_attested {
        role: ATTESTING_ROLE_RETURN_COUNSELLOR
        date { year: 2027 month: 3 day: 8 }
        method: ASSESSMENT_METHOD_JOINT_INTERVIEW
      }
    })pb");
  scene.context.earlier = &attested;
  EXPECT_TRUE(scene.AsSender(sections).allowed()) << Show(scene.AsSender(sections).findings);
  scene.context.earlier = nullptr;
  sections.MergeFrom(attested);
  EXPECT_TRUE(scene.AsSender(sections).allowed()) << Show(scene.AsSender(sections).findings);
  sections.mutable_xbor()->mutable_risk_assessment_attested()->mutable_date()->set_month(1);
  EXPECT_TRUE(Has(scene.AsSender(sections).findings, v1::REASON_CONSENT_STALE,
                  "XBOR.risk_assessment_attested"));
}

std::vector<PolicyFinding> OnItsOwn(const Scene& scene) {
  return EvaluateConsent(*scene.context.catalogue, scene.consent, "us-vsp",
                         {scene.context.provider});
}

TEST(ConsentTest, TheConsentsOfTheScenarioAreUsable) {
  for (const Scene& scene : {InterpreterScene(), RoomInquiryScene(), RoomAcceptedScene()}) {
    EXPECT_TRUE(OnItsOwn(scene).empty()) << Show(OnItsOwn(scene));
  }
}

TEST(ConsentTest, SaysWhatMakesItUnusable) {
  Scene scene = RoomAcceptedScene();
  scene.consent.set_companion_present(true);
  scene.consent.set_condition_of_service(true);
  scene.consent.set_transport_named(false);
  scene.consent.add_recipient_units(UnitOf("bea.intake").bytes());
  scene.context.provider.organisation_class = v1::ORGANISATION_CLASS_FUNDER;
  const auto findings = OnItsOwn(scene);
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_CAPTURE));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_CONDITIONAL));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_TRANSPORT));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_RECIPIENT));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_BLOCKED_CLASS));
}

TEST(ConsentTest, ItsListsHaveToAgree) {
  Scene scene = RoomAcceptedScene();
  scene.consent.add_scope_fields(4242);
  scene.consent.add_special_fields(FieldByName("HLTH.pregnancy")->field_no);
  scene.consent.set_onward_mode(v1::ONWARD_MODE_NAMED);
  scene.consent.add_onward_fields(FieldByName("IDEN.legal_name")->field_no);
  const auto findings = OnItsOwn(scene);
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_FIELD));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_SPECIAL, "HLTH.pregnancy"));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_ONWARD, "IDEN.legal_name"));
  EXPECT_TRUE(Has(findings, v1::REASON_CONSENT_ONWARD));
}

TEST(ConsentTest, ATokenCanBeMadeFromIt) {
  Scene scene = RoomAcceptedScene();
  scene.consent.mutable_valid_until()->set_seconds(scene.consent.valid_until().seconds() - 60);
  EXPECT_TRUE(Has(OnItsOwn(scene), v1::REASON_CONSENT_TIME));
  scene = RoomAcceptedScene();
  scene.consent.clear_onward_mode();
  EXPECT_TRUE(OnItsOwn(scene).empty());
  EXPECT_EQ(scene.Token().onward_mode(), v1::ONWARD_MODE_NONE) << "to nobody is the default";
}

TEST(ConsentTest, TheClassesThatNeverReceive) {
  const Catalogue& catalogue = Catalogue::Default();
  EXPECT_EQ(RuleOf(catalogue, v1::ORGANISATION_CLASS_NGO), ClassRule::kOpen);
  EXPECT_EQ(RuleOf(catalogue, v1::ORGANISATION_CLASS_EMPLOYER), ClassRule::kSeparateRelease);
  EXPECT_EQ(RuleOf(catalogue, v1::ORGANISATION_CLASS_MEDIA), ClassRule::kNever);
  EXPECT_EQ(RuleOf(catalogue, v1::ORGANISATION_CLASS_UNSPECIFIED), ClassRule::kNever);
}

}  // namespace
}  // namespace waymark::testing
