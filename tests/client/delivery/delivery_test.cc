#include "client/delivery/delivery.h"

#include <atomic>

#include "base/status/status.h"
#include "client/delivery/commands.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

using ::testing::SizeIs;

class LocalDeliveryTest : public ::testing::Test {
 protected:
  LocalDeliveryTest() {
    targets_[0].name = "beds";
    targets_[0].connector = &beds_;
    targets_[0].outward = MappingProgram{"out.jq", "."};
    targets_[1].name = "files";
    targets_[1].connector = &files_;
    targets_[1].outward = MappingProgram{"out.jq", "."};
  }

  // What runs is made when a test has said how the systems behave.
  void Start() {
    delivery_ = std::make_unique<LocalDelivery>(targets_, office_.clock);
    context_.local_copies = &delivery_->planner();
    const absl::Status started = delivery_->Start(
        context_, mappings_, [](const v1::Capacity&) { return absl::InfiniteFuture(); },
        [](v1::Reason, const std::string&) {});
    EXPECT_TRUE(started.ok()) << started;
  }
  void Accept() {
    const local::v1::Referral referral =
        office_.Referral(NodeState::kAccepted, /*originated=*/false);
    office_.Write([&](Transaction& t) { return SaveReferral(context_, t, referral); });
  }
  int64_t Written(size_t system) { return delivery_->Counters()[system].second.written; }

  Office office_;
  TempFolder bed_records_;
  TempFolder file_records_;
  FakeSystem beds_{bed_records_.path(), true};
  FakeSystem files_{file_records_.path(), false};
  FakeMappings mappings_;
  std::vector<LocalTarget> targets_{2};
  CaseworkContext context_ = office_.context;
  std::unique_ptr<LocalDelivery> delivery_;
};

TEST_F(LocalDeliveryTest, EverySystemGetsWhatIsSavedWithoutBeingAsked) {
  Start();
  for (int i = 0; i < 3; ++i) Accept();
  EXPECT_TRUE(Eventually([&] { return Written(0) == 3 && Written(1) == 3; }));
  delivery_->Stop();
  EXPECT_THAT(beds_.Records(), SizeIs(3));
  EXPECT_THAT(files_.Records(), SizeIs(3));
}

TEST_F(LocalDeliveryTest, OneThatFailsHoldsUpNoOtherAndGoesOnWhenTold) {
  std::atomic<bool> away = true;
  beds_.next = [&] { return away ? Fault{false, {.outcome = WriteOutcome::kRefused}} : Fault(); };
  Start();
  Accept();
  EXPECT_TRUE(
      Eventually([&] { return Written(1) == 1 && delivery_->Counters()[0].second.dead == 1; }));
  away = false;
  EXPECT_EQ(*ReplayDead(*office_.vault, office_.clock, "beds"), 1);
  delivery_->Nudge();
  EXPECT_TRUE(Eventually([&] { return Written(0) == 1; }));
  EXPECT_EQ(ReasonOf(delivery_->Retry("none", ItemId::Generate(SystemRandom()))),
            v1::REASON_NOT_FOUND);
}

}  // namespace
}  // namespace waymark::node
