#include "client/directory/publication.h"

#include <algorithm>

#include "base/crypto/hpke.h"
#include "base/directory/state.h"
#include "base/status/status.h"
#include "client/directory/keyring.h"
#include "client/directory/replica.h"
#include "client/directory/room.h"
#include "client/vault/typed.h"
#include "gmock/gmock.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

// A hub's desk that applies the directory's rules, or cannot be reached.
class FakeDesk {
 public:
  FakeDesk(const NetworkId& network, const VerifyingKey& registry, Clock& clock)
      : state_(network, registry), clock_(clock) {}

  void Admit(const v1::SignedStatement& member) {
    state_.Apply(state_.Check(member, clock_.Now()).value());
  }

  absl::StatusOr<v1::PublishStatementsResponse> Publish(
      const v1::PublishStatementsRequest& request) {
    if (!reachable) return Error(v1::REASON_UNAVAILABLE, "the hub");
    ++requests;
    v1::PublishStatementsResponse response;
    for (const v1::SignedStatement& statement : request.statements()) {
      const absl::StatusOr<CheckedStatement> checked = state_.Check(statement, clock_.Now());
      response.add_results(ReasonOf(checked.status()));
      if (!checked.ok()) continue;
      state_.Apply(*checked);
      taken.push_back(checked->content);
    }
    return response;
  }

  bool reachable = true;
  int requests = 0;
  std::vector<v1::Statement> taken;

 private:
  DirectoryState state_;
  Clock& clock_;
};

class PublicationTest : public ::testing::Test {
 protected:
  PublicationTest() {
    const v1::SignedStatement member = network_.ByRegistry(network_.Member(lin_));
    desk_.Admit(member);
    log_.Append(member);
    replica_ = *Replica::Open(network_.id, network_.registry.verifying_key(), *vault_, clock_);
    EXPECT_TRUE(replica_->Apply(log_.After(0)).ok());
    publication_ = std::make_unique<Publication>(
        Publication::Options{network_.id, lin_.id, absl::UTCTimeZone()}, lin_.identity, *vault_,
        clock_, SystemRandom(), [this] { return replica_->snapshot(); },
        [this](const v1::PublishStatementsRequest& request) { return desk_.Publish(request); });
  }

  std::vector<OpeningKey> Keys() {
    std::vector<OpeningKey> keys;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& reader) -> absl::Status {
                      ASSIGN_OR_RETURN(keys, OpeningKeys(reader, lin_.unit));
                      return absl::OkStatus();
                    })
                    .ok());
    return keys;
  }

  // The node sees the hub in this epoch.
  void SeeEpoch(char name) {
    v1::WatchDirectoryResponse response = log_.After(replica_->NextRequest().after_revision());
    response.set_epoch(std::string(16, name));
    ASSERT_TRUE(replica_->Apply(response).ok());
  }

  // The statements that the hub took after the first `before`, as bytes.
  std::vector<std::string> TakenAfter(size_t before) const {
    std::vector<std::string> taken;
    for (size_t i = before; i < desk_.taken.size(); ++i) {
      taken.push_back(desk_.taken[i].SerializeAsString());
    }
    return taken;
  }

  // --- Room

  static constexpr absl::Duration kHold = absl::Hours(1);

  void PublishKnownPlace() {
    v1::Service service = network_.Service(lin_).service();
    service.set_location_kind(v1::LOCATION_KIND_ADDRESSED);
    ASSERT_TRUE(publication_->PublishService(service).ok());
  }

  v1::Capacity Room(uint32_t available) const {
    v1::Capacity capacity;
    capacity.set_service_id(lin_.service.bytes());
    capacity.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
    capacity.set_available(available);
    return capacity;
  }

  // What another unit asked the own one for, with an offer that was or is held.
  void Refer(const std::string& state, uint32_t places) {
    const ReferralId id = ReferralId::Generate(SystemRandom());
    local::v1::Referral referral;
    referral.set_referral_id(id.bytes());
    referral.set_service_id(lin_.service.bytes());
    referral.set_state(state);
    referral.set_state_since_ms(absl::ToUnixMillis(clock_.Now()));
    referral.set_state_until_ms(absl::ToUnixMillis(clock_.Now() + kHold));
    referral.set_held_places(places);
    const absl::Status written = vault_->Write([&](Transaction& transaction) {
      return PutMessage(transaction, DocumentKind::kReferral, id, DocumentId(), referral);
    });
    ASSERT_TRUE(written.ok()) << written;
  }

  std::optional<uint32_t> Free() {
    std::optional<uint32_t> free;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& reader) -> absl::Status {
                      ASSIGN_OR_RETURN(free,
                                       FreePlaces(reader, lin_.service.bytes(), clock_.Now()));
                      return absl::OkStatus();
                    })
                    .ok());
    return free;
  }

  void ExpectTold(v1::CapacityStatus status, std::optional<uint32_t> available) {
    const auto told = std::find_if(desk_.taken.rbegin(), desk_.taken.rend(),
                                   [](const v1::Statement& said) { return said.has_capacity(); });
    ASSERT_NE(told, desk_.taken.rend());
    EXPECT_EQ(told->capacity().status(), status);
    EXPECT_EQ(told->capacity().has_available(), available.has_value());
    EXPECT_EQ(told->capacity().available(), available.value_or(0));
  }

  FakeClock clock_{TestNow()};
  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  HubLog log_;
  FakeDesk desk_{network_.id, network_.registry.verifying_key(), clock_};
  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Publication> publication_;
};

