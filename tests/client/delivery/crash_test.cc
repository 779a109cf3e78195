// The node is killed at every step of a delivery, three hundred times for each manner of local
// system, with a system that fails and loses answers beside it. The process that is killed is a
// real one; what the next finds is what lies on the disk.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/delivery/bare_node.h"
#include "tests/client/delivery/fake_system.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kSeeds = 300;
constexpr int kRounds = 5;
constexpr int kReferrals = 3;
constexpr uint64_t kStepsAtMost = 16;
const absl::Time kStart = absl::FromUnixSeconds(1'900'000'000);

class Node : public BareNode {
 public:
  Node(const VaultFolder& folder, const TempFolder& records, bool keyed, absl::Time now,
       uint32_t seed)
      : BareNode(folder, now, seed), system(records.path(), keyed) {
    Connect(system, mappings, ".");
  }

  FakeSystem system;
  FakeMappings mappings;
};

class Crashes : public ::testing::TestWithParam<bool> {
 protected:
  // What is killed is the process and not the machine, so that memory will do for a disk.
  Crashes() { setenv("TMPDIR", "/dev/shm", /*replace=*/1); }

  bool keyed() const { return GetParam(); }

  std::unique_ptr<Node> Open(uint32_t seed) {
    return std::make_unique<Node>(*folder_, *records_, keyed(), now_, seed);
  }

  void Begin(uint32_t seed) {
    folder_ = std::make_unique<VaultFolder>();
    records_ = std::make_unique<TempFolder>();
    referrals_.clear();
    dice_ = std::make_unique<SeededRandom>(seed);
    now_ = kStart;
    const auto node = Open(seed);
    for (int i = 0; i < kReferrals; ++i) node->Save(referrals_.emplace_back(node->NewReferral()));
  }

  // The casework goes on: a step forward, or an erasure for good.
  void WorkOn(Node& node, Random& dice) {
    local::v1::Referral& referral = referrals_[dice.Uniform(referrals_.size())];
    if (dice.Uniform(8) == 0) {
      node.Erase(referral);
    } else {
      node.Advance(referral);
    }
  }

  // How far the casework got in a process that was killed.
  void LookUp(const Node& node) {
    const absl::Status read = node.vault->Read([&](const Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(referrals_, LoadReferrals(reader));
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
  }

  // Something that goes wrong in the local system, or nothing.
  Fault AnyFault(SeededRandom& random) const {
    switch (random.Uniform(6)) {
      case 0:
        return {.effect = false, .answer = {.outcome = WriteOutcome::kNotNow}};
      case 1:
        // The answer was lost, after the record was stored or before.
        return {.effect = random.Uniform(2) == 0,
                .answer = {.outcome = keyed() ? WriteOutcome::kNotNow : WriteOutcome::kUncertain}};
      case 2:
        return {.effect = false, .answer = {.outcome = WriteOutcome::kRefused}};
      default:
        return {};
    }
  }

  // A process of its own that is killed after some steps, or after some time; the casework may go
  // on at any step. Whether it was killed.
  bool RunAndKill(uint32_t seed) {
    const uint64_t steps = dice_->Uniform(kStepsAtMost);
    const bool by_time = dice_->Uniform(4) == 0;
    const auto delay = static_cast<useconds_t>(1 + dice_->Uniform(20'000));
    const pid_t child = fork();
    if (child == 0) {
      // Nobody handles the alarm: it ends the process wherever it is.
      if (by_time) ualarm(delay, 0);
      auto node = Open(seed);
      uint64_t reached = 0;
      const auto step = [&](std::string_view) {
        if (!by_time && reached++ == steps) kill(getpid(), SIGKILL);
        if (node->random.Uniform(8) == 0) WorkOn(*node, node->random);
      };
      node->system.reached = step;
      node->system.next = [&] { return AnyFault(node->random); };
      node->mappings.run = [&](const std::string& input) -> FakeMappings::Outputs {
        step("mapping");
        if (node->random.Uniform(10) == 0) return Error(v1::REASON_MAPPING_CRASHED, "out.jq");
        return std::vector<std::string>{input};
      };
      node->Run();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    now_ += absl::Hours(24);
    return WIFSIGNALED(status);
  }

  // Each referral has a record at most, whatever happened, and where it has none something is
  // shown.
  void CheckAlways(const Node& node) {
    const auto records = node.system.Records();
    const auto shown = node.Deliveries(/*all=*/true);
    EXPECT_THAT(shown, SizeIs(kReferrals));
    for (const ShownDelivery& one : shown) {
      const auto count = records.count(KeyOf(one.delivery));
      EXPECT_LE(count, 1U);
      const bool done = one.delivery.state() == local::v1::LOCAL_STATE_DONE;
      const bool put = one.delivery.task() == local::v1::LOCAL_TASK_PUT;
      EXPECT_TRUE(!done || count == (put ? 1U : 0U)) << "done is done";
    }
  }

  static void LookAndSay(Node& node) {
    const auto records = node.system.Records();
    node.LookAndSay([&](const std::string& record_key) { return records.contains(record_key); });
  }

  void CheckAtTheEnd(const Node& node) {
    const auto records = node.system.Records();
    size_t expected = 0;
    for (const local::v1::Referral& referral : referrals_) {
      const std::string key = ReferralId::FromBytes(referral.referral_id())->hex();
      const bool erased = referral.erased_at_ms() != 0;
      expected += erased ? 0 : 1;
      ASSERT_EQ(records.count(key), erased ? 0U : 1U) << referral.state();
      if (keyed() && !erased) {
        EXPECT_THAT(records.find(key)->second, HasSubstr("\"" + referral.state() + "\""));
      }
    }
    EXPECT_THAT(records, SizeIs(expected)) << "no record of anything else";
  }

  std::unique_ptr<VaultFolder> folder_;
  std::unique_ptr<TempFolder> records_;
  std::vector<local::v1::Referral> referrals_;
  std::unique_ptr<SeededRandom> dice_;
  absl::Time now_ = kStart;
};

TEST_P(Crashes, LeaveOneRecordAReferralAndLoseNone) {
  int killed = 0;
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Begin(seed);
    for (int round = 0; round < kRounds; ++round) {
      killed += RunAndKill(seed * kRounds + static_cast<uint32_t>(round)) ? 1 : 0;
      const auto node = Open(seed);
      CheckAlways(*node);
      LookUp(*node);
      WorkOn(*node, *dice_);
      if (dice_->Uniform(2) == 0) LookAndSay(*node);
    }
    const auto node = Open(seed);
    // What was cut off in the last round is found first.
    node->Run();
    CheckAlways(*node);
    LookAndSay(*node);
    node->courier->EndPause();
    node->Run();
    CheckAtTheEnd(*node);
    if (HasFailure()) break;
  }
  RecordProperty("killed", killed);
  EXPECT_GE(killed, kSeeds) << "the steps are too far apart for the test to mean anything";
}

INSTANTIATE_TEST_SUITE_P(Systems, Crashes, ::testing::Bool(), [](const auto& keyed) {
  return keyed.param ? "WithKeys" : "WithoutKeys";
});

}  // namespace
}  // namespace waymark::node
