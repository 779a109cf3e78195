#include "client/casework/waiting_room.h"

#include <gtest/gtest.h>

#include "base/random/random.h"

namespace waymark::node {
namespace {

class WaitingRoomTest : public ::testing::Test {
 protected:
  bool Hold(int64_t number, const WaitingRoom::Lane& lane, bool up_to_date = true) {
    return room_.Hold(number, lane, expires_at_, up_to_date, now_);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  absl::Time expires_at_ = now_ + absl::Hours(4);
  const WaitingRoom::Lane lane_ = {ReferralId::Generate(SystemRandom()),
                                   UnitId::Generate(SystemRandom())};
  WaitingRoom room_;
};

TEST_F(WaitingRoomTest, HoldsUntilItsPatienceEnds) {
  EXPECT_TRUE(Hold(1, lane_));
  now_ += WaitingRoom::kPatience - absl::Seconds(1);
  EXPECT_TRUE(Hold(1, lane_));
  now_ += absl::Seconds(1);
  EXPECT_FALSE(Hold(1, lane_));
}

TEST_F(WaitingRoomTest, TimeCountsOnlyWhileTheDirectoryIsUpToDate) {
  EXPECT_TRUE(Hold(1, lane_, /*up_to_date=*/false));
  now_ += WaitingRoom::kPatience;
  EXPECT_TRUE(Hold(1, lane_));
  now_ += WaitingRoom::kPatience / 2;
  EXPECT_TRUE(Hold(1, lane_, /*up_to_date=*/false)) << "the watch broke: time counts anew";
  now_ += WaitingRoom::kPatience / 2;
  EXPECT_TRUE(Hold(1, lane_));
  now_ += WaitingRoom::kPatience;
  EXPECT_FALSE(Hold(1, lane_));
}

TEST_F(WaitingRoomTest, NothingOutlivesItsExpiry) {
  EXPECT_TRUE(Hold(1, lane_, /*up_to_date=*/false));
  now_ = expires_at_;
  EXPECT_FALSE(Hold(1, lane_, /*up_to_date=*/false));
}

TEST_F(WaitingRoomTest, OnlyWhatComesLaterInTheSameLaneWaitsBehind) {
  WaitingRoom::Lane other_sender = lane_;
  other_sender.sender = UnitId::Generate(SystemRandom());
  WaitingRoom::Lane other_referral = lane_;
  other_referral.referral = ReferralId::Generate(SystemRandom());
  EXPECT_TRUE(Hold(5, lane_));
  EXPECT_TRUE(room_.WaitsBefore(lane_, 6));
  EXPECT_FALSE(room_.WaitsBefore(lane_, 5)) << "not behind itself";
  EXPECT_FALSE(room_.WaitsBefore(lane_, 4));
  EXPECT_FALSE(room_.WaitsBefore(other_sender, 6)) << "naming a referral holds nothing up";
  EXPECT_FALSE(room_.WaitsBefore(other_referral, 6));
  room_.Release(5);
  EXPECT_FALSE(room_.WaitsBefore(lane_, 6));
}

}  // namespace
}  // namespace waymark::node
