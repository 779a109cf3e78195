// Two hub processes on one store: together they are one hub.
#include <gmock/gmock.h>

#include <numeric>
#include <thread>

#include "base/status/status.h"
#include "server/session/peer_news.h"
#include "tests/base/directory/fixtures.h"
#include "tests/server/session/remembering_sink.h"
#include "tests/support/memory_store.h"
#include "tests/support/session_harness.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr v1::Reason kTaken = v1::REASON_UNSPECIFIED;

TestOrganisation Member(const std::string& handle, std::string_view unit) {
  TestOrganisation organisation(handle);
  organisation.id = Organisation(handle);
  organisation.unit = Unit(unit);
  return organisation;
}

class CountingWatcher final : public DirectoryWatcher {
 public:
  void OnDirectoryChanged() override { ++changes_; }
  int changes() const { return changes_; }

 private:
  int changes_ = 0;
};

// What one process holds, without its listeners. The test's thread is its desk.
class Process final : public MembershipListener {
 public:
  Process(const std::shared_ptr<StoreMemory>& memory, const TestDirectory& network,
          const Limits& limits, Clock* clock)
      : store_(memory) {
    directory_ = *Directory::Open(&store_, clock, network.id, network.registry.verifying_key());
    directory_->set_listener(this);
    dispatcher_ = Dispatcher::Create(&store_, clock, &metrics_);
    committer_ = Committer::Create(
        {.store = &store_, .listener = dispatcher_.get(), .metrics = &metrics_, .clock = clock},
        limits, {});
    committer_->SetMembership(directory_->membership());
    news_ = std::make_unique<PeerNews>(dispatcher_.get(), committer_.get(), directory_.get(),
                                       [this](absl::AnyInvocable<void()> task) {
                                         if (desk_closed_) return false;
                                         desk_->Post(std::move(task));
                                         return true;
                                       });
    store_.SetPeerListener(news_.get());
  }
  ~Process() override {
    store_.SetPeerListener(nullptr);
    committer_->Shutdown();
    dispatcher_->Shutdown();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void OnMembership(std::shared_ptr<const Membership> membership) override {
    committer_->SetMembership(std::move(membership));
  }
  void OnStanding(const OrganisationId& organisation, v1::MemberStatus status) override {
    standings_.emplace_back(organisation, status);
    dispatcher_->Disconnect(organisation, v1::REASON_MEMBER_SUSPENDED);
  }

  AttachmentId Attach(std::string_view member, const std::shared_ptr<RememberingSink>& sink,
                      const Dispatcher::Options& options = {}) {
    return dispatcher_->Attach(Organisation(member), options, sink);
  }

  // Submits one frame and waits for its answer.
  std::vector<v1::Reason> Submit(std::string_view sender, std::vector<SubmittedItem> items) {
    Mutex mu;
    CondVar changed;
    std::optional<std::vector<v1::Reason>> answer;
    EXPECT_TRUE(committer_
                    ->Submit({.sender = Organisation(sender),
                              .items = std::move(items),
                              .bytes = 1,
                              .done =
                                  [&](std::span<const v1::Reason> reasons) {
                                    MutexLock lock(mu);
                                    answer.emplace(reasons.begin(), reasons.end());
                                    changed.SignalAll();
                                  }})
                    .ok());
    MutexLock lock(mu);
    while (!answer) changed.Wait(mu);
    return *answer;
  }

  MemoryStore& store() { return store_; }
  Directory& directory() { return *directory_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  PeerNews& news() { return *news_; }
  const auto& standings() const { return standings_; }
  // Runs the next task of the desk.
  void RunDesk() { desk_->RunNext(); }
  void CloseDesk(bool closed) { desk_closed_ = closed; }

 private:
  MemoryStore store_;
  NoMetrics metrics_;
  std::vector<std::pair<OrganisationId, v1::MemberStatus>> standings_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Committer> committer_;
  bool desk_closed_ = false;
  std::shared_ptr<ManualStrand> desk_ = std::make_shared<ManualStrand>();
  std::unique_ptr<PeerNews> news_;
};

class SeveralHubsTest : public ::testing::Test {
 protected:
  SeveralHubsTest() {
    MemoryStore founder(memory_);
    const auto directory = Directory::Open(&founder, &clock_, directory_network_.id,
                                           directory_network_.registry.verifying_key());
    for (const TestOrganisation* member : {&qso_, &lin_}) {
      EXPECT_TRUE((*directory)->PublishMember(ByRegistry(*member, 1)).ok());
    }
    one_ = std::make_unique<Process>(memory_, directory_network_, network_.limits, &clock_);
    two_ = std::make_unique<Process>(memory_, directory_network_, network_.limits, &clock_);
    EXPECT_THAT(one_->Submit("qso", {token_}), ElementsAre(kTaken));
  }

  v1::SignedStatement ByRegistry(const TestOrganisation& member, uint64_t version,
                                 v1::MemberStatus status = v1::MEMBER_STATUS_ACTIVE) {
    v1::Statement statement = directory_network_.Member(member, version);
    statement.mutable_member()->set_status(status);
    return directory_network_.ByRegistry(statement);
  }
  v1::SignedStatement Own(const v1::Statement& statement) {
    return SignStatement(statement, lin_.identity);
  }
  absl::StatusOr<v1::PublishStatementsResponse> Publish(Process& at,
                                                        const v1::SignedStatement& statement) {
    v1::PublishStatementsRequest request;
    *request.add_statements() = statement;
    return at.directory().Publish(lin_.id, request);
  }

  SubmittedItem Message(v1::Kind kind, int referral) {
    return *ReadMessage(Organisation("qso"), TestNetwork::Message(network_.Header(
                                                 kind, "qso.night", "lin.family",
                                                 "referral " + std::to_string(referral), &token_)));
  }
  SubmittedItem Inquiry(int referral) { return Message(v1::KIND_INQUIRY, referral); }

  std::vector<uint64_t> UpTo(uint64_t last) {
    std::vector<uint64_t> sequences(last);
    std::iota(sequences.begin(), sequences.end(), 1);
    return sequences;
  }

  TestNetwork network_;
  FakeClock clock_{network_.now};
  TestDirectory directory_network_{NetworkId::Generate(SystemRandom()), network_.now};
  TestOrganisation qso_ = Member("qso", "qso.night");
  TestOrganisation lin_ = Member("lin", "lin.family");
  v1::TokenRegistration token_ = network_.Token("c-c", "qso.night", "lin.family");
  const std::shared_ptr<StoreMemory> memory_ = std::make_shared<StoreMemory>();
  const std::shared_ptr<RememberingSink> sink_ = std::make_shared<RememberingSink>();
  std::unique_ptr<Process> one_;
  std::unique_ptr<Process> two_;
};

// Traffic -----------------------------------------------------------------------------------------

TEST_F(SeveralHubsTest, AMessageSubmittedAtOneIsDeliveredAtTheOther) {
  two_->Attach("lin", sink_);
  EXPECT_THAT(one_->Submit("qso", {Inquiry(1)}), ElementsAre(kTaken));
  EXPECT_THAT(sink_->Await(1), ElementsAre(1));
  EXPECT_THAT(one_->Submit("qso", {Inquiry(2)}), ElementsAre(kTaken));
  EXPECT_THAT(two_->Submit("qso", {Inquiry(3)}), ElementsAre(kTaken));
  EXPECT_EQ(sink_->Await(3), UpTo(3));
}

TEST_F(SeveralHubsTest, WhatOnlyThisProcessStoresComesFromMemory) {
  one_->Attach("lin", sink_);
  one_->Submit("qso", {Inquiry(1)});
  sink_->Await(1);
  one_->Submit("qso", {Inquiry(2)});
  sink_->Await(2);
  const int reads = one_->store().reads();
  for (int i = 3; i <= 6; ++i) one_->Submit("qso", {Inquiry(i)});
  EXPECT_EQ(sink_->Await(6), UpTo(6));
  EXPECT_EQ(one_->store().reads(), reads);
}

TEST_F(SeveralHubsTest, AGapIsReadThoughItsNewsAreLate) {
  one_->Attach("lin", sink_);
  one_->Submit("qso", {Inquiry(1)});
  sink_->Await(1);
  one_->store().HoldNews();
  two_->Submit("qso", {Inquiry(2)});
  one_->Submit("qso", {Inquiry(3)});
  EXPECT_EQ(sink_->Await(3), UpTo(3)) << "2 before 3";
  one_->store().ReleaseNews();
  one_->Submit("qso", {Inquiry(4)});
  EXPECT_EQ(sink_->Await(4), UpTo(4));
}

TEST_F(SeveralHubsTest, OrderIsKeptAndNothingRepeatedWhileBothStore) {
  constexpr int kEach = 150;
  const AttachmentId attachment = two_->Attach("lin", sink_, {.window_messages = 9});
  std::vector<std::vector<SubmittedItem>> items(2);
  for (int i = 0; i < 2 * kEach; ++i) items[i % 2].push_back(Inquiry(i));
  std::vector<std::thread> writers;
  writers.reserve(2);
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      Process& at = writer == 0 ? *one_ : *two_;
      for (SubmittedItem& item : items[writer]) {
        EXPECT_THAT(at.Submit("qso", {std::move(item)}), ElementsAre(kTaken));
      }
    });
  }
  for (size_t received = 1; received <= 2 * kEach; ++received) {
    two_->dispatcher().OnAck(attachment, sink_->Await(received)[received - 1]);
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(sink_->Await(2 * kEach), UpTo(2 * kEach));
}

