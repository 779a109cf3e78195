#include "server/directory/directory.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/directory/statement.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/base/directory/fixtures.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class RecordingListener final : public MembershipListener {
 public:
  void OnMembership(std::shared_ptr<const Membership> membership) override {
    last_membership = std::move(membership);
  }
  void OnStanding(const OrganisationId& organisation, v1::MemberStatus status) override {
    standings.emplace_back(organisation, status);
  }

  std::shared_ptr<const Membership> last_membership;
  std::vector<std::pair<OrganisationId, v1::MemberStatus>> standings;
};

class CountingWatcher final : public DirectoryWatcher {
 public:
  void OnDirectoryChanged() override { ++changes; }
  int changes = 0;
};

class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() {
    Open();
    EXPECT_TRUE(directory_->PublishMember(network_.ByRegistry(network_.Member(lin_))).ok());
  }

  void Open() {
    auto opened = Directory::Open(&store_, &clock_, network_.id, network_.registry.verifying_key());
    ASSERT_TRUE(opened.ok()) << opened.status();
    directory_ = *std::move(opened);
    directory_->set_listener(&listener_);
  }

  absl::StatusOr<v1::PublishStatementsResponse> Publish(
      const std::vector<v1::SignedStatement>& statements) {
    v1::PublishStatementsRequest request;
    for (const auto& statement : statements) *request.add_statements() = statement;
    return directory_->Publish(lin_.id, request);
  }
  v1::SignedStatement Own(const v1::Statement& statement) {
    return SignStatement(statement, lin_.identity);
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation stb_{"stb"};
  FakeClock clock_{TestNow()};
  MemoryStore store_;
  RecordingListener listener_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, EachStatementIsAnsweredForItself) {
  v1::Statement numbers = network_.Capacity(lin_);
  numbers.mutable_capacity()->set_available(1);
  const auto response =
      Publish({Own(network_.Service(lin_)), Own(numbers), Own(network_.Capacity(lin_)),
               network_.ByRegistry(network_.Member(stb_)),
               SignStatement(network_.Service(stb_), stb_.identity)});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(response->results(), ElementsAre(v1::REASON_UNSPECIFIED, v1::REASON_STATEMENT_INVALID,
                                               v1::REASON_UNSPECIFIED, v1::REASON_REGISTRY_ONLY,
                                               v1::REASON_MEMBER_UNKNOWN));
  EXPECT_EQ(response->head().revision(), 2u);
}

TEST_F(DirectoryTest, NobodyPublishesForAnother) {
  ASSERT_TRUE(directory_->PublishMember(network_.ByRegistry(network_.Member(stb_))).ok());
  const auto response = Publish({SignStatement(network_.Service(stb_), stb_.identity)});
  ASSERT_TRUE(response.ok());
  EXPECT_THAT(response->results(), ElementsAre(v1::REASON_STATEMENT_INVALID));
}

TEST_F(DirectoryTest, RepeatIsAcceptedAndAddsNothing) {
  const auto statement = Own(network_.Service(lin_));
  ASSERT_TRUE(Publish({statement}).ok());
  const auto again = Publish({statement});
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->results(), ElementsAre(v1::REASON_UNSPECIFIED));
  EXPECT_EQ(again->head().revision(), 2u);
}

TEST_F(DirectoryTest, EmptyAndOversizedRequestsAreRefused) {
  EXPECT_EQ(ReasonOf(Publish({}).status()), v1::REASON_FIELD_INVALID);
  const std::vector<v1::SignedStatement> many(Directory::kMaxStatements + 1);
  EXPECT_EQ(ReasonOf(Publish(many).status()), v1::REASON_FRAME_TOO_LARGE);
}

TEST_F(DirectoryTest, WatchReadsLogAndCapacityAndVerifiesAsAChain) {
  ASSERT_TRUE(Publish({Own(network_.Service(lin_)), Own(network_.Service(lin_, 2)),
                       Own(network_.Capacity(lin_))})
                  .ok());
  const auto page = directory_->ReadAfter(0, 0);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries_size(), 3);
  EXPECT_FALSE(page->entries(1).has_statement()) << "a later version replaced it";
  EXPECT_EQ(page->capacities_size(), 1);
  EXPECT_TRUE(page->caught_up());
  std::string head = EmptyHead();
  for (const auto& entry : page->entries()) head = NextHead(head, entry.digest());
  EXPECT_EQ(head, page->head().hash());

  const auto rest = directory_->ReadAfter(3, page->capacity_revision());
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->entries_size(), 0);
  EXPECT_EQ(rest->head().hash(), head);
  EXPECT_TRUE(rest->caught_up());
  EXPECT_EQ(rest->epoch(), store_.epoch());
  EXPECT_EQ(ReasonOf(directory_->ReadAfter(4, 0).status()), v1::REASON_DIRECTORY_BEHIND);
  EXPECT_EQ(ReasonOf(directory_->ReadAfter(3, 2).status()), v1::REASON_FIELD_INVALID);
}

