#include "client/casework/receiver.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/base/schema/fill.h"
#include "tests/client/casework/office.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ReceiverTest : public ::testing::Test {
 protected:
  // Works through the inbox; returns how many messages were taken.
  int Process() {
    verdicts_.clear();
    const auto taken = receiver_->ProcessInbox(
        [&](const absl::Status& verdict) { verdicts_.push_back(ReasonOf(verdict)); });
    EXPECT_TRUE(taken.ok()) << taken.status();
    return taken.value_or(-1);
  }
  void Restart() { receiver_ = std::make_unique<Receiver>(office_.context); }

  void Ask(const ReferralId& referral) {
    office_.Arrive(office_.Header(v1::KIND_CAPACITY_QUERY, referral), office_.Question());
  }

  // A message of the partner about the referral, under its first token or another one.
  void Say(v1::Kind kind, const local::v1::Referral& referral, const v1::Payload& payload) {
    Say(kind, referral, payload, referral.tokens(0));
  }
  void Say(v1::Kind kind, const local::v1::Referral& referral, v1::Payload payload,
           const local::v1::TokenEntry& token) {
    const auto id = *ReferralId::FromBytes(referral.referral_id());
    payload.set_token(token.token());
    payload.set_token_signature(token.signature());
    v1::Header header = office_.Header(kind, id);
    if (kind == v1::KIND_CLARIFICATION) header.set_stage(v1::STAGE_INQUIRY);
    office_.Arrive(header, payload);
  }

  v1::Reason Acknowledge(const local::v1::Referral& referral, const v1::RevocationAck& ack) {
    v1::Payload payload;
    *payload.mutable_revocation_ack() = ack;
    Say(v1::KIND_REVOKE_ACK, referral, payload);
    EXPECT_EQ(Process(), 1);
    return verdicts_.empty() ? v1::REASON_UNSPECIFIED : verdicts_.front();
  }

  Office office_;
  std::unique_ptr<Receiver> receiver_ = std::make_unique<Receiver>(office_.context);
  std::vector<v1::Reason> verdicts_;
  const ReferralId referral_ = ReferralId::Generate(SystemRandom());
};

TEST_F(ReceiverTest, AMessageThatOvertookTheDirectoryWaitsForIt) {
  Ask(referral_);
  EXPECT_EQ(Process(), 0);
  EXPECT_EQ(Process(), 0);
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(office_.Waiting(), 1);
  EXPECT_EQ(office_.Leaving(), 0);
  office_.PublishPartner();
  EXPECT_EQ(Process(), 0) << "the hub has it, the node not yet";
  office_.Watch();
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(office_.Waiting(), 0);
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_CAPACITY_REPLY, v1::KIND_RECEIPT));
}

// What the partner is told of room in the own service, which is at a redacted place.
TEST_F(ReceiverTest, AnAnswerAboutRoomCountsWhatOffersHold) {
  office_.PublishPartner();
  office_.Watch();
  office_.SayRoom(1);
  const auto answer = [&] {
    Ask(ReferralId::Generate(SystemRandom()));
    EXPECT_EQ(Process(), 1);
    v1::CapacityReply reply;
    for (const Opened& message : office_.OpenLeaving()) {
      if (message.payload.has_capacity_reply()) reply = message.payload.capacity_reply();
    }
    return reply;
  };
  const v1::CapacityReply before = answer();
  EXPECT_EQ(before.status(), v1::CAPACITY_STATUS_HAS_CAPACITY);
  EXPECT_FALSE(before.has_available());
  EXPECT_EQ(before.valid_until_minute(), MinuteOf(office_.clock.Now() + absl::Hours(12)));

  local::v1::Referral referral = office_.Referral(NodeState::kOffered, /*originated=*/false);
  referral.set_held_places(1);
  referral.set_state_until_ms(ToMillis(office_.clock.Now() + absl::Hours(1)));
  office_.Save(referral);
  EXPECT_EQ(answer().status(), v1::CAPACITY_STATUS_NO_CAPACITY);
  office_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(answer().status(), v1::CAPACITY_STATUS_HAS_CAPACITY);
  office_.clock.Advance(absl::Hours(11));
  const v1::CapacityReply stale = answer();
  EXPECT_EQ(stale.status(), v1::CAPACITY_STATUS_UNKNOWN);
  EXPECT_EQ(stale.valid_until_minute(), 0);
}

