#include "base/log/log.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "waymark/v1/message.pb.h"

namespace waymark {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class LogTest : public ::testing::Test {
 protected:
  LogTest() : path_(::testing::TempDir() + "/log_test.log") { std::filesystem::remove(path_); }
  ~LogTest() override { EXPECT_TRUE(StartLog({}).ok()); }

  const std::string path_;
};

TEST(LogFormatTest, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(FormatText("started", {{"port", 7443}, {"path", "a b"}, {"on", true}}),
            "started port=7443 path=\"a b\" on=true");
}

TEST(LogFormatTest, NoValueBreaksALine) {
  EXPECT_EQ(FormatText("x", {{"v", "a\nb\"c"}}), "x v=\"a\\u000ab\\\"c\"");
  EXPECT_EQ(FormatJson("x", {{"v", "a\nb"}, {"n", 3}}), R"("event":"x","v":"a\u000ab","n":3)");
}

TEST(LogFormatTest, AnIdIsHexAndAStatusIsItsReason) {
  const auto id = OrganisationId::FromHex("000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(FormatText("x", {{"organisation", *id}}),
            "x organisation=000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(FormatText("x", {{"reason", Error(v1::REASON_UNAVAILABLE, "detail")}}),
            "x reason=UNAVAILABLE");
}

TEST(LogFormatTest, AMessageShowsItsShapeAndNothingAboutAPerson) {
  v1::Sections sections;
  sections.mutable_need()->set_quantity(3);
  sections.mutable_iden()->set_name_to_use("canary");
  sections.mutable_lang()->set_preferred_language("ti");
  sections.mutable_lang()->set_interpreter_mode(v1::INTERPRETER_MODE_PHONE);
  for (const std::string& line :
       {FormatText("x", {{"sections", sections}}), FormatJson("x", {{"sections", sections}})}) {
    EXPECT_THAT(line, HasSubstr("name_to_use: [redacted]"));
    EXPECT_THAT(line, HasSubstr("preferred_language: [redacted]"));
    EXPECT_THAT(line, HasSubstr("INTERPRETER_MODE_PHONE"));
    EXPECT_THAT(line, Not(HasSubstr("canary")));
    EXPECT_THAT(line, Not(HasSubstr("ti ")));
  }
}

TEST_F(LogTest, WritesJsonLinesToAFile) {
  ASSERT_TRUE(StartLog({LogLevel::kInfo, true, path_}).ok());
  Log(LogLevel::kInfo, "hub_started", {{"port", 1}});
  EXPECT_THAT(
      ReadAll(path_),
      MatchesRegex("\\{\"time\":\"[-0-9T:.]+Z\",\"level\":\"info\",\"event\":\"hub_started\","
                   "\"port\":1\\}\n"));
}

TEST_F(LogTest, WritesNothingBelowItsLevel) {
  ASSERT_TRUE(StartLog({LogLevel::kWarning, false, path_}).ok());
  Log(LogLevel::kInfo, "first");
  Log(LogLevel::kWarning, "second");
  EXPECT_THAT(ReadAll(path_), Not(HasSubstr("first")));
  EXPECT_THAT(ReadAll(path_), HasSubstr("second"));
}

TEST_F(LogTest, BracesInAValueStayAsTheyAre) {
  ASSERT_TRUE(StartLog({LogLevel::kInfo, false, path_}).ok());
  Log(LogLevel::kInfo, "x", {{"v", "{}%v"}});
  EXPECT_THAT(ReadAll(path_), HasSubstr("v={}%v"));
}

TEST_F(LogTest, ReopenFollowsARotation) {
  ASSERT_TRUE(StartLog({LogLevel::kInfo, false, path_}).ok());
  Log(LogLevel::kInfo, "before");
  std::filesystem::rename(path_, path_ + ".1");
  ASSERT_TRUE(ReopenLog().ok());
  Log(LogLevel::kInfo, "after");
  EXPECT_THAT(ReadAll(path_), HasSubstr("after"));
  EXPECT_THAT(ReadAll(path_), Not(HasSubstr("before")));
  std::filesystem::remove(path_ + ".1");
}

TEST_F(LogTest, FileThatCannotBeOpenedIsNamed) {
  std::ofstream(path_) << "a file, not a folder";
  const absl::Status status = StartLog({LogLevel::kInfo, false, path_ + "/x.log"});
  EXPECT_EQ(ReasonOf(status), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "/x.log"));
}

TEST(LogLevelTest, NamesOfLevels) {
  EXPECT_EQ(LogLevelFromName("debug"), LogLevel::kDebug);
  EXPECT_EQ(LogLevelFromName("error"), LogLevel::kError);
  EXPECT_EQ(LogLevelFromName("loud"), std::nullopt);
}

}  // namespace
}  // namespace waymark
