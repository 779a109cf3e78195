// What a store assumes without a look at its database, above all while it is alone with it, and
// what becomes of it when that is wrong.
#include <gmock/gmock.h>

#include "base/status/status.h"
#include "server/store/postgres/recollection.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Keys of which everything may be assumed and nothing is said to be new.
StateKeys KeysOf(uint64_t number) {
  return {.token_hashes = {SampleHash(number)},
          .referrals = {SampleId<ReferralId>(number)},
          .messages = {SampleId<MessageId>(number)},
          .may_assume = true};
}

StateKeys NewKeysOf(uint64_t number) {
  StateKeys keys = KeysOf(number);
  keys.new_tokens = keys.token_hashes;
  keys.new_referrals = keys.referrals;
  return keys;
}

Effects Whole(uint64_t number) {
  Effects effects = SampleInquiry(1, number);
  effects.put_tokens = {SampleToken(number)};
  return effects;
}

class PostgresAssumptionTest : public ::testing::Test {
 protected:
  PostgresAssumptionTest() : store_(medium_.OpenAnother(absl::Milliseconds(5))) {
    EXPECT_TRUE(Commit(Whole(1)).ok());
    AwaitSolitude();
  }

  // Until the store knows by itself how referral 1 stands.
  void AwaitSolitude() {
    const StateKeys referral = {.referrals = {SampleId<ReferralId>(1)}, .may_assume = true};
    EXPECT_TRUE(Eventually([&] { return Load(referral).assumed; })) << "never alone";
  }

  LoadedState Load(const StateKeys& keys) {
    auto state = store_->Load(keys);
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : LoadedState();
  }
  absl::Status Commit(Effects effects) {
    std::vector<Effects> batch = {std::move(effects)};
    return store_->Commit(batch);
  }
  size_t Waiting(uint64_t mailbox) {
    return store_
        ->ReadMailbox(SampleId<OrganisationId>(mailbox), MailboxView::kAll, 0, 100, size_t{1} << 30,
                      SampleTime())
        ->items.size();
  }
  // The answer to a commit that was decided on assumptions, and to the next on a look.
  void ExpectConflict(const StateKeys& keys, const Effects& effects) {
    EXPECT_TRUE(Load(keys).assumed);
    EXPECT_EQ(ReasonOf(Commit(effects)), v1::REASON_CONFLICT);
    EXPECT_FALSE(Load(keys).assumed) << "once bitten";
  }
  static Effects Delivery() {
    Effects effects;
    effects.deliver = {SampleItem(5, 5)};
    return effects;
  }

  PostgresMedium medium_;
  std::unique_ptr<PostgresStore> store_;
};

TEST_F(PostgresAssumptionTest, WhatItWroteIsThereAndAnswersAreNot) {
  const LoadedState state = Load(KeysOf(1));
  EXPECT_TRUE(state.assumed);
  EXPECT_THAT(state.tokens, ElementsAre(SampleToken(1)));
  EXPECT_THAT(state.referrals, ElementsAre(SampleReferral(1)));
  EXPECT_THAT(state.seen, IsEmpty());
  StateKeys looked = KeysOf(1);
  looked.may_assume = false;
  EXPECT_FALSE(Load(looked).assumed);
  EXPECT_THAT(Load(looked).seen, ElementsAre(SampleSeen(1)));
}

TEST_F(PostgresAssumptionTest, ACourseGoesOnFromWhatWasWritten) {
  StateKeys referral = KeysOf(1);
  referral.messages.clear();
  for (const HubState next : {HubState::kOffered, HubState::kAccepted, HubState::kScheduled}) {
    const LoadedState state = Load(referral);
    EXPECT_TRUE(state.assumed);
    ASSERT_THAT(state.referrals, SizeIs(1));
    Effects effects;
    effects.put_referrals = state.referrals;
    effects.put_referrals[0].state = next;
    ASSERT_TRUE(Commit(effects).ok());
    EXPECT_EQ(Load(referral).referrals[0].state, next);
  }
}

// After a start, say.
TEST_F(PostgresAssumptionTest, WhatIsNeitherKnownNorNewIsLookedAt) {
  store_ = medium_.OpenAnother(absl::Milliseconds(5));
  StateKeys both = KeysOf(1);
  both.messages = {SampleId<MessageId>(2)};
  both.referrals.push_back(SampleId<ReferralId>(2));
  both.new_referrals = {SampleId<ReferralId>(2)};
  const LoadedState state = Load(both);
  EXPECT_TRUE(state.assumed);
  EXPECT_THAT(state.tokens, ElementsAre(SampleToken(1)));
  EXPECT_THAT(state.referrals, ElementsAre(SampleReferral(1)));
  EXPECT_THAT(state.seen, IsEmpty());
  EXPECT_TRUE(Commit(SampleInquiry(1, 2)).ok());
}