TEST_F(SeveralHubsTest, AWithdrawalAtOneDropsWhatWaitsAtTheOther) {
  const AttachmentId attachment = two_->Attach("lin", sink_, {.window_messages = 1});
  two_->Submit("qso", {Inquiry(1)});
  sink_->Await(1);
  two_->Submit("qso", {Inquiry(2)});
  EXPECT_THAT(one_->Submit("qso", {Message(v1::KIND_REVOKE, 1)}), ElementsAre(kTaken));
  two_->dispatcher().OnAck(attachment, 1);
  EXPECT_THAT(sink_->Await(2), ElementsAre(1, 3)) << "the revocation, not the second inquiry";
}

TEST_F(SeveralHubsTest, AfterLostNewsMailboxesAreReadAgain) {
  const AttachmentId attachment = two_->Attach("lin", sink_, {.window_messages = 1});
  two_->Submit("qso", {Inquiry(1)});
  sink_->Await(1);
  two_->Submit("qso", {Inquiry(2)});
  two_->store().HoldNews();
  one_->Submit("qso", {Message(v1::KIND_REVOKE, 1)});
  two_->store().LoseNews();
  two_->dispatcher().OnAck(attachment, 1);
  EXPECT_THAT(sink_->Await(2), ElementsAre(1, 3));
  two_->RunDesk();
}

