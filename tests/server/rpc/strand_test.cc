#include "server/rpc/strand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;

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

}  // namespace
}  // namespace waymark::hub
