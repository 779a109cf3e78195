#include "tests/bench/load/backlog_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace waymark::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

BacklogResult ABacklog() {
  BacklogResult result;
  result.filling = {{.messages = 1'000'000, .seconds = 100, .hub_cpu_seconds = 50},
                    {.messages = 1'000'000, .seconds = 100, .hub_cpu_seconds = 60}};
  result.draining = {{.messages = 2'000'000, .seconds = 50, .hub_cpu_seconds = 20}};
  result.opening = absl::Milliseconds(12);
  result.drained = uint64_t{64} << 20;
  result.failures = {{"delivered again", 3}};
  return result;
}

TEST(BacklogReportTest, HasCostBothWaysAndWhatWentWrong) {
  const std::string text = BacklogReport(ABacklog());
  EXPECT_THAT(text, HasSubstr("  1000000      10000   0.0500"));
  EXPECT_THAT(text, HasSubstr("0.0450 s, and +0.0100 s (+22.2 %, standard error 0.0000 s) for "
                              "each million"));
  EXPECT_THAT(text,
              HasSubstr("from 500000 to 1500000 waiting the line goes from 0.0500 to 0.0600"));
  EXPECT_THAT(text, HasSubstr("opened in 0.012 s"));
  EXPECT_THAT(text, HasSubstr("        0      40000   0.0100"));
  EXPECT_THAT(text, HasSubstr("64.0 with none"));
  EXPECT_THAT(text, HasSubstr("FAILED: delivered again (3)"));
}

TEST(BacklogReportTest, JsonHasEveryPartAndTheLines) {
  google::protobuf::Struct read;
  const std::string json = BacklogJson(ABacklog());
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok()) << json;
  const auto& fields = read.fields();
  ASSERT_EQ(fields.at("filling").list_value().values_size(), 2);
  const auto& part = fields.at("filling").list_value().values(1).struct_value().fields();
  EXPECT_EQ(part.at("hub_cpu_seconds").number_value(), 60);
  const auto& line = fields.at("cpu_seconds_per_1000_by_million").struct_value().fields();
  EXPECT_DOUBLE_EQ(line.at("rise").number_value(), 0.01);
  EXPECT_EQ(fields.at("failures").struct_value().fields().at("delivered again").number_value(), 3);
}

TEST(BacklogReportTest, ThePlotHasADotForEachPartAndTheSlope) {
  const std::vector<Panel> panels = BacklogPanels(ABacklog());
  ASSERT_THAT(panels, SizeIs(2));
  ASSERT_THAT(panels[0].curves, SizeIs(1));
  const Curve& cost = panels[0].curves[0];
  EXPECT_THAT(cost.dots, SizeIs(2));
  EXPECT_EQ(cost.dots[0].first, 0.5);
  EXPECT_THAT(cost.line, SizeIs(2));
  EXPECT_EQ(cost.name, "0.0450 s, and +0.0100 s for each million");
  EXPECT_EQ(panels[1].curves[0].name, "10000, and +0 for each million");
}

TEST(BacklogReportTest, OnePartHasNoLine) {
  BacklogResult result;
  result.filling = {{.messages = 700, .seconds = 1, .hub_cpu_seconds = 1}};
  const std::vector<Panel> panels = BacklogPanels(result);
  ASSERT_THAT(panels, SizeIs(2));
  EXPECT_THAT(panels[0].curves[0].dots, SizeIs(1));
  EXPECT_THAT(panels[0].curves[0].line, IsEmpty());
}

}  // namespace
}  // namespace waymark::bench