TEST_F(PublicationTest, PublishesAKeyForEachUnit) {
  ASSERT_TRUE(publication_->Maintain().ok());
  ASSERT_THAT(desk_.taken, SizeIs(1));
  const v1::UnitKeys& published = desk_.taken[0].unit_keys();
  EXPECT_EQ(published.unit_id(), lin_.unit.bytes());
  ASSERT_EQ(published.keys_size(), 1);
  const std::vector<OpeningKey> keys = Keys();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_EQ(keys[0].id.bytes(), published.keys(0).key_id());
  EXPECT_EQ(*hpke::PublicFromPrivate(keys[0].private_key), published.keys(0).public_key());
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_EQ(desk_.requests, 1) << "nothing more is due";
}

TEST_F(PublicationTest, RotatesKeysWeeklyAndDestroysOldOnes) {
  ASSERT_TRUE(publication_->Maintain().ok());
  const std::string first = Keys()[0].id.bytes();
  clock_.Advance(absl::Hours(7 * 24));
  ASSERT_TRUE(publication_->Maintain().ok());
  ASSERT_THAT(Keys(), SizeIs(2));
  EXPECT_NE(Keys()[0].id.bytes(), first) << "the newest comes first";
  EXPECT_EQ(desk_.taken.back().unit_keys().keys_size(), 2);
  EXPECT_EQ(desk_.taken.back().unit_keys().keys(1).key_id(), first);

  // Fifteen days after its making nobody seals to it; thirty more and nothing can arrive.
  clock_.Advance(absl::Hours(9 * 24));
  ASSERT_TRUE(publication_->Maintain().ok());
  for (const v1::SealingKey& key : desk_.taken.back().unit_keys().keys()) {
    EXPECT_NE(key.key_id(), first);
  }
  EXPECT_EQ(Keys().back().id.bytes(), first);
  clock_.Advance(absl::Hours(30 * 24));
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_NE(Keys().back().id.bytes(), first);
}

TEST_F(PublicationTest, SaysServicesAndCapacityAtOnce) {
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  v1::Capacity capacity;
  capacity.set_service_id(lin_.service.bytes());
  capacity.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
  const absl::StatusOr<absl::Time> until = publication_->PublishCapacity(capacity);
  ASSERT_TRUE(until.ok()) << until.status();
  EXPECT_EQ(*until, TestNow() + absl::Hours(12)) << "08:00 UTC counts as day";
  ASSERT_THAT(desk_.taken, SizeIs(2));
  EXPECT_EQ(desk_.taken[1].capacity().updated_minute(), MinuteOf(TestNow()));
}