// Sessions ----------------------------------------------------------------------------------------

TEST_F(SeveralHubsTest, ASessionAtOneReplacesTheOlderAtTheOther) {
  const auto newer = std::make_shared<RememberingSink>();
  one_->Attach("lin", sink_);
  two_->Submit("qso", {Inquiry(1)});
  sink_->Await(1);
  two_->Attach("lin", newer);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  EXPECT_THAT(newer->Await(1), ElementsAre(1)) << "nothing was acknowledged";
  two_->Submit("qso", {Inquiry(2)});
  newer->Await(2);
  EXPECT_FALSE(newer->detached());
}

TEST_F(SeveralHubsTest, WhoeverIsAttachedIsReplacedByWhoeverComesLater) {
  one_->store().DuringNextClaim(
      [&] { EXPECT_FALSE(sink_->attached()) << "another may claim now"; });
  one_->Attach("lin", sink_);
  sink_->AwaitAttached();
  const auto newer = std::make_shared<RememberingSink>();
  two_->Attach("lin", newer);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  newer->AwaitAttached();
  EXPECT_FALSE(newer->detached());
}

TEST_F(SeveralHubsTest, ANodeThatMovesResumesFromItsCursor) {
  const AttachmentId attachment = one_->Attach("lin", sink_);
  one_->Submit("qso", {Inquiry(1), Inquiry(2), Inquiry(3)});
  sink_->Await(3);
  one_->dispatcher().Detach(attachment);
  const auto moved = std::make_shared<RememberingSink>();
  two_->Attach("lin", moved, {.cursor = 2});
  EXPECT_THAT(moved->Await(1), ElementsAre(3));
  EXPECT_EQ(one_->store().epoch(), two_->store().epoch());
}

