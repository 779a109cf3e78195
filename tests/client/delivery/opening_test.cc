#include "client/delivery/opening.h"

#include <algorithm>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OpeningTest : public ::testing::Test {
 protected:
  OpeningTest() {
    system_.ready = [this] {
      ++asked_;
      return said_;
    };
  }

  TempFolder records_;
  FakeSystem system_{records_.path(), true};
  absl::Status said_ = Error(v1::REASON_LOCAL_SYSTEM_REFUSED, "no such table: referals");
  int asked_ = 0;
  Office office_;
  const LocalTarget target_ = {.name = "register", .connector = &system_};
  std::vector<std::string> alerts_;
  Opening opening_{office_.context, target_,
                   [this](v1::Reason, const std::string& text) { alerts_.push_back(text); }};
};

TEST_F(OpeningTest, ARefusalIsAskedAboutAgainWithPausesThatGrow) {
  EXPECT_EQ(opening_.next(), absl::InfinitePast());
  absl::Duration longest = absl::ZeroDuration();
  for (int i = 1; i <= 40; ++i) {
    EXPECT_FALSE(opening_.Try());
    EXPECT_FALSE(opening_.Try()) << "there is a pause";
    EXPECT_EQ(asked_, i);
    const absl::Duration pause = opening_.next() - office_.clock.Now();
    EXPECT_GT(pause, absl::ZeroDuration());
    if (i == 1) {
      EXPECT_LE(pause, target_.retry.first_pause + absl::Milliseconds(1));
    }
    longest = std::max(longest, pause);
    office_.clock.Advance(pause);
  }
  EXPECT_GT(longest, target_.retry.longest_pause / 2);
  EXPECT_LE(longest, target_.retry.longest_pause + absl::Milliseconds(1));
}

TEST_F(OpeningTest, PeopleHearOfItOnceWithTheReasonAndOnceThatItIsOver) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(opening_.Try());
    opening_.EndPause();
  }
  EXPECT_THAT(alerts_, ElementsAre(AllOf(HasSubstr("'register'"), HasSubstr("no such table"),
                                         HasSubstr("LOCAL_SYSTEM_REFUSED"))));
  said_ = absl::OkStatus();
  EXPECT_TRUE(opening_.Try());
  EXPECT_EQ(opening_.next(), absl::InfiniteFuture());
  EXPECT_TRUE(opening_.Try());
  ASSERT_THAT(alerts_, SizeIs(2));
  EXPECT_THAT(alerts_.back(), AllOf(HasSubstr("'register'"), HasSubstr("can be worked with")));
}

TEST_F(OpeningTest, ASystemOutOfReachMayBeCalledAndIsNoNews) {
  said_ = Error(v1::REASON_LOCAL_SYSTEM_UNAVAILABLE, "away");
  EXPECT_TRUE(opening_.Try());
  EXPECT_EQ(opening_.next(), absl::InfiniteFuture());
  EXPECT_THAT(alerts_, IsEmpty());
  said_ = Error(v1::REASON_LOCAL_SYSTEM_REFUSED, "it is back, and its table is another one");
  EXPECT_FALSE(opening_.Try()) << "it is asked again before it is called";
  said_ = Error(v1::REASON_LOCAL_SYSTEM_UNAVAILABLE, "away");
  opening_.EndPause();
  EXPECT_TRUE(opening_.Try());
  EXPECT_THAT(alerts_, SizeIs(1)) << "nobody has seen that it is mended";
}

}  // namespace
}  // namespace waymark::node
