#include "tests/bench/load/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/bench/load/bench_network.h"

namespace waymark::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LoadResult AResult() {
  LoadResult result;
  result.name = "64 in flight";
  result.seconds = 2;
  result.messages = 4000;
  result.hub_cpu_seconds = 0.2;
  result.hub_context_switches = 8000;
  result.hub_commits = 100;
  for (int i = 0; i < 100; ++i) result.confirmed.Record(2'000'000);
  result.failures["refused: TOKEN_UNKNOWN"] = 3;
  return result;
}

TEST(ReportTest, JsonIsReadByPrograms) {
  Results results;
  results.idle = IdleResult{.nodes = 7};
  results.storm = StormResult{.nodes = 8, .failed = 3};
  results.backlog =
      BacklogResult{.filling = {{.messages = 20'000, .seconds = 2, .hub_cpu_seconds = 1}}};
  results.soak = SoakResult();
  results.loops = {AResult(), AResult()};
  const std::string json = JsonReport(Options(), results);
  google::protobuf::Struct read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok()) << json;
  EXPECT_EQ(read.fields().at("idle").struct_value().fields().at("nodes").number_value(), 7);
  EXPECT_EQ(
      read.fields().at("backlog").struct_value().fields().at("filling").list_value().values_size(),
      1);
  EXPECT_EQ(read.fields().at("storm").struct_value().fields().at("failed").number_value(), 3);
  EXPECT_EQ(read.fields().at("soak").struct_value().fields().at("started").number_value(), 0);
  const auto& loops = read.fields().at("loops").list_value();
  ASSERT_EQ(loops.values_size(), 2);
  const auto& loop = loops.values(0).struct_value().fields();
  EXPECT_EQ(loop.at("name").string_value(), "64 in flight");
  EXPECT_DOUBLE_EQ(loop.at("messages_per_second").number_value(), 2000);
  EXPECT_DOUBLE_EQ(loop.at("hub_cpu_seconds_per_1000").number_value(), 0.05);
  EXPECT_DOUBLE_EQ(loop.at("hub_context_switches_per_message").number_value(), 2);
  EXPECT_NEAR(loop.at("confirmed_ms").struct_value().fields().at("p50").number_value(), 2, 0.02);
  EXPECT_EQ(loop.at("failures").struct_value().fields().at("refused: TOKEN_UNKNOWN").number_value(),
            3);
}

TEST(ReportTest, TextHasALineForEachLoopAndSaysWhatWentWrong) {
  const std::string text = TextReport(Options(), std::vector{AResult()});
  EXPECT_THAT(text, HasSubstr("64 in flight            2000 |"));
  EXPECT_THAT(text, HasSubstr("wrong: refused: TOKEN_UNKNOWN (3 times)"));
}

TEST(ReportTest, AStormIsALine) {
  const StormResult result = {.nodes = 2000,
                              .serving = absl::Seconds(1),
                              .half = absl::Seconds(3),
                              .all = absl::Seconds(9),
                              .failed = 12,
                              .turned_away = 34};
  EXPECT_THAT(StormReport(result),
              HasSubstr("a storm of 2000 nodes: the hub serves again 1.00 s after its end, half of "
                        "them are welcomed after 3.00 s, all after 9.00 s; 12 attempts failed, 34 "
                        "were put off by the hub"));
}

TEST(ReportTest, NothingMayGoWrongInAnyPart) {
  EXPECT_TRUE(AllWell(Results()));
  Results results;
  results.loops = {AResult()};
  EXPECT_FALSE(AllWell(results));
  results.loops.clear();
  results.backlog = BacklogResult();
  EXPECT_TRUE(AllWell(results));
  results.backlog->failures["delivered again"] = 1;
  EXPECT_FALSE(AllWell(results));
  results.backlog.reset();
  results.soak = SoakResult();
  EXPECT_TRUE(AllWell(results));
  results.soak->failures["delivered again"] = 1;
  EXPECT_FALSE(AllWell(results));
}

TEST(ReportTest, ThePlotHasWhatWasMeasured) {
  Results results;
  EXPECT_THAT(Plot(results), Not(HasSubstr("<g ")));
  results.loops = {AResult()};
  EXPECT_THAT(Plot(results), HasSubstr("64 in flight</text>"));
  results.backlog = BacklogResult();
  EXPECT_THAT(Plot(results), HasSubstr("by how many wait</text>"));
  results.soak = SoakResult();
  EXPECT_THAT(Plot(results), HasSubstr("open files and connections</text>"));
}

TEST(MetricInTest, FindsANameAsAWhole) {
  const std::string text = "# HELP a b\na_total 3\na 4.5\nb{x=\"y\"} 6\n";
  EXPECT_EQ(MetricIn(text, "a").value_or(0), 4.5);
  EXPECT_EQ(MetricIn(text, "a_total").value_or(0), 3);
  EXPECT_FALSE(MetricIn(text, "b").ok());
  EXPECT_FALSE(MetricIn(text, "c").ok());
}

}  // namespace
}  // namespace waymark::bench