TEST_F(ReceiverTest, ASenderWithoutAKeyIsWaitedForToo) {
  Ask(referral_);
  office_.AppendMember(office_.qso);
  office_.Watch();
  EXPECT_EQ(Process(), 0);
  office_.AppendKeys(office_.qso, office_.partner_key.public_key);
  office_.Watch();
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
}

TEST_F(ReceiverTest, WhatWaitsIsStillThereAfterARestart) {
  Ask(referral_);
  EXPECT_EQ(Process(), 0);
  Restart();
  EXPECT_EQ(Process(), 0);
  EXPECT_EQ(office_.Waiting(), 1);
  office_.PublishPartner();
  office_.Watch();
  Restart();
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
}

TEST_F(ReceiverTest, WhatWaitsHoldsUpNobodyElse) {
  TestOrganisation stranger("bea");
  v1::Header header = office_.Header(v1::KIND_CAPACITY_QUERY, referral_);
  header.set_sender_unit(stranger.unit.bytes());
  office_.Arrive(header, office_.Question());
  office_.PublishPartner();
  office_.Watch();
  // In the same referral as well: another sender cannot hold it up.
  Ask(referral_);
  Ask(ReferralId::Generate(SystemRandom()));
  EXPECT_EQ(Process(), 2);
  EXPECT_EQ(office_.Waiting(), 1);
  Ask(ReferralId::Generate(SystemRandom()));
  EXPECT_EQ(Process(), 1) << "nor what comes later";
  EXPECT_THAT(verdicts_, IsEmpty());
}

TEST_F(ReceiverTest, OrderWithinAReferralStays) {
  local::v1::Referral referral = office_.Referral(NodeState::kInquired, /*originated=*/true);
  v1::Payload question;
  question.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_CALL_UNIT);
  Say(v1::KIND_CLARIFICATION, referral, question);
  v1::Payload again;
  again.mutable_cancellation()->set_code("PE3");
  Say(v1::KIND_CANCEL, referral, again);
  EXPECT_EQ(Process(), 0);
  office_.PublishPartner();
  office_.Watch();
  EXPECT_EQ(Process(), 2);
  EXPECT_THAT(verdicts_, IsEmpty());
  referral = office_.Load(referral);
  ASSERT_EQ(referral.events_size(), 2);
  EXPECT_EQ(referral.events(0).kind(), v1::KIND_CLARIFICATION);
  EXPECT_EQ(referral.events(1).kind(), v1::KIND_CANCEL);
}

TEST_F(ReceiverTest, ASenderWhoNeverComesIsRefusedInTheEnd) {
  Ask(referral_);
  EXPECT_EQ(Process(), 0);
  office_.clock.Advance(WaitingRoom::kPatience - absl::Minutes(1));
  EXPECT_EQ(Process(), 0);
  office_.clock.Advance(WaitingRoom::kPause);
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_UNIT_UNKNOWN));
  EXPECT_EQ(office_.Waiting(), 0);
}

TEST_F(ReceiverTest, ABrokenWatchCountsForNobodyButTheExpiryDoes) {
  Ask(referral_);
  office_.replica->OnWatchEnded();
  EXPECT_EQ(Process(), 0);
  office_.clock.Advance(WaitingRoom::kPatience * 2);
  EXPECT_EQ(Process(), 0);
  office_.clock.Advance(absl::Hours(4));
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_UNIT_UNKNOWN));
}

// At the level that says most: what was refused is told by its header, which the hub has read too.
// The words of a line of the log but for the time, the message's own id and its size, which
// everybody sees.
std::vector<std::string> WordsOf(const std::string& line) {
  std::vector<std::string> words = absl::StrSplit(line, ' ');
  words.front() = "at its time";
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const bool seen = absl::EndsWith(words[i], "message_id:") || words[i] == "size_bucket:";
    if (seen) words[i + 1] = "seen by everybody";
  }
  return words;
}

