// What keeps the hub working when there is more than it can do: quotas, fair service, turns.
#include <gmock/gmock.h>

#include <map>
#include <string>

#include "client/link/backoff.h"
#include "server/session/fair_queue.h"
#include "server/session/hello_gate.h"
#include "server/session/quotas.h"
#include "tests/server/routing/test_network.h"
#include "tests/support/seeded_random.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::Le;

constexpr absl::Time kStart = absl::UnixEpoch();

// Quotas ------------------------------------------------------------------------------------------

class QuotasTest : public ::testing::Test {
 protected:
  size_t Admit(std::string_view member, const std::vector<size_t>& bytes, absl::Time at) {
    return quotas_.Admit(Organisation(member), bytes, at);
  }

  Quotas quotas_{
      {.items_per_second = 10, .burst_items = 100, .bytes_per_second = 1000, .burst_bytes = 5000}};
};

TEST_F(QuotasTest, ABurstThenTheRate) {
  EXPECT_EQ(Admit("qso", std::vector<size_t>(90, 1), kStart), 90u);
  EXPECT_EQ(Admit("qso", std::vector<size_t>(64, 1), kStart), 10u) << "the first of the frame";
  EXPECT_EQ(Admit("qso", std::vector<size_t>(64, 1), kStart + absl::Seconds(3)), 30u);
  EXPECT_EQ(Admit("qso", std::vector<size_t>(64, 1), kStart + absl::Minutes(1)), 64u);
}

TEST_F(QuotasTest, BytesCountToo) {
  EXPECT_EQ(Admit("qso", {3000, 2000, 1}, kStart), 2u);
  EXPECT_EQ(Admit("qso", {2001}, kStart + absl::Seconds(2)), 0u);
  EXPECT_EQ(Admit("qso", {2001}, kStart + absl::Seconds(4)), 1u);
}

TEST_F(QuotasTest, NoMemberUsesTheQuotaOfAnother) {
  EXPECT_EQ(Admit("qso", std::vector<size_t>(101, 1), kStart), 100u);
  EXPECT_EQ(Admit("lin", std::vector<size_t>(64, 1), kStart), 64u);
}

TEST_F(QuotasTest, AfterARefusalNothingOvertakes) {
  EXPECT_EQ(Admit("qso", std::vector<size_t>(101, 1), kStart), 100u);
  EXPECT_EQ(Admit("qso", {1}, kStart + absl::Milliseconds(999)), 0u) << "though there is room";
  EXPECT_EQ(Admit("qso", {1}, kStart + Quotas::kRest), 1u);
}

TEST_F(QuotasTest, AClockThatGoesBackGivesNothing) {
  EXPECT_EQ(Admit("qso", std::vector<size_t>(100, 1), kStart + absl::Seconds(10)), 100u);
  EXPECT_EQ(Admit("qso", {1}, kStart), 0u);
}

// Fair service ------------------------------------------------------------------------------------

using Queue = FairQueue<std::string>;

bool Push(Queue& queue, std::string_view member, std::string entry, QueueLoad load = {1, 1}) {
  return queue.Push(Organisation(member), load, entry);
}

std::vector<std::string> PopAll(Queue& queue) {
  std::vector<std::string> entries;
  while (!queue.empty()) entries.push_back(queue.Pop());
  return entries;
}

constexpr QueueLoad kWide = {1000, 1000};

TEST(FairQueueTest, MembersTakeTurnsAndKeepTheirOrder) {
  Queue queue({kWide, kWide, kWide});
  for (const char* entry : {"q1", "q2", "q3", "q4"}) Push(queue, "qso", entry);
  for (const char* entry : {"l1", "l2"}) Push(queue, "lin", entry);
  Push(queue, "bea", "b1");
  EXPECT_THAT(PopAll(queue), ElementsAre("q1", "l1", "b1", "q2", "l2", "q3", "q4"));
  EXPECT_EQ(queue.load().items, 0u);
  EXPECT_EQ(queue.load().bytes, 0u);
}

TEST(FairQueueTest, WhoComesLateIsServedNext) {
  Queue queue({kWide, kWide, kWide});
  for (int i = 0; i < 500; ++i) Push(queue, "qso", "q");
  Push(queue, "lin", "l");
  queue.Pop();
  EXPECT_EQ(queue.Pop(), "l");
}

TEST(FairQueueTest, OneMemberCannotFillIt) {
  Queue queue({.total = {10, 100}, .member = {4, 100}, .reserve = {0, 0}});
  int taken = 0;
  for (int i = 0; i < 20; ++i) taken += Push(queue, "qso", "q");
  EXPECT_EQ(taken, 4);
  EXPECT_TRUE(Push(queue, "lin", "l"));
}

