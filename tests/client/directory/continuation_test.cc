// A replica whose hub was restored from an older copy: what it offers, and what it says.
#include "base/status/status.h"
#include "client/directory/replica.h"
#include "gmock/gmock.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContinuationTest : public ::testing::Test {
 protected:
  ContinuationTest() {
    log_.Append(network_.ByRegistry(network_.Member(lin_)));
    Open();
  }

  void Open() {
    replica_.reset();
    vault_.reset();
    vault_ = folder_.Open();
    absl::StatusOr<std::unique_ptr<Replica>> replica =
        Replica::Open(network_.id, network_.registry.verifying_key(), *vault_, clock_);
    ASSERT_TRUE(replica.ok()) << replica.status();
    replica_ = *std::move(replica);
  }

  v1::SignedStatement Own(const v1::Statement& statement) const {
    return SignStatement(statement, lin_.identity);
  }
  // Versions of a service; each replaces the one before.
  void AppendServices(int many) {
    for (int i = 0; i < many; ++i) log_.Append(Own(network_.Service(lin_, ++version_)));
  }
  void ApplyAll() {
    const absl::Status applied =
        replica_->Apply(log_.After(replica_->NextRequest().after_revision()));
    ASSERT_TRUE(applied.ok()) << applied;
  }

  // The revisions that are offered to a hub whose log ends at `revision`.
  std::vector<uint64_t> OfferedAfter(uint64_t revision) {
    const auto offered = replica_->ContinuationAfter(log_.Head(revision));
    EXPECT_TRUE(offered.ok()) << offered.status();
    std::vector<uint64_t> revisions;
    for (const v1::DirectoryEntry& entry : offered->entries()) {
      EXPECT_EQ(entry.SerializeAsString(),
                log_.After(entry.revision() - 1, entry.revision()).entries(0).SerializeAsString());
      revisions.push_back(entry.revision());
    }
    return revisions;
  }
  v1::Reason ReasonAfter(const v1::DirectoryHead& head) {
    return ReasonOf(replica_->ContinuationAfter(head).status());
  }

  FakeClock clock_{TestNow()};
  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  uint64_t version_ = 0;
  HubLog log_;
  VaultFolder folder_;
  std::unique_ptr<Vault> vault_;
  std::unique_ptr<Replica> replica_;
};

TEST_F(ContinuationTest, OffersWhatTheHubLacksAlsoWhatWasReplaced) {
  AppendServices(1);
  ApplyAll();
  AppendServices(2);
  ApplyAll();
  EXPECT_THAT(OfferedAfter(1), ElementsAre(2, 3, 4));
  EXPECT_THAT(OfferedAfter(3), ElementsAre(4));
  EXPECT_THAT(OfferedAfter(4), IsEmpty());
  Open();
  EXPECT_THAT(OfferedAfter(0), ElementsAre(1, 2, 3, 4)) << "also after a restart";
  EXPECT_THAT(replica_->alerts(), IsEmpty());
}

TEST_F(ContinuationTest, OffersNothingToAHubThatHasMore) {
  ApplyAll();
  AppendServices(1);
  EXPECT_THAT(OfferedAfter(2), IsEmpty());
}

TEST_F(ContinuationTest, OffersAsMuchAsOneRequestTakes) {
  AppendServices(300);
  ApplyAll();
  const auto page = replica_->ContinuationAfter(log_.Head(1));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->entries_size(), 256);
  EXPECT_EQ(OfferedAfter(257).size(), 44u);
}

// Where the hub's log ends no hash is kept; where the chain of entries leads one is.
TEST_F(ContinuationTest, OffersWhatALongAbsentHubLacks) {
  AppendServices(1'100);
  ApplyAll();
  const std::vector<uint64_t> offered = OfferedAfter(3);
  ASSERT_EQ(offered.size(), 256u);
  EXPECT_EQ(offered.front(), 4u);
  v1::DirectoryHead other = log_.Head(3);
  other.set_hash(std::string(32, 'x'));
  EXPECT_EQ(ReasonAfter(other), v1::REASON_DIRECTORY_BEHIND) << "nothing leads from there to here";
}

TEST_F(ContinuationTest, OffersNothingWhenAGapHidesWhetherTheHistoryIsTheSame) {
  AppendServices(10);
  log_.Append(Own(network_.Service(lin_, ++version_)), /*replaced=*/true);
  AppendServices(1'100);
  ApplyAll();
  EXPECT_EQ(ReasonAfter(log_.Head(5)), v1::REASON_DIRECTORY_BEHIND);
  EXPECT_EQ(OfferedAfter(12).front(), 13u);
}

TEST_F(ContinuationTest, SaysThatAHubHasAnotherHistory) {
  AppendServices(2);
  ApplyAll();
  v1::DirectoryHead other = log_.Head(2);
  other.set_hash(std::string(32, 'x'));
  EXPECT_EQ(ReasonAfter(other), v1::REASON_STATEMENT_INVALID);
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("another history")));
}

// It was away while an entry was published and replaced.
TEST_F(ContinuationTest, SaysThatItDoesNotHaveWhatTheHubLacksUntilTheHubHasIt) {
  ApplyAll();
  log_.Append(Own(network_.UnitKeys(lin_)));
  log_.Append(Own(network_.Service(lin_)), /*replaced=*/true);
  log_.Append(Own(network_.Service(lin_, 2)));
  ApplyAll();
  EXPECT_THAT(OfferedAfter(1), ElementsAre(2)) << "as far as it goes";
  EXPECT_EQ(ReasonAfter(log_.Head(2)), v1::REASON_DIRECTORY_BEHIND);
  EXPECT_EQ(ReasonAfter(log_.Head(2)), v1::REASON_DIRECTORY_BEHIND);
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("does not have all")));
  EXPECT_THAT(OfferedAfter(3), ElementsAre(4));
  ApplyAll();
  EXPECT_THAT(replica_->alerts(), IsEmpty()) << "another node brought it";
}

