// Rules C1-C15: rows that are allowed and rows that are refused. C10, C13 and C17, which hold in
// either direction, are in return_rules_test.cc.
#include "base/schema/field_registry.h"
#include "tests/base/policy/rule_row.h"

namespace waymark::testing {
namespace {

class ConsentRuleTest : public ::testing::TestWithParam<Row> {};

TEST_P(ConsentRuleTest, Holds) { ExpectRow(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    C1Exists, ConsentRuleTest,
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
    C2Time, ConsentRuleTest,
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
    C3Who, ConsentRuleTest,
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
    C4Why, ConsentRuleTest,
    ::testing::Values(Inquiry(
                          "AnotherService",
                          CHANGE {
  scene.consent.clear_purposes();
  scene.consent.add_purposes(201);
                          },
                          v1::REASON_CONSENT_PURPOSE),
                      Inquiry(
                          "NotOffered", CHANGE {
  scene.context.provider.offers_service = false; },
                          v1::REASON_CONSENT_PURPOSE),
                      Inquiry(
                          "TheInquiryNamesNoEntry", CHANGE {
  sections.mutable_need()->clear_service_id(); },
                          v1::REASON_CONSENT_PURPOSE, "NEED.service_id"),
                      Inquiry(
                          "TheInquiryNamesNoService", CHANGE {
  sections.mutable_need()->clear_service_code(); },
                          v1::REASON_CONSENT_PURPOSE, "NEED.service_code"),
                      Row{"NoLongerOfferedButReportedOn",
                          [] {
  return RoomReturnScene(v1::KIND_PROGRESS, v1::STAGE_STARTED); },
                          [] {
  return SectionsOf("prog { status: PROGRESS_STATUS_ONGOING }"); },
                          CHANGE { scene.context.provider.offers_service = false;
}  // namespace
, kAllowed, ""
}  // namespace waymark::testing
,
                      Inquiry(
                          "TheNeedSaysOtherwise",
                          CHANGE {
  sections.mutable_need()->set_service_code(201); },
                          v1::REASON_CONSENT_PURPOSE, "NEED.service_code")),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    C5What, ConsentRuleTest,
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
    C6Stage, ConsentRuleTest,
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
    C8BlockedClass, ConsentRuleTest,
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
    C9HowGiven, ConsentRuleTest,
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
    C11Special, ConsentRuleTest,
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
    C12Freshness, ConsentRuleTest,
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
    C15Minors, ConsentRuleTest,
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

}  // namespace
}  // namespace waymark::testing
