#include "tests/bench/load/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace waymark::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Histogram Of(std::initializer_list<uint64_t> values) {
  Histogram histogram;
  for (const uint64_t value : values) histogram.Record(value);
  return histogram;
}

TEST(PlotTest, EachSeriesHasALineAndItsName) {
  const Histogram fast = Of({500'000, 900'000});
  const Histogram slow = Of({30'000'000, 90'000'000});
  const std::vector<Series> series = {{"64 in flight", &fast}, {"a < b", &slow}};
  const Panel panel = LatencyPanel("Latency & more", series);
  ASSERT_THAT(panel.curves, SizeIs(2));
  EXPECT_THAT(panel.curves[1].line, Not(IsEmpty()));
  const std::string svg = DrawPanels(std::vector{panel});
  EXPECT_THAT(svg, HasSubstr("64 in flight</text>"));
  EXPECT_THAT(svg, HasSubstr("a &lt; b</text>"));
  EXPECT_THAT(svg, HasSubstr("Latency &amp; more"));
  // From the decade of the least to that of the greatest.
  for (const char* label : {">0.1 ms<", ">1 ms<", ">10 ms<", ">100 ms<", ">99.9 %<"}) {
    EXPECT_THAT(svg, HasSubstr(label));
  }
  EXPECT_THAT(svg, Not(HasSubstr(">0.01 ms<")));
}

TEST(PlotTest, ASeriesWithoutAValueHasNoLine) {
  const Histogram nothing;
  const std::vector<Series> series = {{"nothing", &nothing}};
  const Panel panel = LatencyPanel("Empty", series);
  ASSERT_THAT(panel.curves, SizeIs(1));
  EXPECT_THAT(panel.curves[0].line, IsEmpty());
  EXPECT_THAT(DrawPanels(std::vector{panel}), HasSubstr("nothing</text>"));
}

}  // namespace
}  // namespace waymark::bench
