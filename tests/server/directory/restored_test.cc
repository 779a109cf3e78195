// A hub that was restored from an older copy, and the nodes that bring its directory forward.
#include <functional>

#include "base/directory/statement.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/directory/directory.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr uint64_t kCopied = 3;

class Standings final : public MembershipListener {
 public:
  void OnMembership(std::shared_ptr<const Membership>) override {}
  void OnStanding(const OrganisationId& organisation, v1::MemberStatus status) override {
    told.emplace_back(organisation, status);
  }
  std::vector<std::pair<OrganisationId, v1::MemberStatus>> told;
};

class RestoredTest : public ::testing::Test {
 protected:
  // The copy has two members and a service; the log went on by a new version of each.
  RestoredTest() {
    log_.Append(network_.ByRegistry(network_.Member(lin_)));
    log_.Append(network_.ByRegistry(network_.Member(stb_)));
    log_.Append(Own(network_.Service(lin_)));
    log_.Append(Own(network_.Service(lin_, 2)));
    log_.Append(Own(network_.UnitKeys(lin_)));
    log_.Append(Suspended(stb_, 2));
    log_.Append(Own(network_.Service(lin_, 3)));
    Open();
    for (uint64_t revision = 1; revision <= kCopied; ++revision) Publish(Statement(revision));
    store_.Restore(clock_.Now());
    Open();
  }

  void Open() { directory_ = Opened(store_); }
  std::unique_ptr<Directory> Opened(MemoryStore& store) {
    auto opened = Directory::Open(&store, &clock_, network_.id, network_.registry.verifying_key());
    EXPECT_TRUE(opened.ok()) << opened.status();
    (*opened)->set_listener(&standings_);
    return *std::move(opened);
  }

  v1::SignedStatement Own(const v1::Statement& statement) const {
    return SignStatement(statement, lin_.identity);
  }
  v1::SignedStatement Suspended(const TestOrganisation& member, uint64_t version) const {
    v1::Statement statement = network_.Member(member, version);
    statement.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
    return network_.ByRegistry(statement);
  }
  v1::SignedStatement Statement(uint64_t revision) const {
    return log_.After(revision - 1).entries(0).statement();
  }

  // Publishes as whoever it is about.
  v1::Reason Publish(const v1::SignedStatement& statement) {
    const auto read = DirectoryState::ReadStored(statement);
    if (read->content.has_member()) return ReasonOf(directory_->PublishMember(statement));
    v1::PublishStatementsRequest request;
    *request.add_statements() = statement;
    const auto published = directory_->Publish(read->organisation, request);
    return published.ok() ? published->results(0) : ReasonOf(published.status());
  }

  // What a node offers that has the log from `after` to `through` (0: all).
  v1::ContinueDirectoryRequest Entries(uint64_t after, uint64_t through = 0) const {
    v1::ContinueDirectoryRequest request;
    const v1::WatchDirectoryResponse known = log_.After(after, through);
    *request.mutable_entries() = known.entries();
    return request;
  }
  absl::StatusOr<v1::ContinueDirectoryResponse> Offer(const v1::ContinueDirectoryRequest& request) {
    return directory_->Continue(lin_.id, request);
  }
  v1::Reason ReasonOfOffer(const v1::ContinueDirectoryRequest& request) {
    return ReasonOf(Offer(request).status());
  }

