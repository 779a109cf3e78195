#include "client/casework/referral.h"

#include <utility>
#include <vector>

#include "base/random/random.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::Time Minute(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

struct Step {
  v1::Kind kind;
  bool sent;
};

struct Row {
  std::string name;
  // nullopt: the referral was not there.
  std::optional<NodeState> from;
  bool originated;
  std::vector<Step> steps;
  // Which steps are refused, in order.
  std::vector<size_t> refused;
  NodeState expected;
  // After how many steps the clocks of the state were set that hold in the end; -1: none run.
  int64_t clocks_of;
};

// Every state sets its end to ten minutes after the minute of its step, and step 0 is what was
// before the first message.
void SetClock(local::v1::Referral& referral, int64_t step) {
  referral.set_state_until_ms(ToMillis(Minute(step + 10)));
}

class TakeBackTest : public ::testing::TestWithParam<Row> {};

TEST_P(TakeBackTest, LeavesTheReferralWhereItWas) {
  const Row& row = GetParam();
  local::v1::Referral referral;
  referral.set_originated(row.originated);
  if (row.from) {
    referral.set_state(std::string(Name(*row.from)));
    referral.set_state_since_ms(ToMillis(Minute(0)));
    SetClock(referral, 0);
  }
  std::vector<MessageId> ids;
  for (const Step& step : row.steps) {
    const auto number = static_cast<int64_t>(ids.size()) + 1;
    ids.push_back(MessageId::Generate(SystemRandom()));
    const local::v1::StateBefore before = Snapshot(referral);
    ASSERT_TRUE(Advance(referral, step.kind, step.sent, CloseDetail::kNone, Minute(number)).ok());
    if (step.kind != v1::KIND_DISCLOSE) SetClock(referral, number);
    AddEvent(referral, ids.back(), step.kind, v1::STAGE_NONE, step.sent, Minute(number));
    KeepBefore(referral, ids.back(), before);
  }
  for (const size_t refused : row.refused) TakeBack(referral, ids.at(refused).view());
  EXPECT_EQ(referral.state(), Name(row.expected));
  const int64_t until = row.clocks_of < 0 ? 0 : ToMillis(Minute(row.clocks_of + 10));
  EXPECT_EQ(referral.state_until_ms(), until);
  // Once is enough.
  const std::string settled = referral.SerializeAsString();
  for (const size_t refused : row.refused) TakeBack(referral, ids.at(refused).view());
  EXPECT_EQ(referral.SerializeAsString(), settled);
}

constexpr Step Sent(v1::Kind kind) { return {kind, true}; }
constexpr Step Came(v1::Kind kind) { return {kind, false}; }

INSTANTIATE_TEST_SUITE_P(ReferralTest, TakeBackTest,
                         ::testing::Values(Row{"Offer",
                                               NodeState::kInquired,
                                               false,
                                               {Sent(v1::KIND_OFFER)},
                                               {0},
                                               NodeState::kInquired,
                                               0},
                                           Row{"Waitlist",
                                               NodeState::kInquired,
                                               false,
                                               {Sent(v1::KIND_WAITLIST)},
                                               {0},
                                               NodeState::kInquired,
                                               0},
                                           Row{"AReviewKeepsTheEarlierDay",
                                               NodeState::kWaitlisted,
                                               false,
                                               {Sent(v1::KIND_WAITLIST)},
                                               {0},
                                               NodeState::kWaitlisted,
                                               0},
                                           Row{"Question",
                                               NodeState::kInquired,
                                               false,
                                               {Sent(v1::KIND_CLARIFICATION)},
                                               {0},
                                               NodeState::kInquired,
                                               0},
                                           Row{"Acceptance",
                                               NodeState::kOffered,
                                               true,
                                               {Sent(v1::KIND_ACCEPT)},
                                               {0},
                                               NodeState::kOffered,
                                               0},
                                           Row{"WhatMovedNothing",
                                               NodeState::kAccepted,
                                               true,
                                               {Sent(v1::KIND_DISCLOSE)},
                                               {0},
                                               NodeState::kAccepted,
                                               0},
                                           Row{"AnInquiryIsDiscarded",
                                               std::nullopt,
                                               true,
                                               {Sent(v1::KIND_INQUIRY)},
                                               {0},
                                               NodeState::kDiscarded,
                                               -1},
                                           Row{"WhatFollowedStandsUntilItIsRefusedToo",
                                               NodeState::kAccepted,
                                               false,
                                               {Sent(v1::KIND_START), Sent(v1::KIND_PROGRESS)},
                                               {0},
                                               NodeState::kOngoing,
                                               2},
                                           Row{"BothOfTwo",
                                               NodeState::kAccepted,
                                               false,
                                               {Sent(v1::KIND_START), Sent(v1::KIND_PROGRESS)},
                                               {0, 1},
                                               NodeState::kAccepted,
                                               0},
                                           Row{"TheLatterOfTwo",
                                               NodeState::kAccepted,
                                               false,
                                               {Sent(v1::KIND_START), Sent(v1::KIND_PROGRESS)},
                                               {1},
                                               NodeState::kStarted,
                                               1},
                                           Row{"AnEndThatCameStands",
                                               NodeState::kAccepted,
                                               false,
                                               {Sent(v1::KIND_SCHEDULE), Came(v1::KIND_CANCEL)},
                                               {0},
                                               NodeState::kCancelled,
                                               2},
                                           Row{"AWithdrawalStands",
                                               NodeState::kOffered,
                                               true,
                                               {Sent(v1::KIND_ACCEPT), Sent(v1::KIND_REVOKE)},
                                               {0},
                                               NodeState::kWithdrawn,
                                               2},
                                           Row{"AWithdrawalIsNeverUndone",
                                               NodeState::kAccepted,
                                               true,
                                               {Sent(v1::KIND_REVOKE)},
                                               {0},
                                               NodeState::kWithdrawn,
                                               1}),
                         [](const auto& tested) { return tested.param.name; });