TEST_F(SeveralHubsTest, ANewerSessionIsHeardOfBeforeTheOlderHasItsNumber) {
  const auto newer = std::make_shared<RememberingSink>();
  two_->Submit("qso", {Inquiry(1)});
  one_->store().DuringNextClaim([&] {
    two_->Attach("lin", newer);
    newer->Await(1);
  });
  one_->Attach("lin", sink_);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  EXPECT_FALSE(sink_->attached());
  EXPECT_FALSE(newer->detached());
}

TEST_F(SeveralHubsTest, LateNewsOfAnOlderSessionDoNotEndTheNewer) {
  const auto there = std::make_shared<RememberingSink>();
  const auto back = std::make_shared<RememberingSink>();
  two_->Submit("qso", {Inquiry(1)});
  one_->store().HoldNews();
  one_->Attach("lin", sink_);
  sink_->Await(1);
  two_->Attach("lin", there);
  there->Await(1);
  one_->Attach("lin", back);
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  EXPECT_EQ(there->AwaitDetached(), v1::REASON_SESSION_REPLACED);
  back->Await(1);
  one_->store().ReleaseNews();
  one_->Submit("qso", {Inquiry(2)});
  EXPECT_EQ(back->Await(2), UpTo(2));
  EXPECT_FALSE(back->detached());
}

// Directory ---------------------------------------------------------------------------------------

TEST_F(SeveralHubsTest, AStatementAtOneReachesAWatcherOfTheOther) {
  const auto watcher = std::make_shared<CountingWatcher>();
  ASSERT_TRUE(two_->directory().Watch(watcher).ok());
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Service(lin_))).ok());
  two_->RunDesk();
  EXPECT_EQ(watcher->changes(), 1);
  const auto page = two_->directory().ReadAfter(2, 0);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->entries_size(), 1);
  EXPECT_TRUE(page->caught_up());
  EXPECT_EQ(page->head().hash(), one_->directory().ReadAfter(2, 0)->head().hash());
}

TEST_F(SeveralHubsTest, ASuspensionAtOneIsInForceAtTheOther) {
  two_->Attach("qso", sink_);
  two_->Submit("qso", {Inquiry(1)});
  ASSERT_TRUE(
      one_->directory().PublishMember(ByRegistry(qso_, 2, v1::MEMBER_STATUS_SUSPENDED)).ok());
  two_->RunDesk();
  EXPECT_THAT(two_->standings(), ElementsAre(Pair(qso_.id, v1::MEMBER_STATUS_SUSPENDED)));
  EXPECT_EQ(sink_->AwaitDetached(), v1::REASON_MEMBER_SUSPENDED);
  EXPECT_THAT(two_->Submit("qso", {Inquiry(2)}), ElementsAre(v1::REASON_MEMBER_SUSPENDED));
  EXPECT_EQ(two_->directory().membership()->Find(qso_.id)->status, v1::MEMBER_STATUS_SUSPENDED);
}

