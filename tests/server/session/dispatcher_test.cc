#include "server/session/dispatcher.h"

#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "base/status/status.h"
#include "tests/server/session/dispatcher_fixture.h"

namespace waymark::hub {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

// Delivery ----------------------------------------------------------------------------------------

TEST_F(DispatcherTest, DeliversWhatWaitedInOrder) {
  const auto sequences = SequencesIn(Store(1, 3));
  Attach(sink_);
  EXPECT_EQ(sink_->Await(3), sequences);
  EXPECT_EQ(sink_->received()[2].message, SampleItem(1, 3).message);
}

TEST_F(DispatcherTest, CaughtUpItDeliversFromMemory) {
  Store(1, 1);
  Attach(sink_);
  sink_->Await(1);
  Settle(sink_);
  const int reads = store_.reads();
  const auto sequences = Commit(Store(2, 3));
  EXPECT_EQ(sink_->Await(4)[3], sequences[2]);
  EXPECT_EQ(sink_->received()[3].message, SampleItem(1, 4).message);
  EXPECT_EQ(store_.reads(), reads);
}

TEST_F(DispatcherTest, OtherMailboxesAreNotItsBusiness) {
  Attach(sink_);
  Settle(sink_);
  Commit(Store({SampleItem(2, 1)}));
  Settle(sink_);
  EXPECT_THAT(sink_->received(), IsEmpty());
}

TEST_F(DispatcherTest, BeginsAfterTheCursorAndAcknowledgesUpToIt) {
  const auto sequences = SequencesIn(Store(1, 3));
  Attach(sink_, {.cursor = sequences[1]});
  EXPECT_THAT(sink_->Await(1), ElementsAre(sequences[2]));
  store_.AwaitAcks(1);
  EXPECT_THAT(Mailbox(), ElementsAre(sequences[2]));
}

TEST_F(DispatcherTest, ACommitDuringAPageIsNotMissedNorRepeated) {
  Store(1, 2);
  store_.CloseReads();
  Attach(sink_);
  store_.AwaitWaiting();
  Commit(Store(3, 2));
  store_.OpenReads();
  EXPECT_THAT(sink_->Await(4), ElementsAre(1, 2, 3, 4));
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(4));
}

TEST_F(DispatcherTest, APageThatIsAheadOfTheReportOfItsCommitIsNotRepeated) {
  auto batch = Store(1, 2);
  Attach(sink_);
  sink_->Await(2);
  Settle(sink_);
  Commit(std::move(batch));
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(2));
}

TEST_F(DispatcherTest, FramesHaveAtMost64MessagesAndAMebibyte) {
  std::vector<MailboxItem> items;
  for (uint64_t i = 0; i < 150; ++i) items.push_back(SampleItem(1, i));
  for (uint64_t i = 150; i < 170; ++i) {
    items.push_back(SampleItem(1, i));
    items.back().message.assign(size_t{128} << 10, 'm');
  }
  Store(std::move(items));
  Attach(sink_, {.window_messages = 4096, .window_bytes = size_t{64} << 20});
  sink_->Await(170);
  EXPECT_THAT(sink_->frames(), Each(Le(64u)));
  EXPECT_GE(sink_->frames().size(), 6u) << "at most 7 of 128 KiB in a frame";
}

// Credits -----------------------------------------------------------------------------------------

TEST_F(DispatcherTest, DeliversNoMoreThanTheCreditsInMessages) {
  Store(1, 5);
  const AttachmentId attachment = Attach(sink_, {.window_messages = 2});
  const auto first = sink_->Await(2);
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(2));
  dispatcher_->OnAck(attachment, first[0]);
  sink_->Await(3);
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(3));
  dispatcher_->OnAck(attachment, sink_->Await(3)[2]);
  EXPECT_THAT(sink_->Await(5), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(DispatcherTest, DeliversNoMoreThanTheCreditsInBytes) {
  Store(1, 5);
  const AttachmentId attachment = Attach(sink_, {.window_bytes = 5000});
  const auto first = sink_->Await(2);
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(2)) << "of 2 KiB each";
  dispatcher_->OnAck(attachment, first[1]);
  sink_->Await(4);
}