TEST_F(PublicationTest, KeepsWhatTheHubCouldNotBeAskedAbout) {
  desk_.reachable = false;
  EXPECT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  EXPECT_EQ(ReasonOf(publication_->Maintain()), v1::REASON_UNAVAILABLE);
  desk_.reachable = true;
  EXPECT_TRUE(publication_->Maintain().ok());
  EXPECT_THAT(desk_.taken, SizeIs(2));
}

TEST_F(PublicationTest, ARefusedStatementDoesNotReplaceTheOneInForce) {
  const v1::Service service = network_.Service(lin_).service();
  ASSERT_TRUE(publication_->PublishService(service).ok());
  const TestOrganisation bea("bea");
  desk_.Admit(network_.ByRegistry(network_.Member(bea)));
  v1::Statement taken = network_.Service(bea);
  taken.mutable_service()->set_handle("taken");
  desk_.Admit(SignStatement(taken, bea.identity));

  v1::Service renamed = service;
  renamed.set_handle("taken");
  EXPECT_EQ(ReasonOf(publication_->PublishService(renamed)), v1::REASON_STATEMENT_INVALID);
  clock_.Advance(absl::Hours(5 * 24));
  ASSERT_TRUE(publication_->Maintain().ok());
  const auto again = std::find_if(desk_.taken.rbegin(), desk_.taken.rend(),
                                  [](const v1::Statement& said) { return said.has_service(); });
  EXPECT_EQ(again->service().handle(), service.handle()) << "what was said before was signed again";
}

TEST_F(PublicationTest, SignsAgainBeforeTheEnd) {
  v1::Profile profile;
  profile.add_reporting_duties(v1::REPORTING_DUTY_NONE_KNOWN);
  profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
  profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
  ASSERT_TRUE(publication_->PublishProfile(profile).ok());
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  v1::Capacity capacity = network_.Capacity(lin_).capacity();
  ASSERT_TRUE(publication_->PublishCapacity(capacity).ok());
  ASSERT_TRUE(publication_->Maintain().ok());
  const size_t before = desk_.taken.size();
  clock_.Advance(absl::Hours(3 * 24));
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_EQ(desk_.taken.size(), before);
  clock_.Advance(absl::Hours(24));
  ASSERT_TRUE(publication_->Maintain().ok());
  ASSERT_EQ(desk_.taken.size(), before + 3) << "keys, profile and service; the capacity ran out";
  for (size_t i = before; i < desk_.taken.size(); ++i) {
    EXPECT_FALSE(desk_.taken[i].has_capacity());
    EXPECT_EQ(desk_.taken[i].valid_until_minute(), MinuteOf(clock_.Now() + absl::Hours(8 * 24)));
  }
}

TEST_F(PublicationTest, SaysAgainWhatIsInForceWhenTheHubBeginsANewEpoch) {
  SeeEpoch('a');
  ASSERT_TRUE(publication_->Maintain().ok());
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(2)).ok());
  const std::vector<std::string> said = TakenAfter(0);
  ASSERT_THAT(said, SizeIs(3)) << "keys, service and capacity";
  ASSERT_TRUE(publication_->Maintain().ok());
  ASSERT_THAT(desk_.taken, SizeIs(3)) << "not in the same epoch";

  SeeEpoch('b');
  desk_.reachable = false;
  EXPECT_EQ(ReasonOf(publication_->Maintain()), v1::REASON_UNAVAILABLE);
  desk_.reachable = true;
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_THAT(TakenAfter(3), UnorderedElementsAreArray(said)) << "the same bytes";
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_THAT(desk_.taken, SizeIs(6)) << "once";
}

TEST_F(PublicationTest, DoesNotSayAgainWhatHasRunOut) {
  SeeEpoch('a');
  ASSERT_TRUE(publication_->Maintain().ok());
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(2)).ok());
  clock_.Advance(absl::Hours(12));
  SeeEpoch('b');
  ASSERT_TRUE(publication_->Maintain().ok());
  ASSERT_THAT(desk_.taken, SizeIs(5));
  EXPECT_FALSE(desk_.taken[3].has_capacity());
  EXPECT_FALSE(desk_.taken[4].has_capacity());
}

