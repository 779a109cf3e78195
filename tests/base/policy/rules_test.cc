// A row per rule and direction: what changes, and what both sides say to it.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/schema/field_registry.h"
#include "tests/base/policy/scene.h"

namespace waymark::testing {
namespace {

enum Sides { kBoth, kSenderOnly };

struct Row {
  std::string name;
  std::function<Scene()> scene;
  std::function<v1::Sections()> sections;
  std::function<void(Scene&, v1::Sections&)> change;
  // REASON_UNSPECIFIED: allowed.
  v1::Reason expected;
  // The field of the finding; empty for the message.
  std::string field;
  // Who can see it; on rows of the sender only the recipient finds nothing.
  Sides sides = kBoth;
};

class RuleTest : public ::testing::TestWithParam<Row> {};

void Expect(const Evaluation& evaluation, v1::Reason reason, const std::string& field) {
  if (reason == v1::REASON_UNSPECIFIED) {
    EXPECT_TRUE(evaluation.allowed()) << Show(evaluation.findings);
  } else {
    EXPECT_TRUE(Has(evaluation.findings, reason, field)) << Show(evaluation.findings);
  }
}

TEST_P(RuleTest, Holds) {
  const Row& row = GetParam();
  Scene scene = row.scene();
  v1::Sections sections = row.sections();
  row.change(scene, sections);
  Expect(scene.AsSender(sections), row.expected, row.field);
  Expect(scene.AsRecipient(sections), row.sides == kBoth ? row.expected : v1::REASON_UNSPECIFIED,
         row.field);
}

std::string NameOf(const ::testing::TestParamInfo<Row>& tested) { return tested.param.name; }

constexpr v1::Reason kAllowed = v1::REASON_UNSPECIFIED;

#define CHANGE [](Scene & scene [[maybe_unused]], v1::Sections & sections [[maybe_unused]])

Row Inquiry(std::string name, std::function<void(Scene&, v1::Sections&)> change,
            v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name), RoomInquiryScene, RoomInquiry, std::move(change),
          expected,        std::move(field), sides};
}

Row Accepted(std::string name, std::function<void(Scene&, v1::Sections&)> change,
             v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name), RoomAcceptedScene, RoomDisclosure, std::move(change),
          expected,        std::move(field),  sides};
}

Row Started(std::string name, std::function<void(Scene&, v1::Sections&)> change,
            v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name),
          RoomStartedScene,
          RoomStartedDisclosure,
          std::move(change),
          expected,
          std::move(field),
          sides};
}

