#include "tests/bench/load/prepared.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/crypto/hpke.h"
#include "base/envelope/header.h"
#include "base/random/random.h"
#include "base/status/status.h"

namespace waymark::bench {
namespace {

using ::testing::ElementsAre;

class PreparedTest : public ::testing::Test {
 protected:
  PreparedTest() {
    for (size_t member = 0; member < 2; ++member) {
      for (int unit = 0; unit < 2; ++unit) {
        hpke::KeyPair pair = hpke::GenerateKeyPair(SystemRandom());
        parties_.push_back({.member = member,
                            .unit = UnitId::Generate(SystemRandom()),
                            .sealing_key = {KeyId::Generate(SystemRandom()), pair.public_key},
                            .identity_key = &keys_[member]});
        opening_.push_back({parties_.back().sealing_key.id, std::move(pair.private_key)});
      }
    }
  }

  // The items of a frame that holds these bytes.
  static v1::Submission Read(const std::string& item) {
    v1::Submit submit;
    EXPECT_TRUE(submit.ParseFromString(item));
    EXPECT_EQ(submit.items_size(), 1);
    return submit.items(0);
  }

  Opened Open(const v1::Message& message) {
    const auto header = ParseHeader(message.header());
    EXPECT_TRUE(header.ok());
    size_t place = 0;
    while (parties_[place].unit.bytes() != header->recipient_unit()) ++place;
    const auto key_of = [this](const UnitId& unit) -> absl::StatusOr<VerifyingKey> {
      for (const Party& party : parties_) {
        if (party.unit == unit) return party.identity_key->verifying_key();
      }
      return Error(v1::REASON_UNIT_UNKNOWN, "a unit");
    };
    auto opened = OpenMessage(message, network_, parties_[place].unit,
                              std::span(&opening_[place], 1), key_of);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : Opened();
  }

  const NetworkId network_ = NetworkId::Generate(SystemRandom());
  const std::vector<SigningKey> keys_ = [] {
    std::vector<SigningKey> keys;
    keys.push_back(SigningKey::Generate());
    keys.push_back(SigningKey::Generate());
    return keys;
  }();
  std::vector<Party> parties_;
  std::vector<OpeningKey> opening_;
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(PreparedTest, EveryMessageOpensAtItsRecipientUnderTheTokenThatIsRegistered) {
  const auto referrals = Prepare(network_, parties_, 28, Mix::kReferral, now_);
  ASSERT_TRUE(referrals.ok()) << referrals.status();
  ASSERT_EQ(referrals->size(), 4);
  std::set<std::string> ids;
  for (const PreparedReferral& referral : *referrals) {
    const v1::TokenRegistration registration = Read(referral.registration).registration();
    EXPECT_EQ(registration.token_hash(), referral.token_hash);
    EXPECT_EQ(referral.messages.size(), 7);
    for (const PreparedMessage& message : referral.messages) {
      const Opened opened = Open(Read(message.item).message());
      EXPECT_EQ(opened.header.message_id(), message.id.bytes());
      EXPECT_EQ(opened.header.kind(), message.kind);
      EXPECT_EQ(opened.header.token_hash(), referral.token_hash);
      EXPECT_EQ(opened.header.size_bucket(), v1::SIZE_BUCKET_2_KIB);
      EXPECT_TRUE(opened.token.has_value());
      ids.insert(message.id.bytes());
    }
  }
  EXPECT_EQ(ids.size(), 28);
}

TEST_F(PreparedTest, ReferralsAreBetweenMembersAndEveryUnitHasItsTurn) {
  const auto referrals = Prepare(network_, parties_, 28, Mix::kReferral, now_);
  ASSERT_TRUE(referrals.ok()) << referrals.status();
  std::set<std::string> origins;
  for (const PreparedReferral& referral : *referrals) {
    const v1::TokenRegistration registration = Read(referral.registration).registration();
    origins.insert(registration.issuer_unit());
    EXPECT_EQ(referral.messages[0].sender, referral.origin);
    EXPECT_NE(referral.messages[1].sender, referral.origin);
  }
  EXPECT_EQ(origins.size(), parties_.size());
}

TEST_F(PreparedTest, AQuickReferralIsToTheHubLikeAnyOther) {
  const auto box = SealBox(network_, parties_, now_);
  ASSERT_TRUE(box.ok()) << box.status();
  const auto sealed = Prepare(network_, parties_, 28, Mix::kReferral, now_);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  std::set<std::string> ids;
  for (size_t index = 0; index < sealed->size(); ++index) {
    const auto quick = PrepareQuickly(network_, parties_, index, *box, now_);
    ASSERT_TRUE(quick.ok()) << quick.status();
    EXPECT_EQ(Read(quick->registration).registration().token_hash(), quick->token_hash);
    ASSERT_EQ(quick->messages.size(), 7);
    for (size_t step = 0; step < 7; ++step) {
      const v1::Message message = Read(quick->messages[step].item).message();
      const v1::Message other = Read((*sealed)[index].messages[step].item).message();
      EXPECT_EQ(message.ByteSizeLong() - message.signature().size(),
                other.ByteSizeLong() - other.signature().size());
      const auto header = ParseHeader(message.header());
      const auto expected = ParseHeader(other.header());
      ASSERT_TRUE(header.ok() && expected.ok());
      EXPECT_EQ(header->kind(), expected->kind());
      EXPECT_EQ(header->sender_unit(), expected->sender_unit());
      EXPECT_EQ(header->recipient_unit(), expected->recipient_unit());
      EXPECT_EQ(header->token_hash(), quick->token_hash);
      EXPECT_EQ(header->token_valid_until(), expected->token_valid_until());
      EXPECT_EQ(IdInHeader(message.header()), quick->messages[step].id);
      ids.insert(header->message_id());
    }
  }
  EXPECT_EQ(ids.size(), 28);
}

TEST(IdInHeaderTest, AHeaderThatIsTooShortHasNone) {
  EXPECT_FALSE(IdInHeader("").has_value());
  EXPECT_FALSE(IdInHeader(std::string(17, 'x')).has_value());
  EXPECT_TRUE(IdInHeader(std::string(18, 'x')).has_value());
}

TEST_F(PreparedTest, TheVariedMixHasOtherWaysAndSizes) {
  const auto referrals = Prepare(network_, parties_, 200, Mix::kVaried, now_);
  ASSERT_TRUE(referrals.ok()) << referrals.status();
  std::set<v1::SizeBucket> sizes;
  std::set<v1::Kind> kinds;
  std::set<v1::Urgency> urgencies;
  for (const PreparedReferral& referral : *referrals) {
    for (const PreparedMessage& message : referral.messages) {
      const auto header = ParseHeader(Read(message.item).message().header());
      ASSERT_TRUE(header.ok());
      sizes.insert(header->size_bucket());
      kinds.insert(header->kind());
      urgencies.insert(header->urgency());
    }
  }
  EXPECT_EQ(sizes.size(), 3);
  EXPECT_EQ(kinds.size(), 11);
  EXPECT_EQ(urgencies.size(), 4);
}

TEST(KindsOfTest, AReferralGoesItsWholeWay) {
  EXPECT_THAT(KindsOf(Mix::kReferral, 3),
              ElementsAre(v1::KIND_INQUIRY, v1::KIND_RECEIPT, v1::KIND_OFFER, v1::KIND_ACCEPT,
                          v1::KIND_DISCLOSE, v1::KIND_START, v1::KIND_CLOSE));
}

}  // namespace
}  // namespace waymark::bench
