#include "server/rpc/strand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StrandTest : public ::testing::Test {
 protected:
  StrandTest() {
    strand_->set_after([this] { ran_.emplace_back("after"); });
    strand_->set_on_exception([this] { ran_.emplace_back("exception"); });
  }

  absl::AnyInvocable<void()> Note(const std::string& name) {
    return [this, name] { ran_.push_back(name); };
  }

  WorkerPool pool_{1, 1};
  std::shared_ptr<Strand> strand_ = Strand::Create(&pool_);
  std::vector<std::string> ran_;
};

TEST_F(StrandTest, WhatFollowsRunsOnceForAllThatWaited) {
  strand_->Run([this] {
    strand_->Run(Note("first"));
    strand_->Run(Note("second"));
  });
  EXPECT_THAT(ran_, ElementsAre("first", "second", "after"));
  strand_->Run(Note("third"));
  EXPECT_THAT(ran_, ElementsAre("first", "second", "after", "third", "after"));
}

TEST_F(StrandTest, WhatFollowsDoesNotWaitForEver) {
  strand_->Run([this] {
    for (int i = 0; i < Strand::kTasksBeforeAfter; ++i) strand_->Run([] {});
    strand_->Run(Note("last"));
  });
  EXPECT_THAT(ran_, ElementsAre("after", "last", "after"));
}

TEST_F(StrandTest, ATaskThatThrowsIsFollowedToo) {
  strand_->Run([] { throw std::runtime_error("a test"); });
  EXPECT_THAT(ran_, ElementsAre("exception", "after"));
}

TEST_F(StrandTest, WhatIsPostedTogetherRunsTogether) {
  pool_.PostTogether([this] {
    strand_->Post(Note("first"));
    strand_->Post(Note("second"));
    EXPECT_THAT(ran_, IsEmpty()) << "not before all of it is there";
  });
  pool_.Shutdown();
  EXPECT_THAT(ran_, ElementsAre("first", "second", "after"));
}

TEST_F(StrandTest, WhatThePoolHasNoRoomForRunsHere) {
  absl::Notification begun;
  absl::Notification done;
  pool_.Post([&] {
    begun.Notify();
    done.WaitForNotification();
  });
  begun.WaitForNotification();
  const std::shared_ptr<Strand> other = Strand::Create(&pool_);
  pool_.PostTogether([&] {
    other->Post([] {});
    strand_->Post(Note("first"));
  });
  EXPECT_THAT(ran_, ElementsAre("first", "after"));
  done.Notify();
  pool_.Shutdown();
}

TEST_F(StrandTest, WhatIsPostedTogetherToAPoolThatStopsRunsHere) {
  pool_.Shutdown();
  pool_.PostTogether([this] { strand_->Post(Note("first")); });
  EXPECT_THAT(ran_, ElementsAre("first", "after"));
}

}  // namespace
}  // namespace waymark::hub