  void ExpectHead(uint64_t revision) {
    const auto told = Offer({});
    ASSERT_TRUE(told.ok()) << told.status();
    EXPECT_EQ(told->head().SerializeAsString(), log_.Head(revision).SerializeAsString());
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation stb_{"stb"};
  node::HubLog log_;
  FakeClock clock_{TestNow()};
  std::shared_ptr<StoreMemory> memory_ = std::make_shared<StoreMemory>();
  MemoryStore store_{memory_};
  Standings standings_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(RestoredTest, SaysThatItsLogEndsBeforeWhatANodeHas) {
  EXPECT_EQ(ReasonOf(directory_->ReadAfter(7, 0).status()), v1::REASON_DIRECTORY_BEHIND);
  ExpectHead(kCopied);
}

TEST_F(RestoredTest, IsBroughtForward) {
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  ExpectHead(7);
  const auto page = directory_->ReadAfter(0, 0);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->entries(3).has_statement()) << "a later version replaced it";
  EXPECT_TRUE(page->entries(6).has_statement());
  Open();
  ExpectHead(7);
}

TEST_F(RestoredTest, IsBroughtForwardInPagesByTwoNodesAtOnce) {
  ASSERT_TRUE(Offer(Entries(kCopied, 4)).ok());
  const auto second = Offer(Entries(kCopied, 6));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->head().revision(), 6u);
  ASSERT_TRUE(Offer(Entries(4, 5)).ok()) << "all of it is there";
  ASSERT_TRUE(Offer(Entries(0)).ok()) << "from the beginning";
  ExpectHead(7);
}

TEST_F(RestoredTest, IsBroughtForwardThroughTwoProcesses) {
  MemoryStore other_store(memory_);
  const auto other = Opened(other_store);
  other_store.HoldNews();
  ASSERT_TRUE(Offer(Entries(kCopied, 5)).ok());
  const auto rest = other->Continue(lin_.id, Entries(5));
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(rest->head().SerializeAsString(), log_.Head().SerializeAsString());
  ExpectHead(7);
}

TEST_F(RestoredTest, WhatRanOutSinceIsTakenBack) {
  clock_.Advance(absl::Hours(30 * 24));
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  ExpectHead(7);
}

TEST_F(RestoredTest, ASuspensionIsInForceWhenItReturns) {
  standings_.told.clear();
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  EXPECT_THAT(standings_.told, ElementsAre(Pair(stb_.id, v1::MEMBER_STATUS_SUSPENDED)));
  EXPECT_EQ(directory_->membership()->Find(stb_.id)->status, v1::MEMBER_STATUS_SUSPENDED);
}

TEST_F(RestoredTest, WatchersLearnOfIt) {
  class Watcher final : public DirectoryWatcher {
   public:
    void OnDirectoryChanged() override { ++changes; }
    int changes = 0;
  };
  const auto watcher = std::make_shared<Watcher>();
  ASSERT_TRUE(directory_->Watch(watcher).ok());
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  EXPECT_EQ(watcher->changes, 1);
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  EXPECT_EQ(watcher->changes, 1);
}

TEST_F(RestoredTest, ASuspendedMemberBringsNothing) {
  ASSERT_TRUE(Offer(Entries(kCopied, 6)).ok());
  EXPECT_EQ(ReasonOf(directory_->Continue(stb_.id, Entries(6)).status()),
            v1::REASON_MEMBER_SUSPENDED);
  EXPECT_TRUE(directory_->Continue(stb_.id, {}).ok()) << "it may read";
}

TEST_F(RestoredTest, NothingOfARequestCountsIfOneEntryDoesNot) {
  const auto refused = [&](const std::function<void(v1::ContinueDirectoryRequest&)>& change) {
    v1::ContinueDirectoryRequest request = Entries(kCopied);
    change(request);
    const v1::Reason reason = ReasonOfOffer(request);
    ExpectHead(kCopied);
    EXPECT_EQ(directory_->membership()->Find(stb_.id)->status, v1::MEMBER_STATUS_ACTIVE);
    return reason;
  };
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries(3)->clear_statement(); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries()->SwapElements(2, 3); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) {
              request.mutable_entries(3)->mutable_statement()->set_signature("forged");
            }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries()->DeleteSubrange(0, 1); }),
            v1::REASON_STATEMENT_INVALID)
      << "a gap after the log";
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  ExpectHead(7);
}