TEST_F(PublicationTest, RefusesWhatIsNotOurs) {
  v1::Service service = network_.Service(lin_).service();
  service.set_unit_id(UnitId::Generate(SystemRandom()).bytes());
  EXPECT_EQ(ReasonOf(publication_->PublishService(service)), v1::REASON_UNIT_NOT_OWN);
  EXPECT_EQ(ReasonOf(publication_->PublishCapacity(network_.Capacity(lin_).capacity()).status()),
            v1::REASON_NOT_FOUND);
}

TEST_F(PublicationTest, NamesTheFieldThatIsWrong) {
  v1::Service service = network_.Service(lin_).service();
  service.set_handle("Not A Handle");
  EXPECT_EQ(ReasonOf(publication_->PublishService(service)), v1::REASON_FIELD_INVALID);
  EXPECT_THAT(desk_.taken, IsEmpty());
}

// --- Room ----------------------------------------------------------------------------------------

TEST_F(PublicationTest, BelievesRoomForAsLongAsItsUnitAllows) {
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  v1::Capacity capacity = Room(2);
  capacity.set_valid_until_minute(MinuteOf(TestNow() + absl::Hours(90 * 24)));
  EXPECT_EQ(*publication_->PublishCapacity(capacity), TestNow() + absl::Hours(12));
  capacity.set_valid_until_minute(MinuteOf(TestNow() + absl::Hours(3)));
  EXPECT_EQ(*publication_->PublishCapacity(capacity), TestNow() + absl::Hours(3));
  // It counts from when the places were counted, which is not in the future.
  capacity.set_valid_until_minute(0);
  capacity.set_updated_minute(MinuteOf(TestNow() - absl::Hours(1)));
  EXPECT_EQ(*publication_->PublishCapacity(capacity), TestNow() + absl::Hours(3)) << "by night";
  capacity.set_updated_minute(MinuteOf(TestNow() + absl::Hours(1)));
  EXPECT_EQ(*publication_->PublishCapacity(capacity), TestNow() + absl::Hours(12));
}

TEST_F(PublicationTest, TellsTheStatusAloneOfARedactedPlaceAndKeepsTheNumbers) {
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  v1::Capacity capacity = Room(2);
  capacity.set_maximum(4);
  ASSERT_TRUE(publication_->PublishCapacity(capacity).ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, std::nullopt);
  EXPECT_FALSE(desk_.taken.back().capacity().has_maximum());
  EXPECT_EQ(Free(), 2u);
  capacity.set_maximum(1);
  EXPECT_EQ(ReasonOf(publication_->PublishCapacity(capacity).status()), v1::REASON_FIELD_INVALID);
}

TEST_F(PublicationTest, ARedactedPlaceWithEveryPlaceHeldIsFull) {
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  ASSERT_TRUE(publication_->PublishCapacity(Room(1)).ok());
  Refer("OFFERED", 1);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_NO_CAPACITY, std::nullopt);
}

TEST_F(PublicationTest, TakesNumbersBackWhenAPlaceIsRedacted) {
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(2)).ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 2);
  const int before = desk_.requests;
  ASSERT_TRUE(publication_->PublishService(network_.Service(lin_).service()).ok());
  EXPECT_EQ(desk_.requests, before + 1) << "both at once";
  const auto told = std::find_if(desk_.taken.rbegin(), desk_.taken.rend(),
                                 [](const v1::Statement& said) { return said.has_capacity(); });
  EXPECT_FALSE(told->capacity().has_available());
  EXPECT_EQ(told->capacity().status(), v1::CAPACITY_STATUS_HAS_CAPACITY);
}

TEST_F(PublicationTest, WhatOffersHoldComesOffUntilTheHoldEnds) {
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(3)).ok());
  Refer("OFFERED", 1);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 2);
  Refer("OFFERED", 2);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_NO_CAPACITY, 0);
  const size_t taken = desk_.taken.size();
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_EQ(desk_.taken.size(), taken) << "nothing new to tell";
  EXPECT_EQ(Free(), 0u);
  // Nobody looks at the referrals; the hold ends all the same.
  clock_.Advance(kHold);
  EXPECT_EQ(Free(), 3u);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 3);
  EXPECT_EQ(desk_.taken.back().capacity().updated_minute(), MinuteOf(TestNow()))
      << "nobody counted anew";
}