TEST(ReferralTest, AnOfferThatLapsedBeforeItWasRefusedWasNone) {
  local::v1::Referral referral;
  referral.set_state(std::string(Name(NodeState::kInquired)));
  referral.set_state_until_ms(ToMillis(Minute(100)));
  const auto id = MessageId::Generate(SystemRandom());
  const local::v1::StateBefore before = Snapshot(referral);
  ASSERT_TRUE(Advance(referral, v1::KIND_OFFER, /*sent=*/true, CloseDetail::kNone, Minute(1)).ok());
  referral.set_state_until_ms(ToMillis(Minute(10)));
  AddEvent(referral, id, v1::KIND_OFFER, v1::STAGE_INQUIRY, /*sent=*/true, Minute(1));
  KeepBefore(referral, id, before);
  ASSERT_TRUE(ExpireIfDue(referral, Minute(11)));
  ASSERT_EQ(referral.state(), "OFFER_LAPSED");
  TakeBack(referral, id.view());
  EXPECT_EQ(referral.state(), "INQUIRED");
  EXPECT_EQ(referral.state_until_ms(), ToMillis(Minute(100)));
}

TEST(ReferralTest, OnlyWhatMayHaveArrivedCountsAsSent) {
  local::v1::Referral referral;
  uint32_t field_no = 100;
  for (const auto delivery :
       {v1::DELIVERY_STATE_QUEUED, v1::DELIVERY_STATE_CONFIRMED, v1::DELIVERY_STATE_RECEIVED,
        v1::DELIVERY_STATE_REFUSED, v1::DELIVERY_STATE_DROPPED, v1::DELIVERY_STATE_INCOMING}) {
    local::v1::Event& event = *referral.add_events();
    event.set_sent(delivery != v1::DELIVERY_STATE_INCOMING);
    event.set_delivery(delivery);
    event.add_field_nos(++field_no);
  }
  EXPECT_EQ(FieldsSent(referral), (std::set<uint32_t>{101, 102, 103}));
}

TEST(ReferralTest, WhatDoesNotFitNamesTheReferralItsStateAndTheWayOut) {
  local::v1::Referral referral;
  referral.set_referral_id("\x9a\xb1\xc2\xd3" + std::string(12, 'r'));
  referral.set_state("ONGOING");
  const absl::Status refused =
      Advance(referral, v1::KIND_OFFER, /*sent=*/true, {}, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(ReasonOf(refused), v1::REASON_STATE_FORBIDS);
  const std::string text(refused.message());
  EXPECT_THAT(text, HasSubstr("OFFER does not fit referral 9ab1c2d3, which is ONGOING"));
  EXPECT_THAT(text, HasSubstr("waymark show 9ab1c2d3"));
  EXPECT_THAT(text, Not(HasSubstr("KIND_")));
  EXPECT_EQ(referral.state(), "ONGOING");
}

}  // namespace
}  // namespace waymark::node