TEST_F(DispatcherTest, AMessageLargerThanTheWindowGoesAlone) {
  Store(1, 2);
  const AttachmentId attachment = Attach(sink_, {.window_bytes = 100});
  const auto first = sink_->Await(1);
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(1));
  dispatcher_->OnAck(attachment, first[0]);
  sink_->Await(2);
}

TEST_F(DispatcherTest, WhatIsUnderWayIsTold) {
  Commit(Store(1, 2));
  const AttachmentId attachment = Attach(sink_, {.window_messages = 1});
  sink_->Await(1);
  Settle(sink_);
  EXPECT_EQ(dispatcher_->CountUnderWay(), (Dispatcher::UnderWay{1, 2049 + 32, 0, 0, 1, 1}));
  dispatcher_->OnAck(attachment, sink_->Await(1)[0]);
  sink_->Await(2);
  Settle(sink_);
  EXPECT_EQ(dispatcher_->CountUnderWay(), (Dispatcher::UnderWay{1, 2049 + 32, 0, 0, 0, 0}));
}

TEST_F(DispatcherTest, MemoryIsBoundedByTheWindowAndTheRestIsReadAgain) {
  const AttachmentId attachment = Attach(sink_, {.window_messages = 3});
  Settle(sink_);
  std::vector<uint64_t> expected;
  for (uint64_t i = 0; i < 20; ++i) expected.push_back(Commit(Store(i, 1))[0]);
  const int reads = store_.reads();
  for (size_t received = 3; received < 20; ++received) {
    dispatcher_->OnAck(attachment, sink_->Await(received)[received - 1]);
  }
  EXPECT_EQ(sink_->Await(20), expected);
  EXPECT_GT(store_.reads(), reads);
}

TEST_F(DispatcherTest, AcksReachTheStoreAndNeverBeyondWhatWasDelivered) {
  const auto sequences = SequencesIn(Store(1, 4));
  const AttachmentId attachment = Attach(sink_, {.window_messages = 2});
  sink_->Await(2);
  dispatcher_->OnAck(attachment, sequences[3] + 100);
  store_.AwaitAcks(1);
  sink_->Await(4);
  EXPECT_THAT(Mailbox(), ElementsAre(sequences[2], sequences[3]));
}

TEST_F(DispatcherTest, AnAckJustBeforeDetachingCounts) {
  const auto sequences = SequencesIn(Store(1, 2));
  const AttachmentId attachment = Attach(sink_);
  sink_->Await(2);
  dispatcher_->OnAck(attachment, sequences[1]);
  dispatcher_->Detach(attachment);
  store_.AwaitAcks(1);
  EXPECT_THAT(Mailbox(), IsEmpty());
}

TEST_F(DispatcherTest, WhatIsUnacknowledgedIsBoundedOverAllAttachments) {
  dispatcher_ = Dispatcher::Create(&store_, &clock_, &metrics_, {.unacked_bytes = 10000});
  const auto other = std::make_shared<RememberingSink>();
  const OrganisationId other_mailbox = SampleId<OrganisationId>(2);
  std::vector<MailboxItem> items;
  for (uint64_t i = 0; i < 20; ++i) items.push_back(SampleItem(1 + i % 2, i));
  Store(std::move(items));
  const AttachmentId mine = Attach(sink_);
  sink_->Await(5);
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(5)) << "of 2 KiB each";
  const AttachmentId others = dispatcher_->Attach(other_mailbox, {}, other);
  other->Await(1);
  Settle(sink_);
  EXPECT_THAT(other->received(), SizeIs(1)) << "one message is always allowed";
  for (size_t received = 1; received <= 10; ++received) {
    dispatcher_->OnAck(mine, sink_->Await(received)[received - 1]);
    dispatcher_->OnAck(others, other->Await(received)[received - 1]);
  }
  EXPECT_THAT(sink_->received(), SizeIs(10));
  EXPECT_THAT(other->received(), SizeIs(10));
}

// Withdrawal and expiry ---------------------------------------------------------------------------