TEST(FairQueueTest, ThoseWhoFillItDoNotKeepOthersOut) {
  Queue queue({.total = {8, 100}, .member = {4, 100}, .reserve = {2, 100}});
  for (int i = 0; i < 20; ++i) {
    Push(queue, "qso", "q");
    Push(queue, "bea", "b");
  }
  EXPECT_EQ(queue.load().items, 8u);
  EXPECT_TRUE(Push(queue, "lin", "l1"));
  EXPECT_FALSE(Push(queue, "lin", "l2")) << "the reserve is for those of whom nothing waits";
  EXPECT_TRUE(Push(queue, "cpl", "c"));
  EXPECT_FALSE(Push(queue, "prs", "p")) << "all is used";
  EXPECT_EQ(queue.load().items, 10u);
}

TEST(FairQueueTest, ARefusedEntryIsLeftAndALargeOneTakenWhenNothingWaits) {
  Queue queue({.total = {2, 2}, .member = {2, 2}, .reserve = {0, 0}});
  std::string large = "large";
  EXPECT_TRUE(queue.Push(Organisation("qso"), {50, 50}, large));
  std::string next = "next";
  EXPECT_FALSE(queue.Push(Organisation("lin"), {1, 1}, next));
  EXPECT_EQ(next, "next");
}

// Whatever comes, memory stays within the bounds and nobody waits for ever.
TEST(FairQueueTest, BoundsHoldUnderAnyLoad) {
  constexpr QueueLoad kTotal = {500, 50000};
  constexpr QueueLoad kReserve = {100, 10000};
  SeededRandom random(20261126);
  Queue queue({.total = kTotal, .member = {200, 20000}, .reserve = kReserve});
  std::map<std::string, int> waiting;
  for (int step = 0; step < 20000; ++step) {
    // Two members of three hundred cause half of the load.
    const uint64_t who = random.Uniform(2) == 0 ? random.Uniform(2) : random.Uniform(300);
    const std::string member = std::to_string(who);
    const QueueLoad load = {1 + random.Uniform(64), 1 + random.Uniform(4000)};
    std::string entry = member;
    if (queue.Push(Organisation(member), load, entry)) ++waiting[member];
    ASSERT_TRUE(queue.load().Fits(kTotal + kReserve));
    if (!queue.empty() && random.Uniform(3) == 0) --waiting[queue.Pop()];
  }
  std::map<std::string, int> left;
  for (const std::string& member : PopAll(queue)) ++left[member];
  std::erase_if(waiting, [](const auto& entry) { return entry.second == 0; });
  EXPECT_EQ(left, waiting);
}

// The return of all nodes -------------------------------------------------------------------------

// Two thousand nodes come back within a second and do as they are told.
TEST(HelloGateTest, TwoThousandNodesReturnAtTheRate) {
  constexpr int kNodes = 2000;
  constexpr int kRate = 200;
  constexpr int kBurst = 400;
  SeededRandom random(20261126);
  HelloGate gate({.sessions_per_second = kRate, .burst_sessions = kBurst}, &random);
  node::Backoff backoff(absl::Milliseconds(500), absl::Minutes(2), random);

  std::multimap<absl::Time, int> arrivals;
  for (int i = 0; i < kNodes; ++i) {
    arrivals.emplace(kStart + absl::Milliseconds(random.Uniform(1000)), i);
  }
  std::map<int, int> refusals;
  std::map<int64_t, int> admitted;
  absl::Time last;
  while (!arrivals.empty()) {
    const auto [at, number] = *arrivals.begin();
    arrivals.erase(arrivals.begin());
    if (const auto wait = gate.Admit(at)) {
      EXPECT_THAT(*wait, Gt(absl::ZeroDuration()));
      ++refusals[number];
      arrivals.emplace(at + backoff.After(*wait), number);
    } else {
      ++admitted[absl::ToUnixSeconds(at)];
      last = at;
    }
  }
  int all = 0;
  for (const auto& [second, count] : admitted) {
    all += count;
    EXPECT_LE(count, second == 0 ? kBurst + kRate : 2 * kRate) << "in second " << second;
  }
  EXPECT_EQ(all, kNodes);
  EXPECT_LE(last - kStart, absl::Seconds(20));
  for (const auto& [number, count] : refusals) EXPECT_THAT(count, Le(2)) << "node " << number;
}

TEST(HelloGateTest, WhoIsSentAwayGetsATurnOfItsOwn) {
  SeededRandom random(1);
  HelloGate gate({.sessions_per_second = 1, .burst_sessions = 1}, &random);
  EXPECT_EQ(gate.Admit(kStart), std::nullopt);
  for (int turn = 1; turn <= 5; ++turn) {
    const auto wait = gate.Admit(kStart);
    ASSERT_TRUE(wait.has_value());
    EXPECT_GE(*wait, absl::Seconds(turn) + HelloGate::kSpread);
    EXPECT_LE(*wait, absl::Seconds(turn) + 2 * HelloGate::kSpread);
  }
  EXPECT_EQ(gate.Admit(kStart + absl::Seconds(6)), std::nullopt);
}

}  // namespace
}  // namespace waymark::hub
