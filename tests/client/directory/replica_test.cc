#include "client/directory/replica.h"

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() { Open(); }

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

  // A member with keys, a service and its capacity.
  void AppendLin() {
    log_.Append(network_.ByRegistry(network_.Member(lin_)));
    log_.Append(Own(network_.UnitKeys(lin_)));
    log_.Append(Own(network_.Service(lin_)));
  }

  absl::Status ApplyAll() { return replica_->Apply(log_.After(Revision())); }
  uint64_t Revision() const { return replica_->NextRequest().after_revision(); }

  FakeClock clock_{TestNow()};
  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  HubLog log_;
  VaultFolder folder_;
  std::unique_ptr<Vault> vault_;
  std::unique_ptr<Replica> replica_;
};

TEST_F(ReplicaTest, ShowsWhatTheLogSays) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.add_capacities() = Own(network_.Capacity(lin_));
  response.set_capacity_revision(4);
  ASSERT_TRUE(replica_->Apply(response).ok());

  EXPECT_THAT(replica_->alerts(), IsEmpty());
  EXPECT_TRUE(replica_->caught_up());
  EXPECT_EQ(replica_->NextRequest().after_revision(), 3u);
  EXPECT_EQ(replica_->NextRequest().after_capacity_revision(), 4u);

  const std::shared_ptr<const DirectorySnapshot> directory = replica_->snapshot();
  ASSERT_NE(directory->FindMember("lin"), nullptr);
  EXPECT_EQ(directory->FindMember("lin")->id, lin_.id);
  ASSERT_NE(directory->FindUnit("lin.desk"), nullptr);
  EXPECT_EQ(directory->FindUnit("lin.desk")->id, lin_.unit);
  EXPECT_EQ(directory->MemberOf(lin_.unit)->id, lin_.id);
  ASSERT_NE(directory->FindService("lin-101"), nullptr);
  EXPECT_EQ(directory->FindService("lin-101")->unit, lin_.unit);
  EXPECT_THAT(directory->OpenServices(TestNow()), SizeIs(1));
  EXPECT_EQ(directory->KeyToSealTo(lin_.unit, TestNow())->key_id(), std::string(16, 'k'));
  EXPECT_EQ(directory->FindUnit("lin.absent"), nullptr);
}

TEST_F(ReplicaTest, IsUpToDateWhileAWatchThatCaughtUpGoesOn) {
  AppendLin();
  EXPECT_FALSE(replica_->up_to_date());
  ASSERT_TRUE(replica_->Apply(log_.After(0, 2)).ok());
  EXPECT_FALSE(replica_->up_to_date());
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_TRUE(replica_->up_to_date());
  replica_->OnWatchEnded();
  EXPECT_FALSE(replica_->up_to_date());
  EXPECT_TRUE(replica_->caught_up()) << "it has been, once";
}

TEST_F(ReplicaTest, IsTheSameAfterARestart) {
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  Open();
  EXPECT_FALSE(replica_->caught_up());
  EXPECT_EQ(Revision(), 3u);
  EXPECT_NE(replica_->snapshot()->FindService("lin-101"), nullptr);
  EXPECT_TRUE(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).ok());
  log_.Append(Own(network_.Service(lin_, 2)));
  EXPECT_TRUE(ApplyAll().ok());
  EXPECT_EQ(Revision(), 4u);
}

TEST_F(ReplicaTest, ASnapshotInUseDoesNotChange) {
  const std::shared_ptr<const DirectorySnapshot> before = replica_->snapshot();
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(before->FindMember("lin"), nullptr);
  EXPECT_NE(replica_->snapshot()->FindMember("lin"), nullptr);
}