INSTANTIATE_TEST_SUITE_P(
    C1Exists, RuleTest,
    ::testing::Values(
        Inquiry("Given", CHANGE{}, kAllowed),
        Inquiry(
            "Renewed", CHANGE { scene.consent.set_state(v1::CONSENT_STATE_RENEWED); }, kAllowed),
        Inquiry(
            "Requested", CHANGE { scene.consent.set_state(v1::CONSENT_STATE_REQUESTED); },
            v1::REASON_CONSENT_MISSING, "", kSenderOnly),
        Inquiry(
            "Refused", CHANGE { scene.consent.set_state(v1::CONSENT_STATE_REFUSED); },
            v1::REASON_CONSENT_MISSING, "", kSenderOnly),
        Inquiry(
            "None", CHANGE { scene.consent.clear_state(); }, v1::REASON_CONSENT_MISSING, "",
            kSenderOnly),
        Inquiry(
            "GivenToAnotherUnit",
            CHANGE { scene.consent.set_controller_unit(UnitOf("stb.house").bytes()); },
            v1::REASON_CONSENT_MISSING),
        Inquiry(
            "VitalInterest",
            CHANGE { scene.consent.set_legal_basis(v1::LEGAL_BASIS_VITAL_INTEREST); },
            v1::REASON_CONSENT_MISSING)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C2Time, RuleTest,
    ::testing::Values(
        Inquiry(
            "FirstMinute", CHANGE { scene.context.now = At("2027-03-09T19:58"); }, kAllowed),
        Inquiry(
            "LastMinute", CHANGE { scene.context.now = At("2027-03-10T07:59"); }, kAllowed),
        Inquiry(
            "TooEarly", CHANGE { scene.context.now = At("2027-03-09T19:55"); },
            v1::REASON_CONSENT_TIME),
        Inquiry(
            "TooLate", CHANGE { scene.context.now = At("2027-03-10T08:02"); },
            v1::REASON_CONSENT_TIME),
        Inquiry(
            "ClocksDifferAtTheEnd", CHANGE { scene.context.now = At("2027-03-10T08:01"); },
            v1::REASON_CONSENT_TIME, "", kSenderOnly),
        Inquiry(
            "ClocksDifferAtTheBeginning", CHANGE { scene.context.now = At("2027-03-09T19:56"); },
            v1::REASON_CONSENT_TIME, "", kSenderOnly),
        Inquiry(
            "MarkedExpired", CHANGE { scene.consent.set_state(v1::CONSENT_STATE_EXPIRED); },
            v1::REASON_CONSENT_TIME, "", kSenderOnly),
        Inquiry(
            "NinetyDays",
            CHANGE {
              scene.consent.mutable_valid_until()->set_seconds(
                  scene.consent.valid_from().seconds() + 90 * 86400);
            },
            kAllowed),
        Inquiry(
            "NinetyOneDays",
            CHANGE {
              scene.consent.mutable_valid_until()->set_seconds(
                  scene.consent.valid_from().seconds() + 91 * 86400);
            },
            v1::REASON_CONSENT_TIME),
        Inquiry(
            "UnknownPack", CHANGE { scene.context.provider.policy_pack = "elsewhere"; },
            v1::REASON_CONSENT_TIME)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C3Who, RuleTest,
    ::testing::Values(
        Accepted("TheOneNamed", CHANGE{}, kAllowed),
        Inquiry(
            "AnotherUnit",
            CHANGE {
              scene.consent.clear_recipient_units();
              scene.consent.add_recipient_units(UnitOf("bea.intake").bytes());
            },
            v1::REASON_CONSENT_RECIPIENT, "", kSenderOnly),
        Inquiry(
            "SixForAnInquiry",
            CHANGE {
              for (const char* unit : {"a.x", "b.x", "c.x", "d.x"}) {
                scene.consent.add_recipient_units(UnitOf(unit).bytes());
              }
            },
            v1::REASON_CONSENT_RECIPIENT, "", kSenderOnly),
        Accepted(
            "TwoBeyondTheInquiry",
            CHANGE { scene.consent.add_recipient_units(UnitOf("bea.intake").bytes()); },
            v1::REASON_CONSENT_RECIPIENT, "", kSenderOnly),
        Inquiry(
            "ExcludedUnit", CHANGE { scene.consent.add_excluded(UnitOf("lin.family").bytes()); },
            v1::REASON_CONSENT_RECIPIENT, "", kSenderOnly),
        Inquiry(
            "ExcludedOrganisation",
            CHANGE { scene.consent.add_excluded(OrganisationOf("lin.family").bytes()); },
            v1::REASON_CONSENT_RECIPIENT, "", kSenderOnly)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C4Why, RuleTest,
    ::testing::Values(Inquiry(
                          "AnotherService",
                          CHANGE {
                            scene.consent.clear_purposes();
                            scene.consent.add_purposes(201);
                          },
                          v1::REASON_CONSENT_PURPOSE),
                      Inquiry(
                          "NotOffered", CHANGE { scene.context.provider.offers_service = false; },
                          v1::REASON_CONSENT_PURPOSE),
                      Inquiry(
                          "TheNeedSaysOtherwise",
                          CHANGE { sections.mutable_need()->set_service_code(201); },
                          v1::REASON_CONSENT_PURPOSE, "NEED.service_code")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C5What, RuleTest,
    ::testing::Values(
        Accepted(
            "ListedAndInTheProfile",
            CHANGE {
              scene.Allow("PREF.contact_frequency");
              sections.mutable_pref()->set_contact_frequency(v1::CONTACT_FREQUENCY_WEEKLY);
            },
            kAllowed),
        Accepted(
            "NotListed",
            CHANGE {
              sections.mutable_pref()->set_contact_frequency(v1::CONTACT_FREQUENCY_WEEKLY);
            },
            v1::REASON_CONSENT_FIELD, "PREF.contact_frequency"),
        Accepted(
            "NotListedButNotSaid", CHANGE { sections.mutable_pref()->add_not_said(7); },
            v1::REASON_CONSENT_FIELD, "PREF.contact_frequency"),
        Accepted(
            "NeverForThisService",
            CHANGE {
              scene.Allow("LEGL.topics");
              sections.mutable_legl()->add_topics(v1::LEGAL_TOPIC_WAGES);
            },
            v1::REASON_PROFILE_FIELD, "LEGL.topics"),
        Accepted(
            "OnlyWithAReason",
            CHANGE {
              scene.context.stage = scene.context.reached = v1::STAGE_STARTED;
              scene.Allow("GOAL.domain");
              sections.add_goal()->set_domain(v1::MILESTONE_DOMAIN_HOME);
            },
            v1::REASON_PROFILE_FIELD, "GOAL.domain", kSenderOnly),
        Accepted(
            "WithAReason",
            CHANGE {
              scene.context.stage = scene.context.reached = v1::STAGE_STARTED;
              scene.Allow("GOAL.domain");
              v1::ProfileException& exception = *scene.consent.add_profile_exceptions();
              exception.set_section(v1::SECTION_GOAL);
              exception.set_reason(v1::EXCEPTION_REASON_PERSON_ASKS);
              sections.add_goal()->set_domain(v1::MILESTONE_DOMAIN_HOME);
            },
            kAllowed),
        Accepted(
            "WithAReasonTooEarly",
            CHANGE {
              scene.Allow("GOAL.domain");
              v1::ProfileException& exception = *scene.consent.add_profile_exceptions();
              exception.set_section(v1::SECTION_GOAL);
              exception.set_reason(v1::EXCEPTION_REASON_PERSON_ASKS);
              sections.add_goal()->set_domain(v1::MILESTONE_DOMAIN_HOME);
            },
            v1::REASON_PROFILE_FIELD, "GOAL.domain"),
        Accepted(
            "TheLeadsRoleNeedsNoListing",
            CHANGE { sections.mutable_ref()->set_clarification_allowed(true); }, kAllowed)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C6Stage, RuleTest,
    ::testing::Values(
        Accepted(
            "CeilingTooLow", CHANGE { scene.consent.set_stage_ceiling(v1::STAGE_INQUIRY); },
            v1::REASON_CONSENT_STAGE),
        Accepted(
            "NotReached", CHANGE { scene.context.reached = v1::STAGE_INQUIRY; },
            v1::REASON_CONSENT_STAGE),
        Accepted(
            "NoStage", CHANGE { scene.context.stage = v1::STAGE_NONE; }, v1::REASON_CONSENT_STAGE),
        Accepted(
            "LowerThanReached", CHANGE { scene.context.reached = v1::STAGE_STARTED; }, kAllowed),
        Inquiry(
            "FullFieldInTheInquiry",
            CHANGE {
              scene.Allow("NEED.person_rank");
              sections.mutable_need()->set_person_rank(1);
            },
            v1::REASON_CONSENT_STAGE, "NEED.person_rank")),
    NameOf);

// E10: at U0 the stages may follow within minutes, but none is skipped.
INSTANTIATE_TEST_SUITE_P(
    E10Compression, RuleTest,
    ::testing::Values(Started("AfterTheStart", CHANGE{}, kAllowed),
                      Started(
                          "BeforeTheStart", CHANGE { scene.context.reached = v1::STAGE_ACCEPTED; },
                          v1::REASON_CONSENT_STAGE)),
    NameOf);

Scene Release() {
  Scene scene = RoomAcceptedScene();
  scene.context.provider.organisation_class = v1::ORGANISATION_CLASS_LAW_ENFORCEMENT;
  scene.consent.set_separate_release(true);
  scene.consent.set_two_person_confirmed(true);
  scene.consent.mutable_valid_until()->set_seconds(scene.consent.valid_from().seconds() +
                                                   7 * 86400);
  return scene;
}

Row Blocked(std::string name, std::function<void(Scene&, v1::Sections&)> change,
            v1::Reason expected, Sides sides = kBoth) {
  return {std::move(name), Release, RoomDisclosure, std::move(change), expected, "", sides};
}

INSTANTIATE_TEST_SUITE_P(
    C8BlockedClass, RuleTest,
    ::testing::Values(
        Blocked("SeparateRelease", CHANGE{}, kAllowed),
        Blocked(
            "NoSeparateRelease", CHANGE { scene.consent.set_separate_release(false); },
            v1::REASON_CONSENT_BLOCKED_CLASS),
        Blocked(
            "OnePerson", CHANGE { scene.consent.set_two_person_confirmed(false); },
            v1::REASON_CONSENT_BLOCKED_CLASS, kSenderOnly),
        Blocked(
            "TwoRecipients",
            CHANGE { scene.consent.add_recipient_units(UnitOf("bea.intake").bytes()); },
            v1::REASON_CONSENT_BLOCKED_CLASS, kSenderOnly),
        Blocked(
            "Spoken", CHANGE { scene.consent.set_capture_kind(v1::CAPTURE_KIND_RECORDED_ORAL); },
            v1::REASON_CONSENT_BLOCKED_CLASS),
        Blocked(
            "EightDays",
            CHANGE {
              scene.consent.mutable_valid_until()->set_seconds(
                  scene.consent.valid_from().seconds() + 8 * 86400);
            },
            v1::REASON_CONSENT_BLOCKED_CLASS),
        Blocked(
            "Media",
            CHANGE { scene.context.provider.organisation_class = v1::ORGANISATION_CLASS_MEDIA; },
            v1::REASON_CONSENT_BLOCKED_CLASS),
        Blocked(
            "ClassNotKnown",
            CHANGE {
              scene.context.provider.organisation_class = v1::ORGANISATION_CLASS_UNSPECIFIED;
            },
            v1::REASON_CONSENT_BLOCKED_CLASS)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C9HowGiven, RuleTest,
    ::testing::Values(
        Inquiry(
            "NotPrivate", CHANGE { scene.consent.set_private_setting(false); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "CompanionPresent", CHANGE { scene.consent.set_companion_present(true); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "CompanionNotRecorded", CHANGE { scene.consent.clear_companion_present(); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "NoInterpreter",
            CHANGE { scene.consent.set_interpreter_kind(v1::INTERPRETER_KIND_NONE); }, kAllowed),
        Inquiry(
            "StaffInterpreter",
            CHANGE { scene.consent.set_interpreter_kind(v1::INTERPRETER_KIND_STAFF); }, kAllowed),
        Inquiry(
            "DependentInterpreter", CHANGE { scene.consent.set_interpreter_independent(false); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "OtherInterpreter",
            CHANGE { scene.consent.set_interpreter_kind(v1::INTERPRETER_KIND_OTHER); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "InterpreterNotRecorded", CHANGE { scene.consent.clear_interpreter_kind(); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "NoticeNotRecorded", CHANGE { scene.consent.clear_notice_form(); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "NoticeNotUnderstood", CHANGE { scene.consent.set_notice_understood(false); },
            v1::REASON_CONSENT_CAPTURE, "", kSenderOnly),
        Inquiry(
            "NotReadBack", CHANGE { scene.consent.set_readback_confirmed(false); },
            v1::REASON_CONSENT_CAPTURE),
        Inquiry(
            "OralHere", CHANGE { scene.consent.set_capture_kind(v1::CAPTURE_KIND_RECORDED_ORAL); },
            v1::REASON_CONSENT_CAPTURE),
        Inquiry(
            "OralWhereBothPacksTakeIt",
            CHANGE {
              scene.consent.set_capture_kind(v1::CAPTURE_KIND_RECORDED_ORAL);
              scene.consent.set_policy_pack("uk");
              scene.context.origin_pack = scene.context.provider.policy_pack = "uk";
            },
            kAllowed),
        Inquiry(
            "OralWhereTheProvidersPackDoesNot",
            CHANGE {
              scene.consent.set_capture_kind(v1::CAPTURE_KIND_RECORDED_ORAL);
              scene.consent.set_policy_pack("uk");
              scene.context.origin_pack = "uk";
            },
            v1::REASON_CONSENT_CAPTURE)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C10Free, RuleTest,
    ::testing::Values(Inquiry(
                          "Condition", CHANGE { scene.consent.set_condition_of_service(true); },
                          v1::REASON_CONSENT_CONDITIONAL, "", kSenderOnly),
                      Inquiry(
                          "NotRecorded", CHANGE { scene.consent.clear_condition_of_service(); },
                          v1::REASON_CONSENT_CONDITIONAL, "", kSenderOnly)),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C11Special, RuleTest,
    ::testing::Values(Started("WithItsYes", CHANGE{}, kAllowed),
                      Started(
                          "SectionIsNotEnough",
                          CHANGE {
                            scene.consent.clear_special_fields();
                            scene.AllowSpecial("DEPN.care_status");
                          },
                          v1::REASON_CONSENT_SPECIAL, "DEPN.health_alerts"),
                      Inquiry(
                          "AnswerOnSobriety",
                          CHANGE { sections.mutable_elig(0)->set_condition_id("lin206-sober"); },
                          v1::REASON_CONSENT_SPECIAL, "ELIG.answer"),
                      Inquiry(
                          "AnswerOnSobrietyWithItsYes",
                          CHANGE {
                            scene.AllowSpecial("ELIG.answer");
                            sections.mutable_elig(0)->set_condition_id("lin206-sober");
                          },
                          kAllowed),
                      Inquiry(
                          "AnswerToNoPublishedCondition",
                          CHANGE {
                            scene.AllowSpecial("ELIG.answer");
                            sections.mutable_elig(0)->set_condition_id("lin206-other");
                          },
                          v1::REASON_PROFILE_FIELD, "ELIG.answer")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C12Freshness, RuleTest,
    ::testing::Values(Accepted(
                          "ThirteenDays", CHANGE { scene.context.now = At("2027-03-22T20:15"); },
                          kAllowed),
                      Accepted(
                          "FifteenDays",
                          CHANGE {
                            scene.context.now = At("2027-03-24T19:00");
                            sections.mutable_safe()->mutable_confirmed_at()->set_seconds(
                                absl::ToUnixSeconds(At("2027-03-09T19:00")));
                          },
                          v1::REASON_CONSENT_STALE, "SAFE.being_looked_for"),
                      Accepted(
                          "NotConfirmed", CHANGE { sections.mutable_safe()->clear_confirmed_at(); },
                          v1::REASON_CONSENT_STALE, "SAFE.do_not_contact"),
                      Accepted(
                          "ConfirmedTomorrow",
                          CHANGE {
                            sections.mutable_safe()->mutable_confirmed_at()->set_seconds(
                                absl::ToUnixSeconds(At("2027-03-10T20:13")));
                          },
                          v1::REASON_CONSENT_STALE, "SAFE.staff_advice")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(C13Withdrawn, RuleTest,
                         ::testing::Values(Inquiry(
                             "Record",
                             CHANGE { scene.consent.set_state(v1::CONSENT_STATE_WITHDRAWN); },
                             v1::REASON_CONSENT_WITHDRAWN, "", kSenderOnly)),
                         NameOf);

TEST(WithdrawalTest, ARevokedTokenIsRefused) {
  const Evaluation evaluation = RoomAcceptedScene().AsRecipient(RoomDisclosure(), /*revoked=*/true);
  EXPECT_TRUE(Has(evaluation.findings, v1::REASON_CONSENT_WITHDRAWN));
}

v1::Minor WithParent() {
  v1::Minor minor;
  minor.mutable_guardian()->set_relation(v1::GUARDIAN_RELATION_PARENT);
  minor.mutable_guardian()->set_authority(v1::GUARDIAN_AUTHORITY_PARENTAL);
  minor.mutable_guardian()->set_suspected_abuser(v1::ANSWER_NO);
  minor.set_view(v1::CHILD_VIEW_AGREES);
  return minor;
}

Scene MinorScene() {
  Scene scene = RoomAcceptedScene();
  *scene.consent.mutable_minor() = WithParent();
  scene.consent.set_legal_basis(v1::LEGAL_BASIS_GUARDIAN_CONSENT);
  return scene;
}

Row ForMinor(std::string name, std::function<void(Scene&, v1::Sections&)> change,
             v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name), MinorScene,       RoomDisclosure, std::move(change),
          expected,        std::move(field), sides};
}

INSTANTIATE_TEST_SUITE_P(
    C15Minors, RuleTest,
    ::testing::Values(ForMinor("Guardian", CHANGE{}, kAllowed),
                      ForMinor(
                          "SuspectedGuardian",
                          CHANGE {
                            scene.consent.mutable_minor()->mutable_guardian()->set_suspected_abuser(
                                v1::ANSWER_UNKNOWN);
                          },
                          v1::REASON_CONSENT_MINOR, "", kSenderOnly),
                      ForMinor(
                          "NoView", CHANGE { scene.consent.mutable_minor()->clear_view(); },
                          v1::REASON_CONSENT_MINOR, "", kSenderOnly),
                      ForMinor(
                          "NoGuardian", CHANGE { scene.consent.mutable_minor()->clear_guardian(); },
                          v1::REASON_CONSENT_MINOR, "", kSenderOnly),
                      ForMinor(
                          "ThirtyOneDays",
                          CHANGE {
                            scene.consent.mutable_valid_until()->set_seconds(
                                scene.consent.valid_from().seconds() + 31 * 86400);
                          },
                          v1::REASON_CONSENT_MINOR),
                      ForMinor(
                          "ServiceForAdults",
                          CHANGE {
                            scene.context.service_code = 1001;
                            scene.consent.add_purposes(1001);
                            sections.Clear();
                          },
                          v1::REASON_CONSENT_MINOR),
                      ForMinor(
                          "OwnContact",
                          CHANGE {
                            scene.Allow("CONT.channel");
                            sections.mutable_cont()->set_channel(v1::CONTACT_CHANNEL_SMS);
                          },
                          v1::REASON_CONSENT_MINOR, "CONT.channel")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(C17Transport, RuleTest,
                         ::testing::Values(Inquiry(
                             "NotNamed", CHANGE { scene.consent.set_transport_named(false); },
                             v1::REASON_CONSENT_TRANSPORT)),
                         NameOf);

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
    E1Identity, RuleTest,
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

INSTANTIATE_TEST_SUITE_P(E2HealthForHosts, RuleTest,
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
    E3TimeCriticalCare, RuleTest,
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
    E4SafeContact, RuleTest,
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

INSTANTIATE_TEST_SUITE_P(E5AvoidedAreas, RuleTest,
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

INSTANTIATE_TEST_SUITE_P(E6SensitivePreferences, RuleTest,
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
    E7Interpreters, RuleTest,
    ::testing::Values(
        NeverToInterpreters("Safe", "SAFE.staff_advice",
                            "safe { staff_advice: STAFF_ADVICE_TWO_STAFF confirmed_at { seconds: "
                            "1804621200 } }"),
        NeverToInterpreters("Cont", "CONT.via_lead_only", "cont { via_lead_only: true }"),
        NeverToInterpreters("Iden", "IDEN.name_to_use", "iden { name_to_use: 'Sara' }"),
        NeverToInterpreters("Hlth", "HLTH.pregnancy", "hlth { pregnancy: ANSWER_YES }"),
        NeverToInterpreters("Legl", "LEGL.topics", "legl { topics: LEGAL_TOPIC_WAGES }")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    E11Budget, RuleTest,
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
