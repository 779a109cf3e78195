#include "client/casework/read_back.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/schema/field_registry.h"

namespace waymark::node {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ReadBackTest : public ::testing::Test {
 protected:
  ReadBackTest() {
    consent_.add_purposes(206);
    consent_.set_stage_ceiling(v1::STAGE_INQUIRY);
    consent_.mutable_valid_until()->set_seconds(1804773600);
  }

  ReadBackParty Party(const std::string& unit, const std::string& member,
                      const std::vector<v1::ReportingDuty>& duties) {
    units_.emplace_back().set_display_name(unit);
    members_.emplace_back().set_display_name(member);
    profiles_.emplace_back();
    for (const v1::ReportingDuty duty : duties) profiles_.back().add_reporting_duties(duty);
    return {.unit = &units_.back(),
            .member = &members_.back(),
            .profile = duties.empty() ? nullptr : &profiles_.back()};
  }

  static uint32_t Number(const std::string& name) { return FieldByName(name)->field_no; }

  std::vector<std::string> Lines() {
    return ReadBackLines(Catalogue::Default(), consent_, context_);
  }

  v1::ConsentRecord consent_;
  ReadBackContext context_;

 private:
  std::deque<v1::Unit> units_;
  std::deque<v1::Member> members_;
  std::deque<v1::Profile> profiles_;
};

TEST_F(ReadBackTest, OneRecipientIsNamedOnce) {
  context_.recipients = {
      Party("Beacon Shelter", "Beacon Shelter", {v1::REPORTING_DUTY_CHILD_HARM})};
  const auto lines = Lines();
  EXPECT_EQ(
      lines[0],
      "We would share this with Beacon Shelter. Nobody else, there or elsewhere, gets it from "
      "us.");
  EXPECT_THAT(lines, Contains("What the law may make Beacon Shelter report: harm to a child."));
}

TEST_F(ReadBackTest, SeveralRecipientsStandInOneSentenceAndEachHasItsOwnDuties) {
  context_.recipients = {
      Party("Beacon Shelter", "Beacon Shelter",
            {v1::REPORTING_DUTY_CHILD_HARM, v1::REPORTING_DUTY_COURT_ORDER_ONLY}),
      Party("Linden House, family rooms", "Linden House", {v1::REPORTING_DUTY_NONE_KNOWN}),
      Party("Night desk", "Quayside Outreach", {})};
  const auto lines = Lines();
  EXPECT_EQ(lines[0],
            "We would share this with Beacon Shelter, Linden House, family rooms and Night desk at "
            "Quayside Outreach. Nobody else, there or elsewhere, gets it from us.");
  EXPECT_THAT(std::vector<std::string>(lines.begin() + 1, lines.end()),
              Each(Not(HasSubstr("elsewhere"))));
  EXPECT_THAT(lines, Contains("What the law may make Beacon Shelter report: harm to a child; only "
                              "what a court orders."));
  EXPECT_THAT(lines, Contains("What the law may make Linden House, family rooms report: nothing "
                              "that they know of."));
  EXPECT_THAT(lines, Contains("Night desk at Quayside Outreach did not say what the law may make "
                              "them report."));
}

TEST_F(ReadBackTest, FieldsStandBySectionAndSpecialOnesAlone) {
  context_.recipients = {Party("Beacon Shelter", "Beacon Shelter", {})};
  for (const char* name : {"LANG.preferred_language", "PREF.worker_gender", "PREF.diet",
                           "LANG.reading_support", "NEED.phase"}) {
    consent_.add_scope_fields(Number(name));
  }
  consent_.add_special_fields(Number("PREF.diet"));
  context_.noted = {Number("LANG.preferred_language"), Number("PREF.diet"),
                    Number("PREF.worker_gender")};
  const auto lines = Lines();
  EXPECT_THAT(lines, Contains("They may be told (Language): Preferred language; Reading support "
                              "(nothing is noted)."));
  EXPECT_THAT(lines, Contains("They may be told (Need): Phase."));
  EXPECT_THAT(lines, Contains("They may be told (Preferences): Worker gender."));
  EXPECT_THAT(lines,
              Contains("Only with a yes to this alone, they may be told (Preferences): Diet."));
}

TEST_F(ReadBackTest, WhatIsWorkedOutForTheRecipientIsNoted) {
  context_.recipients = {Party("Beacon Shelter", "Beacon Shelter", {})};
  consent_.add_scope_fields(Number("SAFE.place_conflict"));
  EXPECT_THAT(Lines(), Contains("They may be told (Safety): The place is in an area to avoid "
                                "(nothing is noted)."));
  context_.noted = {Number("SAFE.areas_to_avoid")};
  EXPECT_THAT(Lines(), Contains("They may be told (Safety): The place is in an area to avoid."));
}

TEST_F(ReadBackTest, SaysWhatComesBackAndWhatIsPassedOn) {
  context_.recipients = {Party("Beacon Shelter", "Beacon Shelter", {})};
  consent_.add_return_fields(Number("PROG.started_on"));
  EXPECT_THAT(Lines(), Contains("They may tell us (Progress): Started on."));
  EXPECT_THAT(Lines(), Contains("They may not pass it on."));
  consent_.set_onward_mode(v1::ONWARD_MODE_NAMED);
  consent_.add_onward_fields(Number("LANG.preferred_language"));
  context_.onward = {Party("Linden House", "Linden House", {})};
  EXPECT_THAT(Lines(),
              Contains("They may pass on to Linden House (Language): Preferred language."));
  EXPECT_THAT(Lines(), Not(Contains("They may not pass it on.")));
}

TEST_F(ReadBackTest, EveryCeilingHasASentenceOfTheCatalogue) {
  for (const v1::Stage stage : {v1::STAGE_INQUIRY, v1::STAGE_ACCEPTED, v1::STAGE_STARTED}) {
    consent_.set_stage_ceiling(stage);
    const std::string sentence = Catalogue::Default().CeilingLabel(stage);
    EXPECT_THAT(sentence, StartsWith("They get "));
    EXPECT_THAT(Lines(), Contains(sentence));
    EXPECT_THAT(Lines(), Each(Not(HasSubstr("STAGE_"))));
  }
}

}  // namespace
}  // namespace waymark::node
