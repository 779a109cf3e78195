// Every step that the hub's machine has, and every one that it has not, taken through Decide; and
// what each accepted message changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time/clock.h"
#include "tests/server/routing/test_network.h"

namespace waymark::hub {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class TransitionsTest : public ::testing::TestWithParam<HubState> {};

TEST_P(TransitionsTest, WhatTheTableAllowsIsRoutedAndNothingElse) {
  const HubState from = GetParam();
  for (int number = v1::KIND_CAPACITY_QUERY; number <= v1::Kind_MAX; ++number) {
    const auto kind = static_cast<v1::Kind>(number);
    if (TokenDemandOf(kind) == TokenDemand::kNone) continue;
    for (Direction direction : {kOut, kBack}) {
      SCOPED_TRACE(v1::Kind_Name(kind) + (direction == kOut ? " out" : " back"));
      LindenReferral referral(from);
      ASSERT_EQ(referral.record()->state, from == HubState::kExpired ? HubState::kRequested : from);

      const Decision decision = referral.Take({kind, direction});
      const auto to = NextHubState(from, kind, direction);
      EXPECT_EQ(decision.reason, to ? v1::REASON_UNSPECIFIED : v1::REASON_STATE_FORBIDS);
      EXPECT_THAT(decision.effects.deliver, SizeIs(to ? 1 : 0));
      EXPECT_THAT(decision.effects.put_seen, SizeIs(to ? 1 : 0));
      EXPECT_THAT(decision.effects.log, SizeIs(to ? 1 : 0));
      if (to) {
        EXPECT_EQ(referral.record()->state, *to);
      } else {
        EXPECT_THAT(decision.effects.put_referrals, IsEmpty());
      }
    }
  }
}

std::string NameOfState(const ::testing::TestParamInfo<HubState>& info) {
  return std::string(Name(info.param));
}

INSTANTIATE_TEST_SUITE_P(EveryState, TransitionsTest,
                         ::testing::ValuesIn(AllHubStates().begin(), AllHubStates().end()),
                         NameOfState);

TEST(TransitionsFromNothingTest, OnlyAnInquiryBeginsAReferral) {
  for (int number = v1::KIND_CAPACITY_QUERY; number <= v1::Kind_MAX; ++number) {
    const auto kind = static_cast<v1::Kind>(number);
    SCOPED_TRACE(v1::Kind_Name(kind));
    LindenReferral referral;
    const Direction direction = kind == v1::KIND_REVOKE_ACK ? kBack : kOut;
    const Decision decision = referral.Take({kind, direction});
    const bool needs_no_referral = TokenDemandOf(kind) == TokenDemand::kNone ||
                                   kind == v1::KIND_INQUIRY || kind == v1::KIND_REVOKE ||
                                   kind == v1::KIND_REVOKE_ACK || kind == v1::KIND_RECEIPT;
    EXPECT_EQ(decision.reason,
              needs_no_referral ? v1::REASON_UNSPECIFIED : v1::REASON_REFERRAL_UNKNOWN);
    EXPECT_EQ(referral.record() != nullptr, kind == v1::KIND_INQUIRY);
  }
}

TEST(EffectsTest, AnInquiryBeginsAReferralAndWaitsForItsRecipient) {
  LindenReferral referral;
  const absl::Time now = referral.network.now;
  referral.network.now += absl::Seconds(40);
  const auto header = referral.Header({v1::KIND_INQUIRY, kOut});
  const Decision decision = referral.Send(header);
  ASSERT_TRUE(decision.accepted());

  ReferralRecord record;
  record.id = IdOf<ReferralId>("9ab1");
  record.origin = Unit("qso.night");
  record.provider = Unit("lin.family");
  record.state = HubState::kRequested;
  record.urgency = v1::URGENCY_U0;
  record.token_hash = referral.token.token_hash();
  record.state_until = now + absl::Hours(4);
  EXPECT_THAT(decision.effects.put_referrals, ::testing::ElementsAre(record));

  const MailboxItem& item = decision.effects.deliver.at(0);
  EXPECT_EQ(item.mailbox, Organisation("lin"));
  EXPECT_EQ(item.sender, Organisation("qso"));
  EXPECT_EQ(item.referral, record.id);
  EXPECT_EQ(item.kind, v1::KIND_INQUIRY);
  EXPECT_EQ(item.urgency, v1::URGENCY_U0);
  EXPECT_EQ(item.token_hash, referral.token.token_hash());
  EXPECT_EQ(item.expires_at, now + absl::Hours(4));
  v1::Message message;
  ASSERT_TRUE(message.ParseFromString(item.message));
  EXPECT_EQ(message.header(), header.SerializeAsString());

  const SeenRecord& seen = decision.effects.put_seen.at(0);
  EXPECT_EQ(seen.id.bytes(), header.message_id());
  EXPECT_EQ(seen.answer, v1::REASON_UNSPECIFIED);
  EXPECT_EQ(seen.remember_until, now + absl::Hours(4) + absl::Minutes(2));

  // To the minute, never finer.
  EXPECT_EQ(decision.effects.log.at(0).minute, now);
  EXPECT_THAT(decision.effects.put_tokens, IsEmpty());
  EXPECT_THAT(decision.effects.drop, IsEmpty());
}

TEST(EffectsTest, TheClockOfAnOfferIsItsHold) {
  LindenReferral referral(HubState::kRequested);
  auto offer = referral.Header({v1::KIND_OFFER, kBack});
  offer.set_respond_by(Minutes(referral.network.now) + 60);
  ASSERT_TRUE(referral.Send(offer).accepted());
  EXPECT_EQ(referral.record()->state_until, referral.network.now + absl::Hours(1));

  referral.network.now += absl::Minutes(59);
  LindenReferral late(HubState::kOffered);
  late.network.now += absl::Minutes(30);
  EXPECT_EQ(late.Take({v1::KIND_ACCEPT, kOut}).reason, v1::REASON_STATE_FORBIDS);
  EXPECT_TRUE(referral.Take({v1::KIND_ACCEPT, kOut}).accepted());
  EXPECT_EQ(referral.record()->state_until, absl::InfiniteFuture());
}

TEST(EffectsTest, AReviewMayLieBeyondTheMessagesLife) {
  LindenReferral referral(HubState::kRequested);
  auto waitlist = referral.Header({v1::KIND_WAITLIST, kBack});
  waitlist.set_respond_by(Minutes(referral.network.now + absl::Hours(28 * 24)));
  ASSERT_TRUE(referral.Send(waitlist).accepted());
  EXPECT_EQ(referral.record()->state_until, referral.network.now + absl::Hours(28 * 24));
}

TEST(EffectsTest, AQuestionLeavesTheClockAlone) {
  LindenReferral referral(HubState::kRequested);
  const absl::Time until = referral.record()->state_until;
  ASSERT_TRUE(referral.Take({v1::KIND_CLARIFICATION, kBack}).accepted());
  EXPECT_EQ(referral.record()->state_until, until);
  ASSERT_TRUE(referral.Take({v1::KIND_CLARIFICATION, kOut}).accepted());
  EXPECT_EQ(referral.record()->state_until, until);
}

TEST(EffectsTest, AnUnchangedReferralIsNotWrittenAgain) {
  LindenReferral referral(HubState::kStarted);
  EXPECT_THAT(referral.Take({v1::KIND_PROGRESS, kBack}).effects.put_referrals, IsEmpty());
  EXPECT_THAT(referral.Take({v1::KIND_RECEIPT, kOut}).effects.put_referrals, IsEmpty());
}

TEST(EffectsTest, AnEndIsForgottenAWeekLaterAndAnOpenReferralWithItsToken) {
  LindenReferral ended(HubState::kClosed);
  const absl::Time forget_at = ended.network.now + absl::Hours(7 * 24);
  EXPECT_EQ(ended.record()->forget_at, forget_at);
  ended.network.now += absl::Hours(1);
  ASSERT_TRUE(ended.Take({v1::KIND_RECEIPT, kOut}).accepted());
  EXPECT_EQ(ended.record()->forget_at, forget_at);
  ended.network.now = forget_at;
  EXPECT_EQ(ended.Take({v1::KIND_CANCEL, kOut}).reason, v1::REASON_REFERRAL_UNKNOWN);

  LindenReferral open(HubState::kStarted);
  EXPECT_EQ(open.record()->forget_at,
            absl::UnixEpoch() + absl::Hours(open.token.valid_until_hour()) + kTokenRetention);
}

TEST(EffectsTest, TheReferralNamesItsLatestLiveToken) {
  LindenReferral referral(HubState::kOffered);
  const auto second = referral.network.Token("c-d", "qso.night", "lin.family");
  ASSERT_EQ(referral.network.Register("qso", second), v1::REASON_UNSPECIFIED);
  const auto accept =
      referral.network.Header(v1::KIND_ACCEPT, "qso.night", "lin.family", "9ab1", &second);
  ASSERT_TRUE(referral.network.Send("qso", accept).accepted());
  EXPECT_EQ(referral.record()->token_hash, second.token_hash());
  ASSERT_TRUE(referral.Take({v1::KIND_RECEIPT, kBack}).accepted());
  EXPECT_EQ(referral.record()->token_hash, second.token_hash());
}

TEST(EffectsTest, AWithdrawalRevokesTheTokenDropsWhatWaitsAndIsItselfDelivered) {
  LindenReferral referral(HubState::kStarted);
  const Decision decision = referral.Take({v1::KIND_REVOKE, kOut});
  ASSERT_TRUE(decision.accepted());
  ASSERT_THAT(decision.effects.put_tokens, SizeIs(1));
  EXPECT_TRUE(decision.effects.put_tokens[0].revoked);
  EXPECT_THAT(decision.effects.drop,
              ::testing::ElementsAre(DropUndelivered{referral.token.token_hash()}));
  EXPECT_EQ(decision.effects.deliver.at(0).kind, v1::KIND_REVOKE);
  EXPECT_EQ(decision.effects.deliver.at(0).mailbox, Organisation("lin"));
  EXPECT_EQ(referral.record()->state, HubState::kWithdrawn);

  EXPECT_TRUE(referral.Take({v1::KIND_REVOKE_ACK, kBack}).accepted());
  EXPECT_EQ(referral.Take({v1::KIND_DISCLOSE, kOut}).reason, v1::REASON_STATE_FORBIDS);
  // A second withdrawal reaches a recipient that may have missed the first.
  const Decision again = referral.Take({v1::KIND_REVOKE, kOut});
  ASSERT_TRUE(again.accepted());
  EXPECT_THAT(again.effects.put_tokens, IsEmpty());
  EXPECT_THAT(again.effects.drop, SizeIs(1));
}

TEST(EffectsTest, ARevokedTokenBeginsNoOtherReferral) {
  LindenReferral referral(HubState::kWithdrawn);
  const auto inquiry =
      referral.network.Header(v1::KIND_INQUIRY, "qso.night", "lin.family", "d77e", &referral.token);
  EXPECT_EQ(referral.network.Send("qso", inquiry).reason, v1::REASON_TOKEN_REVOKED);
}

// bwi.pool, asked by qso.night, asks lin.family in turn under a token that qso.night issued.
TEST(OnwardTest, TheIssuerWithdrawsStraightFromTheRecipient) {
  TestNetwork network;
  auto onward = network.Token("onward", "qso.night", "lin.family");
  onward.set_presenter_unit(Unit("bwi.pool").bytes());
  ASSERT_EQ(network.Register("qso", onward), v1::REASON_UNSPECIFIED);
  const auto send = [&](v1::Kind kind, std::string_view from, std::string_view to) {
    return network.Send(MemberOf(from), network.Header(kind, from, to, "on01", &onward)).reason;
  };
  EXPECT_EQ(send(v1::KIND_INQUIRY, "qso.night", "lin.family"), v1::REASON_TOKEN_PARTIES);
  EXPECT_EQ(send(v1::KIND_INQUIRY, "bwi.pool", "lin.family"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(send(v1::KIND_REVOKE, "bwi.pool", "lin.family"), v1::REASON_TOKEN_NOT_ISSUER);
  EXPECT_EQ(send(v1::KIND_CANCEL, "qso.night", "lin.family"), v1::REASON_NOT_A_PARTY);
  EXPECT_EQ(send(v1::KIND_REVOKE, "qso.night", "lin.family"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(network.Referral("on01")->state, HubState::kWithdrawn);
  EXPECT_EQ(send(v1::KIND_RECEIPT, "lin.family", "qso.night"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(send(v1::KIND_REVOKE_ACK, "lin.family", "bwi.pool"), v1::REASON_TOKEN_PARTIES);
  EXPECT_EQ(send(v1::KIND_REVOKE_ACK, "lin.family", "qso.night"), v1::REASON_UNSPECIFIED);
}

TEST(RepeatTest, ARepeatGetsTheFirstAnswerAndChangesNothing) {
  LindenReferral referral;
  const auto inquiry = referral.Header({v1::KIND_INQUIRY, kOut});
  ASSERT_TRUE(referral.Send(inquiry).accepted());
  ASSERT_TRUE(referral.Take({v1::KIND_OFFER, kBack}).accepted());

  referral.network.now += absl::Hours(4) + absl::Minutes(1);
  const Decision repeat = referral.Send(inquiry);
  EXPECT_TRUE(repeat.accepted());
  EXPECT_THAT(repeat.effects.deliver, IsEmpty());
  EXPECT_THAT(repeat.effects.put_seen, IsEmpty());
  EXPECT_THAT(repeat.effects.log, IsEmpty());

  referral.network.now += absl::Minutes(1);
  EXPECT_EQ(referral.Send(inquiry).reason, v1::REASON_MESSAGE_EXPIRED);
}

TEST(RepeatTest, OtherBytesUnderTheSameIdAreRefused) {
  LindenReferral referral;
  const auto inquiry = referral.Header({v1::KIND_INQUIRY, kOut});
  ASSERT_TRUE(referral.Send(inquiry).accepted());
  EXPECT_EQ(referral.network.Send("qso", TestNetwork::Message(inquiry, 'y')).reason,
            v1::REASON_ID_REUSED);
  auto other = inquiry;
  other.set_urgency(v1::URGENCY_U1);
  EXPECT_EQ(referral.Send(other).reason, v1::REASON_ID_REUSED);
}

TEST(RepeatTest, ARejectionIsJudgedAnew) {
  TestNetwork network;
  const auto token = network.Token("late", "qso.night", "lin.family");
  const auto inquiry = network.Header(v1::KIND_INQUIRY, "qso.night", "lin.family", "9ab1", &token);
  EXPECT_EQ(network.Send("qso", inquiry).reason, v1::REASON_TOKEN_UNKNOWN);
  ASSERT_EQ(network.Register("qso", token), v1::REASON_UNSPECIFIED);
  EXPECT_TRUE(network.Send("qso", inquiry).accepted());
}

}  // namespace
}  // namespace waymark::hub
