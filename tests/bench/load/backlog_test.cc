#include "tests/bench/load/backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bench/load/report.h"

namespace waymark::bench {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

TEST(BacklogTest, ALineIsFittedThroughItsPoints) {
  const std::vector<std::pair<double, double>> exact = {{1, 5}, {2, 7}, {4, 11}};
  EXPECT_THAT(FitLine(exact).at_zero, DoubleNear(3, 1e-9));
  EXPECT_THAT(FitLine(exact).rise, DoubleNear(2, 1e-9));
  const std::vector<std::pair<double, double>> scattered = {{0, 1}, {1, 3}, {2, 1}, {3, 3}};
  EXPECT_THAT(FitLine(scattered).rise, DoubleNear(0.4, 1e-9));
  EXPECT_THAT(FitLine(scattered).at_zero, DoubleNear(1.4, 1e-9));
}

TEST(BacklogTest, TheReportHasCostBothWaysAndWhatWentWrong) {
  BacklogResult result;
  result.filling = {{.messages = 1'000'000, .seconds = 100, .hub_cpu_seconds = 50},
                    {.messages = 1'000'000, .seconds = 100, .hub_cpu_seconds = 60}};
  result.draining = {{.messages = 2'000'000, .seconds = 50, .hub_cpu_seconds = 20}};
  result.opening = absl::Milliseconds(12);
  result.drained = uint64_t{64} << 20;
  result.failures = {{"delivered again", 3}};
  const std::string text = BacklogReport(result);
  EXPECT_THAT(text, HasSubstr("  1000000      10000   0.0500"));
  EXPECT_THAT(text, HasSubstr("0.0400 s, and +0.0100 s (+25.0 %) for each million"));
  EXPECT_THAT(text, HasSubstr("opened in 0.012 s"));
  EXPECT_THAT(text, HasSubstr("        0      40000   0.0100"));
  EXPECT_THAT(text, HasSubstr("64.0 with none"));
  EXPECT_THAT(text, HasSubstr("FAILED: delivered again (3)"));
}

}  // namespace
}  // namespace waymark::bench