TEST_F(DispatcherTest, WhatIsWithdrawnWhileItWaitsForCreditsIsNotDelivered) {
  const AttachmentId attachment = Attach(sink_, {.window_messages = 1});
  Settle(sink_);
  MailboxItem revoke = SampleItem(1, 2);
  revoke.kind = v1::KIND_REVOKE;
  for (const MailboxItem& item : {SampleItem(1, 1), SampleItem(1, 2), revoke, SampleItem(1, 3)}) {
    Commit(Store({item}));
  }
  const auto first = sink_->Await(1);
  Withdraw(SampleHash(2));
  dispatcher_->OnAck(attachment, first[0]);
  EXPECT_THAT(sink_->Await(2), ElementsAre(1, 3)) << "the revocation itself arrives";
  dispatcher_->OnAck(attachment, 3);
  EXPECT_THAT(sink_->Await(3), ElementsAre(1, 3, 4));
}

TEST_F(DispatcherTest, WhatIsWithdrawnWhileItIsReadIsNotDelivered) {
  Store(1, 3);
  store_.CloseReads();
  Attach(sink_);
  store_.AwaitWaiting();
  Withdraw(SampleHash(2));
  store_.OpenReads();
  EXPECT_THAT(sink_->Await(2), ElementsAre(1, 3));
  Settle(sink_);
  EXPECT_THAT(sink_->received(), SizeIs(2));
}

TEST_F(DispatcherTest, WhatAnotherProcessWithdrewBeforeTheReportOfItsCommitIsNotDelivered) {
  Attach(sink_);
  Settle(sink_);
  auto batch = Store(2, 1);
  std::vector<Effects> withdrawal(1);
  withdrawal[0].drop = {{SampleHash(2)}};
  ASSERT_TRUE(store_.Commit(withdrawal).ok());
  const std::string token = SampleHash(2);
  dispatcher_->OnPeerDropped(std::span(&token, 1));
  Commit(std::move(batch));
  Settle(sink_);
  Commit(Store(3, 1));
  EXPECT_THAT(sink_->Await(1), ElementsAre(2)) << "the second that was stored";
}

TEST_F(DispatcherTest, WhatExpiresWhileItWaitsIsNotDelivered) {
  const AttachmentId attachment = Attach(sink_, {.window_messages = 1});
  Settle(sink_);
  MailboxItem late = SampleItem(1, 3);
  late.expires_at += absl::Hours(1);
  for (const MailboxItem& item : {SampleItem(1, 1), SampleItem(1, 2), late}) Commit(Store({item}));
  const auto first = sink_->Await(1);
  clock_.Advance(absl::Hours(72));
  dispatcher_->OnAck(attachment, first[0]);
  EXPECT_THAT(sink_->Await(2), ElementsAre(1, 3));
}

// Attachments -------------------------------------------------------------------------------------

TEST_F(DispatcherTest, ANewerAttachmentReplacesTheOlder) {
  Store(1, 2);
  const AttachmentId older = Attach(sink_);
  sink_->Await(2);
  const auto newer = std::make_shared<RememberingSink>();
  Attach(newer);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  EXPECT_THAT(newer->Await(2), ElementsAre(1, 2)) << "nothing was acknowledged";
  dispatcher_->Detach(older);
  Commit(Store(3, 1));
  newer->Await(3);
  EXPECT_THAT(sink_->received(), SizeIs(2));
}

TEST_F(DispatcherTest, ADetachedSinkIsNotCalled) {
  const AttachmentId attachment = Attach(sink_);
  Settle(sink_);
  dispatcher_->Detach(attachment);
  Commit(Store(1, 1));
  const auto other = std::make_shared<RememberingSink>();
  Attach(other);
  other->Await(1);
  EXPECT_THAT(sink_->received(), IsEmpty());
  EXPECT_FALSE(sink_->detached());
}

