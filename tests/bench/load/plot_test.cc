#include "tests/bench/load/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace waymark::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Histogram Of(std::initializer_list<uint64_t> values) {
  Histogram histogram;
  for (const uint64_t value : values) histogram.Record(value);
  return histogram;
}

TEST(PlotTest, EachSeriesHasALineAndItsName) {
  const Histogram fast = Of({500'000, 900'000});
  const Histogram slow = Of({30'000'000, 90'000'000});
  const std::vector<Series> series = {{"64 in flight", &fast}, {"a < b", &slow}};
  const std::string svg = PlotLatencies("Latency & more", series);
  EXPECT_THAT(svg, StartsWith("<svg "));
  EXPECT_THAT(svg, HasSubstr("64 in flight</text>"));
  EXPECT_THAT(svg, HasSubstr("a &lt; b</text>"));
  EXPECT_THAT(svg, HasSubstr("Latency &amp; more"));
  // From the decade of the least to that of the greatest.
  for (const char* label : {">0.1 ms<", ">1 ms<", ">10 ms<", ">100 ms<"}) {
    EXPECT_THAT(svg, HasSubstr(label));
  }
  EXPECT_THAT(svg, Not(HasSubstr(">0.01 ms<")));
  size_t lines = 0;
  for (size_t at = svg.find("<polyline"); at != std::string::npos;
       at = svg.find("<polyline", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 2);
}

TEST(PlotTest, ASeriesWithoutAValueHasNoLine) {
  const Histogram nothing;
  const std::vector<Series> series = {{"nothing", &nothing}};
  const std::string svg = PlotLatencies("Empty", series);
  EXPECT_THAT(svg, HasSubstr("nothing</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("<polyline")));
}

}  // namespace
}  // namespace waymark::bench
