#include "client/delivery/rules.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/delivery/pace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/seeded_random.h"

namespace waymark::node {
namespace {

using local::v1::Delivery;
using local::v1::LOCAL_STATE_DEAD;
using local::v1::LOCAL_STATE_DONE;
using local::v1::LOCAL_STATE_KEPT;
using local::v1::LOCAL_STATE_UNCERTAIN;
using local::v1::LOCAL_STATE_WAITING;
using local::v1::LOCAL_STATE_WRITING;
using local::v1::LOCAL_TASK_ERASE;
using local::v1::LOCAL_TASK_PUT;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);

AttemptResult Ended(WriteOutcome outcome, v1::Reason reason = v1::REASON_LOCAL_SYSTEM_REFUSED) {
  return {.outcome = outcome,
          .reason = outcome == WriteOutcome::kDone ? v1::REASON_UNSPECIFIED : reason};
}

Delivery Fresh() { return NewDelivery(*ReferralId::FromBytes("0123456789abcdef"), "beds"); }

Delivery Planned(bool keyed = true) {
  Delivery delivery = Fresh();
  PlanPut("one", keyed, kNow, delivery);
  return delivery;
}

Delivery Written(bool keyed) {
  SeededRandom random(1);
  Delivery delivery = Planned(keyed);
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  Conclude(attempt, Ended(WriteOutcome::kDone), {.keyed = keyed}, kNow, random, delivery);
  return delivery;
}

Delivery ToErase() {
  Delivery delivery = Written(true);
  PlanErasure(/*ground_known=*/false, kNow, delivery);
  return delivery;
}

// What happens while the connector is being called.
enum class Meanwhile { kNothing, kChange, kErasure };

// One attempt of a new delivery, or of an erasure, and what becomes of it.
struct Row {
  std::string name;
  bool erase = false;
  bool keyed = true;
  bool ground_known = false;
  Meanwhile meanwhile = Meanwhile::kNothing;
  WriteOutcome outcome = WriteOutcome::kDone;
  local::v1::LocalState state = LOCAL_STATE_DONE;
  bool may_be_there = true;
  bool due_at_once = false;
};

std::vector<Row> KeyedRows() {
  using enum WriteOutcome;
  using enum Meanwhile;
  return {{.name = "KeyedDone"},
          {.name = "KeyedNotNow", .outcome = kNotNow, .state = LOCAL_STATE_WAITING},
          {.name = "KeyedUncertain", .outcome = kUncertain, .state = LOCAL_STATE_WAITING},
          {.name = "KeyedRefused",
           .outcome = kRefused,
           .state = LOCAL_STATE_DEAD,
           .may_be_there = false},
          {.name = "KeyedUnsupported",
           .outcome = kUnsupported,
           .state = LOCAL_STATE_DEAD,
           .may_be_there = false},
          {.name = "KeyedDoneAndChanged",
           .meanwhile = kChange,
           .state = LOCAL_STATE_WAITING,
           .due_at_once = true},
          {.name = "KeyedRefusedAndChanged",
           .meanwhile = kChange,
           .outcome = kRefused,
           .state = LOCAL_STATE_WAITING,
           .may_be_there = false,
           .due_at_once = true},
          {.name = "DoneAndErased",
           .meanwhile = kErasure,
           .state = LOCAL_STATE_WAITING,
           .due_at_once = true},
          {.name = "KeyedNotNowAndErased",
           .meanwhile = kErasure,
           .outcome = kNotNow,
           .state = LOCAL_STATE_WAITING,
           .due_at_once = true},
          {.name = "RefusedAndErased",
           .meanwhile = kErasure,
           .outcome = kRefused,
           .state = LOCAL_STATE_DONE,
           .may_be_there = false}};
}

std::vector<Row> UnkeyedRows() {
  using enum WriteOutcome;
  using enum Meanwhile;
  return {{.name = "UnkeyedDone", .keyed = false},
          {.name = "UnkeyedNotNow",
           .keyed = false,
           .outcome = kNotNow,
           .state = LOCAL_STATE_WAITING,
           .may_be_there = false},
          {.name = "UnkeyedUncertain",
           .keyed = false,
           .outcome = kUncertain,
           .state = LOCAL_STATE_UNCERTAIN},
          {.name = "UnkeyedRefused",
           .keyed = false,
           .outcome = kRefused,
           .state = LOCAL_STATE_DEAD,
           .may_be_there = false},
          {.name = "UnkeyedDoneAndChanged",
           .keyed = false,
           .meanwhile = kChange,
           .state = LOCAL_STATE_DONE},
          {.name = "UnkeyedUncertainAndChanged",
           .keyed = false,
           .meanwhile = kChange,
           .outcome = kUncertain,
           .state = LOCAL_STATE_UNCERTAIN},
          {.name = "UnkeyedNotNowAndErased",
           .keyed = false,
           .meanwhile = kErasure,
           .outcome = kNotNow,
           .state = LOCAL_STATE_DONE,
           .may_be_there = false},
          {.name = "UnkeyedUncertainAndErased",
           .keyed = false,
           .meanwhile = kErasure,
           .outcome = kUncertain,
           .state = LOCAL_STATE_WAITING,
           .due_at_once = true}};
}

std::vector<Row> ErasureRows() {
  using enum WriteOutcome;
  return {{.name = "EraseDone", .erase = true, .may_be_there = false},
          {.name = "EraseNotNow", .erase = true, .outcome = kNotNow, .state = LOCAL_STATE_WAITING},
          {.name = "EraseUncertain",
           .erase = true,
           .keyed = false,
           .outcome = kUncertain,
           .state = LOCAL_STATE_WAITING},
          {.name = "EraseRefused", .erase = true, .outcome = kRefused, .state = LOCAL_STATE_DEAD},
          {.name = "EraseUnsupported",
           .erase = true,
           .outcome = kUnsupported,
           .state = LOCAL_STATE_DEAD},
          {.name = "EraseRefusedOnAGround",
           .erase = true,
           .ground_known = true,
           .outcome = kRefused,
           .state = LOCAL_STATE_KEPT},
          {.name = "EraseUnsupportedOnAGround",
           .erase = true,
           .ground_known = true,
           .outcome = kUnsupported,
           .state = LOCAL_STATE_KEPT}};
}

class ConcludeTest : public ::testing::TestWithParam<Row> {};

TEST_P(ConcludeTest, FollowsTheTable) {
  const Row& row = GetParam();
  SeededRandom random(7);
  Delivery delivery = row.erase ? ToErase() : Planned(row.keyed);
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_WRITING);
  if (row.meanwhile == Meanwhile::kChange) PlanPut("two", row.keyed, kNow, delivery);
  if (row.meanwhile == Meanwhile::kErasure) PlanErasure(false, kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_WRITING) << "nothing else may be begun beside it";
  Conclude(attempt, Ended(row.outcome), {.keyed = row.keyed, .ground_known = row.ground_known},
           kNow, random, delivery);
  EXPECT_EQ(delivery.state(), row.state);
  EXPECT_EQ(delivery.may_be_there(), row.may_be_there);
  EXPECT_EQ(IsDue(delivery, kNow), row.due_at_once);
  const bool failed = row.outcome != WriteOutcome::kDone;
  if (failed && row.meanwhile == Meanwhile::kNothing) {
    EXPECT_EQ(delivery.attempts(), 1U);
    EXPECT_EQ(delivery.reason(), v1::REASON_LOCAL_SYSTEM_REFUSED);
  }
}