TEST_F(DispatcherTest, ASinkThatIsGoneIsForgotten) {
  auto gone = std::make_shared<RememberingSink>();
  Attach(gone);
  Settle(gone);
  gone.reset();
  Commit(Store(1, 1));
  dispatcher_->Attach(SampleId<OrganisationId>(2), {}, sink_);
  Attach(sink_);
  sink_->Await(1);
  dispatcher_->Shutdown();
  EXPECT_EQ(metrics_.attached(), 0u);
}

TEST_F(DispatcherTest, ARestrictedAttachmentBringsRevocationsAndKeepsTheRest) {
  MailboxItem revoke = SampleItem(1, 2);
  revoke.kind = v1::KIND_REVOKE;
  MailboxItem later = SampleItem(1, 5);
  later.kind = v1::KIND_REVOKE;
  Store({SampleItem(1, 1), revoke, SampleItem(1, 3)});
  const AttachmentId attachment = Attach(sink_, {.restricted = true});
  EXPECT_THAT(sink_->Await(1), ElementsAre(2));
  Settle(sink_);
  Commit(Store({SampleItem(1, 4), later}));
  EXPECT_THAT(sink_->Await(2), ElementsAre(2, 5));
  dispatcher_->OnAck(attachment, 5);
  store_.AwaitAcks(1);
  EXPECT_THAT(Mailbox(), ElementsAre(1, 3, 4));
}

TEST_F(DispatcherTest, TheSenderAloneLearnsThatAPeerIsOffline) {
  Attach(sink_);
  const auto other = std::make_shared<RememberingSink>();
  dispatcher_->Attach(SampleId<OrganisationId>(2), {}, other);
  MailboxItem item = SampleItem(3, 7);
  item.sender = mailbox_;
  MailboxItem of_nobody = SampleItem(3, 8);
  dispatcher_->NotifyPeerOffline(std::vector{item, of_nobody});
  sink_->AwaitOffline(item.message_id);
  EXPECT_THAT(sink_->offline(), ElementsAre(item.message_id));
  dispatcher_->Shutdown();
  EXPECT_THAT(other->offline(), IsEmpty());
}

TEST_F(DispatcherTest, DisconnectSaysWhy) {
  Attach(sink_);
  dispatcher_->Disconnect(SampleId<OrganisationId>(2), v1::REASON_MEMBER_SUSPENDED);
  dispatcher_->Disconnect(mailbox_, v1::REASON_MEMBER_SUSPENDED);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_MEMBER_SUSPENDED);
}

TEST_F(DispatcherTest, AMailboxThatDoesNotReadBackEndsTheAttachment) {
  store_.FailReads(v1::REASON_DATA_CORRUPT);
  Attach(sink_);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_DATA_CORRUPT);
  store_.FailReads(std::nullopt);
  const auto next = std::make_shared<RememberingSink>();
  Commit(Store(1, 1));
  Attach(next);
  next->Await(1);
}

TEST_F(DispatcherTest, ShutdownEndsEveryAttachment) {
  Attach(sink_);
  dispatcher_->Shutdown();
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_UNAVAILABLE);
  const auto late = std::make_shared<RememberingSink>();
  Attach(late);
  dispatcher_->Shutdown();
  EXPECT_FALSE(late->detached());
}

// A writer and a node with a small window, side by side: every message once, in order.
TEST_F(DispatcherTest, NoGapAndNoRepeatUnderLoad) {
  constexpr uint64_t kMessages = 400;
  const AttachmentId attachment =
      Attach(sink_, {.window_messages = 7, .window_bytes = size_t{32} << 10});
  std::thread writer([&] {
    std::mt19937 random(20261122);
    uint64_t next = 0;
    while (next < kMessages) {
      const uint64_t count = std::min<uint64_t>(1 + random() % 20, kMessages - next);
      Commit(Store(next, count));
      next += count;
    }
  });
  for (size_t received = 1; received <= kMessages; ++received) {
    dispatcher_->OnAck(attachment, sink_->Await(received)[received - 1]);
  }
  writer.join();
  const auto received = sink_->received();
  ASSERT_THAT(received, SizeIs(kMessages));
  for (uint64_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(received[i].message, SampleItem(1, i).message);
  }
}

}  // namespace
}  // namespace waymark::hub
