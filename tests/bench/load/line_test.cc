#include "tests/bench/load/line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waymark::bench {
namespace {

using ::testing::DoubleNear;

constexpr double kExact = 1e-9;

TEST(LineTest, GoesThroughPointsThatLieOnOne) {
  const auto line = FitLine(Points{{1, 5}, {2, 7}, {4, 11}});
  ASSERT_TRUE(line.has_value());
  EXPECT_THAT(line->at_zero, DoubleNear(3, kExact));
  EXPECT_THAT(line->rise, DoubleNear(2, kExact));
  EXPECT_THAT(line->rise_error, DoubleNear(0, kExact));
  EXPECT_THAT(line->At(10), DoubleNear(23, kExact));
}

TEST(LineTest, IsNearestToScatteredPointsAndKnowsHowNear) {
  const auto line = FitLine(Points{{0, 1}, {1, 3}, {2, 1}, {3, 3}});
  ASSERT_TRUE(line.has_value());
  EXPECT_THAT(line->rise, DoubleNear(0.4, kExact));
  EXPECT_THAT(line->at_zero, DoubleNear(1.4, kExact));
  // The squares of what is missed are 3.2 together, over two degrees of freedom and a spread of 5.
  EXPECT_THAT(line->rise_error * line->rise_error, DoubleNear(0.32, kExact));
}

TEST(LineTest, NeedsTwoPlaces) {
  EXPECT_FALSE(FitLine(Points{}).has_value());
  EXPECT_FALSE(FitLine(Points{{1, 2}}).has_value());
  EXPECT_FALSE(FitLine(Points{{1, 2}, {1, 3}}).has_value());
  const auto line = FitLine(Points{{1, 2}, {2, 3}});
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->rise_error, 0);
}

}  // namespace
}  // namespace waymark::bench
