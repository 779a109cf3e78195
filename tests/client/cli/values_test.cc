#include "client/cli/values.h"

#include "base/schema/validate.h"
#include "base/status/status.h"
#include "client/cli/document.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kId[] = "0123456789abcdef0123456789abcdef";

ValueReader Reader() {
  return {.zone = absl::FixedTimeZone(3600),
          .resolve = [](const google::protobuf::FieldDescriptor&,
                        const std::string& name) -> absl::StatusOr<std::string> {
            if (name == "lin.family") return std::string(16, 'L');
            return Error(v1::REASON_NOT_FOUND, "no such unit");
          }};
}

v1::Sections Assigned(const std::vector<std::string>& assignments) {
  v1::Sections sections;
  for (const std::string& assignment : assignments) {
    const absl::Status status = AssignSectionField(Reader(), assignment, sections);
    EXPECT_TRUE(status.ok()) << assignment << ": " << status;
  }
  EXPECT_TRUE(ValidateSections(sections).ok()) << ValidateSections(sections);
  return sections;
}

TEST(ValuesTest, ReadsEveryTypeThatScenario1Writes) {
  const v1::Sections sections = Assigned(
      {"LANG.preferred_language=ti", "lang.other_languages=en, fr", "PARTY.adults_band=ONE",
       "PARTY.youngest_age_band=2-to-4", "LANG.interpreter_exclusions=REMOTE_ONLY,no-camera",
       "CONT.via_lead_only=yes", "SAFE.confirmed_at=2027-03-09T20:13",
       "LOGI.arrival_window=2027-03-09T21:15/21:45", "LOGI.meeting_point=Fountain, upper square",
       "NEED.quantity=1", "IDEN.date_of_birth=1999-02-28",
       "XBOR.travel_window=2027-04-01/2027-04-10", "CONT.safe_windows=MON 09:00-17:00"});
  EXPECT_EQ(sections.lang().preferred_language(), "ti");
  EXPECT_THAT(sections.lang().other_languages(), ElementsAre("en", "fr"));
  EXPECT_EQ(sections.party().adults_band(), v1::ADULTS_BAND_ONE);
  EXPECT_EQ(sections.party().youngest_age_band(), v1::CHILD_AGE_BAND_2_TO_4);
  EXPECT_THAT(
      sections.lang().interpreter_exclusions(),
      ElementsAre(v1::INTERPRETER_EXCLUSION_REMOTE_ONLY, v1::INTERPRETER_EXCLUSION_NO_CAMERA));
  EXPECT_TRUE(sections.cont().via_lead_only());
  EXPECT_EQ(absl::FormatTime(absl::FromUnixSeconds(sections.safe().confirmed_at().seconds()),
                             absl::UTCTimeZone()),
            "2027-03-09T19:13:00+00:00");
  EXPECT_EQ(
      sections.logi().arrival_window().to_minute() - sections.logi().arrival_window().from_minute(),
      30);
  EXPECT_EQ(sections.logi().meeting_point(), "Fountain, upper square");
  EXPECT_EQ(sections.iden().date_of_birth().day(), 28);
  EXPECT_EQ(sections.xbor().travel_window().to().month(), 4);
  EXPECT_EQ(sections.cont().safe_windows(0).weekday(), 1);
}

TEST(ValuesTest, ReplacesAndClears) {
  const v1::Sections sections =
      Assigned({"LANG.other_languages=en,fr", "LANG.other_languages=ti",
                "LANG.preferred_language=ti", "LANG.preferred_language="});
  EXPECT_THAT(sections.lang().other_languages(), ElementsAre("ti"));
  EXPECT_FALSE(sections.lang().has_preferred_language());
}

TEST(ValuesTest, NotSaidAndAValueExcludeEachOther) {
  v1::Sections sections =
      Assigned({"LANG.preferred_language=ti", "LANG.preferred_language=@not-said"});
  EXPECT_THAT(sections.lang().not_said(), ElementsAre(1));
  EXPECT_FALSE(sections.lang().has_preferred_language());
  ASSERT_TRUE(AssignSectionField(Reader(), "LANG.preferred_language=ti", sections).ok());
  EXPECT_TRUE(sections.lang().not_said().empty());
}

TEST(ValuesTest, ErrorsNameTheFieldAndTheWayOutButNeverTheValue) {
  const struct {
    const char* assignment;
    const char* expected;
  } kCases[] = {
      {"PARTY.adults_band=SEVENTEEN", "PARTY.adults_band takes one of UNKNOWN"},
      {"PARTY.shoe_size=SEVENTEEN", "PARTY has no field of this name; it has adults_band"},
      {"SEVENTEEN", "FIELD=VALUE"},
      {"adults_band=SEVENTEEN", "SECTION.field"},
      {"SAFE.confirmed_at=SEVENTEEN", "SAFE.confirmed_at takes a time"},
      {"CONT.voicemail_ok=SEVENTEEN", "CONT.voicemail_ok takes yes or no"},
      {"NEED.quantity=SEVENTEEN", "NEED.quantity takes a whole number"},
      {"IDEN.date_of_birth=SEVENTEEN", "IDEN.date_of_birth takes a day"},
      {"LOGI.arrival_window=SEVENTEEN", "LOGI.arrival_window takes a span"},
      {"GOAL.target_window=SEVENTEEN", "--goal"},
      {"LEGL.deadlines=SEVENTEEN", "LEGL.deadlines takes canonical JSON"},
  };
  for (const auto& one : kCases) {
    v1::Sections sections;
    const absl::Status status = AssignSectionField(Reader(), one.assignment, sections);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.assignment;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.expected));
    if (std::string(one.assignment) != "SEVENTEEN") {
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("SEVENTEEN")));
    }
  }
}

