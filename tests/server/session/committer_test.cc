#include "server/session/committer.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <thread>

#include "tests/server/routing/test_network.h"
#include "tests/server/session/gated_store.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/support/fake_clock.h"

namespace waymark::hub {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr v1::Reason kAccepted = v1::REASON_UNSPECIFIED;

class Metrics final : public CommitterMetrics {
 public:
  void OnItem(v1::Reason) override {}
  void OnBatch(size_t items, size_t, absl::Duration) override {
    MutexLock lock(mu_);
    batches_.push_back(items);
  }
  void OnStore(absl::Duration load, absl::Duration commit) override {
    MutexLock lock(mu_);
    loads_.push_back(load);
    commits_.push_back(commit);
  }
  void OnConfirmed(const LatencyCounts& latencies) override {
    MutexLock lock(mu_);
    for (size_t kind = 0; kind < LatencyCounts::kKinds; ++kind) {
      confirmed_[kind] += latencies.by_kind()[kind].items;
    }
  }
  void OnStoreError(const absl::Status&) override { ++errors_; }
  void OnQueueFull() override { ++refused_; }

  std::vector<size_t> batches() {
    MutexLock lock(mu_);
    return batches_;
  }
  // How many items of each kind were confirmed, by the kind's number.
  std::array<size_t, LatencyCounts::kKinds> confirmed() {
    MutexLock lock(mu_);
    return confirmed_;
  }
  std::vector<absl::Duration> commits() {
    MutexLock lock(mu_);
    return commits_;
  }
  int errors() const { return errors_; }
  int refused() const { return refused_; }

 private:
  Mutex mu_;
  std::vector<size_t> batches_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::Duration> loads_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::Duration> commits_ ABSL_GUARDED_BY(mu_);
  std::array<size_t, LatencyCounts::kKinds> confirmed_ ABSL_GUARDED_BY(mu_) = {};
  std::atomic<int> errors_ = 0;
  std::atomic<int> refused_ = 0;
};

// Remembers what was delivered, in order.
class Listener final : public CommitListener {
 public:
  void OnCommitted(std::span<Effects> batch) override {
    MutexLock lock(mu_);
    for (const Effects& effects : batch) {
      delivered_.insert(delivered_.end(), effects.deliver.begin(), effects.deliver.end());
    }
  }
  std::vector<MailboxItem> delivered() {
    MutexLock lock(mu_);
    return delivered_;
  }

 private:
  Mutex mu_;
  std::vector<MailboxItem> delivered_ ABSL_GUARDED_BY(mu_);
};

// The answers, in the order in which they came.
class Answers {
 public:
  absl::AnyInvocable<void(std::span<const v1::Reason>)> Next() {
    return [this](std::span<const v1::Reason> reasons) {
      MutexLock lock(mu_);
      answers_.emplace_back(reasons.begin(), reasons.end());
      changed_.SignalAll();
    };
  }

  // Waits until there are `count` answers and returns all.
  std::vector<std::vector<v1::Reason>> Await(size_t count) {
    MutexLock lock(mu_);
    while (answers_.size() < count) changed_.Wait(mu_);
    return answers_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<std::vector<v1::Reason>> answers_ ABSL_GUARDED_BY(mu_);
};

class CommitterTest : public testing::Test {
 protected:
  CommitterTest() : clock_(network().now), store_(*medium_.Open()) { Start({}); }

  TestNetwork& network() { return referral_.network; }

  void Start(const Committer::Bounds& bounds) {
    committer_ = Committer::Create(
        {.store = &store_, .listener = &listener_, .metrics = &metrics_, .clock = &clock_},
        network().limits, bounds);
    committer_->SetMembership(std::make_shared<const Membership>(TestMembers()));
  }

  // An inquiry of a referral of its own, under the one token.
  SubmittedItem Inquiry(int number) {
    const v1::Header header =
        network().Header(v1::KIND_INQUIRY, "qso.night", "lin.family",
                         "referral " + std::to_string(number), &referral_.token);
    return *ReadMessage(Organisation("qso"), TestNetwork::Message(header));
  }
  SubmittedItem Registration() { return referral_.token; }

  absl::Status Submit(std::vector<SubmittedItem> items, size_t bytes = 1) {
    return committer_->Submit({.sender = Organisation("qso"),
                               .items = std::move(items),
                               .bytes = bytes,
                               .done = answers_.Next()});
  }

  size_t Waiting() {
    return store_
        .ReadMailbox(Organisation("lin"), MailboxView::kAll, 0, 1000, 1 << 30, clock_.Now())
        ->items.size();
  }

  // Registers the token, then holds up the batch of one inquiry at its commit.
  void HoldUpABatch() {
    ASSERT_TRUE(Submit({Registration()}).ok());
    answers_.Await(1);
    store_.CloseCommits();
    ASSERT_TRUE(Submit({Inquiry(0)}).ok());
    store_.AwaitWaiting();
  }

