// What was just committed goes to its session on the thread that reports the commit, beside the
// dispatcher's own: never both at once, and never out of order.
#include <gmock/gmock.h>

#include <thread>

#include "tests/server/session/dispatcher_fixture.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

using HandoverTest = DispatcherTest;

TEST_F(HandoverTest, CaughtUpItDeliversBeforeTheCommitIsReported) {
  Attach(sink_);
  Settle(sink_);
  EXPECT_THAT(Commit(Store(1, 3)), SizeIs(3));
  EXPECT_THAT(sink_->received(), SizeIs(3)) << "on the thread that reports it";
  EXPECT_THAT(sink_->frames(), ElementsAre(3));
}

TEST_F(HandoverTest, ASinkIsCalledByOneThreadAtATime) {
  Store(1, 1);
  sink_->Hold(true);
  Attach(sink_);
  // The dispatcher's thread is in the sink.
  auto sequences = sink_->Await(1);
  for (uint64_t number = 2; number <= 4; ++number) {
    const auto committed = Commit(Store(number, 1));
    sequences.insert(sequences.end(), committed.begin(), committed.end());
  }
  EXPECT_THAT(sink_->received(), SizeIs(1)) << "what comes meanwhile waits";
  sink_->Hold(false);
  EXPECT_EQ(sink_->Await(4), sequences);

  // The thread that reports a commit is in the sink.
  Settle(sink_);
  sink_->Hold(true);
  std::thread reporter([&] { Commit(Store(5, 1)); });
  sink_->Await(5);
  Commit(Store(6, 1));
  EXPECT_THAT(sink_->received(), SizeIs(5));
  sink_->Hold(false);
  reporter.join();
  sink_->Await(6);
  EXPECT_FALSE(sink_->overlapped());
}

TEST_F(HandoverTest, AnAttachmentThatEndsWhileItsSinkIsCalledEndsAfterwards) {
  const AttachmentId attachment = Attach(sink_);
  Settle(sink_);
  sink_->Hold(true);
  std::thread reporter([&] { Commit(Store(1, 1)); });
  sink_->Await(1);
  dispatcher_->Disconnect(mailbox_, v1::REASON_MEMBER_SUSPENDED);
  EXPECT_FALSE(sink_->detached());
  sink_->Hold(false);
  reporter.join();
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_MEMBER_SUSPENDED);
  dispatcher_->Detach(attachment);
}

TEST_F(HandoverTest, AShutdownWaitsForASinkThatIsCalled) {
  Attach(sink_);
  Settle(sink_);
  sink_->Hold(true);
  std::thread reporter([&] { Commit(Store(1, 1)); });
  sink_->Await(1);
  std::thread stopper([&] { dispatcher_->Shutdown(); });
  sink_->Hold(false);
  reporter.join();
  stopper.join();
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_UNAVAILABLE);
}

}  // namespace
}  // namespace waymark::hub