TEST_F(RestoredTest, RefusesALogThatWentOnOtherwise) {
  clock_.Advance(absl::Hours(1));
  ASSERT_EQ(Publish(Own(network_.Service(lin_, 9))), v1::REASON_UNAVAILABLE);
  clock_.Advance(Directory::kPublicationPause);
  ASSERT_EQ(Publish(Own(network_.Service(lin_, 9))), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonOfOffer(Entries(kCopied)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(ReasonOfOffer(Entries(0, 2)), v1::REASON_UNSPECIFIED) << "what both have";
}

TEST_F(RestoredTest, RefusesTooMuchAtOnce) {
  v1::ContinueDirectoryRequest request;
  for (int i = 0; i <= Directory::kMaxStatements; ++i) request.add_entries();
  EXPECT_EQ(ReasonOfOffer(request), v1::REASON_FRAME_TOO_LARGE);
  request.Clear();
  request.add_entries()->set_digest(std::string(Directory::kMaxRequestBytes, 'd'));
  EXPECT_EQ(ReasonOfOffer(request), v1::REASON_FRAME_TOO_LARGE);
}

TEST_F(RestoredTest, TakesNothingBackAfterAMonth) {
  clock_.Advance(kRecoveryPeriod);
  EXPECT_EQ(ReasonOfOffer(Entries(kCopied)), v1::REASON_STATE_FORBIDS);
  ExpectHead(kCopied);
}

TEST_F(RestoredTest, AHubThatWasNeverRestoredTakesNothing) {
  MemoryStore fresh;
  const auto directory = Opened(fresh);
  EXPECT_EQ(ReasonOf(directory->Continue(lin_.id, Entries(0)).status()), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(directory->Continue(lin_.id, {})->head().revision(), 0u);
}

TEST_F(RestoredTest, AFailedAppendLeavesNothingBehind) {
  store_.FailNextAppend();
  EXPECT_EQ(ReasonOfOffer(Entries(kCopied)), v1::REASON_UNAVAILABLE);
  ExpectHead(kCopied);
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  ExpectHead(7);
}

// --- The pause of publications -------------------------------------------------------------------

TEST_F(RestoredTest, PublishesNothingUntilNodesHadTheTimeToComeBack) {
  const v1::SignedStatement service = Own(network_.Service(lin_, 4));
  const v1::SignedStatement member = network_.ByRegistry(network_.Member(lin_, 2));
  EXPECT_EQ(Publish(service), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(Publish(member), v1::REASON_UNAVAILABLE);
  clock_.Advance(Directory::kPublicationPause - absl::Seconds(1));
  EXPECT_EQ(Publish(service), v1::REASON_UNAVAILABLE);
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Publish(service), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Publish(member), v1::REASON_UNSPECIFIED);
}

TEST_F(RestoredTest, ThePauseBeginsWhenSomebodyReachesTheHub) {
  clock_.Advance(absl::Hours(3));
  ASSERT_TRUE(directory_->ReadAfter(0, 0).ok());
  clock_.Advance(Directory::kPublicationPause - absl::Seconds(1));
  EXPECT_EQ(Publish(Own(network_.Service(lin_, 4))), v1::REASON_UNAVAILABLE);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Publish(Own(network_.Service(lin_, 4))), v1::REASON_UNSPECIFIED);
}

TEST_F(RestoredTest, AHubThatBeginsAfterThePauseDoesNotPauseAgain) {
  clock_.Advance(Directory::kPublicationPause);
  Open();
  EXPECT_EQ(Publish(Own(network_.Service(lin_, 4))), v1::REASON_UNSPECIFIED);
}

TEST_F(RestoredTest, ANodeThatComesLateIsTakenWhileNothingNewWasPublished) {
  clock_.Advance(absl::Hours(5 * 24));
  Open();
  ASSERT_TRUE(Offer(Entries(kCopied)).ok());
  ExpectHead(7);
}

}  // namespace
}  // namespace waymark::hub