TEST_F(SeveralHubsTest, AStatementThatOthersOutranIsJudgedAgain) {
  two_->store().HoldNews();
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Service(lin_, 3))).ok());
  const auto older = Publish(*two_, Own(directory_network_.Service(lin_, 2)));
  ASSERT_TRUE(older.ok()) << older.status();
  EXPECT_THAT(older->results(), ElementsAre(v1::REASON_STATEMENT_INVALID));
  const auto newer = Publish(*two_, Own(directory_network_.Service(lin_, 4)));
  ASSERT_TRUE(newer.ok()) << newer.status();
  EXPECT_THAT(newer->results(), ElementsAre(kTaken));
  EXPECT_EQ(newer->head().revision(), 4u);

  ASSERT_TRUE(Publish(*one_, Own(directory_network_.UnitKeys(lin_))).ok()) << "before its news";
  EXPECT_EQ(one_->directory().ReadAfter(0, 0)->head().revision(), 5u);
  ASSERT_TRUE(
      two_->directory().PublishMember(ByRegistry(qso_, 2, v1::MEMBER_STATUS_SUSPENDED)).ok());
  EXPECT_EQ(two_->directory().ReadAfter(0, 0)->head().revision(), 6u);
}

TEST_F(SeveralHubsTest, CapacitiesOfTwoProcessesAreAllRead) {
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Service(lin_))).ok());
  two_->RunDesk();
  two_->store().HoldNews();
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Capacity(lin_, 1))).ok());
  const v1::SignedStatement newer = Own(directory_network_.Capacity(lin_, 2));
  ASSERT_TRUE(Publish(*two_, newer).ok());
  const auto page = two_->directory().ReadAfter(3, 0);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->capacity_revision(), 2u);
  EXPECT_TRUE(page->caught_up());
  const auto again = Publish(*one_, newer);
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->results(), ElementsAre(kTaken)) << "a repeat, though another took it in";
}

TEST_F(SeveralHubsTest, ANodeThatHasSeenMoreThanThisProcessIsServed) {
  two_->store().HoldNews();
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Service(lin_))).ok());
  const auto page = two_->directory().ReadAfter(3, 0);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->caught_up());
  EXPECT_EQ(ReasonOf(two_->directory().ReadAfter(4, 0).status()), v1::REASON_DIRECTORY_BEHIND);
}

TEST_F(SeveralHubsTest, NewsThatTheDeskCouldNotTakeAreTakenLater) {
  const auto watcher = std::make_shared<CountingWatcher>();
  ASSERT_TRUE(two_->directory().Watch(watcher).ok());
  two_->CloseDesk(true);
  ASSERT_TRUE(Publish(*one_, Own(directory_network_.Service(lin_))).ok());
  two_->CloseDesk(false);
  two_->news().Retry();
  two_->RunDesk();
  EXPECT_EQ(watcher->changes(), 1);
}

// Clocks ------------------------------------------------------------------------------------------

TEST_F(SeveralHubsTest, ClocksAndNoticesRunOnce) {
  two_->Attach("qso", sink_);
  one_->Submit("qso", {Inquiry(1)});
  clock_.Advance(absl::Minutes(3));
  const auto taken = one_->store().TakeOfflineNotices(clock_.Now() - absl::Minutes(2), 10);
  ASSERT_TRUE(taken.ok());
  ASSERT_THAT(*taken, SizeIs(1));
  EXPECT_THAT(*two_->store().TakeOfflineNotices(clock_.Now() - absl::Minutes(2), 10), IsEmpty());
  const auto elsewhere = one_->dispatcher().NotifyPeerOffline(*taken);
  ASSERT_THAT(elsewhere, SizeIs(1)) << "its sender is connected to the other";
  ASSERT_TRUE(one_->store().SendNotices(elsewhere).ok());
  sink_->AwaitOffline(taken->front().message_id);
  EXPECT_THAT(sink_->offline(), SizeIs(1));

  clock_.Advance(absl::Hours(5));
  size_t expired = 0;
  for (Process* process : {one_.get(), two_.get()}) {
    expired += process->store().Sweep(clock_.Now(), 10)->expired_referrals.size();
  }
  EXPECT_EQ(expired, 1u);
}

}  // namespace
}  // namespace waymark::hub