std::string NameOf(const ::testing::TestParamInfo<Row>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(WithKeys, ConcludeTest, ::testing::ValuesIn(KeyedRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(WithoutKeys, ConcludeTest, ::testing::ValuesIn(UnkeyedRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Erasures, ConcludeTest, ::testing::ValuesIn(ErasureRows()), NameOf);

TEST(RecoverTest, OnlyWhatHasAKeyIsWrittenAgain) {
  for (const bool keyed : {true, false}) {
    Delivery delivery = Planned(keyed);
    Begin(kNow, delivery);
    Recover(keyed, kNow, delivery);
    EXPECT_EQ(delivery.state(), keyed ? LOCAL_STATE_WAITING : LOCAL_STATE_UNCERTAIN);
    EXPECT_TRUE(delivery.may_be_there());
  }
  Delivery erasure = Planned(false);
  Begin(kNow, erasure);
  PlanErasure(false, kNow, erasure);
  Recover(/*keyed=*/false, kNow, erasure);
  EXPECT_TRUE(IsDue(erasure, kNow)) << "an erasure settles the doubt";
}

TEST(PlanTest, WhatIsKnownIsNotPlannedAgain) {
  Delivery delivery = Written(true);
  const std::string before = delivery.SerializeAsString();
  PlanPut("one", true, kNow + absl::Hours(1), delivery);
  EXPECT_EQ(delivery.SerializeAsString(), before);
}

TEST(PlanTest, ChangesOfWhatWaitsAreOneDelivery) {
  Delivery delivery = Planned();
  PlanPut("two", true, kNow, delivery);
  PlanPut("three", true, kNow, delivery);
  EXPECT_EQ(delivery.generation(), 3);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_WAITING);
}

TEST(PlanTest, ASystemWithoutKeysGetsARecordOnce) {
  Delivery delivery = Written(false);
  PlanPut("two", false, kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_DONE);
  EXPECT_TRUE(IsOutdated(delivery));
}

TEST(PlanTest, AnErasureBeatsAWaitingPut) {
  Delivery delivery = Planned();
  PlanErasure(false, kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_DONE) << "nothing was ever written";
  EXPECT_TRUE(IsSettled(delivery));
  PlanPut("two", true, kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_DONE) << "nothing is written after an erasure";

  Delivery written = Written(true);
  PlanPut("two", true, kNow, written);
  PlanErasure(false, kNow, written);
  EXPECT_EQ(written.task(), LOCAL_TASK_ERASE);
  EXPECT_TRUE(IsDue(written, kNow));
  EXPECT_TRUE(MayRemain(written));
}

TEST(PlanTest, AChangeGivesADeadDeliveryAnotherChance) {
  SeededRandom random(1);
  Delivery delivery = Planned();
  const Attempt attempt = AttemptOf(delivery);
  Conclude(attempt, AttemptResultOf(Error(v1::REASON_MAPPING_FAILED, "mapping out.jq")),
           {.keyed = true}, kNow, random, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_DEAD);
  EXPECT_EQ(delivery.reason(), v1::REASON_MAPPING_FAILED);
  EXPECT_FALSE(delivery.may_be_there()) << "the connector was not called";
  PlanPut("two", true, kNow, delivery);
  EXPECT_TRUE(IsDue(delivery, kNow));
  EXPECT_EQ(delivery.attempts(), 0U);
}

TEST(RetryTest, PausesDoubleAtRandomAndAreBounded) {
  SeededRandom random(3);
  const RetryPolicy retry = {.first_pause = absl::Seconds(5), .longest_pause = absl::Minutes(30)};
  absl::Duration longest_second;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(PauseAfter(1, retry, random),
                AllOf(Ge(absl::Milliseconds(1)), Le(absl::Seconds(5))));
    const absl::Duration second = PauseAfter(2, retry, random);
    EXPECT_LE(second, absl::Seconds(10));
    longest_second = std::max(longest_second, second);
    EXPECT_LE(PauseAfter(4000, retry, random), absl::Minutes(30));
  }
  EXPECT_GT(longest_second, absl::Seconds(9));
}

TEST(RetryTest, TheSystemsOwnWordIsRespectedAndCapped) {
  SeededRandom random(3);
  for (const auto& [asked, waited] :
       {std::pair(int64_t{600}, absl::Minutes(10)), std::pair(int64_t{1} << 60, absl::Hours(24))}) {
    Delivery delivery = Planned();
    const Attempt attempt = AttemptOf(delivery);
    Begin(kNow, delivery);
    AttemptResult result = Ended(WriteOutcome::kNotNow);
    result.retry_after_seconds = asked;
    Conclude(attempt, result, {.keyed = true}, kNow, random, delivery);
    EXPECT_THAT(FromMillis(delivery.next_attempt_ms()) - kNow,
                AllOf(Ge(waited), Le(waited + absl::Seconds(5))));
  }
}

// Fails an attempt after each of `pauses`; returns the state after the last.
local::v1::LocalState FailOften(Delivery delivery, int times, absl::Duration apart,
                                const AttemptResult& result, const RetryPolicy& retry) {
  SeededRandom random(5);
  absl::Time now = kNow;
  for (int i = 0; i < times; ++i, now += apart) {
    const Attempt attempt = AttemptOf(delivery);
    if (result.called) Begin(now, delivery);
    Conclude(attempt, result, {.keyed = true, .retry = retry}, now, random, delivery);
    if (delivery.state() != LOCAL_STATE_WAITING) break;
  }
  return delivery.state();
}

TEST(RetryTest, AWriteIsGivenUpAfterManyAttemptsAndALongTime) {
  const RetryPolicy retry = {.attempts = 12, .give_up_after = absl::Hours(72)};
  const AttemptResult failure = Ended(WriteOutcome::kNotNow);
  EXPECT_EQ(FailOften(Planned(), 500, absl::Minutes(1), failure, retry), LOCAL_STATE_WAITING);
  EXPECT_EQ(FailOften(Planned(), 11, absl::Hours(24), failure, retry), LOCAL_STATE_WAITING);
  EXPECT_EQ(FailOften(Planned(), 12, absl::Hours(24), failure, retry), LOCAL_STATE_DEAD);
}

TEST(RetryTest, AnErasureIsNeverGivenUpForBeingOutOfReach) {
  const AttemptResult failure = Ended(WriteOutcome::kNotNow);
  EXPECT_EQ(FailOften(ToErase(), 1000, absl::Hours(24), failure, {}), LOCAL_STATE_WAITING);
}

TEST(RetryTest, AMappingThatCrashesIsRunAFewTimes) {
  const AttemptResult crash = AttemptResultOf(Error(v1::REASON_MAPPING_CRASHED, "mapping out.jq"));
  EXPECT_EQ(FailOften(Planned(), 2, absl::Minutes(1), crash, {}), LOCAL_STATE_WAITING);
  EXPECT_EQ(FailOften(Planned(), 3, absl::Minutes(1), crash, {}), LOCAL_STATE_DEAD);
  const AttemptResult missing =
      AttemptResultOf(Error(v1::REASON_MAPPING_UNAVAILABLE, "waymark-jq"));
  EXPECT_EQ(FailOften(Planned(), 50, absl::Minutes(1), missing, {}), LOCAL_STATE_WAITING);
}

Delivery Doubtful() {
  SeededRandom random(1);
  Delivery delivery = Planned(false);
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  Conclude(attempt, Ended(WriteOutcome::kUncertain), {.keyed = false}, kNow, random, delivery);
  return delivery;
}

TEST(PersonTest, OnlyAPersonSettlesADoubt) {
  Delivery there = Doubtful();
  EXPECT_EQ(ReasonOf(Replay(kNow, there)), v1::REASON_STATE_FORBIDS);
  PlanPut("two", false, kNow, there);
  EXPECT_EQ(there.state(), LOCAL_STATE_UNCERTAIN);
  EXPECT_TRUE(Resolve(Sighting::kThere, kNow, there).ok());
  EXPECT_EQ(there.state(), LOCAL_STATE_DONE);
  EXPECT_TRUE(IsOutdated(there)) << "the second version was never written";

  Delivery not_there = Doubtful();
  EXPECT_TRUE(Resolve(Sighting::kNotThere, kNow, not_there).ok());
  EXPECT_TRUE(IsDue(not_there, kNow));
  EXPECT_EQ(ReasonOf(Resolve(Sighting::kThere, kNow, not_there)), v1::REASON_STATE_FORBIDS);
}

TEST(PersonTest, WhatWasErasedByHandIsErased) {
  SeededRandom random(1);
  Delivery delivery = ToErase();
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  Conclude(attempt, Ended(WriteOutcome::kUnsupported), {.keyed = true}, kNow, random, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_DEAD);
  EXPECT_TRUE(MayRemain(delivery));
  EXPECT_EQ(ReasonOf(Resolve(Sighting::kThere, kNow, delivery)), v1::REASON_STATE_FORBIDS);
  EXPECT_TRUE(Resolve(Sighting::kNotThere, kNow, delivery).ok());
  EXPECT_FALSE(MayRemain(delivery));
  EXPECT_FALSE(IsSettled(delivery)) << "the withdrawal is still to be acknowledged";
}

TEST(PersonTest, AGroundThatIsNamedLaterExcusesAFailedErasure) {
  SeededRandom random(1);
  Delivery delivery = ToErase();
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  Conclude(attempt, Ended(WriteOutcome::kRefused), {.keyed = true}, kNow, random, delivery);
  PlanErasure(/*ground_known=*/true, kNow, delivery);
  EXPECT_EQ(delivery.state(), LOCAL_STATE_KEPT);
  EXPECT_TRUE(Replay(kNow, delivery).ok()) << "once the time is over";
  EXPECT_TRUE(IsDue(delivery, kNow));
}

TEST(PersonTest, ReplayForgivesWhatFailed) {
  SeededRandom random(1);
  Delivery delivery = Planned();
  const Attempt attempt = AttemptOf(delivery);
  Begin(kNow, delivery);
  EXPECT_EQ(ReasonOf(Replay(kNow, delivery)), v1::REASON_STATE_FORBIDS);
  Conclude(attempt, Ended(WriteOutcome::kRefused), {.keyed = true}, kNow, random, delivery);
  EXPECT_TRUE(IsInTrouble(delivery));
  EXPECT_TRUE(Replay(kNow, delivery).ok());
  EXPECT_FALSE(IsInTrouble(delivery));
  EXPECT_EQ(delivery.attempts(), 0U);
  Delivery done = Written(true);
  EXPECT_EQ(ReasonOf(Replay(kNow, done)), v1::REASON_STATE_FORBIDS);
}

TEST(TimeToRecordTest, CountsFromTheFirstPlanOverFailuresToTheFirstRecord) {
  SeededRandom random(1);
  const auto attempt = [&](WriteOutcome outcome, absl::Time now, Delivery& delivery) {
    const Delivery before = delivery;
    const Attempt about = AttemptOf(delivery);
    Begin(now, delivery);
    Conclude(about, Ended(outcome), {.keyed = true}, now, random, delivery);
    return TimeToRecord(before, delivery);
  };
  Delivery delivery = Planned();
  EXPECT_EQ(attempt(WriteOutcome::kNotNow, kNow + absl::Seconds(3), delivery), std::nullopt);
  PlanPut("two", true, kNow + absl::Seconds(5), delivery);
  EXPECT_EQ(attempt(WriteOutcome::kDone, kNow + absl::Seconds(9), delivery), absl::Seconds(9));
  PlanPut("three", true, kNow + absl::Hours(1), delivery);
  EXPECT_EQ(attempt(WriteOutcome::kDone, kNow + absl::Hours(2), delivery), std::nullopt)
      << "a newer version of the record";
  Delivery set_back = Planned();
  EXPECT_EQ(attempt(WriteOutcome::kDone, kNow - absl::Hours(1), set_back), absl::ZeroDuration());
}

TEST(PaceTest, RemembersTheLastOnes) {
  Pace pace;
  EXPECT_FALSE(pace.Median().has_value());
  EXPECT_FALSE(pace.Longest().has_value());
  pace.Add(absl::Hours(24));
  for (size_t i = 1; i <= Pace::kMost; ++i) pace.Add(absl::Seconds(i));
  EXPECT_EQ(pace.Median(), absl::Seconds(Pace::kMost / 2 + 1));
  EXPECT_EQ(pace.Longest(), absl::Seconds(Pace::kMost)) << "the day is forgotten";
}

}  // namespace
}  // namespace waymark::node