// The newest statement of a member may stand behind what its older one allowed.
TEST_F(ReplicaTest, TakesInWhatCameBeforeItsMember) {
  log_.Append(network_.ByRegistry(network_.Member(lin_)), /*replaced=*/true);
  log_.Append(Own(network_.UnitKeys(lin_)));
  log_.Append(network_.ByRegistry(network_.Member(lin_, 2)));
  ASSERT_TRUE(replica_->Apply(log_.After(0, 2)).ok());
  Open();
  EXPECT_EQ(Revision(), 0u) << "what waits is read again after a restart";
  ASSERT_TRUE(replica_->Apply(log_.After(0, 2)).ok());
  ASSERT_TRUE(replica_->Apply(log_.After(2)).ok());
  EXPECT_THAT(replica_->alerts(), IsEmpty());
  EXPECT_TRUE(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).ok());
  Open();
  EXPECT_EQ(Revision(), 3u);
}

TEST_F(ReplicaTest, RefusesAGapInTheLog) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(1);
  EXPECT_EQ(ReasonOf(replica_->Apply(response)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(Revision(), 0u);
  EXPECT_THAT(replica_->alerts(), SizeIs(1));
}

TEST_F(ReplicaTest, RefusesAnEntryWithAnotherDigest) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.mutable_entries(2)->mutable_statement() = Own(network_.Service(lin_, 7));
  EXPECT_EQ(ReasonOf(replica_->Apply(response)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(replica_->snapshot()->FindMember("lin"), nullptr) << "nothing of it counts";
}

TEST_F(ReplicaTest, RefusesAHeadThatIsNotThatOfTheEntries) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(0);
  response.mutable_head()->set_hash(std::string(32, 'x'));
  EXPECT_EQ(ReasonOf(replica_->Apply(response)), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ReplicaTest, RefusesAnotherHistoryAfterARestart) {
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  Open();
  HubLog other;
  for (int i = 0; i < 3; ++i) {
    other.Append(network_.ByRegistry(network_.Member(lin_, static_cast<uint64_t>(i) + 5)));
  }
  other.Append(network_.ByRegistry(network_.Member(lin_, 9)));
  EXPECT_EQ(ReasonOf(replica_->Apply(other.After(3))), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(Revision(), 3u);
}

TEST_F(ReplicaTest, LeavesOutWhatTheRegistryDidNotSign) {
  log_.Append(SignStatement(network_.Member(lin_), SigningKey::Generate()));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(replica_->snapshot()->FindMember("lin"), nullptr);
  EXPECT_THAT(replica_->alerts(), SizeIs(1));
  EXPECT_EQ(Revision(), 1u) << "the log goes on";
}

TEST_F(ReplicaTest, LeavesOutWhatAnotherMemberSays) {
  const TestOrganisation bea("bea");
  log_.Append(network_.ByRegistry(network_.Member(lin_)));
  log_.Append(network_.ByRegistry(network_.Member(bea)));
  v1::Statement forged = network_.UnitKeys(lin_);
  forged.set_organisation_id(bea.id.bytes());
  log_.Append(SignStatement(forged, bea.identity));
  log_.Append(SignStatement(network_.UnitKeys(lin_), bea.identity));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(ReasonOf(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).status()),
            v1::REASON_KEY_UNKNOWN);
  EXPECT_THAT(replica_->alerts(), SizeIs(2));
}

TEST_F(ReplicaTest, LeavesOutWhatHasRunOutWithoutAnAlert) {
  AppendLin();
  clock_.Advance(absl::Hours(9 * 24));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(replica_->snapshot()->FindMember("lin"), nullptr);
  EXPECT_THAT(replica_->alerts(), IsEmpty());
}

TEST_F(ReplicaTest, OffersOnlyServicesOfMembersInGoodStanding) {
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_THAT(replica_->snapshot()->OpenServices(TestNow() + absl::Hours(8 * 24)), IsEmpty())
      << "the registry's word has run out";
  v1::Statement leaving = network_.Member(lin_, 2);
  leaving.mutable_member()->set_status(v1::MEMBER_STATUS_LEAVING);
  log_.Append(network_.ByRegistry(leaving));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_THAT(replica_->snapshot()->OpenServices(TestNow()), IsEmpty());
  EXPECT_TRUE(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).ok())
      << "what is open goes on";
}

TEST_F(ReplicaTest, AWithdrawnServiceIsNotOffered) {
  AppendLin();
  v1::Statement withdrawn = network_.Service(lin_, 2);
  withdrawn.mutable_service()->set_withdrawn(true);
  log_.Append(Own(withdrawn));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_THAT(replica_->snapshot()->OpenServices(TestNow()), IsEmpty());
  EXPECT_NE(replica_->snapshot()->FindService("lin-101"), nullptr);
}

TEST_F(ReplicaTest, FindsConditionsAndForgetsReplacedOnes) {
  log_.Append(network_.ByRegistry(network_.Member(lin_)));
  v1::Statement service = network_.Service(lin_);
  v1::Condition& condition = *service.mutable_service()->add_conditions();
  condition.set_condition_id("lin101-age");
  condition.set_kind(v1::CONDITION_KIND_AGE);
  condition.set_value("MIN_18");
  condition.set_strength(v1::CONDITION_STRENGTH_REQUIRED);
  log_.Append(Own(service));
  ASSERT_TRUE(ApplyAll().ok());
  ASSERT_NE(replica_->snapshot()->FindCondition("lin101-age"), nullptr);
  EXPECT_EQ(replica_->snapshot()->FindCondition("lin101-age")->value(), "MIN_18");
  log_.Append(Own(network_.Service(lin_, 2)));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(replica_->snapshot()->FindCondition("lin101-age"), nullptr);
}

TEST_F(ReplicaTest, CapacityIsUnknownOnceItHasRunOut) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.add_capacities() = Own(network_.Capacity(lin_));
  ASSERT_TRUE(replica_->Apply(response).ok());
  const std::shared_ptr<const DirectorySnapshot> directory = replica_->snapshot();
  const ServiceEntry* service = directory->FindService("lin-101");
  const auto status = [&](absl::Duration later) {
    return DirectorySnapshot::CapacityAt(*service, TestNow() + later).status();
  };
  EXPECT_EQ(status(absl::Hours(11)), v1::CAPACITY_STATUS_HAS_CAPACITY);
  EXPECT_EQ(status(absl::Hours(12)), v1::CAPACITY_STATUS_UNKNOWN);
}