TEST_F(PostgresAssumptionTest, ATokenThatWasRevokedElsewhere) {
  medium_.Query("UPDATE waymark.token SET revoked = 1, version = version + 1");
  ExpectConflict(KeysOf(1), Delivery());
  EXPECT_EQ(Waiting(5), 0u);
  EXPECT_TRUE(Load(KeysOf(1)).tokens[0].revoked);
}

TEST_F(PostgresAssumptionTest, AReferralThatMovedOrWasForgottenElsewhere) {
  medium_.Query("UPDATE waymark.referral SET version = version + 1");
  ExpectConflict(KeysOf(1), SampleInquiry(5, 1));
  EXPECT_TRUE(Eventually([&] { return Load(KeysOf(1)).assumed; })) << "doubt passes";
  medium_.Query("DELETE FROM waymark.referral");
  Effects effects;
  effects.put_referrals = {SampleReferral(1)};
  ExpectConflict(KeysOf(1), effects);
  EXPECT_THAT(Load(KeysOf(1)).referrals, IsEmpty());
}

TEST_F(PostgresAssumptionTest, WhatIsNotNewAtAll) {
  store_ = medium_.OpenAnother(absl::Milliseconds(5));
  EXPECT_THAT(Load(NewKeysOf(1)).tokens, IsEmpty());
  ExpectConflict(NewKeysOf(1), Whole(1));
  EXPECT_EQ(Waiting(1), 1u) << "delivered once";
}

TEST_F(PostgresAssumptionTest, ARepeatIsFoundOut) {
  ExpectConflict(KeysOf(1), SampleInquiry(1, 1));
  EXPECT_EQ(Waiting(1), 1u);
  EXPECT_THAT(Load(KeysOf(1)).seen, ElementsAre(SampleSeen(1)));
}

TEST_F(PostgresAssumptionTest, WithCompanyReferralsAreLookedAt) {
  medium_.Query("UPDATE waymark.referral SET state = " +
                std::to_string(static_cast<int>(HubState::kOffered)));
  EXPECT_TRUE(Eventually([&] {
    medium_.Query("NOTIFY waymark, 'delivered'");
    return Load(KeysOf(1)).referrals[0].state == HubState::kOffered;
  }));
}

TEST(RecollectionTest, OfWhatIsAskedForIsReadWhatIsUnknown) {
  Recollection recollection(8);
  recollection.Keep(std::vector<Effects>{Whole(1)}, 7);
  StateKeys keys = KeysOf(1);
  keys.token_hashes.push_back(SampleHash(2));
  keys.referrals.push_back(SampleId<ReferralId>(3));
  keys.new_referrals = {SampleId<ReferralId>(3)};
  LoadedVersions versions;
  for (const std::string& hash : keys.token_hashes) versions.tokens[hash] = 0;
  for (const ReferralId& id : keys.referrals) versions.referrals[id.bytes()] = 0;
  versions.seen[SampleId<MessageId>(1).bytes()] = 0;
  LoadedState state;
  const LoadedVersions unknown = recollection.Recall(keys, versions, state);
  EXPECT_THAT(unknown.tokens, ElementsAre(::testing::Pair(SampleHash(2), 0)));
  EXPECT_THAT(unknown.referrals, IsEmpty());
  EXPECT_THAT(unknown.seen, IsEmpty());
  EXPECT_EQ(versions.tokens[SampleHash(1)], 7);
  EXPECT_EQ(versions.referrals[SampleId<ReferralId>(1).bytes()], 7);
  EXPECT_EQ(versions.referrals[SampleId<ReferralId>(3).bytes()], 0);
  EXPECT_TRUE(state.assumed);
  EXPECT_THAT(state.tokens, ElementsAre(SampleToken(1)));
  EXPECT_THAT(state.referrals, ElementsAre(SampleReferral(1)));
}

TEST(RecollectionTest, NothingIsAssumedOfWhatIsAllUnknown) {
  Recollection recollection(8);
  recollection.Keep(std::vector<Effects>{Whole(1)}, 7);
  recollection.Forget();
  LoadedVersions versions = {.tokens = {{SampleHash(1), 0}}};
  LoadedState state;
  const StateKeys keys = {.token_hashes = {SampleHash(1)}};
  EXPECT_THAT(recollection.Recall(keys, versions, state).tokens, SizeIs(1));
  EXPECT_FALSE(state.assumed);
  EXPECT_THAT(state.tokens, IsEmpty());
}

}  // namespace
}  // namespace waymark::hub
