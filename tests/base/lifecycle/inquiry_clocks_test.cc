#include "base/lifecycle/inquiry_clocks.h"

#include <gtest/gtest.h>

#include <string>

namespace waymark {
namespace {

// Minutes since the inquiry.
struct Case {
  std::string what;
  int respond_by;
  int prompt_at;
  int ends_at;
  int asked_at;
  int answered_at;
  int expected_respond_by;
  int expected_prompt_at;
};

TEST(InquiryClocksTest, TheAnswerGivesHalfOfTheRemainingTimeBack) {
  const Case cases[] = {
      {"answered late: half of the 200 and 80 minutes that were left", 240, 120, 1440, 40, 300, 400,
       340},
      {"answered at once: nothing is lost and nothing is put back", 240, 120, 1440, 40, 41, 240,
       120},
      {"answered while the answer is not yet due, the prompt is", 240, 120, 1440, 40, 130, 240,
       170},
      {"the prompt had come before the question: it stays", 240, 120, 1440, 140, 300, 350, 120},
      {"the answer was overdue before the question: it stays", 240, 120, 1440, 250, 300, 240, 120},
      {"asked at the moment it was due", 240, 120, 1440, 240, 300, 240, 120},
      {"never beyond the end", 240, 120, 480, 40, 470, 480, 480},
      {"answered in the last minute", 240, 120, 480, 0, 479, 480, 480},
      {"a due time beyond the end is not put back to it", 240, 120, 200, 40, 190, 240, 200},
      {"a question and its answer in one minute", 30, 15, 240, 10, 10, 30, 15},
  };
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  const auto at = [&](int minute) { return start + absl::Minutes(minute); };
  for (const Case& test : cases) {
    const InquiryClocks after = GiveTimeBack({.respond_by = at(test.respond_by),
                                              .prompt_at = at(test.prompt_at),
                                              .ends_at = at(test.ends_at)},
                                             at(test.asked_at), at(test.answered_at));
    EXPECT_EQ(after.respond_by, at(test.expected_respond_by)) << test.what;
    EXPECT_EQ(after.prompt_at, at(test.expected_prompt_at)) << test.what;
    EXPECT_EQ(after.ends_at, at(test.ends_at)) << test.what;
  }
}

}  // namespace
}  // namespace waymark
