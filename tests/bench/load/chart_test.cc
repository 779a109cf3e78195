#include "tests/bench/load/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waymark::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ChartTest, AScaleHasRoundNumbersAndHoldsItsEnds) {
  const Scale scale = RoundScale(0, 2.9, " M");
  EXPECT_EQ(scale.low, 0);
  EXPECT_EQ(scale.high, 3);
  EXPECT_THAT(scale.ticks,
              ElementsAre(Pair(0, "0 M"), Pair(1, "1 M"), Pair(2, "2 M"), Pair(3, "3 M")));
  const Scale narrow = RoundScale(341, 349, "");
  EXPECT_EQ(narrow.low, 340);
  EXPECT_EQ(narrow.high, 350);
}

TEST(ChartTest, AScaleOfOneValueIsOneNevertheless) {
  const Scale scale = RoundScale(5, 5, "");
  EXPECT_LE(scale.low, 5);
  EXPECT_GT(scale.high, 5);
}

TEST(ChartTest, DotsLinesAndNamesAreDrawnInTheirPanels) {
  const Curve both = {.name = "a < b", .dots = {{0, 1}, {1, 2}}, .line = {{0, 1}, {1, 2}}};
  const Curve dots = {.name = "dots", .dots = {{0.5, 1}}, .line = {}};
  const std::vector<Panel> panels = {PanelOf("First", RoundScale(0, 1, ""), " s", {both, dots}),
                                     PanelOf("Second", RoundScale(0, 1, ""), "", {both})};
  const std::string svg = DrawPanels(panels);
  EXPECT_THAT(svg, StartsWith("<svg "));
  EXPECT_EQ(CountOf(svg, "<circle "), 5);
  EXPECT_EQ(CountOf(svg, "<polyline "), 2);
  EXPECT_EQ(CountOf(svg, "<g "), 2);
  EXPECT_EQ(CountOf(svg, "</g>"), 2);
  EXPECT_THAT(svg, HasSubstr("a &lt; b</text>"));
  EXPECT_THAT(svg, HasSubstr(">Second</text>"));
  EXPECT_THAT(svg, HasSubstr(">1 s</text>"));
}

TEST(ChartTest, WhatLiesBeyondAScaleIsDrawnAtItsEnd) {
  const Curve curve = {.name = "", .dots = {{-1000, 1}}, .line = {}};
  const std::vector<Panel> panels = {PanelOf("", RoundScale(0, 1, ""), "", {curve})};
  EXPECT_THAT(DrawPanels(panels), Not(HasSubstr("cx='-")));
}

TEST(ChartTest, ALineIsDrawnFromTheFirstToTheLastPoint) {
  const Line line = {.at_zero = 1, .rise = 2, .rise_error = 0};
  EXPECT_THAT(EndsOf(line, {{3, 0}, {1, 9}, {2, 4}}), ElementsAre(Pair(1, 3), Pair(3, 7)));
}

}  // namespace
}  // namespace waymark::bench