TEST_F(DirectoryTest, SurvivesAReopen) {
  ASSERT_TRUE(Publish({Own(network_.Service(lin_)), Own(network_.Capacity(lin_))}).ok());
  const auto before = directory_->ReadAfter(2, 0);
  Open();
  const auto after = directory_->ReadAfter(2, 0);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->SerializeAsString(), after->SerializeAsString());
  EXPECT_NE(directory_->membership()->Find(lin_.id), nullptr);
  const auto older = Publish({Own(network_.Service(lin_))});
  ASSERT_TRUE(older.ok());
  EXPECT_THAT(older->results(), ElementsAre(v1::REASON_STATEMENT_INVALID));
}

TEST_F(DirectoryTest, FailedAppendLeavesNothingBehind) {
  store_.FailNextAppend();
  EXPECT_EQ(ReasonOf(Publish({Own(network_.Service(lin_))}).status()), v1::REASON_UNAVAILABLE);
  const auto again = Publish({Own(network_.Service(lin_))});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->results(), ElementsAre(v1::REASON_UNSPECIFIED));
  EXPECT_EQ(again->head().revision(), 2u);
}

TEST_F(DirectoryTest, SuspensionIsInForceWhenItReturns) {
  v1::Statement suspension = network_.Member(lin_, 2);
  suspension.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
  ASSERT_TRUE(directory_->PublishMember(network_.ByRegistry(suspension)).ok());
  EXPECT_EQ(directory_->membership()->Find(lin_.id)->status, v1::MEMBER_STATUS_SUSPENDED);
  EXPECT_EQ(listener_.last_membership, directory_->membership());
  EXPECT_THAT(listener_.standings, ElementsAre(Pair(lin_.id, v1::MEMBER_STATUS_ACTIVE),
                                               Pair(lin_.id, v1::MEMBER_STATUS_SUSPENDED)));
  const auto refused = Publish({Own(network_.Service(lin_))});
  ASSERT_TRUE(refused.ok());
  EXPECT_THAT(refused->results(), ElementsAre(v1::REASON_MEMBER_SUSPENDED));
}

TEST_F(DirectoryTest, WatchersLearnOfEveryChangeUntilTheyGo) {
  auto watcher = std::make_shared<CountingWatcher>();
  ASSERT_TRUE(directory_->Watch(watcher).ok());
  ASSERT_TRUE(Publish({Own(network_.Service(lin_))}).ok());
  EXPECT_EQ(watcher->changes, 1);
  watcher.reset();
  EXPECT_TRUE(Publish({Own(network_.Service(lin_, 2))}).ok());
}

TEST_F(DirectoryTest, MemberStatementsAreTheNewest) {
  ASSERT_TRUE(directory_->PublishMember(network_.ByRegistry(network_.Member(lin_, 2))).ok());
  const auto members = directory_->MemberStatements(std::nullopt, 1 << 20);
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->statements.size(), 1u);
  EXPECT_EQ(ParseStatement(members->statements.front())->version(), 2u);
  EXPECT_EQ(members->next, std::nullopt);
}

TEST_F(DirectoryTest, MembersComeInPagesOfTheirBytes) {
  std::set<OrganisationId> joined = {lin_.id};
  for (int i = 0; i < 6; ++i) {
    const TestOrganisation member("member" + std::to_string(i));
    ASSERT_TRUE(directory_->PublishMember(network_.ByRegistry(network_.Member(member))).ok());
    joined.insert(member.id);
  }
  const size_t one = directory_->MemberStatements(std::nullopt, 1)->statements[0].ByteSizeLong();
  for (const size_t max_bytes : {size_t{1}, 3 * one, 100 * one}) {
    std::vector<OrganisationId> listed;
    std::optional<OrganisationId> after;
    do {
      const auto page = directory_->MemberStatements(after, max_bytes);
      ASSERT_TRUE(page.ok()) << page.status();
      ASSERT_FALSE(page->statements.empty());
      size_t bytes = 0;
      for (const v1::SignedStatement& statement : page->statements)
        bytes += statement.ByteSizeLong();
      EXPECT_TRUE(bytes <= max_bytes || page->statements.size() == 1) << bytes;
      for (const v1::SignedStatement& statement : page->statements) {
        listed.push_back(*OrganisationId::FromBytes(ParseStatement(statement)->organisation_id()));
      }
      after = page->next;
    } while (after);
    EXPECT_EQ(listed, std::vector<OrganisationId>(joined.begin(), joined.end())) << max_bytes;
  }
}

}  // namespace
}  // namespace waymark::hub
