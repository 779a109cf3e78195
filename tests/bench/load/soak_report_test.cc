#include "tests/bench/load/soak_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace waymark::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// An hour in steps of ten minutes: memory grows by 1 MiB in each, and in the first by 100.
SoakResult ASoak() {
  SoakResult result;
  result.plan = {.lasts = absl::Hours(1), .rate = 4000, .maximum = 8000, .leaves = 30, .seed = 7};
  result.warmup = absl::Minutes(10);
  for (int i = 1; i <= 6; ++i) {
    SoakResult::Sample sample;
    sample.minutes = 10 * i;
    sample.seconds = 600;
    sample.messages = 2'400'000;
    sample.hub_cpu_seconds = 120;
    sample.confirm_p50 = 1.5;
    sample.confirm_p99 = 4;
    sample.confirm_count = 1000;
    sample.resident_bytes = static_cast<uint64_t>(100 + i) << 20;
    sample.descriptors = 40;
    sample.referrals = static_cast<uint64_t>(i) * 1000;
    result.samples.push_back(sample);
  }
  result.samples.front().resident_bytes = 1 << 20;
  result.started = result.confirmed = result.delivered = 14'400'000;
  return result;
}

TEST(SoakReportTest, SlopesBeginAfterTheWarmUp) {
  const std::string text = SoakReport(ASoak());
  EXPECT_THAT(text, HasSubstr("4000 messages a second for 60 minutes, 30 nodes leave in a minute"));
  EXPECT_THAT(text, HasSubstr("after the first 10 minutes"));
  EXPECT_THAT(text, HasSubstr("memory       from 102 to 106 MiB: +6 an hour"));
  EXPECT_THAT(text, HasSubstr("memory       +1 MiB for 1000 referrals"));
  EXPECT_THAT(text, HasSubstr("open files   from 40 to 40 : +0 an hour"));
  EXPECT_THAT(text, HasSubstr("confirm p99  from 4 to 4 ms: +0 an hour"));
  EXPECT_THAT(text, HasSubstr("   60.0     4000 |   1.500   4.000"));
  EXPECT_THAT(text, Not(HasSubstr("FAILED")));
}

TEST(SoakReportTest, WhatWentWrongIsSaid) {
  SoakResult result = ASoak();
  result.failures["delivered again"] = 2;
  EXPECT_THAT(SoakReport(result), HasSubstr("FAILED: delivered again (2)"));
}

TEST(SoakReportTest, ASoakOfAMomentIsReportedToo) {
  EXPECT_THAT(SoakReport(SoakResult()), HasSubstr("0 messages started"));
  EXPECT_THAT(SoakPanels(SoakResult()), SizeIs(4));
}

TEST(SoakReportTest, JsonHasEverySampleAndTheLines) {
  google::protobuf::Struct read;
  const std::string json = SoakJson(ASoak());
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok()) << json;
  const auto& fields = read.fields();
  EXPECT_EQ(fields.at("samples").list_value().values_size(), 6);
  EXPECT_EQ(fields.at("maximum").number_value(), 8000);
  const auto rise = [&](const char* key) {
    return fields.at(key).struct_value().fields().at("rise").number_value();
  };
  EXPECT_NEAR(rise("hub_resident_mib_by_hour"), 6, 1e-6);
  EXPECT_NEAR(rise("hub_resident_mib_by_1000_referrals"), 1, 1e-6);
  EXPECT_NEAR(rise("hub_descriptors_by_hour"), 0, 1e-6);
}

TEST(SoakReportTest, ThePlotHasEverySampleAndTheLinesAfterTheWarmUp) {
  const std::vector<Panel> panels = SoakPanels(ASoak());
  ASSERT_THAT(panels, SizeIs(4));
  const Curve& memory = panels[0].curves[0];
  EXPECT_THAT(memory.dots, SizeIs(6));
  ASSERT_THAT(memory.line, SizeIs(2));
  EXPECT_EQ(memory.line[0].first, 20);
  EXPECT_EQ(memory.name, "memory: +6 MiB an hour");
  EXPECT_THAT(panels[2].curves, SizeIs(2));
}

TEST(SoakReportTest, ASampleInWhichNothingWasMeasuredIsNoPoint) {
  SoakResult result = ASoak();
  for (SoakResult::Sample& sample : result.samples) sample.confirm_count = 0;
  EXPECT_THAT(SoakPanels(result)[2].curves[0].dots, IsEmpty());
}

}  // namespace
}  // namespace waymark::bench
