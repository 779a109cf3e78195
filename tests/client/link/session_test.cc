#include "client/link/session.h"

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "waymark/v1/header.pb.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kHubEpoch(16, 'e');
const std::string kOtherEpoch(16, 'f');

absl::Time At(int64_t second) { return absl::FromUnixSeconds(1'000'000 + second); }

ReferralId Referral(char name) { return *ReferralId::FromBytes(std::string(16, name)); }

OutboxItem Item(int64_t number, const ReferralId& referral, v1::Kind kind = v1::KIND_INQUIRY,
                size_t sealed_bytes = 100) {
  OutboxItem item;
  item.number = number;
  item.item_id = std::string(16, static_cast<char>('A' + number));
  item.referral = referral;
  v1::Submission submission;
  v1::Header header;
  header.set_message_id(item.item_id);
  header.set_kind(kind);
  submission.mutable_message()->set_header(header.SerializeAsString());
  submission.mutable_message()->set_sealed(std::string(sealed_bytes, 's'));
  item.submission = submission.SerializeAsString();
  return item;
}

v1::ConnectResponse Welcome(const std::string& epoch, uint64_t cursor, bool restricted = false) {
  v1::ConnectResponse frame;
  frame.mutable_welcome()->set_epoch(epoch);
  frame.mutable_welcome()->set_cursor(cursor);
  frame.mutable_welcome()->set_restricted(restricted);
  frame.mutable_welcome()->mutable_heartbeat_interval()->set_seconds(10);
  return frame;
}

v1::ConnectResponse Outcome(const OutboxItem& item, v1::Reason reason) {
  v1::ConnectResponse frame;
  v1::Outcome& outcome = *frame.mutable_outcomes()->add_outcomes();
  outcome.set_item_id(item.item_id);
  outcome.set_reason(reason);
  return frame;
}

v1::ConnectResponse Deliver(const std::vector<uint64_t>& sequences) {
  v1::ConnectResponse frame;
  for (const uint64_t sequence : sequences) {
    v1::Delivery& delivery = *frame.mutable_deliver()->add_deliveries();
    delivery.set_sequence(sequence);
    delivery.mutable_message()->set_header(std::to_string(sequence));
  }
  return frame;
}

class SessionTest : public ::testing::Test {
 protected:
  // Says hello and is welcomed.
  void Begin(const v1::ConnectResponse& welcome = Welcome(kHubEpoch, 5)) {
    ASSERT_TRUE(session_.NextFrame(At(0))->has_hello());
    ASSERT_TRUE(session_.OnFrame(welcome, At(0)).ok());
  }

  std::vector<std::string> SubmittedIds() {
    std::vector<std::string> ids;
    while (std::optional<v1::ConnectRequest> frame = session_.NextFrame(At(0))) {
      for (const v1::Submission& submission : frame->submit().items()) {
        v1::Header header;
        EXPECT_TRUE(header.ParseFromString(submission.message().header()));
        ids.push_back(header.message_id().substr(0, 1));
      }
    }
    return ids;
  }

  Session session_{{kHubEpoch, 5}, At(0)};
};

TEST_F(SessionTest, SaysHelloFirstAndNothingBeforeTheWelcome) {
  const std::optional<v1::ConnectRequest> hello = session_.NextFrame(At(0));
  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(hello->hello().protocol_version(), 1u);
  EXPECT_EQ(hello->hello().epoch(), kHubEpoch);
  EXPECT_EQ(hello->hello().cursor(), 5u);
  EXPECT_FALSE(session_.NextFrame(At(100)).has_value());
  EXPECT_EQ(session_.Room(), 0u);
}

