// Exceptions E1-E7, E10 and E11: rows that are allowed and rows that are refused.
#include "base/schema/field_registry.h"
#include "tests/base/policy/rule_row.h"

namespace waymark::testing {
namespace {

class ExceptionTest : public ::testing::TestWithParam<Row> {};

TEST_P(ExceptionTest, Holds) { ExpectRow(GetParam()); }

// A service at which identity fields may be asked for: legal representation.
Scene LegalScene() {
  Scene scene = RoomStartedScene();
  scene.context.service_code = 702;
  scene.consent.clear_purposes();
  scene.consent.add_purposes(702);
  scene.Allow("IDEN.name_to_use, IDEN.legal_name");
  scene.context.provider.required_identity = {FieldByName("IDEN.legal_name")->field_no};
  return scene;
}

v1::Sections LegalName() { return SectionsOf("iden { legal_name: 'Sara Example' }"); }

INSTANTIATE_TEST_SUITE_P(
    E1Identity, ExceptionTest,
    ::testing::Values(
        Row{"RequiredByLaw", LegalScene, LegalName, CHANGE{}, kAllowed, ""},
        Row{"NoReasonInTheEntry", LegalScene, LegalName,
            CHANGE { scene.context.provider.required_identity.clear();
}  // namespace
, v1::REASON_IDENTITY_NOT_REQUIRED, "IDEN.legal_name"
}  // namespace waymark::testing
, Row{"ANameToUseNeedsNone", LegalScene, LegalName,
      CHANGE{scene.context.provider.required_identity.clear();
sections = SectionsOf("iden { name_to_use: 'Sara' }");
}
, kAllowed, ""
}
, Row{"NeverAtAShelter", LegalScene, LegalName, CHANGE{scene.context.service_code = 201;
scene.consent.add_purposes(201);
}
, v1::REASON_PROFILE_FIELD, "IDEN.legal_name"
}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(E2HealthForHosts, ExceptionTest,
                         ::testing::Values(Started(
                                               "Allergies",
                                               CHANGE {
                                                 scene.AllowSpecial("HLTH.critical_allergies");
                                                 sections.mutable_hlth()->add_critical_allergies(
                                                     v1::CRITICAL_ALLERGY_PENICILLIN);
                                               },
                                               kAllowed),
                                           Started(
                                               "Pregnancy",
                                               CHANGE {
                                                 scene.AllowSpecial("HLTH.pregnancy");
                                                 sections.mutable_hlth()->set_pregnancy(
                                                     v1::ANSWER_YES);
                                               },
                                               v1::REASON_PROFILE_FIELD, "HLTH.pregnancy")),
                         NameOf);

Scene ServiceScene(uint32_t code) {
  Scene scene = RoomAcceptedScene();
  scene.context.service_code = code;
  scene.consent.clear_purposes();
  scene.consent.add_purposes(code);
  scene.AllowSpecial("HLTH.time_critical");
  return scene;
}

v1::Sections TimeCritical() { return SectionsOf("hlth { time_critical: TIME_CRITICAL_HOURS_72 }"); }

INSTANTIATE_TEST_SUITE_P(
    E3TimeCriticalCare, ExceptionTest,
    ::testing::Values(
        Row{"At401", [] {
  return ServiceScene(401); }, TimeCritical, CHANGE{}, kAllowed, ""},
        Row{"At404", [] {
  return ServiceScene(404); }, TimeCritical, CHANGE{}, kAllowed, ""},
        Row{"NotAt402", [] {
  return ServiceScene(402); }, TimeCritical, CHANGE{},
            v1::REASON_PROFILE_FIELD, "HLTH.time_critical"},
        Row{"NotInTheInquiry", [] {
  return ServiceScene(401); }, TimeCritical,
            CHANGE {
              scene.context.kind = v1::KIND_INQUIRY;
              scene.context.stage = v1::STAGE_INQUIRY;
}
, v1::REASON_PROFILE_FIELD, "HLTH.time_critical"
}),
    NameOf);

Scene DirectContactScene() {
  Scene scene = RoomAcceptedScene();
  scene.Allow("CONT.channel, CONT.handle, CONT.code_phrase, CONT.confirmed_at");
  return scene;
}

v1::Sections DirectContact() {
  return SectionsOf(R"pb(
    cont {
      via_lead_only: false
      channel: CONTACT_CHANNEL_SMS
      handle: "+00 000 0000"
      confirmed_at { seconds: 1804623180 }
    })pb");
}

INSTANTIATE_TEST_SUITE_P(
    E4SafeContact, ExceptionTest,
    ::testing::Values(
        Row{"Chosen", DirectContactScene, DirectContact, CHANGE{}, kAllowed, ""},
        Row{"ThroughTheLead", DirectContactScene, DirectContact,
            CHANGE { sections.mutable_cont()->set_via_lead_only(true);
}
, v1::REASON_CONTACT_VIA_LEAD, "CONT.handle"
}
, Row{"ThroughTheLeadByDefault", DirectContactScene, DirectContact,
      CHANGE{sections.mutable_cont()->clear_via_lead_only();
}
, v1::REASON_CONTACT_VIA_LEAD, "CONT.handle"
}
, Row{"ChosenLongAgo", DirectContactScene, DirectContact,
      CHANGE{sections.mutable_cont()->mutable_confirmed_at()->set_seconds(
          absl::ToUnixSeconds(At("2027-02-20T20:13")));
}
, v1::REASON_CONSENT_STALE, "CONT.handle"
}
, Row{"ChosenButNotListed", DirectContactScene, DirectContact,
      CHANGE{sections.mutable_cont()->add_safe_windows()->set_weekday(1);
}
, v1::REASON_CONSENT_FIELD, "CONT.safe_windows"
}),
    NameOf);

void SetArea(Scene& scene, v1::Sections& sections) {
  scene.Allow("SAFE.areas_to_avoid");
  sections.mutable_safe()->add_areas_to_avoid("XA-N1");
}

INSTANTIATE_TEST_SUITE_P(E5AvoidedAreas, ExceptionTest,
                         ::testing::Values(Accepted("TheComparisonGoes", CHANGE{}, kAllowed),
                                           Accepted("TheListNeedsAReason", SetArea,
                                                    v1::REASON_PROFILE_FIELD, "SAFE.areas_to_avoid",
                                                    kSenderOnly),
                                           Accepted(
                                               "TheListWithAReason",
                                               CHANGE {
                                                 SetArea(scene, sections);
                                                 v1::ProfileException& exception =
                                                     *scene.consent.add_profile_exceptions();
                                                 exception.set_section(v1::SECTION_SAFE);
                                                 exception.set_reason(v1::EXCEPTION_REASON_SAFETY);
                                               },
                                               kAllowed),
                                           Accepted(
                                               "NeverToAClinic",
                                               CHANGE {
                                                 SetArea(scene, sections);
                                                 scene.context.service_code = 402;
                                                 scene.consent.add_purposes(402);
                                               },
                                               v1::REASON_PROFILE_FIELD, "SAFE.areas_to_avoid")),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(E6SensitivePreferences, ExceptionTest,
                         ::testing::Values(Accepted(
                                               "Asked",
                                               CHANGE {
                                                 scene.AllowSpecial("PREF.faith_setting");
                                                 sections.mutable_pref()->set_faith_setting(
                                                     v1::SETTING_PREFERENCE_AVOID);
                                               },
                                               kAllowed),
                                           Accepted(
                                               "ListedOnly",
                                               CHANGE {
                                                 scene.Allow("PREF.faith_setting");
                                                 sections.mutable_pref()->set_faith_setting(
                                                     v1::SETTING_PREFERENCE_AVOID);
                                               },
                                               v1::REASON_CONSENT_SPECIAL, "PREF.faith_setting"),
                                           Inquiry(
                                               "NotInTheInquiry",
                                               CHANGE {
                                                 scene.AllowSpecial("PREF.diet");
                                                 sections.mutable_pref()->add_diet(
                                                     v1::DIET_NO_PORK);
                                               },
                                               v1::REASON_PROFILE_FIELD, "PREF.diet")),
                         NameOf);

Scene InterpreterStartedScene() {
  Scene scene = InterpreterScene();
  scene.context.kind = v1::KIND_DISCLOSE;
  scene.context.stage = scene.context.reached = v1::STAGE_STARTED;
  return scene;
}

// Lists every field there is, so that only the profile stands in the way.
Row NeverToInterpreters(const std::string& section, const std::string& field,
                        const std::string& text) {
  return {section,
          InterpreterStartedScene,
          [text] { return SectionsOf(text); },
          [field](Scene& scene, v1::Sections&) { scene.AllowSpecial(field); },
          v1::REASON_PROFILE_FIELD,
          field};
}

INSTANTIATE_TEST_SUITE_P(
    E7Interpreters, ExceptionTest,
    ::testing::Values(
        NeverToInterpreters("Safe", "SAFE.staff_advice",
                            "safe { staff_advice: STAFF_ADVICE_TWO_STAFF confirmed_at { seconds: "
                            "1804621200 } }"),
        NeverToInterpreters("Cont", "CONT.via_lead_only", "cont { via_lead_only: true }"),
        NeverToInterpreters("Iden", "IDEN.name_to_use", "iden { name_to_use: 'Sara' }"),
        NeverToInterpreters("Hlth", "HLTH.pregnancy", "hlth { pregnancy: ANSWER_YES }"),
        NeverToInterpreters("Legl", "LEGL.topics", "legl { topics: LEGAL_TOPIC_WAGES }")),
    NameOf);

// E10: at U0 the stages may follow within minutes, but none is skipped.
INSTANTIATE_TEST_SUITE_P(
    E10Compression, ExceptionTest,
    ::testing::Values(Started("AfterTheStart", CHANGE{}, kAllowed),
                      Started(
                          "BeforeTheStart", CHANGE { scene.context.reached = v1::STAGE_ACCEPTED; },
                          v1::REASON_CONSENT_STAGE)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    E11Budget, ExceptionTest,
    ::testing::Values(Inquiry(
                          "ZeroCounts",
                          CHANGE {
                            sections.mutable_party()->set_children_band(v1::CHILDREN_BAND_ZERO);
                            scene.Allow("ACCESS.step_free");
                            sections.mutable_access()->set_step_free(v1::ANSWER_NO);
                          },
                          v1::REASON_BUDGET_EXCEEDED),
                      Inquiry(
                          "UnknownDoesNot",
                          CHANGE {
                            scene.Allow("ACCESS.step_free");
                            sections.mutable_access()->set_step_free(v1::ANSWER_UNKNOWN);
                          },
                          kAllowed),
                      Inquiry(
                          "EachAnswerCounts",
                          CHANGE {
                            scene.context.provider.conditions["lin206-area"] =
                                v1::CONDITION_KIND_RESIDENCE;
                            v1::EligSection& answer = *sections.add_elig();
                            answer.set_condition_id("lin206-area");
                            answer.set_answer(v1::ANSWER_YES);
                          },
                          v1::REASON_BUDGET_EXCEEDED),
                      Inquiry(
                          "FourForTheOthers",
                          CHANGE {
                            scene.context.service_code = 402;
                            scene.consent.add_purposes(402);
                            sections.mutable_need()->set_service_code(402);
                          },
                          v1::REASON_BUDGET_EXCEEDED),
                      Accepted(
                          "NotAfterTheInquiry",
                          CHANGE {
                            sections.MergeFrom(RoomInquiry());
                            for (const uint32_t field_no : FieldNumbersIn(RoomInquiry())) {
                              scene.consent.add_scope_fields(field_no);
                            }
                          },
                          kAllowed)),
    NameOf);

TEST(BudgetTest, WhatWentBeforeCountsOnce) {
  Scene scene = RoomInquiryScene();
  scene.context.kind = v1::KIND_CLARIFICATION;
  const v1::Sections earlier = RoomInquiry();
  scene.context.earlier = &earlier;
  scene.Allow("ACCESS.step_free, LANG.preferred_language");

  v1::Sections again;
  *again.mutable_party() = earlier.party();
  EXPECT_TRUE(scene.AsSender(again).allowed()) << Show(scene.AsSender(again).findings);
  EXPECT_EQ(scene.AsSender(again).budget_spent, 6);

  v1::Sections more = again;
  more.mutable_access()->set_step_free(v1::ANSWER_YES);
  for (const Evaluation& evaluation : {scene.AsSender(more), scene.AsRecipient(more)}) {
    EXPECT_EQ(evaluation.budget_spent, 7);
    EXPECT_TRUE(Has(evaluation.findings, v1::REASON_BUDGET_EXCEEDED));
    EXPECT_EQ(evaluation.proposed_without,
              std::vector<uint32_t>{FieldByName("ACCESS.step_free")->field_no});
  }
}

TEST(BudgetTest, TheOrderOfProposalsIsTheCataloguesAndStopsWhenItFits) {
  Scene scene = RoomInquiryScene();
  scene.Allow("LANG.preferred_language, PARTY.age_band");
  v1::Sections sections = RoomInquiry();
  sections.mutable_lang()->set_preferred_language("en");
  sections.mutable_party()->set_age_band(v1::AGE_BAND_25_TO_39);
  const Evaluation evaluation = scene.AsSender(sections);
  EXPECT_EQ(evaluation.budget_spent, 8);
  EXPECT_EQ(evaluation.proposed_without,
            (std::vector<uint32_t>{FieldByName("LANG.preferred_language")->field_no,
                                   FieldByName("PARTY.age_band")->field_no}));
}

}  // namespace
}  // namespace waymark::testing
