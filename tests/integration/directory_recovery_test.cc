// A hub's directory and a node's copy of it, through a restore at any revision of any log: after
// the node has brought the log forward, both have what they had.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "client/directory/replica.h"
#include "server/directory/directory.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"

namespace waymark {
namespace {

// A hub's store and its directory.
struct TestedHub {
  TestedHub(const TestDirectory& of, Clock& time) : network(of), clock(time) { Open(); }

  void Open() {
    directory = *hub::Directory::Open(&store, &clock, network.id, network.registry.verifying_key());
  }

  const TestDirectory& network;
  Clock& clock;
  hub::MemoryStore store;
  std::unique_ptr<hub::Directory> directory;
};

// A node's vault and its copy of the directory.
struct TestedNode {
  TestedNode(const TestDirectory& network, Clock& clock)
      : vault(folder.Open()),
        replica(*node::Replica::Open(network.id, network.registry.verifying_key(), *vault, clock)) {
  }

  // Reads what the hub has published since.
  absl::Status Follow(const TestedHub& hub) {
    while (true) {
      const v1::WatchDirectoryRequest next = replica->NextRequest();
      const bool same = next.epoch() == hub.directory->epoch();
      ASSIGN_OR_RETURN(const v1::WatchDirectoryResponse page,
                       hub.directory->ReadAfter(next.after_revision(),
                                                same ? next.after_capacity_revision() : 0));
      RETURN_IF_ERROR(replica->Apply(page));
      if (page.caught_up()) return absl::OkStatus();
    }
  }

  // Gives the hub what it lacks, in the name of `member`.
  absl::Status BringForward(const TestedHub& hub, const OrganisationId& member) {
    v1::ContinueDirectoryRequest request;
    do {
      ASSIGN_OR_RETURN(const auto told, hub.directory->Continue(member, request));
      ASSIGN_OR_RETURN(request, replica->ContinuationAfter(told.head()));
    } while (!request.entries().empty());
    return absl::OkStatus();
  }

  node::VaultFolder folder;
  std::unique_ptr<node::Vault> vault;
  std::unique_ptr<node::Replica> replica;
};

// What the hub would send to a node that has nothing, but for capacities.
std::string LogOf(const TestedHub& hub) {
  v1::WatchDirectoryResponse page = *hub.directory->ReadAfter(0, 0);
  page.clear_capacities();
  page.clear_capacity_revision();
  page.clear_epoch();
  return page.SerializeAsString();
}

// What a node would tell of the directory, but for capacities.
std::vector<std::string> SeenBy(const TestedNode& node) {
  const auto snapshot = node.replica->snapshot();
  std::vector<std::string> seen = {snapshot->head().SerializeAsString()};
  for (const node::MemberEntry* member : snapshot->members()) {
    seen.push_back(member->member.SerializeAsString());
  }
  for (const node::UnitEntry* unit : snapshot->units()) {
    for (const v1::SealingKey& key : unit->keys) seen.push_back(key.SerializeAsString());
  }
  for (const node::ServiceEntry* service : snapshot->OpenServices(TestNow())) {
    seen.push_back(service->service.SerializeAsString());
  }
  return seen;
}

class DirectoryRecoveryTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  uint32_t Below(uint32_t limit) {
    return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random_);
  }

  v1::SignedStatement NextStatement() {
    const size_t index = Below(static_cast<uint32_t>(organisations_.size()));
    const TestOrganisation& speaker = organisations_[index];
    const uint64_t version = ++version_;
    switch (Below(6)) {
      case 0: {
        v1::Statement member = network_.Member(speaker, version);
        // The first stays, to bring the log forward.
        if (index > 0 && Below(2) == 0) {
          member.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
        }
        return network_.ByRegistry(member);
      }
      case 1:
        return SignStatement(network_.UnitKeys(speaker, version), speaker.identity);
      case 2:
        return SignStatement(network_.Capacity(speaker, version), speaker.identity);
      default:
        return SignStatement(network_.Service(speaker, version), speaker.identity);
    }
  }

  // Whether the hub takes it.
  static bool Publish(const TestedHub& hub, const v1::SignedStatement& statement) {
    const CheckedStatement read = *DirectoryState::ReadStored(statement);
    if (read.content.has_member()) return hub.directory->PublishMember(statement).ok();
    v1::PublishStatementsRequest request;
    *request.add_statements() = statement;
    const auto published = hub.directory->Publish(read.organisation, request);
    return published.ok() && published->results(0) == v1::REASON_UNSPECIFIED;
  }

  std::mt19937 random_{GetParam()};
  FakeClock clock_{TestNow()};
  TestDirectory network_;
  std::vector<TestOrganisation> organisations_ = {TestOrganisation("lin"), TestOrganisation("stb"),
                                                  TestOrganisation("qso")};
  uint64_t version_ = 0;
};

TEST_P(DirectoryRecoveryTest, HubAndNodeHaveWhatTheyHad) {
  TestedHub lost(network_, clock_);
  TestedNode node(network_, clock_);
  // One that connects now and then has gaps; it helps as far as it can.
  TestedNode absent(network_, clock_);
  std::vector<v1::SignedStatement> log;
  const auto publish = [&](const v1::SignedStatement& statement) {
    if (!Publish(lost, statement)) return;
    if (!DirectoryState::ReadStored(statement)->content.has_capacity()) log.push_back(statement);
    ASSERT_TRUE(node.Follow(lost).ok());
    if (Below(5) != 0) return;
    ASSERT_TRUE(absent.Follow(lost).ok());
  };
  for (const TestOrganisation& organisation : organisations_) {
    publish(network_.ByRegistry(network_.Member(organisation, ++version_)));
  }
  for (int i = 0; i < 60; ++i) publish(NextStatement());

  TestedHub restored(network_, clock_);
  const size_t copied = 1 + Below(static_cast<uint32_t>(log.size()));
  for (size_t i = 0; i < copied; ++i) ASSERT_TRUE(Publish(restored, log[i])) << i;
  restored.store.Restore(clock_.Now());
  restored.Open();
  clock_.Advance(absl::Hours(Below(30 * 24)));

  const OrganisationId& member = organisations_.front().id;
  const absl::Status helped = absent.BringForward(restored, member);
  EXPECT_TRUE(helped.ok() || ReasonOf(helped) == v1::REASON_DIRECTORY_BEHIND) << helped;
  ASSERT_TRUE(node.BringForward(restored, member).ok());
  EXPECT_EQ(LogOf(restored), LogOf(lost));
  EXPECT_EQ(restored.directory->membership()->members(), lost.directory->membership()->members());
  const std::vector<std::string> seen = SeenBy(node);
  for (TestedNode* follower : {&node, &absent}) {
    ASSERT_TRUE(follower->Follow(restored).ok());
    EXPECT_EQ(SeenBy(*follower).front(), seen.front()) << "the head";
  }
  EXPECT_EQ(SeenBy(node), seen);
  EXPECT_TRUE(node.replica->alerts().empty());
  restored.Open();
  EXPECT_EQ(LogOf(restored), LogOf(lost)) << "as it is stored, too";
}

INSTANTIATE_TEST_SUITE_P(Logs, DirectoryRecoveryTest, ::testing::Range(0u, 24u));

}  // namespace
}  // namespace waymark