  LindenReferral referral_;
  FakeClock clock_;
  SqliteMedium medium_;
  GatedStore store_;
  Listener listener_;
  Metrics metrics_;
  Answers answers_;
  std::unique_ptr<Committer> committer_;
};

TEST_F(CommitterTest, WhatIsAcceptedIsDurableAndPassedOn) {
  ASSERT_TRUE(Submit({Registration(), Inquiry(1), Inquiry(2)}).ok());
  EXPECT_THAT(answers_.Await(1), ElementsAre(ElementsAre(kAccepted, kAccepted, kAccepted)));
  committer_->Shutdown();
  EXPECT_EQ(Waiting(), 2u);
  const auto delivered = listener_.delivered();
  ASSERT_THAT(delivered, SizeIs(2));
  EXPECT_GT(delivered[0].sequence, 0u);
  EXPECT_LT(delivered[0].sequence, delivered[1].sequence);
  EXPECT_EQ(store_.commits(), 1);
}

TEST_F(CommitterTest, EveryItemIsAnsweredInItsPlace) {
  ASSERT_TRUE(Submit({Inquiry(1), v1::REASON_BUCKET_MISMATCH, Registration(), Inquiry(2)}).ok());
  EXPECT_THAT(answers_.Await(1),
              ElementsAre(ElementsAre(v1::REASON_TOKEN_UNKNOWN, v1::REASON_BUCKET_MISMATCH,
                                      kAccepted, kAccepted)));
  EXPECT_EQ(Waiting(), 1u);
}

TEST_F(CommitterTest, ARepeatIsAcceptedAndChangesNothing) {
  const SubmittedItem inquiry = Inquiry(1);
  ASSERT_TRUE(Submit({Registration(), inquiry, inquiry}).ok());
  ASSERT_TRUE(Submit({Registration(), inquiry}).ok());
  const auto answers = answers_.Await(2);
  EXPECT_THAT(answers[0], Each(kAccepted));
  EXPECT_THAT(answers[1], Each(kAccepted));
  committer_->Shutdown();
  EXPECT_EQ(Waiting(), 1u);
  EXPECT_THAT(listener_.delivered(), SizeIs(1));
  EXPECT_LE(store_.commits(), 1) << "nothing to write for a repeat";
}

TEST_F(CommitterTest, WhatQueuedIsOneTransaction) {
  HoldUpABatch();
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(Submit({Inquiry(i)}).ok());
  store_.OpenCommits();
  const auto answers = answers_.Await(7);
  EXPECT_THAT(answers, Each(ElementsAre(kAccepted)));
  EXPECT_THAT(metrics_.batches(), ElementsAre(1, 1, 5));
  EXPECT_EQ(Waiting(), 6u);
}

// Waits forever, as far as a test goes.
Committer::Bounds Patient() { return {.patience = 1e9, .longest_wait = absl::InfiniteDuration()}; }

TEST_F(CommitterTest, AfterALongBatchNothingIsWaitedForAsLong) {
  Start({.patience = 1e9, .longest_wait = absl::ZeroDuration()});
  ASSERT_TRUE(Submit({Registration(), Inquiry(1)}).ok());
  answers_.Await(1);
  committer_->OnPeerCommitted();
  ASSERT_TRUE(Submit({Inquiry(2)}).ok());
  answers_.Await(2);
  EXPECT_THAT(metrics_.batches(), ElementsAre(2, 1));
}

TEST_F(CommitterTest, WhileOthersCommitAsMuchAsBeforeIsWaitedFor) {
  Start(Patient());
  ASSERT_TRUE(Submit({Registration(), Inquiry(1)}).ok());
  answers_.Await(1);
  // Often, and each time long enough for a thread that would not wait to take the first alone.
  constexpr int kTimes = 30;
  constexpr int kTurns = 2000;
  for (int i = 1; i <= kTimes; ++i) {
    committer_->OnPeerCommitted();
    ASSERT_TRUE(Submit({Inquiry(2 * i)}).ok());
    for (int turn = 0; turn < kTurns && committer_->queued().items > 0; ++turn) {
      std::this_thread::yield();
    }
    ASSERT_TRUE(Submit({Inquiry(2 * i + 1)}).ok());
    answers_.Await(1 + 2 * i);
  }
  EXPECT_THAT(metrics_.batches(), AllOf(SizeIs(1 + kTimes), Each(2)));
}

TEST_F(CommitterTest, OtherwiseNothingIsWaitedFor) {
  Start(Patient());
  ASSERT_TRUE(Submit({Registration(), Inquiry(1)}).ok());
  answers_.Await(1);
  ASSERT_TRUE(Submit({Inquiry(2)}).ok());
  answers_.Await(2);
  // As much as the batch before had is there.
  committer_->OnPeerCommitted();
  ASSERT_TRUE(Submit({Inquiry(3)}).ok());
  answers_.Await(3);
  ASSERT_TRUE(Submit({Inquiry(4), Inquiry(5)}).ok());
  answers_.Await(4);
  ASSERT_TRUE(Submit({Inquiry(6)}).ok());
  answers_.Await(5);
  EXPECT_THAT(metrics_.batches(), ElementsAre(2, 1, 1, 2, 1));
}

TEST_F(CommitterTest, ShutdownWaitsForNobodyElse) {
  Start(Patient());
  ASSERT_TRUE(Submit({Registration(), Inquiry(1)}).ok());
  answers_.Await(1);
  committer_->OnPeerCommitted();
  ASSERT_TRUE(Submit({Inquiry(2)}).ok());
  committer_->Shutdown();
  EXPECT_THAT(answers_.Await(2), Each(Each(kAccepted)));
}

TEST_F(CommitterTest, WhatWaitsIsTold) {
  HoldUpABatch();
  EXPECT_EQ(committer_->queued().items, 0u);
  ASSERT_TRUE(Submit({Inquiry(1), Inquiry(2)}, 70).ok());
  ASSERT_TRUE(Submit({Inquiry(3)}, 30).ok());
  EXPECT_EQ(committer_->queued().items, 3u);
  EXPECT_EQ(committer_->queued().bytes, 100u);
  store_.OpenCommits();
  answers_.Await(4);
  EXPECT_EQ(committer_->queued().items, 0u);
}

TEST_F(CommitterTest, EveryAnswerIsTimedByItsKind) {
  ASSERT_TRUE(Submit({Registration(), Inquiry(1), Inquiry(2), v1::REASON_BUCKET_MISMATCH}).ok());
  // Nothing changes, so nothing is written.
  ASSERT_TRUE(Submit({Registration()}).ok());
  answers_.Await(2);
  committer_->Shutdown();
  const auto confirmed = metrics_.confirmed();
  EXPECT_EQ(confirmed[v1::KIND_UNSPECIFIED], 2u);
  EXPECT_EQ(confirmed[v1::KIND_INQUIRY], 2u);
  EXPECT_EQ(confirmed[v1::KIND_OFFER], 0u);
  EXPECT_GT(metrics_.commits().front(), absl::ZeroDuration());
}

TEST(LatencyCountsTest, ABucketHoldsItsBound) {
  LatencyCounts counts;
  LatencyCounts::Frame(counts, absl::Milliseconds(5)).Add(v1::KIND_OFFER);
  LatencyCounts::Frame(counts, absl::Microseconds(5001)).Add(v1::KIND_OFFER);
  LatencyCounts::Frame(counts, absl::Minutes(1)).Add(v1::KIND_OFFER);
  const LatencyCounts::Counts& offers = counts.by_kind()[v1::KIND_OFFER];
  EXPECT_EQ(offers.buckets[3], 1u);
  EXPECT_EQ(offers.buckets[4], 1u);
  EXPECT_EQ(offers.buckets[LatencyCounts::kBounds.size()], 1u);
  EXPECT_EQ(offers.items, 3u);
  EXPECT_DOUBLE_EQ(offers.sum_seconds, 0.005 + 0.005001 + 60);
}

TEST_F(CommitterTest, ABatchStaysWithinItsBounds) {
  Start({.batch_items = 2, .batch_bytes = 10});
  HoldUpABatch();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Submit({Inquiry(i)}).ok());
  ASSERT_TRUE(Submit({Inquiry(4)}, 11).ok());
  ASSERT_TRUE(Submit({Inquiry(5), Inquiry(6), Inquiry(7)}).ok());
  store_.OpenCommits();
  answers_.Await(7);
  EXPECT_THAT(metrics_.batches(), ElementsAre(1, 1, 2, 1, 1, 3))
      << "what is larger than a batch goes alone";
}

TEST_F(CommitterTest, AFullQueueRefusesAtOnce) {
  Start({.queue = {2, 10}, .reserve = {0, 0}});
  HoldUpABatch();
  ASSERT_TRUE(Submit({Inquiry(1)}, 4).ok());
  EXPECT_EQ(ReasonOf(Submit({Inquiry(2)}, 7)), v1::REASON_QUOTA_EXCEEDED) << "too many bytes";
  ASSERT_TRUE(Submit({Inquiry(2)}, 4).ok());
  EXPECT_EQ(ReasonOf(Submit({Inquiry(3)}, 1)), v1::REASON_QUOTA_EXCEEDED) << "too many items";
  store_.OpenCommits();
  answers_.Await(4);
  ASSERT_TRUE(Submit({Inquiry(4), Inquiry(5), Inquiry(6)}).ok()) << "nothing waits: taken";
  EXPECT_THAT(answers_.Await(5), SizeIs(5)) << "no answer for what was refused";
  EXPECT_EQ(metrics_.refused(), 2);
}

TEST_F(CommitterTest, ARefusedCommitDeliversNothing) {
  ASSERT_TRUE(Submit({Registration()}).ok());
  answers_.Await(1);
  size_t answered = 1;
  for (const auto& [error, answer] :
       {std::pair(v1::REASON_UNAVAILABLE, v1::REASON_UNAVAILABLE),
        std::pair(v1::REASON_QUOTA_EXCEEDED, v1::REASON_QUOTA_EXCEEDED),
        std::pair(v1::REASON_DATA_CORRUPT, v1::REASON_UNAVAILABLE)}) {
    store_.FailCommits(error);
    ASSERT_TRUE(Submit({Inquiry(1), v1::REASON_BUCKET_MISMATCH}).ok());
    EXPECT_THAT(answers_.Await(++answered).back(), Each(answer));
  }
  store_.FailCommits(std::nullopt);
  EXPECT_THAT(listener_.delivered(), IsEmpty());
  EXPECT_EQ(Waiting(), 0u);
  ASSERT_TRUE(Submit({Inquiry(1)}).ok());
  EXPECT_THAT(answers_.Await(5).back(), ElementsAre(kAccepted));
  EXPECT_EQ(Waiting(), 1u);
}

TEST_F(CommitterTest, WhatOtherHubsChangedIsDecidedAnew) {
  store_.ConflictCommits(3);
  ASSERT_TRUE(Submit({Registration(), Inquiry(1), v1::REASON_BUCKET_MISMATCH}).ok());
  EXPECT_THAT(answers_.Await(1).back(),
              ElementsAre(kAccepted, kAccepted, v1::REASON_BUCKET_MISMATCH));
  EXPECT_EQ(store_.commits(), 4);
  EXPECT_EQ(metrics_.errors(), 0);

  store_.ConflictCommits(1000);
  ASSERT_TRUE(Submit({Inquiry(2)}).ok());
  EXPECT_THAT(answers_.Await(2).back(), ElementsAre(v1::REASON_UNAVAILABLE)) << "not for ever";
  // Passed on after its answer, and before the next is taken up.
  EXPECT_THAT(listener_.delivered(), SizeIs(1));
}

// What nothing is committed on is not held against the store: it is looked at before it is said.
TEST_F(CommitterTest, NothingIsRefusedOnAnAssumption) {
  ASSERT_TRUE(Submit({Registration()}).ok());
  answers_.Await(1);
  store_.AssumeNothingIsThere();
  ASSERT_TRUE(Submit({Inquiry(1)}).ok());
  EXPECT_THAT(answers_.Await(2).back(), ElementsAre(kAccepted)) << "the token is there";
  ASSERT_TRUE(Submit({v1::REASON_BUCKET_MISMATCH}).ok());
  EXPECT_THAT(answers_.Await(3).back(), ElementsAre(v1::REASON_BUCKET_MISMATCH));
  EXPECT_EQ(store_.commits(), 2);
  EXPECT_EQ(metrics_.errors(), 0);
}

TEST_F(CommitterTest, AFailedLoadDecidesNothing) {
  store_.FailLoads(v1::REASON_UNAVAILABLE);
  ASSERT_TRUE(Submit({Registration()}).ok());
  EXPECT_THAT(answers_.Await(1).back(), ElementsAre(v1::REASON_UNAVAILABLE));
  EXPECT_EQ(metrics_.errors(), 1);
  EXPECT_EQ(store_.commits(), 0);
}

TEST_F(CommitterTest, TheMembershipOfTheMomentCounts) {
  committer_->SetMembership(std::make_shared<const Membership>());
  ASSERT_TRUE(Submit({Registration()}).ok());
  EXPECT_THAT(answers_.Await(1).back(), ElementsAre(v1::REASON_MEMBER_UNKNOWN));
  committer_->SetMembership(std::make_shared<const Membership>(TestMembers()));
  ASSERT_TRUE(Submit({Registration()}).ok());
  EXPECT_THAT(answers_.Await(2).back(), ElementsAre(kAccepted));
}

TEST_F(CommitterTest, ShutdownAnswersWhatWasTaken) {
  HoldUpABatch();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Submit({Inquiry(i)}).ok());
  std::thread stopper([&] { committer_->Shutdown(); });
  store_.OpenCommits();
  stopper.join();
  EXPECT_THAT(answers_.Await(5), Each(ElementsAre(kAccepted)));
  EXPECT_EQ(ReasonOf(Submit({Inquiry(9)})), v1::REASON_UNAVAILABLE);
  committer_->Shutdown();
  EXPECT_THAT(answers_.Await(5), SizeIs(5));
}

}  // namespace
}  // namespace waymark::hub