TEST_F(ContinuationTest, SaysThatTheHubDoesNotTakeItUntilItDoes) {
  ApplyAll();
  replica_->OnContinuationRefused(Error(v1::REASON_UNAVAILABLE, "the hub"));
  EXPECT_THAT(replica_->alerts(), IsEmpty());
  replica_->OnContinuationRefused(Error(v1::REASON_STATE_FORBIDS, "a month has passed"));
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("a month has passed")));
  ApplyAll();
  EXPECT_THAT(replica_->alerts(), IsEmpty());
}

// What waits for its member is read again after a restart, then perhaps without its statement.
TEST_F(ContinuationTest, KeepsAStatementThatWasReplacedBeforeItWasReadAgain) {
  const TestOrganisation stb("stb");
  log_.Append(network_.ByRegistry(network_.Member(stb)), /*replaced=*/true);
  log_.Append(SignStatement(network_.Service(stb), stb.identity));
  v1::WatchDirectoryResponse page = log_.After(0);
  page.set_caught_up(false);
  ASSERT_TRUE(replica_->Apply(page).ok());
  Open();
  ASSERT_EQ(replica_->NextRequest().after_revision(), 0u);
  page.mutable_entries(2)->clear_statement();
  page.set_caught_up(true);
  ASSERT_TRUE(replica_->Apply(page).ok());
  EXPECT_THAT(OfferedAfter(2), ElementsAre(3));
}

// An entry that was kept before the state of the log was, and belongs to a history that ended.
TEST_F(ContinuationTest, OffersNothingThatIsNotOfThisHistory) {
  const TestOrganisation stb("stb");
  HubLog other = log_;
  other.Append(SignStatement(network_.Service(stb), stb.identity));
  v1::WatchDirectoryResponse page = other.After(0);
  page.set_caught_up(false);
  ASSERT_TRUE(replica_->Apply(page).ok());
  Open();
  ASSERT_EQ(replica_->NextRequest().after_revision(), 0u);
  log_.Append(Own(network_.Service(lin_)), /*replaced=*/true);
  log_.Append(Own(network_.Service(lin_, 2)));
  ApplyAll();
  EXPECT_EQ(ReasonAfter(log_.Head(1)), v1::REASON_DIRECTORY_BEHIND);
}

// The hub was restored, and something new was published before a node that had more came back.
TEST_F(ContinuationTest, FollowsAnotherHistoryAnewWhenAPersonHasHeardThatItMay) {
  v1::Statement suspended = network_.Member(lin_, 5);
  suspended.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
  HubLog other = log_;
  AppendServices(1);
  log_.Append(network_.ByRegistry(suspended));
  ApplyAll();
  other.Append(Own(network_.Service(lin_, 7)));
  other.Append(network_.ByRegistry(network_.Member(lin_, 4)));
  other.Append(Own(network_.UnitKeys(lin_)));
  EXPECT_EQ(ReasonOf(replica_->Apply(other.After(3))), v1::REASON_STATEMENT_INVALID);
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("accept-directory")));

  replica_.reset();
  ASSERT_TRUE(Replica::FollowAnew(*vault_).ok());
  Open();
  ASSERT_EQ(replica_->NextRequest().after_revision(), 0u);
  ASSERT_TRUE(replica_->Apply(other.After(0)).ok());
  EXPECT_EQ(replica_->snapshot()->head().SerializeAsString(), other.Head().SerializeAsString());
  EXPECT_EQ(replica_->snapshot()->FindMember("lin")->member.status(), v1::MEMBER_STATUS_SUSPENDED)
      << "nothing is rolled back";
}

// --- Epochs --------------------------------------------------------------------------------------

TEST_F(ContinuationTest, ACapacityRevisionCountsWithinItsEpoch) {
  EXPECT_EQ(replica_->NextRequest().epoch(), "");
  AppendServices(1);
  v1::WatchDirectoryResponse response = log_.After(0);
  response.set_epoch(std::string(16, 'a'));
  response.set_capacity_revision(7);
  ASSERT_TRUE(replica_->Apply(response).ok());
  Open();
  EXPECT_EQ(replica_->NextRequest().epoch(), std::string(16, 'a'));
  EXPECT_EQ(replica_->NextRequest().after_capacity_revision(), 7u);
  EXPECT_EQ(replica_->snapshot()->epoch(), std::string(16, 'a'));

  response = log_.After(2);
  response.set_epoch(std::string(16, 'b'));
  response.set_capacity_revision(2);
  *response.add_capacities() = Own(network_.Capacity(lin_));
  ASSERT_TRUE(replica_->Apply(response).ok());
  EXPECT_EQ(replica_->NextRequest().epoch(), std::string(16, 'b'));
  EXPECT_EQ(replica_->NextRequest().after_capacity_revision(), 2u);
  EXPECT_EQ(replica_->snapshot()->epoch(), std::string(16, 'b'));
  EXPECT_TRUE(replica_->snapshot()->FindService("lin-101")->capacity.has_value());
}

}  // namespace
}  // namespace waymark::node
