#include "client/cli/output.h"

#include "base/status/status.h"
#include "client/cli/confirmation.h"
#include "client/cli/exit_code.h"
#include "client/cli/lookup.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using testing::HasSubstr;
using testing::Not;

View InWinter() { return {.catalogue = Catalogue::Default(), .zone = absl::FixedTimeZone(3600)}; }

TEST(TableTest, AlignsByCharactersAndEndsNoLineInSpaces) {
  Table table({"NAME", "AREA"});
  table.Add({"Café", "XA-M"});
  table.Add({"Harbour", "-"});
  EXPECT_EQ(table.ToString(),
            "NAME     AREA\n"
            "Café     XA-M\n"
            "Harbour  -\n");
  EXPECT_EQ(Table({"NAME"}).ToString(), "none\n");
}

TEST(ViewTest, ShowsTimesWithTheirZone) {
  google::protobuf::Timestamp time;
  time.set_seconds(1804620600);
  EXPECT_EQ(InWinter().Time(time), "2027-03-09 20:30 +01");
  EXPECT_EQ(InWinter().Time(time, false), "-");
}

TEST(ViewTest, ShowsSectionsInWords) {
  v1::Sections sections;
  sections.mutable_lang()->set_preferred_language("ti");
  sections.mutable_lang()->add_not_said(2);
  sections.add_depn()->set_age_years(4);
  sections.add_depn()->set_age_years(9);
  v1::Offer& offer = *sections.mutable_prog()->mutable_offer();
  offer.mutable_start()->set_seconds(1804620600);
  offer.set_quantity(1);
  const std::string text = InWinter().Sections(sections);
  EXPECT_THAT(text, HasSubstr("start 2027-03-09 20:30 +01, quantity 1\n"));
  EXPECT_THAT(text, HasSubstr("LANG.preferred_language  ti\n"));
  EXPECT_THAT(text, HasSubstr("LANG.other_languages     preferred not to say\n"));
  EXPECT_THAT(text, HasSubstr("DEPN.age_years (2)       9\n"));
}

const Sort kUnit = {"unit", "waymark directory"};

TEST(ViewTest, ShowsIdsByTheirNames) {
  v1::Sections sections;
  sections.mutable_need()->set_service_id(std::string(16, 'L'));
  EXPECT_THAT(InWinter().Sections(sections), HasSubstr("4c4c4c4c"));
  View named = InWinter();
  named.name_of = [](const std::string& id) { return id.front() == 'L' ? "lin-206" : ""; };
  EXPECT_THAT(named.Sections(sections), HasSubstr("NEED.service_id  lin-206"));
  EXPECT_EQ(named.Id(std::string(16, 'z')), "7a7a7a7a");
}

TEST(ViewTest, CountsInWords) {
  EXPECT_EQ(Counted(0, "service"), "0 services");
  EXPECT_EQ(Counted(1, "service"), "1 service");
  EXPECT_EQ(Counted(2, "service"), "2 services");
}

TEST(ChooseTest, TakesANameOrDigitsThatOneIdBeginsWith) {
  const std::vector<Named> choices = {
      {std::string("\xab\xcd\x01", 3) + std::string(13, 'x'), "one"},
      {std::string("\xab\xcd\x02", 3) + std::string(13, 'x'), "two"},
      {std::string(16, 'z'), "abcd"}};
  EXPECT_EQ(*Choose(kUnit, "two", choices), choices[1].id);
  EXPECT_EQ(*Choose(kUnit, "ABCD01", choices), choices[0].id);
  // An exact name holds over digits.
  EXPECT_EQ(*Choose(kUnit, "abcd", choices), choices[2].id);
  EXPECT_EQ(ReasonOf(Choose(kUnit, "abc", choices).status()), v1::REASON_NOT_FOUND);
  const absl::Status nothing = Choose(kUnit, "", choices).status();
  EXPECT_EQ(ReasonOf(nothing), v1::REASON_NOT_FOUND);
  EXPECT_THAT(std::string(nothing.message()), HasSubstr("'waymark directory' lists them"));
}

TEST(ChooseTest, ListsWhatMayBeMeant) {
  const std::vector<Named> choices = {
      {std::string("\xab\xcd\x01", 3) + std::string(13, 'x'), "one"},
      {std::string("\xab\xcd\x02", 3) + std::string(13, 'x'), "two"},
      {std::string(16, 'z'), "other"}};
  const absl::Status status = Choose(kUnit, "abcd", choices).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(std::string(status.message()), HasSubstr("abcd0178 one, abcd0278 two"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("other")));
}

TEST(ConfirmationTest, CarriesTheReadBackWhole) {
  const ReadBackConfirmation given{.digest = std::string(32, '\x01'),
                                   .consent_id = std::string(16, '\x02'),
                                   .valid_from_seconds = 1804620600};
  const auto read = ParseReadBack(FormatReadBack(given));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->digest, given.digest);
  EXPECT_EQ(read->consent_id, given.consent_id);
  EXPECT_EQ(read->valid_from_seconds, given.valid_from_seconds);
  EXPECT_FALSE(ParseReadBack("").ok());
  EXPECT_FALSE(ParseReadBack(std::string(96, '0')).ok());
  EXPECT_FALSE(ParseReadBack(FormatReadBack(given) + "x").ok());
  EXPECT_FALSE(ParseReadBack(std::string(96, '0') + "99999999999999999999").ok());
}

TEST(ConfirmationTest, DigestsAreDigitsOrBase64) {
  const std::string digest(32, '\x01');
  EXPECT_EQ(*ParseDigest(FormatDigest(digest)), digest);
  EXPECT_EQ(*ParseDigest("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), digest);
  EXPECT_FALSE(ParseDigest("01").ok());
}

TEST(ConfirmationTest, FindingsCarryTheFirstReason) {
  google::protobuf::RepeatedPtrField<v1::Finding> findings;
  EXPECT_TRUE(FindingsToStatus(findings).ok());
  findings.Add()->set_reason(v1::REASON_BUDGET_EXCEEDED);
  findings.Add()->set_reason(v1::REASON_CONSENT_STAGE);
  const absl::Status status = FindingsToStatus(findings);
  EXPECT_EQ(ReasonOf(status), v1::REASON_BUDGET_EXCEEDED);
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kNotAllowed);
}

TEST(ErrorJsonTest, KeepsTextAndCureApart) {
  const std::string error = ErrorJson(Error(v1::REASON_NOT_FOUND, "there is no case 'x'"));
  EXPECT_THAT(error, HasSubstr("\"reason\":\"NOT_FOUND\""));
  EXPECT_THAT(error, HasSubstr("\"text\":\"there is no case 'x'.\""));
  EXPECT_THAT(error, HasSubstr("\"cure\":\"Choose one that there is.\""));
  EXPECT_THAT(error, HasSubstr("\"exit_code\":3"));
  EXPECT_THAT(ErrorJson(UsageError("give --consent")), HasSubstr("\"cure\":\"\""));
}

TEST(ExitCodeTest, FollowsFromTheReason) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_FIELD_INVALID, "")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_NOT_FOUND, "")), ExitCode::kNotFound);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_CONSENT_MISSING, "")), ExitCode::kNotAllowed);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_STAFF_NOT_ALLOWED, "")), ExitCode::kNotAllowed);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_STATE_FORBIDS, "")), ExitCode::kWrongState);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_UNAVAILABLE, "")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_ID_REUSED, "")), ExitCode::kConflict);
  EXPECT_EQ(ExitCodeOf(Error(v1::REASON_INTERNAL, "")), ExitCode::kUnexpected);
}

}  // namespace
}  // namespace waymark::node
