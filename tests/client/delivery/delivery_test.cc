#include "client/delivery/delivery.h"

#include <atomic>
#include <future>

#include "base/status/status.h"
#include "client/delivery/commands.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LocalDeliveryTest : public ::testing::Test {
 protected:
  LocalDeliveryTest() {
    targets_[0].name = "beds";
    targets_[0].connector = &beds_;
    targets_[0].runner = &bed_mappings_;
    targets_[0].outward = MappingProgram{"out.jq", "."};
    targets_[1].name = "files";
    targets_[1].connector = &files_;
    targets_[1].runner = &file_mappings_;
    targets_[1].outward = MappingProgram{"out.jq", "."};
  }

  // What runs is made when a test has said how the systems behave.
  void Start() {
    delivery_ = std::make_unique<LocalDelivery>(targets_, office_.clock);
    context_.local_copies = &delivery_->planner();
    const absl::Status started = delivery_->Start(
        context_, [](const v1::Capacity&) { return absl::InfiniteFuture(); },
        [this](v1::Reason, const std::string& text) {
          MutexLock lock(mu_);
          alerts_.push_back(text);
        });
    EXPECT_TRUE(started.ok()) << started;
  }
  void Accept() {
    const local::v1::Referral referral =
        office_.Referral(NodeState::kAccepted, /*originated=*/false);
    office_.Write([&](Transaction& t) { return SaveReferral(context_, t, referral); });
  }
  int64_t Written(size_t system) { return delivery_->Counters()[system].second.written; }
  int64_t Waiting(size_t system) { return delivery_->Counters()[system].second.waiting; }
  std::vector<std::string> Alerts() {
    MutexLock lock(mu_);
    return alerts_;
  }

  Office office_;
  TempFolder bed_records_;
  TempFolder file_records_;
  FakeSystem beds_{bed_records_.path(), true};
  FakeSystem files_{file_records_.path(), false};
  FakeMappings bed_mappings_;
  FakeMappings file_mappings_;
  std::vector<LocalTarget> targets_{2};
  CaseworkContext context_ = office_.context;
  Mutex mu_;
  std::vector<std::string> alerts_ ABSL_GUARDED_BY(mu_);
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

TEST_F(LocalDeliveryTest, ASlowMappingHoldsUpNoOtherSystem) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  bed_mappings_.run = [&](const std::string& input) -> FakeMappings::Outputs {
    released.wait();
    return std::vector<std::string>{input};
  };
  Start();
  for (int i = 0; i < 3; ++i) Accept();
  EXPECT_TRUE(Eventually([&] { return Written(1) == 3; }));
  EXPECT_EQ(Written(0), 0);
  release.set_value();
  EXPECT_TRUE(Eventually([&] { return Written(0) == 3; }));
}

TEST_F(LocalDeliveryTest, WhatIsForASystemThatRefusesItsSettingsWaitsUntilTheyAreMended) {
  std::atomic<bool> mended = false;
  beds_.ready = [&] {
    return mended ? absl::OkStatus()
                  : Error(v1::REASON_LOCAL_SYSTEM_REFUSED, "no such table: referals");
  };
  Start();
  for (int i = 0; i < 3; ++i) Accept();
  EXPECT_TRUE(Eventually([&] { return Written(1) == 3 && Waiting(0) == 3; }));
  for (int i = 0; i < 7; ++i) {
    office_.clock.Advance(absl::Hours(4));
    delivery_->Nudge();
  }
  EXPECT_TRUE(Eventually([&] { return Waiting(0) == 3; }));
  const auto shown = ListDeliveries(*office_.vault, targets_, /*all=*/false);
  ASSERT_TRUE(shown.ok()) << shown.status();
  ASSERT_THAT(*shown, SizeIs(3));
  for (const ShownDelivery& one : *shown) {
    EXPECT_EQ(one.delivery.state(), local::v1::LOCAL_STATE_WAITING);
    EXPECT_EQ(one.delivery.attempts(), 0U) << "it is no fault of theirs";
  }
  EXPECT_THAT(Alerts(), ElementsAre(AllOf(HasSubstr("'beds'"), HasSubstr("no such table"))));
  EXPECT_THAT(beds_.Records(), IsEmpty());

  mended = true;
  delivery_->Nudge();
  EXPECT_TRUE(Eventually([&] { return Written(0) == 3; }));
  EXPECT_THAT(beds_.Records(), SizeIs(3));
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_THAT(Alerts().back(), AllOf(HasSubstr("'beds'"), HasSubstr("can be worked with")));
}

TEST_F(LocalDeliveryTest, TheTimeFromAcceptanceToTheRecordIsTold) {
  std::atomic<bool> mended = false;
  beds_.ready = [&] {
    return mended ? absl::OkStatus() : Error(v1::REASON_LOCAL_SYSTEM_REFUSED, "no such table");
  };
  const auto counters = [&](size_t system) { return delivery_->Counters()[system].second; };
  Start();
  Accept();
  EXPECT_TRUE(Eventually([&] { return Written(1) == 1; }));
  EXPECT_EQ(counters(1).longest_time_to_record, absl::ZeroDuration());
  EXPECT_FALSE(counters(0).longest_time_to_record.has_value());
  office_.clock.Advance(absl::Minutes(90));
  Accept();
  mended = true;
  delivery_->Nudge();
  EXPECT_TRUE(Eventually([&] { return Written(0) == 2; }));
  EXPECT_EQ(counters(0).longest_time_to_record, absl::Minutes(90));
}

}  // namespace
}  // namespace waymark::node
