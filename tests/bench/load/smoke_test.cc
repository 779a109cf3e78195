// The load generator against a real hub, for a moment: everything comes through exactly once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rpc/credentials.h"
#include "tests/bench/load/backlog.h"
#include "tests/bench/load/bench.h"
#include "tests/bench/load/soak.h"
#include "tests/support/poll.h"

namespace waymark::bench {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kMeasured = absl::Seconds(2);

class BenchSmokeTest : public ::testing::Test {
 protected:
  BenchSmokeTest() {
    options_.hub = WAYMARK_HUB;
    options_.members = 3;
    options_.units = 9;
    options_.messages = 5600;
  }

  static void SetUpTestSuite() { RequireTls13(); }

  void SetUp() override {
    auto network = BenchNetwork::Create(options_);
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
  }

  // A hub that a sanitizer found fault with does not end in order.
  void TearDown() override {
    if (network_ == nullptr) return;
    const absl::Status stopped = network_->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
  }

  // Runs one loop of two seconds and checks that nothing was lost, repeated or refused.
  LoadResult Run(const LoadPlan& plan) {
    const auto result = RunLoop(*network_, options_, plan);
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return {};
    EXPECT_GT(result->started, 0);
    EXPECT_EQ(result->total_confirmed, result->started);
    EXPECT_EQ(result->total_delivered, result->started);
    EXPECT_EQ(result->duplicates, 0);
    EXPECT_GT(result->registered, 0);
    EXPECT_THAT(result->failures, IsEmpty());
    EXPECT_GT(result->hub_after.resident_bytes, 0);
    EXPECT_TRUE(Eventually([&] { return network_->CountWaiting().value_or(1) == 0; }))
        << "not everything was acknowledged";
    return *result;
  }
  LoadResult RunClosed() {
    return Run({.in_flight = 16, .rate = 0, .warmup = absl::ZeroDuration(), .measured = kMeasured});
  }

  void RunABacklog() {
    constexpr size_t kBacklog = 700;
    const auto result = RunBacklog(*network_, kBacklog);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->failures, IsEmpty());
    const auto sum = [](const std::vector<BacklogResult::Part>& parts) {
      uint64_t messages = 0;
      for (const BacklogResult::Part& part : parts) messages += part.messages;
      return messages;
    };
    EXPECT_THAT(result->filling, SizeIs(10));
    EXPECT_EQ(sum(result->filling), kBacklog);
    EXPECT_EQ(sum(result->draining), kBacklog);
    EXPECT_GT(result->filled, 0);
  }

  void RunASoak() {
    const auto result = RunSoak(
        *network_,
        {.lasts = absl::Seconds(4), .rate = 100, .maximum = 0, .leaves = 120, .seed = 20261127});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->failures, IsEmpty());
    EXPECT_GT(result->started, 0);
    EXPECT_EQ(result->confirmed, result->started);
    EXPECT_EQ(result->delivered, result->started);
    EXPECT_GT(result->left_in_order + result->left_abruptly, 0);
    ASSERT_THAT(result->samples, Not(IsEmpty()));
    EXPECT_GT(result->samples.back().descriptors, 0);
    EXPECT_GT(result->samples.back().resident_bytes, 0);
  }

  Options options_;
  std::unique_ptr<BenchNetwork> network_;
};

TEST_F(BenchSmokeTest, IdleNodesAreConnectedAndLeave) {
  const auto result = RunIdle(*network_, absl::Milliseconds(50));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->nodes, 3);
  EXPECT_GT(result->before, 0);
  EXPECT_GT(result->after, 0);
}

TEST_F(BenchSmokeTest, ABacklogIsStoredAndComesThroughOnce) { RunABacklog(); }

TEST_F(BenchSmokeTest, EverythingComesThroughOnceInBothLoops) {
  const LoadResult closed = RunClosed();
  EXPECT_GT(closed.messages, 0);
  EXPECT_GT(closed.confirmed.count(), 0);
  EXPECT_GT(closed.hub_cpu_seconds, 0);
  EXPECT_EQ(closed.database_cpu_seconds, 0);
  const LoadResult open =
      Run({.in_flight = 0, .rate = 200, .warmup = absl::ZeroDuration(), .measured = kMeasured});
  EXPECT_GT(open.confirmed.count(), 0);
}

TEST_F(BenchSmokeTest, NodesComeAndGoAndEverythingComesThroughOnce) { RunASoak(); }

TEST_F(BenchSmokeTest, TheVariedMixIsTakenAsAWhole) {
  options_.mix = Mix::kVaried;
  RunClosed();
}

class StormSmokeTest : public BenchSmokeTest {
 protected:
  StormSmokeTest() { options_.storm = true; }
};

TEST_F(StormSmokeTest, EveryNodeComesBack) {
  const auto result = RunStorm(*network_);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->nodes, 3);
  EXPECT_GT(result->serving, absl::ZeroDuration());
  EXPECT_GE(result->all, result->half);
}

// Two processes of the hub on one database, each with two of the members.
class TwoHubsSmokeTest : public BenchSmokeTest {
 protected:
  TwoHubsSmokeTest() {
    options_.store = Store::kPostgresql;
    options_.hubs = 2;
    options_.members = 4;
  }
};

TEST_F(TwoHubsSmokeTest, EverythingComesThroughOnce) {
  EXPECT_THAT(network_->servers().hubs, SizeIs(2));
  const LoadResult result = RunClosed();
  EXPECT_GT(result.messages, 0);
  EXPECT_GT(result.database_cpu_seconds, 0);
  EXPECT_GT(result.hub_cpu_seconds, result.database_cpu_seconds);
  RunABacklog();
  RunASoak();
}

}  // namespace
}  // namespace waymark::bench