TEST(ValuesTest, AnUnknownWordListsTheWordsAndSpeaksOfNoUpgrade) {
  const absl::Status refused = ParseEnum("--class", *v1::Urgency_descriptor(), "U9").status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_ENUM_UNKNOWN);
  EXPECT_EQ(refused.message(), "--class takes one of U0, U1, U2, U3, U4");
}

TEST(ValuesTest, AddsDependantsGoalsAndConditions) {
  v1::Sections sections;
  ASSERT_TRUE(AddEntry(Reader(), v1::SECTION_DEPN,
                       "relation=CHILD,age_years=4,health_alerts=ALLERGY_PENICILLIN+ASTHMA",
                       sections)
                  .ok());
  ASSERT_TRUE(
      AddEntry(Reader(), v1::SECTION_GOAL, "domain=HOME,target_window=2027-Q2", sections).ok());
  ASSERT_TRUE(SetCondition(Reader(), "lin206-age=NO", sections).ok());
  ASSERT_TRUE(SetCondition(Reader(), "lin206-age=YES,alternatives_seen=yes", sections).ok());
  EXPECT_TRUE(ValidateSections(sections).ok()) << ValidateSections(sections);
  EXPECT_EQ(sections.depn(0).health_alerts_size(), 2);
  EXPECT_EQ(sections.goal(0).target_window().quarter(), 2);
  ASSERT_EQ(sections.elig_size(), 1);
  EXPECT_EQ(sections.elig(0).answer(), v1::ANSWER_YES);
  EXPECT_TRUE(sections.elig(0).alternatives_seen());
}

TEST(ValuesTest, FieldNumbersAreWrittenAsNamesAndIdsAsHandles) {
  v1::ConsentRecord consent;
  const ValueReader reader = Reader();
  ASSERT_TRUE(
      AssignField(reader, "consent", "scope_fields", "LANG.preferred_language,501", consent).ok());
  ASSERT_TRUE(
      AssignField(reader, "consent", "recipient_units", std::string("lin.family,") + kId, consent)
          .ok());
  EXPECT_THAT(consent.scope_fields(), ElementsAre(301, 501));
  EXPECT_EQ(consent.recipient_units(0), std::string(16, 'L'));
  EXPECT_EQ(consent.recipient_units(1), *ParseId(kId));
  EXPECT_EQ(ReasonOf(AssignField(reader, "consent", "recipient_units", "nobody", consent)),
            v1::REASON_NOT_FOUND);
}

TEST(ValuesTest, IdsAreDigitsOrBase64) {
  EXPECT_EQ(*ParseId("ASNFZ4mrze8BI0VniavN7w=="), *ParseId(kId));
  EXPECT_FALSE(ParseId("0123").ok());
  EXPECT_FALSE(ParseId("").ok());
}

TEST(DocumentTest, ReadsAServiceAsPeopleWriteIt) {
  v1::Service service;
  const absl::Status filled = FillFromText(Reader(), R"(
unit: lin.family
handle: lin-206
code: 206
provider_kind: SPECIALIST
phases: [IMMEDIATE, SHORT_TERM]
service_areas: [XA-M]
location_kind: redacted
conditions:
  - condition_id: lin206-age
    kind: AGE
    value: MIN_18
    strength: REQUIRED
populations: {genders: [FEMALE], children: true}
capacity_unit: FAMILY_ROOM
last_verified: 2027-03-01
)",
                                           service);
  ASSERT_TRUE(filled.ok()) << filled;
  EXPECT_EQ(service.unit_id(), std::string(16, 'L'));
  EXPECT_EQ(service.phases_size(), 2);
  EXPECT_EQ(service.conditions(0).kind(), v1::CONDITION_KIND_AGE);
  EXPECT_THAT(service.populations().genders(), ElementsAre(v1::GENDER_FEMALE));
  EXPECT_TRUE(service.populations().children());
  EXPECT_EQ(service.last_verified().year(), 2027);
}

TEST(DocumentTest, ReadsCanonicalJson) {
  v1::Sections sections;
  const absl::Status filled = FillFromText(
      Reader(),
      R"({"lang":{"preferred_language":"ti","not_said":[2]},"elig":[{"condition_id":"a",)"
      R"("answer":"ANSWER_YES"}],"safe":{"confirmed_at":"2027-03-09T19:13:00Z"}})",
      sections);
  ASSERT_TRUE(filled.ok()) << filled;
  EXPECT_TRUE(ValidateSections(sections).ok()) << ValidateSections(sections);
  EXPECT_EQ(sections.elig(0).answer(), v1::ANSWER_YES);
  EXPECT_THAT(sections.lang().not_said(), ElementsAre(2));
}

TEST(DocumentTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"- a list", "lang: {shoe_size: 4}", "lang: [1, 2]", "lang: {a: b",
                           "elig: [[1]]", "just text", "{lang: {preferred_language: {a: b}}}"}) {
    v1::Sections sections;
    EXPECT_EQ(FillFromText(Reader(), text, sections).code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace waymark::node