TEST_F(PublicationTest, WhatIsHeldComesOffWhateverIsSaidMeanwhile) {
  PublishKnownPlace();
  Refer("OFFERED", 1);
  ASSERT_TRUE(publication_->PublishCapacity(Room(3)).ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 2);
}

TEST_F(PublicationTest, AnOfferThatEndedHoldsNothing) {
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(1)).ok());
  for (const char* ended : {"NOT_TAKEN_UP", "OFFER_LAPSED", "WITHDRAWN", "CANCELLED", "EXPIRED",
                            "NOT_STARTED", "COMPLETED", "INQUIRED", "DISCARDED"}) {
    Refer(ended, 1);
  }
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 1);
}

TEST_F(PublicationTest, AnAcceptedPlaceIsTakenUntilPlacesAreCountedAnew) {
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(2)).ok());
  for (const char* taken : {"ACCEPTED", "STARTED"}) Refer(taken, 1);
  clock_.Advance(kHold);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_NO_CAPACITY, 0);
  v1::Capacity counted = Room(2);
  ASSERT_TRUE(publication_->PublishCapacity(counted).ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 2);
  // As somebody read it before they said yes.
  counted.set_updated_minute(MinuteOf(TestNow() - absl::Hours(1)));
  ASSERT_TRUE(publication_->PublishCapacity(counted).ok());
  ExpectTold(v1::CAPACITY_STATUS_NO_CAPACITY, 0);
}

// As a bed register does that is read every minute.
TEST_F(PublicationTest, WhatIsSaidAgainAndAgainIsToldWhenHalfOfItsTimeIsOver) {
  PublishKnownPlace();
  ASSERT_TRUE(publication_->PublishCapacity(Room(2)).ok());
  Refer("ACCEPTED", 1);
  ASSERT_TRUE(publication_->Maintain().ok());
  ExpectTold(v1::CAPACITY_STATUS_HAS_CAPACITY, 1);
  const size_t taken = desk_.taken.size();
  // The register has the place that was accepted: the same room, counted anew.
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*publication_->PublishCapacity(Room(1)), TestNow() + absl::Hours(12));
  EXPECT_EQ(Free(), 1u);
  ASSERT_TRUE(publication_->Maintain().ok());
  EXPECT_EQ(desk_.taken.size(), taken);
  clock_.Advance(absl::Hours(6));
  EXPECT_EQ(*publication_->PublishCapacity(Room(1)), clock_.Now() + absl::Hours(12));
  EXPECT_EQ(desk_.taken.size(), taken + 1);
  ASSERT_TRUE(publication_->PublishCapacity(Room(0)).ok());
  ExpectTold(v1::CAPACITY_STATUS_NO_CAPACITY, 0);
}

TEST_F(PublicationTest, NobodyKnowsHowManyAreFreeWhenItWasNotSaidOrTooLongAgo) {
  PublishKnownPlace();
  EXPECT_EQ(Free(), std::nullopt);
  v1::Capacity status = Room(0);
  status.clear_available();
  ASSERT_TRUE(publication_->PublishCapacity(status).ok());
  EXPECT_EQ(Free(), std::nullopt);
  ASSERT_TRUE(publication_->PublishCapacity(Room(1)).ok());
  EXPECT_EQ(Free(), 1u);
  clock_.Advance(absl::Hours(12));
  EXPECT_EQ(Free(), std::nullopt);
}

TEST(CapacityLifetimeTest, FollowsUnitAndHour) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const auto at = [&](int hour) { return absl::FromCivil(absl::CivilHour(2026, 3, 4, hour), utc); };
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_BED, at(8), utc), absl::Hours(12));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_BED, at(18), utc), absl::Hours(4));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_FAMILY_ROOM, at(7), utc), absl::Hours(4));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_HOUR, at(8), utc), absl::Hours(24));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_SESSION, at(8), utc), absl::Hours(72));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_SLOT, at(8), utc), absl::Hours(7 * 24));
  EXPECT_EQ(CapacityLifetime(v1::CAPACITY_UNIT_PLACE, at(8), utc), absl::Hours(30 * 24));
}

}  // namespace
}  // namespace waymark::node