TEST_F(ReplicaTest, CapacityIsNotBelievedForLongerThanItsUnitAllows) {
  AppendLin();
  v1::Statement capacity = network_.Capacity(lin_);
  capacity.mutable_capacity()->set_valid_until_minute(MinuteOf(TestNow() + absl::Hours(90 * 24)));
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.add_capacities() = Own(capacity);
  ASSERT_TRUE(replica_->Apply(response).ok());
  const std::shared_ptr<const DirectorySnapshot> directory = replica_->snapshot();
  const v1::Capacity at_end = DirectorySnapshot::CapacityAt(*directory->FindService("lin-101"),
                                                            TestNow() + absl::Hours(12));
  EXPECT_EQ(at_end.status(), v1::CAPACITY_STATUS_UNKNOWN);
}

// What was said of a known place is still about when the place is redacted.
TEST_F(ReplicaTest, NumbersGoWhenThePlaceIsRedacted) {
  AppendLin();
  v1::Statement known = network_.Service(lin_, 2);
  known.mutable_service()->set_location_kind(v1::LOCATION_KIND_ADDRESSED);
  log_.Append(Own(known));
  v1::Statement capacity = network_.Capacity(lin_);
  capacity.mutable_capacity()->set_available(2);
  capacity.mutable_capacity()->set_maximum(4);
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.add_capacities() = Own(capacity);
  ASSERT_TRUE(replica_->Apply(response).ok());
  const auto room = [&] {
    return DirectorySnapshot::CapacityAt(*replica_->snapshot()->FindService("lin-101"), TestNow());
  };
  EXPECT_EQ(room().available(), 2u);
  log_.Append(Own(network_.Service(lin_, 3)));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(room().status(), v1::CAPACITY_STATUS_HAS_CAPACITY);
  EXPECT_FALSE(room().has_available());
  EXPECT_FALSE(room().has_maximum());
}