TEST_F(ReceiverTest, ARefusalIsLoggedWithoutAnyValue) {
  office_.PublishPartner();
  office_.Watch();
  const local::v1::Referral ended = office_.Referral(NodeState::kCompleted, /*originated=*/false);
  const auto logged = [&](const v1::Payload& payload) {
    const std::string path = ::testing::TempDir() + "/receiver_test.log";
    std::filesystem::remove(path);
    EXPECT_TRUE(StartLog({LogLevel::kDebug, /*json=*/false, path}).ok());
    Say(v1::KIND_DISCLOSE, ended, payload);
    EXPECT_EQ(Process(), 1);
    EXPECT_TRUE(StartLog({}).ok());
    EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_STATE_FORBIDS));
    std::ifstream file(path);
    std::stringstream lines;
    lines << file.rdbuf();
    return lines.str();
  };
  v1::Payload full;
  v1::Sections& sections = *full.mutable_sections();
  for (int i = 0; i < v1::Sections::descriptor()->field_count(); ++i) {
    const auto& field = *v1::Sections::descriptor()->field(i);
    const auto* reflection = v1::Sections::GetReflection();
    Fill(field.is_repeated() ? *reflection->AddMessage(&sections, &field)
                             : *reflection->MutableMessage(&sections, &field));
  }
  const std::string line = logged(full);
  EXPECT_THAT(line, HasSubstr(" debug refused_message reason=STATE_FORBIDS header="));
  EXPECT_THAT(line, HasSubstr("kind: KIND_DISCLOSE"));
  EXPECT_THAT(absl::AsciiStrToLower(line), Not(HasSubstr("canary")));
  EXPECT_EQ(WordsOf(line), WordsOf(logged(v1::Payload()))) << "not even which sections there are";
}

TEST_F(ReceiverTest, AMessageForAnotherOrganisationDoesNotWait) {
  v1::Header header = office_.Header(v1::KIND_CAPACITY_QUERY, referral_);
  header.set_recipient_unit(UnitId::Generate(SystemRandom()).bytes());
  office_.Arrive(header, office_.Question());
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_WRONG_RECIPIENT));
}

TEST_F(ReceiverTest, AMessageThatComesAfterItsEndIsRefused) {
  office_.PublishPartner();
  office_.Watch();
  const v1::Header header = office_.Header(v1::KIND_CAPACITY_QUERY, referral_);
  office_.Arrive(header, office_.Question());
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());

  // Whoever kept it plays it again, once its id is remembered and once it is forgotten.
  const absl::Time end = absl::FromUnixSeconds(header.expires_at() * 60) + absl::Minutes(2);
  office_.clock.Advance(end - absl::Seconds(1) - office_.clock.Now());
  office_.Arrive(header, office_.Question());
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_REPLAYED));
  office_.clock.Advance(absl::Seconds(1));
  office_.Write([&](Transaction& t) { return t.Purge(office_.clock.Now()); });
  office_.Arrive(header, office_.Question());
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_MESSAGE_EXPIRED));
}

TEST_F(ReceiverTest, WhatCameInTimeCountsHoweverLateItIsWorkedOn) {
  office_.PublishPartner();
  office_.Watch();
  const v1::Header header = office_.Header(v1::KIND_CAPACITY_QUERY, referral_);
  office_.Arrive(header, office_.Question());
  office_.Arrive(header, office_.Question());
  office_.clock.Advance(absl::Hours(5));
  EXPECT_EQ(Process(), 2);
  EXPECT_THAT(verdicts_, ElementsAre(v1::REASON_REPLAYED)) << "and only once";
}

