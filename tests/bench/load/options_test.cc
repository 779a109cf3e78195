#include "tests/bench/load/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status/status.h"

namespace waymark::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<std::optional<Options>> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "waymark-bench");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data(), "the-hub");
}

Options Parsed(const std::vector<const char*>& arguments) {
  const auto options = Parse(arguments);
  EXPECT_TRUE(options.ok()) << options.status();
  return options.ok() && options->has_value() ? **options : Options();
}

std::string Refusal(const std::vector<const char*>& arguments) {
  const auto options = Parse(arguments);
  EXPECT_FALSE(options.ok());
  return std::string(options.status().message());
}

TEST(BenchOptionsTest, WithoutArgumentsItIsAClosedLoop) {
  const Options options = Parsed({});
  EXPECT_THAT(options.in_flight, ElementsAre(64));
  EXPECT_THAT(options.rates, IsEmpty());
  EXPECT_EQ(options.units, 1000);
  EXPECT_EQ(options.hub, "the-hub");
  EXPECT_EQ(options.mix, Mix::kReferral);
}

TEST(BenchOptionsTest, LoopsAreTakenInTheirOrder) {
  const Options options = Parsed({"--in-flight", "64", "--in-flight", "1", "--rate", "1000"});
  EXPECT_THAT(options.in_flight, ElementsAre(64, 1));
  EXPECT_THAT(options.rates, ElementsAre(1000));
}

TEST(BenchOptionsTest, OnlyARateIsAnOpenLoopAlone) {
  EXPECT_THAT(Parsed({"--rate", "5.5"}).in_flight, IsEmpty());
}

TEST(BenchOptionsTest, IdleNodesAloneAreNoLoop) {
  const Options options = Parsed({"--idle", "30"});
  EXPECT_EQ(options.idle, 30);
  EXPECT_THAT(options.in_flight, IsEmpty());
  EXPECT_THAT(Parsed({"--idle", "30", "--in-flight", "8"}).in_flight, ElementsAre(8));
  EXPECT_THAT(Refusal({"--idle", "-1"}), HasSubstr("--idle expects"));
}

TEST(BenchOptionsTest, TheMixIsNamed) {
  EXPECT_EQ(Parsed({"--mix", "varied"}).mix, Mix::kVaried);
  EXPECT_THAT(Refusal({"--mix", "other"}), HasSubstr("--mix"));
}

TEST(BenchOptionsTest, ASoakAloneIsNoLoopAndHasARateOfItsOwn) {
  const Options options = Parsed({"--soak", "30", "--rate", "5000", "--seed", "7"});
  EXPECT_EQ(options.soak, 30);
  EXPECT_EQ(options.soak_rate, 5000);
  EXPECT_EQ(options.seed, 7);
  EXPECT_THAT(options.rates, IsEmpty());
  EXPECT_THAT(options.in_flight, IsEmpty());
  EXPECT_EQ(Parsed({"--soak", "0.5"}).soak_rate, 0);
  EXPECT_EQ(Parsed({"--soak", "0.5", "--leaves", "0"}).leaves, 0);
  EXPECT_THAT(Refusal({"--soak", "1", "--rate", "5", "--rate", "6"}), HasSubstr("one --rate"));
  EXPECT_THAT(Refusal({"--soak", "-1"}), HasSubstr("--soak expects"));
  EXPECT_THAT(Refusal({"--soak", "1", "--leaves", "-1"}), HasSubstr("--leaves expects"));
}

TEST(BenchOptionsTest, AStormIsWithoutLoad) {
  const Options options = Parsed({"--storm", "--idle", "5"});
  EXPECT_TRUE(options.storm);
  EXPECT_THAT(options.in_flight, IsEmpty());
  for (const char* load : {"--in-flight", "--rate", "--backlog", "--soak"}) {
    EXPECT_THAT(Refusal({"--storm", load, "5"}), HasSubstr("--storm expects no loop")) << load;
  }
}

TEST(BenchOptionsTest, SeveralHubsNeedADatabase) {
  EXPECT_EQ(Parsed({}).store, Store::kSqlite);
  const Options options = Parsed({"--store", "postgresql", "--hubs", "2"});
  EXPECT_EQ(options.store, Store::kPostgresql);
  EXPECT_EQ(options.hubs, 2);
  EXPECT_THAT(Refusal({"--hubs", "2"}), HasSubstr("--hubs expects 1, or with --store postgresql"));
  EXPECT_THAT(Refusal({"--store", "postgresql", "--hubs", "0"}), HasSubstr("--hubs expects"));
  EXPECT_THAT(Refusal({"--store", "other"}), HasSubstr("--store"));
}

TEST(BenchOptionsTest, WhatCannotBeIsRefusedWithWhatMayBe) {
  EXPECT_THAT(Refusal({"--members", "1"}), HasSubstr("--members expects at least 2"));
  EXPECT_THAT(Refusal({"--members", "4", "--units", "300"}), HasSubstr("here 4 to 256"));
  EXPECT_THAT(Refusal({"--members", "4", "--units", "3"}), HasSubstr("here 4 to 256"));
  EXPECT_THAT(Refusal({"--in-flight", "0"}), HasSubstr("--in-flight expects 1 to"));
  EXPECT_THAT(Refusal({"--rate", "0"}), HasSubstr("--rate expects"));
  EXPECT_THAT(Refusal({"--seconds", "0"}), HasSubstr("--seconds expects"));
  EXPECT_THAT(Refusal({"--warmup", "-1"}), HasSubstr("--warmup"));
  EXPECT_THAT(Refusal({"--messages", "0"}), HasSubstr("--messages expects"));
  EXPECT_THAT(Refusal({"--in-flight", "many"}), HasSubstr("--in-flight"));
  EXPECT_THAT(Refusal({"--what"}), HasSubstr("--what"));
}

}  // namespace
}  // namespace waymark::bench