TEST_F(ReplicaTest, KeepsCapacityWhenTheServiceChanges) {
  AppendLin();
  v1::WatchDirectoryResponse response = log_.After(0);
  *response.add_capacities() = Own(network_.Capacity(lin_));
  ASSERT_TRUE(replica_->Apply(response).ok());
  log_.Append(Own(network_.Service(lin_, 2)));
  log_.Append(network_.ByRegistry(network_.Member(lin_, 2)));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_TRUE(replica_->snapshot()->FindService("lin-101")->capacity.has_value());
  EXPECT_TRUE(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).ok());
}

TEST_F(ReplicaTest, SaysWhyNothingCanBeSealed) {
  const auto reason = [&](absl::Time now) {
    return ReasonOf(replica_->snapshot()->KeyToSealTo(lin_.unit, now).status());
  };
  EXPECT_EQ(reason(TestNow()), v1::REASON_UNIT_UNKNOWN);
  log_.Append(network_.ByRegistry(network_.Member(lin_)));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(reason(TestNow()), v1::REASON_KEY_UNKNOWN);
  log_.Append(Own(network_.UnitKeys(lin_)));
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(reason(TestNow() + absl::Hours(23)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(reason(TestNow() + absl::Hours(24)), v1::REASON_DIRECTORY_STALE);
}

TEST_F(ReplicaTest, ANewIdentityKeyWaitsForConfirmation) {
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  TestOrganisation changed = lin_;
  changed.identity = SigningKey::Generate();
  log_.Append(network_.ByRegistry(network_.Member(changed, 2)));
  ASSERT_TRUE(ApplyAll().ok());
  Open();
  const auto reason = [&] {
    return ReasonOf(replica_->snapshot()->KeyToSealTo(lin_.unit, TestNow()).status());
  };
  EXPECT_EQ(reason(), v1::REASON_KEY_CHANGED) << "also after a restart";

  const std::string fingerprint = changed.identity.verifying_key().fingerprint();
  EXPECT_EQ(ReasonOf(replica_->Confirm(lin_.id, lin_.identity.verifying_key().fingerprint())),
            v1::REASON_FINGERPRINT_MISMATCH);
  EXPECT_EQ(ReasonOf(replica_->Confirm(OrganisationId::Generate(SystemRandom()), fingerprint)),
            v1::REASON_NOT_FOUND);
  EXPECT_EQ(reason(), v1::REASON_KEY_CHANGED);
  ASSERT_TRUE(replica_->Confirm(lin_.id, fingerprint).ok());
  EXPECT_EQ(reason(), v1::REASON_UNSPECIFIED);
  Open();
  EXPECT_EQ(reason(), v1::REASON_UNSPECIFIED);
}

TEST_F(ReplicaTest, ComparesPeersHeads) {
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  EXPECT_EQ(replica_->CheckPeerHead(log_.Head()), HeadComparison::kSame);
  EXPECT_EQ(replica_->CheckPeerHead(log_.Head(1)), HeadComparison::kSame);
  Open();
  EXPECT_EQ(replica_->CheckPeerHead(log_.Head(1)), HeadComparison::kSame);
  v1::DirectoryHead other = log_.Head(2);
  other.set_hash(std::string(32, 'x'));
  EXPECT_EQ(replica_->CheckPeerHead(other), HeadComparison::kMismatch);
  EXPECT_THAT(replica_->alerts(), SizeIs(1));
}

TEST_F(ReplicaTest, ComparesAHeadThatIsAheadWhenItGetsThere) {
  v1::DirectoryHead ahead;
  ahead.set_revision(3);
  ahead.set_hash(std::string(32, 'x'));
  EXPECT_EQ(replica_->CheckPeerHead(ahead), HeadComparison::kUndecided);
  AppendLin();
  ASSERT_TRUE(ApplyAll().ok());
  ASSERT_THAT(replica_->alerts(), SizeIs(1));
  EXPECT_THAT(replica_->alerts()[0], HasSubstr("another directory"));
}

}  // namespace
}  // namespace waymark::node