TEST_F(ReceiverTest, ALaterReceiptTakesNothingBack) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kInquired, /*originated=*/true);
  const MessageId sent = MessageId::Generate(SystemRandom());
  AddEvent(referral, sent, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, /*sent=*/true, office_.clock.Now());
  office_.Save(referral);
  for (const auto reason : {v1::REASON_UNSPECIFIED, v1::REASON_MESSAGE_EXPIRED}) {
    v1::Payload payload;
    v1::Receipt& receipt = *payload.mutable_receipt();
    receipt.set_message_id(sent.bytes());
    receipt.set_reason(reason);
    receipt.set_outcome(reason == v1::REASON_UNSPECIFIED ? v1::RECEIPT_OUTCOME_STORED
                                                         : v1::RECEIPT_OUTCOME_REFUSED);
    Say(v1::KIND_RECEIPT, referral, payload);
    EXPECT_EQ(Process(), 1);
    EXPECT_THAT(verdicts_, IsEmpty());
    EXPECT_EQ(office_.Load(referral).events(0).delivery(), v1::DELIVERY_STATE_RECEIVED);
  }
}

TEST_F(ReceiverTest, TheEndOfRetentionIsNotedBesideTheReceipt) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kCompleted, /*originated=*/true);
  const MessageId sent = MessageId::Generate(SystemRandom());
  AddEvent(referral, sent, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, /*sent=*/true, office_.clock.Now());
  referral.mutable_events(0)->set_delivery(v1::DELIVERY_STATE_RECEIVED);
  office_.Save(referral);
  v1::Payload payload;
  payload.mutable_receipt()->set_message_id(sent.bytes());
  payload.mutable_receipt()->set_outcome(v1::RECEIPT_OUTCOME_EXPIRED);
  Say(v1::KIND_RECEIPT, referral, payload);
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
  const local::v1::Referral noted = office_.Load(referral);
  EXPECT_EQ(noted.expiry_told_at_ms(), ToMillis(office_.clock.Now()));
  EXPECT_EQ(noted.events(0).delivery(), v1::DELIVERY_STATE_RECEIVED);
  EXPECT_EQ(noted.state(), "COMPLETED");
}

TEST_F(ReceiverTest, TheFirstAnswerToAQuestionGivesTimeBackOnce) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kInquired, /*originated=*/false);
  SetInquiryClocks(referral, Catalogue::Default(), office_.clock.Now());
  office_.Save(referral);
  const auto minutes = [&](int64_t millis) { return millis / 60'000 - MinuteOf(TestNow()); };
  ASSERT_EQ(minutes(referral.respond_by_ms()), 30);
  ASSERT_EQ(minutes(referral.state_until_ms()), 240);

  // The own unit asks at minute 10; the answer comes at minute 40.
  office_.clock.Advance(absl::Minutes(10));
  ASSERT_TRUE(Advance(referral, v1::KIND_CLARIFICATION, /*sent=*/true, CloseDetail::kNone,
                      office_.clock.Now())
                  .ok());
  office_.Save(referral);
  office_.clock.Advance(absl::Minutes(30));
  v1::Payload answer;
  answer.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_ANSWERED);
  Say(v1::KIND_CLARIFICATION, referral, answer);
  ASSERT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
  referral = office_.Load(referral);
  EXPECT_EQ(referral.state(), "INQUIRED");
  EXPECT_EQ(minutes(referral.respond_by_ms()), 50) << "half of 20 minutes after the answer";
  EXPECT_EQ(minutes(referral.prompt_at_ms()), 42) << "half of 5 minutes, cut to whole minutes";
  EXPECT_EQ(minutes(referral.state_until_ms()), 240) << "the end does not move";

  // A second question gives nothing back.
  ASSERT_TRUE(Advance(referral, v1::KIND_CLARIFICATION, /*sent=*/true, CloseDetail::kNone,
                      office_.clock.Now())
                  .ok());
  office_.Save(referral);
  office_.clock.Advance(absl::Minutes(60));
  Say(v1::KIND_CLARIFICATION, referral, answer);
  ASSERT_EQ(Process(), 1);
  EXPECT_EQ(minutes(office_.Load(referral).respond_by_ms()), 50);
}