TEST_F(SessionTest, AFirstContactHasNoEpoch) {
  Session session({}, At(0));
  EXPECT_TRUE(session.NextFrame(At(0))->hello().epoch().empty());
  const absl::StatusOr<Session::Arrived> arrived = session.OnFrame(Welcome(kHubEpoch, 9), At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_FALSE(arrived->welcomed->lost_epoch);
  EXPECT_EQ(arrived->welcomed->position.cursor, 9u);
}

TEST_F(SessionTest, AnotherEpochMeansThatTheHubLostSomething) {
  session_.NextFrame(At(0));
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(Welcome(kOtherEpoch, 2), At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_TRUE(arrived->welcomed->lost_epoch);
  EXPECT_EQ(arrived->welcomed->position.epoch, kOtherEpoch);
  EXPECT_EQ(arrived->welcomed->position.cursor, 2u);
}

TEST_F(SessionTest, TheFirstFrameIsTheWelcomeAndThereIsOne) {
  session_.NextFrame(At(0));
  EXPECT_EQ(ReasonOf(session_.OnFrame(Deliver({6}), At(0)).status()), v1::REASON_HELLO_EXPECTED);
  ASSERT_TRUE(session_.OnFrame(Welcome(kHubEpoch, 5), At(0)).ok());
  EXPECT_EQ(ReasonOf(session_.OnFrame(Welcome(kHubEpoch, 5), At(0)).status()),
            v1::REASON_HELLO_EXPECTED);
}

TEST_F(SessionTest, AGoodbyeInsteadOfAWelcomeIsUnderstood) {
  session_.NextFrame(At(0));
  v1::ConnectResponse frame;
  frame.mutable_goodbye()->set_reason(v1::REASON_UNAVAILABLE);
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(frame, At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_EQ(arrived->goodbye->reason(), v1::REASON_UNAVAILABLE);
}

TEST_F(SessionTest, AnEmptyFrameEndsTheStream) {
  Begin();
  EXPECT_EQ(ReasonOf(session_.OnFrame(v1::ConnectResponse(), At(0)).status()),
            v1::REASON_MALFORMED);
}

TEST_F(SessionTest, SubmitsInOrderInFramesOfSixtyFour) {
  Begin();
  std::vector<OutboxItem> items;
  for (int64_t i = 1; i <= 70; ++i) items.push_back(Item(i % 50, Referral(static_cast<char>(i))));
  ASSERT_TRUE(session_.Offer(items).ok());
  EXPECT_THAT(session_.NextFrame(At(0))->submit().items(), SizeIs(64));
  EXPECT_THAT(session_.NextFrame(At(0))->submit().items(), SizeIs(6));
  EXPECT_FALSE(session_.NextFrame(At(0)).has_value());
}

TEST_F(SessionTest, AFrameStaysBelowOneMebibyte) {
  Begin();
  std::vector<OutboxItem> items;
  for (int64_t i = 1; i <= 10; ++i) {
    items.push_back(Item(i, Referral(static_cast<char>(i)), v1::KIND_INQUIRY, 131'072));
  }
  ASSERT_TRUE(session_.Offer(items).ok());
  size_t sent = 0;
  while (std::optional<v1::ConnectRequest> frame = session_.NextFrame(At(0))) {
    EXPECT_LE(frame->ByteSizeLong(), 1024 * 1024u);
    sent += static_cast<size_t>(frame->submit().items_size());
  }
  EXPECT_EQ(sent, 10u);
}

TEST_F(SessionTest, FinalOutcomesFreeTheirPlace) {
  Begin();
  const size_t room = session_.Room();
  const OutboxItem accepted = Item(1, Referral('r'));
  const OutboxItem refused = Item(2, Referral('s'));
  ASSERT_TRUE(session_.Offer({accepted, refused}).ok());
  SubmittedIds();
  EXPECT_EQ(session_.Room(), room - 2);
  EXPECT_THAT(session_.taken(), ElementsAre(1, 2));
  const absl::StatusOr<Session::Arrived> first =
      session_.OnFrame(Outcome(accepted, v1::REASON_UNSPECIFIED), At(0));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->outcomes.at(0).item_id(), accepted.item_id);
  const absl::StatusOr<Session::Arrived> second =
      session_.OnFrame(Outcome(refused, v1::REASON_TOKEN_REVOKED), At(0));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->outcomes.at(0).reason(), v1::REASON_TOKEN_REVOKED);
  EXPECT_EQ(session_.Room(), room);
  EXPECT_THAT(session_.taken(), IsEmpty());
}

TEST_F(SessionTest, OutcomesMayComeWithADelivery) {
  Begin();
  const OutboxItem accepted = Item(1, Referral('r'));
  ASSERT_TRUE(session_.Offer({accepted}).ok());
  SubmittedIds();
  v1::ConnectResponse frame = Deliver({7});
  *frame.mutable_deliver()->mutable_outcomes() =
      Outcome(accepted, v1::REASON_UNSPECIFIED).outcomes().outcomes();
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(frame, At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_THAT(arrived->outcomes, SizeIs(1));
  EXPECT_THAT(arrived->messages, SizeIs(1));
  EXPECT_EQ(arrived->through, 7u);
  EXPECT_THAT(session_.taken(), IsEmpty());
}

TEST_F(SessionTest, AnAckLeavesWithWhatIsSubmitted) {
  Begin();
  session_.Stored(7);
  ASSERT_TRUE(session_.Offer({Item(1, Referral('r'))}).ok());
  std::optional<v1::ConnectRequest> frame = session_.NextFrame(At(0));
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->submit().items_size(), 1);
  EXPECT_EQ(frame->submit().ack_through(), 7u);
  EXPECT_FALSE(session_.NextFrame(At(0)).has_value()) << "an ack is said once";

  // What waits for an answer takes no ack with it.
  session_.Stored(8);
  ASSERT_TRUE(session_.Offer({Item(2, Referral('r'))}).ok());
  frame = session_.NextFrame(At(0));
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->ack().through(), 8u);

  session_.Stored(9);
  session_.Leave();
  EXPECT_EQ(session_.NextFrame(At(0))->ack().through(), 9u);
  EXPECT_TRUE(session_.NextFrame(At(0))->has_goodbye());
}

TEST_F(SessionTest, AnOutcomeForSomethingElseIsIgnored) {
  Begin();
  const absl::StatusOr<Session::Arrived> arrived =
      session_.OnFrame(Outcome(Item(9, Referral('r')), v1::REASON_UNSPECIFIED), At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_THAT(arrived->outcomes, IsEmpty());
}

TEST_F(SessionTest, WhatFollowsARefusalForTheTimeBeingWaitsWithIt) {
  Begin();
  const OutboxItem registration = Item(1, Referral('r'));
  const OutboxItem inquiry = Item(2, Referral('r'));
  const OutboxItem other = Item(3, Referral('s'));
  ASSERT_TRUE(session_.Offer({registration, inquiry, other}).ok());
  SubmittedIds();
  // The inquiry fails only because its registration did.
  EXPECT_THAT(session_.OnFrame(Outcome(registration, v1::REASON_QUOTA_EXCEEDED), At(0))->outcomes,
              IsEmpty());
  EXPECT_THAT(session_.OnFrame(Outcome(inquiry, v1::REASON_TOKEN_UNKNOWN), At(0))->outcomes,
              IsEmpty());
  EXPECT_THAT(session_.OnFrame(Outcome(other, v1::REASON_UNSPECIFIED), At(0))->outcomes, SizeIs(1));
  ASSERT_TRUE(session_.Offer({Item(4, Referral('r')), Item(5, Referral('s'))}).ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("F")) << "item 4 waits for those before it";

  EXPECT_THAT(session_.taken(), ElementsAre(1, 2, 4, 5));
  ASSERT_TRUE(session_.OnTick(At(4)).ok());
  EXPECT_THAT(session_.taken(), ElementsAre(1, 2, 4, 5));
  ASSERT_TRUE(session_.OnTick(At(5)).ok());
  EXPECT_THAT(session_.taken(), ElementsAre(5)) << "the others may be offered again, in order";
  ASSERT_TRUE(session_.Offer({registration, inquiry, Item(4, Referral('r'))}).ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("B", "C", "E"));
}

TEST_F(SessionTest, WhatARestoredHubCannotJudgeYetIsOfferedAgain) {
  Begin();
  const OutboxItem offer = Item(1, Referral('r'));
  ASSERT_TRUE(session_.Offer({offer}).ok());
  SubmittedIds();
  EXPECT_THAT(session_.OnFrame(Outcome(offer, v1::REASON_RECOVERING), At(0))->outcomes, IsEmpty());
  EXPECT_THAT(session_.taken(), ElementsAre(1));
  ASSERT_TRUE(session_.OnTick(At(1)).ok());
  EXPECT_THAT(session_.taken(), IsEmpty());

  ASSERT_TRUE(session_.Offer({offer}).ok());
  SubmittedIds();
  ASSERT_TRUE(session_.OnFrame(Outcome(offer, v1::REASON_RECOVERING), At(20)).ok());
  ASSERT_TRUE(session_.OnTick(At(29)).ok());
  EXPECT_THAT(session_.taken(), ElementsAre(1)) << "whoever has not come by now may be away";
  ASSERT_TRUE(session_.OnTick(At(30)).ok());
  EXPECT_THAT(session_.taken(), IsEmpty());
}

TEST_F(SessionTest, OfOneReferralOneFrameIsInFlight) {
  Begin();
  const OutboxItem first = Item(1, Referral('r'));
  ASSERT_TRUE(session_.Offer({first}).ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("B"));
  ASSERT_TRUE(
      session_.Offer({Item(2, Referral('r')), Item(3, Referral('s')), Item(4, Referral('r'))})
          .ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("D")) << "others do not wait";
  ASSERT_TRUE(session_.OnFrame(Outcome(first, v1::REASON_UNSPECIFIED), At(0)).ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("C", "E"));
}

TEST_F(SessionTest, ARestrictedSessionSendsAcknowledgementsOfWithdrawalsOnly) {
  Begin(Welcome(kHubEpoch, 5, /*restricted=*/true));
  ASSERT_TRUE(session_
                  .Offer({Item(1, Referral('r')), Item(2, Referral('r'), v1::KIND_REVOKE_ACK),
                          Item(3, Referral('s'), v1::KIND_REVOKE)})
                  .ok());
  EXPECT_THAT(SubmittedIds(), ElementsAre("C"));
  EXPECT_THAT(session_.taken(), ElementsAre(1, 2, 3));
}

TEST_F(SessionTest, ARestrictedSessionPassesOverWhatTheHubHoldsForLater) {
  Begin(Welcome(kHubEpoch, 5, /*restricted=*/true));
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(Deliver({9}), At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_THAT(arrived->messages, SizeIs(1));
  EXPECT_EQ(arrived->position.cursor, 5u) << "6 to 8 are still to come";
  session_.Stored(arrived->through);
  EXPECT_EQ(session_.NextFrame(At(0))->ack().through(), 9u);
}

TEST_F(SessionTest, AcknowledgesWhatWasStored) {
  Begin();
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(Deliver({6, 9}), At(0));
  ASSERT_TRUE(arrived.ok());
  EXPECT_THAT(arrived->messages, SizeIs(2));
  EXPECT_EQ(arrived->position.cursor, 9u);
  EXPECT_FALSE(session_.NextFrame(At(0)).has_value()) << "nothing is acknowledged before storing";
  session_.Stored(arrived->through);
  EXPECT_EQ(session_.NextFrame(At(0))->ack().through(), 9u);
  EXPECT_FALSE(session_.NextFrame(At(0)).has_value());
}

TEST_F(SessionTest, ARepeatedDeliveryIsNotStoredTwice) {
  Begin();
  ASSERT_TRUE(session_.OnFrame(Deliver({6, 7}), At(0)).ok());
  const absl::StatusOr<Session::Arrived> arrived = session_.OnFrame(Deliver({7, 8}), At(0));
  ASSERT_TRUE(arrived.ok());
  ASSERT_THAT(arrived->messages, SizeIs(1));
  EXPECT_EQ(arrived->messages[0].header(), "8");
  EXPECT_EQ(ReasonOf(session_.OnFrame(Deliver({0}), At(0)).status()), v1::REASON_FIELD_INVALID);
}

TEST_F(SessionTest, SendsHeartbeatsAndNoticesASilentHub) {
  Begin();
  EXPECT_FALSE(session_.NextFrame(At(9)).has_value());
  EXPECT_EQ(session_.NextFrame(At(10))->heartbeat().nonce(), 1u);
  EXPECT_FALSE(session_.NextFrame(At(10)).has_value());
  v1::ConnectResponse answer;
  answer.mutable_heartbeat()->set_nonce(1);
  ASSERT_TRUE(session_.OnFrame(answer, At(11)).ok());
  EXPECT_EQ(session_.NextFrame(At(20))->heartbeat().nonce(), 2u);
  EXPECT_TRUE(session_.OnTick(At(41)).ok());
  EXPECT_EQ(ReasonOf(session_.OnTick(At(42))), v1::REASON_PEER_STALLED);
}

TEST_F(SessionTest, SaysGoodbyeLast) {
  Begin();
  ASSERT_TRUE(session_.Offer({Item(1, Referral('r'))}).ok());
  session_.Stored(7);
  session_.Leave();
  EXPECT_EQ(session_.Room(), 0u);
  EXPECT_TRUE(session_.NextFrame(At(0))->has_ack());
  EXPECT_TRUE(session_.NextFrame(At(0))->has_goodbye());
  EXPECT_FALSE(session_.NextFrame(At(100)).has_value());
}

TEST_F(SessionTest, PassesOnThatAPeerIsOffline) {
  Begin();
  v1::ConnectResponse frame;
  frame.mutable_peer_offline()->set_message_id(std::string(16, 'm'));
  EXPECT_EQ(session_.OnFrame(frame, At(0))->peer_offline->bytes(), std::string(16, 'm'));
}

}  // namespace
}  // namespace waymark::node
