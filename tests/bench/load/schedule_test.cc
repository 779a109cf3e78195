#include "tests/bench/load/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waymark::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ScheduleTest, ReferralsTakeTurnsUntilEachIsDone) {
  const std::vector<size_t> steps = {2, 3, 1, 2};
  EXPECT_THAT(TakeTurns(steps, 3), ElementsAre(Slot{0, 0}, Slot{1, 0}, Slot{2, 0}, Slot{0, 1},
                                               Slot{1, 1}, Slot{1, 2}, Slot{3, 0}, Slot{3, 1}));
}

TEST(ScheduleTest, OneAtATimeIsOneAfterTheOther) {
  const std::vector<size_t> steps = {2, 1};
  EXPECT_THAT(TakeTurns(steps, 1), ElementsAre(Slot{0, 0}, Slot{0, 1}, Slot{1, 0}));
}

TEST(ScheduleTest, NothingHasNoOrder) { EXPECT_THAT(TakeTurns({}, 5), IsEmpty()); }

TEST(ScheduleTest, StartsAreEvenAndDoNotDrift) {
  EXPECT_EQ(StartOf(0, 3), 0);
  EXPECT_EQ(StartOf(1, 3), 333'333'333);
  EXPECT_EQ(StartOf(3, 3), 1'000'000'000);
  EXPECT_EQ(StartOf(30'000'000, 10'000), 3'000'000'000'000);
}

}  // namespace
}  // namespace waymark::bench