TEST_F(ReceiverTest, AWithdrawalErasesAndIsAcknowledged) {
  office_.PublishPartner();
  office_.Watch();
  const local::v1::Referral referral = office_.Referral(NodeState::kAccepted, false);
  const auto id = *ReferralId::FromBytes(referral.referral_id());
  office_.Write([&](Transaction& t) {
    return t.PutSection(
        id, SectionDirection::kReceived,
        {.section = 1, .stage = v1::STAGE_ACCEPTED, .content = SecretBytes::CopyOf("content")});
  });
  v1::Payload payload;
  payload.mutable_revocation()->add_token_hashes(referral.tokens(0).hash());
  Say(v1::KIND_REVOKE, referral, payload);
  EXPECT_EQ(Process(), 1);
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_REVOKE_ACK, v1::KIND_RECEIPT));
  EXPECT_EQ(office_.OpenLeaving().front().payload.revocation_ack().outcome(),
            v1::ERASURE_OUTCOME_ERASED);
  EXPECT_EQ(office_.Load(referral).state(), "WITHDRAWN");
  EXPECT_THAT(office_.Read([&](const Reader& reader) {
    return reader.ReadSections(id, SectionDirection::kReceived);
  }),
              IsEmpty());
}

TEST_F(ReceiverTest, EachTokensWithdrawalIsReceiptedAndAcknowledged) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kAccepted, /*originated=*/false);
  office_.AddToken(referral);
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    v1::Payload payload;
    payload.mutable_revocation()->add_token_hashes(token.hash());
    Say(v1::KIND_REVOKE, referral, payload, token);
  }
  EXPECT_EQ(Process(), 2);
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_REVOKE_ACK, v1::KIND_RECEIPT,
                                                  v1::KIND_REVOKE_ACK, v1::KIND_RECEIPT));
}

TEST_F(ReceiverTest, WhatWasNotedBeforeAWithdrawalIsItsException) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kStarted, /*originated=*/false);
  referral.set_retention_ground(v1::RETENTION_GROUND_CLINICAL_RECORD);
  referral.mutable_kept_until()->set_year(2034);
  referral.mutable_kept_until()->set_month(12);
  referral.mutable_kept_until()->set_day(31);
  office_.Save(referral);
  v1::Payload payload;
  payload.mutable_revocation()->add_token_hashes(referral.tokens(0).hash());
  Say(v1::KIND_REVOKE, referral, payload);
  EXPECT_EQ(Process(), 1);
  const auto leaving = office_.OpenLeaving();
  ASSERT_FALSE(leaving.empty());
  const v1::RevocationAck& ack = leaving.front().payload.revocation_ack();
  EXPECT_EQ(ack.outcome(), v1::ERASURE_OUTCOME_ERASED_EXCEPT);
  EXPECT_EQ(ack.ground(), v1::RETENTION_GROUND_CLINICAL_RECORD);
  EXPECT_EQ(ack.kept_until().year(), 2034);
}

TEST_F(ReceiverTest, AC3_5_AnExceptionNamesItsGroundAndItsEnd) {
  office_.PublishPartner();
  office_.Watch();
  local::v1::Referral referral = office_.Referral(NodeState::kWithdrawn, /*originated=*/true);
  referral.set_revoke_ack_due_ms(ToMillis(TestNow() + absl::Hours(2)));
  office_.Save(referral);
  v1::RevocationAck ack;
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_ENUM_UNKNOWN);
  ack.set_outcome(v1::ERASURE_OUTCOME_ERASED_EXCEPT);
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_FIELD_INVALID);
  ack.set_ground(v1::RETENTION_GROUND_FINANCIAL_RECORD);
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_FIELD_INVALID);
  ack.mutable_kept_until()->set_year(2034);
  ack.mutable_kept_until()->set_month(2);
  ack.mutable_kept_until()->set_day(30);
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_FIELD_INVALID) << "there is no such day";
  EXPECT_NE(office_.Load(referral).revoke_ack_due_ms(), 0) << "it is still owed";
  ack.mutable_kept_until()->set_day(28);
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(office_.Load(referral).revoke_ack_due_ms(), 0);
  EXPECT_EQ(office_.Load(referral).revoke_ack().ground(), v1::RETENTION_GROUND_FINANCIAL_RECORD);
  ack.set_outcome(v1::ERASURE_OUTCOME_ERASED);
  EXPECT_EQ(Acknowledge(referral, ack), v1::REASON_FIELD_INVALID) << "all and not all";
}

}  // namespace
}  // namespace waymark::node
