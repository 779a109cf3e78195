#include "client/casework/retention.h"

#include <gtest/gtest.h>

#include "client/casework/referral.h"
#include "tests/client/casework/office.h"

namespace waymark::node {
namespace {

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    office_.PublishPartner();
    office_.Watch();
  }

  // A referral whose sections were erased, under a consent that ended so long ago.
  local::v1::Referral Erased(absl::Duration ended) {
    local::v1::Referral referral = office_.Referral(NodeState::kStarted, /*originated=*/false);
    AddEvent(referral, message_, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, /*sent=*/false,
             office_.clock.Now());
    referral.mutable_events(0)->add_field_nos(203);
    referral.mutable_tokens(0)->set_valid_until_hour(
        absl::ToUnixSeconds(office_.clock.Now() - ended) / 3600);
    referral.set_erased_at_ms(ToMillis(office_.clock.Now()));
    return referral;
  }
  void Tell(local::v1::Referral& referral) {
    office_.Write([&](Transaction& t) {
      return TellExpiry(office_.context, t, *office_.context.directory(), referral);
    });
  }

  Office office_;
  const MessageId message_ = MessageId::Generate(SystemRandom());
};

TEST_F(RetentionTest, ItsEndIsToldOnceUnderTheTokenThatTheHubRemembers) {
  local::v1::Referral referral = Erased(absl::Hours(24 * 20));
  ASSERT_TRUE(OwesExpiry(referral));
  Tell(referral);
  EXPECT_FALSE(OwesExpiry(referral));
  const std::vector<Opened> leaving = office_.OpenLeaving();
  ASSERT_EQ(leaving.size(), 1);
  EXPECT_EQ(leaving[0].header.kind(), v1::KIND_RECEIPT);
  EXPECT_EQ(leaving[0].header.token_hash(), referral.tokens(0).hash());
  EXPECT_EQ(leaving[0].payload.receipt().outcome(), v1::RECEIPT_OUTCOME_EXPIRED);
  EXPECT_EQ(leaving[0].payload.receipt().message_id(), message_.bytes());
}

TEST_F(RetentionTest, ATokenThatTheHubForgetsIsNotNamed) {
  local::v1::Referral referral = Erased(absl::Hours(24 * 30));
  Tell(referral);
  EXPECT_TRUE(office_.OpenLeaving().empty()) << "not before the hub has forgotten for certain";
  office_.clock.Advance(absl::Hours(2));
  const std::vector<Opened> leaving = office_.OpenLeaving();
  ASSERT_EQ(leaving.size(), 1);
  EXPECT_EQ(leaving[0].header.token_hash(), "");
}

TEST_F(RetentionTest, NothingIsOwedWhereNothingCameOrAWithdrawalSaysIt) {
  local::v1::Referral referral = Erased(absl::Hours(1));
  AddEvent(referral, MessageId::Generate(SystemRandom()), v1::KIND_REVOKE, v1::STAGE_NONE,
           /*sent=*/false, office_.clock.Now());
  EXPECT_FALSE(OwesExpiry(referral));
  referral = Erased(absl::Hours(1));
  referral.mutable_events(0)->clear_field_nos();
  EXPECT_FALSE(OwesExpiry(referral));
  referral = Erased(absl::Hours(1));
  referral.clear_erased_at_ms();
  EXPECT_FALSE(OwesExpiry(referral));
}

}  // namespace
}  // namespace waymark::node
