// Every reason for which ReadMessage or Decide refuses a message, each reached from a message that
// would have been accepted but for one thing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/server/routing/test_network.h"

namespace waymark::hub {
namespace {

constexpr v1::Reason kAccepted = v1::REASON_UNSPECIFIED;

struct Row {
  std::string name;
  v1::Reason reason;
  // The state that the referral is in, then the step that is tried.
  HubState state;
  Step step;
  // What is wrong.
  std::function<void(LindenReferral&, v1::Header&)> spoil;
};

const Step kInquiry = {v1::KIND_INQUIRY, kOut};
const Step kOffer = {v1::KIND_OFFER, kBack};
const Step kAccept = {v1::KIND_ACCEPT, kOut};
const Step kDisclose = {v1::KIND_DISCLOSE, kOut};
const Step kProgress = {v1::KIND_PROGRESS, kBack};
const Step kReceipt = {v1::KIND_RECEIPT, kBack};

using Header = v1::Header;
using Referral = LindenReferral;

// Registers a token like the referral's but for what `change` does, and puts it into the header.
void UseToken(Referral& referral, Header& header,
              const std::function<void(v1::TokenRegistration&)>& change) {
  auto token = referral.network.Token("other", "qso.night", "lin.family");
  change(token);
  EXPECT_EQ(referral.network.Register("qso", token), kAccepted);
  header.set_token_hash(token.token_hash());
  header.set_token_valid_until(token.valid_until_hour());
}

std::vector<Row> ShapeRows() {
  const HubState state = HubState::kOffered;
  return {
      {"version", v1::REASON_VERSION_UNSUPPORTED, state, kAccept,
       [](Referral&, Header& header) { header.set_schema_version(2); }},
      {"kind", v1::REASON_ENUM_UNKNOWN, state, kAccept,
       [](Referral&, Header& header) { header.set_kind(static_cast<v1::Kind>(99)); }},
      {"stage unspecified", v1::REASON_ENUM_UNKNOWN, state, kAccept,
       [](Referral&, Header& header) { header.clear_stage(); }},
      {"short id", v1::REASON_FIELD_INVALID, state, kAccept,
       [](Referral&, Header& header) { header.set_message_id("short"); }},
      {"short token hash", v1::REASON_FIELD_INVALID, state, kAccept,
       [](Referral&, Header& header) { header.set_token_hash("short"); }},
      {"to itself", v1::REASON_FIELD_INVALID, state, kAccept,
       [](Referral&, Header& header) { header.set_recipient_unit(header.sender_unit()); }},
      {"another field", v1::REASON_MALFORMED, state, kAccept,
       [](Referral&, Header& header) {
         Header::GetReflection()->MutableUnknownFields(&header)->AddVarint(900, 1);
       }},
      {"expires before sent", v1::REASON_TIME_INVALID, state, kAccept,
       [](Referral&, Header& header) { header.set_expires_at(header.sent_minute()); }},
  };
}

std::vector<Row> MemberRows() {
  return {
      {"unknown member", v1::REASON_MEMBER_UNKNOWN, HubState::kOffered, kAccept,
       [](Referral& referral, Header&) { referral.network.Remove("qso"); }},
      {"suspended", v1::REASON_MEMBER_SUSPENDED, HubState::kOffered, kAccept,
       [](Referral& referral, Header&) {
         referral.network.SetMember("qso", v1::MEMBER_STATUS_SUSPENDED);
       }},
      {"suspended, withdrawing",
       v1::REASON_MEMBER_SUSPENDED,
       HubState::kOffered,
       {v1::KIND_REVOKE, kOut},
       [](Referral& referral, Header&) {
         referral.network.SetMember("qso", v1::MEMBER_STATUS_SUSPENDED);
       }},
      {"suspended, acknowledging",
       kAccepted,
       HubState::kWithdrawn,
       {v1::KIND_REVOKE_ACK, kBack},
       [](Referral& referral, Header&) {
         referral.network.SetMember("lin", v1::MEMBER_STATUS_SUSPENDED);
       }},
      {"another's unit", v1::REASON_UNIT_NOT_OWN, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_sender_unit(Unit("bea.intake").bytes()); }},
      {"no such unit of its own", v1::REASON_UNIT_NOT_OWN, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_sender_unit(Unit("qso.none").bytes()); }},
  };
}

std::vector<Row> TimeRows() {
  return {
      {"expired", v1::REASON_MESSAGE_EXPIRED, HubState::kStarted, kProgress,
       [](Referral& referral, Header& header) {
         header.set_expires_at(Minutes(referral.network.now));
         header.set_sent_minute(header.expires_at() - 60);
         header.set_respond_by(header.expires_at());
       }},
      {"days in an outbox", kAccepted, HubState::kStarted, kProgress,
       [](Referral& referral, Header& header) {
         header.set_urgency(v1::URGENCY_U3);
         header.set_sent_minute(Minutes(referral.network.now - absl::Hours(9 * 24)));
         header.set_expires_at(header.sent_minute() + 10 * 24 * 60);
       }},
      {"hold is over", v1::REASON_MESSAGE_EXPIRED, HubState::kRequested, kOffer,
       [](Referral& referral, Header& header) {
         header.set_sent_minute(Minutes(referral.network.now) - 60);
         header.set_respond_by(Minutes(referral.network.now));
         header.set_expires_at(header.sent_minute() + 240);
       }},
      {"hold too long", v1::REASON_TIME_INVALID, HubState::kRequested, kOffer,
       [](Referral&, Header& header) {
         header.set_respond_by(header.sent_minute() + 28 * 24 * 60 + 1);
       }},
      {"a little ahead", kAccepted, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_sent_minute(header.sent_minute() + 2); }},
      {"from the future", v1::REASON_TIME_INVALID, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_sent_minute(header.sent_minute() + 3); }},
      {"lives too long", v1::REASON_TIME_INVALID, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_expires_at(header.expires_at() + 1); }},
      {"answer due after the end", v1::REASON_TIME_INVALID, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_respond_by(header.expires_at() + 1); }},
      {"a withdrawal may wait a month",
       kAccepted,
       HubState::kOffered,
       {v1::KIND_REVOKE, kOut},
       [](Referral&, Header& header) {
         header.set_expires_at(header.sent_minute() + 30 * 24 * 60);
       }},
      {"a withdrawal may not wait longer",
       v1::REASON_TIME_INVALID,
       HubState::kOffered,
       {v1::KIND_REVOKE, kOut},
       [](Referral&, Header& header) {
         header.set_expires_at(header.sent_minute() + 30 * 24 * 60 + 1);
       }},
  };
}

std::vector<Row> RecipientRows() {
  return {
      {"unknown unit", v1::REASON_UNIT_UNKNOWN, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_recipient_unit(Unit("no.where").bytes()); }},
      {"recipient suspended", v1::REASON_RECIPIENT_SUSPENDED, HubState::kOffered, kAccept,
       [](Referral& referral, Header&) {
         referral.network.SetMember("lin", v1::MEMBER_STATUS_SUSPENDED);
       }},
      {"withdrawal from a suspended recipient",
       kAccepted,
       HubState::kOffered,
       {v1::KIND_REVOKE, kOut},
       [](Referral& referral, Header&) {
         referral.network.SetMember("lin", v1::MEMBER_STATUS_SUSPENDED);
       }},
      {"inquiry to a member that leaves", v1::REASON_RECIPIENT_LEAVING, HubState::kOffered,
       kInquiry,
       [](Referral& referral, Header&) {
         referral.network.SetMember("lin", v1::MEMBER_STATUS_LEAVING);
       }},
      {"acceptance to a member that leaves", kAccepted, HubState::kOffered, kAccept,
       [](Referral& referral, Header&) {
         referral.network.SetMember("lin", v1::MEMBER_STATUS_LEAVING);
       }},
  };
}

std::vector<Row> ReferralRows() {
  return {
      {"unknown referral", v1::REASON_REFERRAL_UNKNOWN, HubState::kOffered, kAccept,
       [](Referral&, Header& header) {
         header.set_referral_id(IdOf<ReferralId>("nothing").bytes());
       }},
      {"another unit of the origin", v1::REASON_NOT_A_PARTY, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_sender_unit(Unit("qso.day").bytes()); }},
      {"another recipient", v1::REASON_NOT_A_PARTY, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_recipient_unit(Unit("bea.intake").bytes()); }},
      {"an inquiry under another's referral", v1::REASON_NOT_A_PARTY, HubState::kOffered, kInquiry,
       [](Referral&, Header& header) { header.set_recipient_unit(Unit("bea.intake").bytes()); }},
      {"no offer yet", v1::REASON_STATE_FORBIDS, HubState::kRequested, kAccept,
       [](Referral&, Header&) {}},
      {"wrong way round",
       v1::REASON_STATE_FORBIDS,
       HubState::kOffered,
       {v1::KIND_ACCEPT, kBack},
       [](Referral&, Header&) {}},
  };
}

std::vector<Row> StageRows() {
  const auto stage = [](v1::Stage value) {
    return [value](Referral&, Header& header) { header.set_stage(value); };
  };
  return {
      {"acceptance at inquiry", v1::REASON_STAGE_INVALID, HubState::kOffered, kAccept,
       stage(v1::STAGE_INQUIRY)},
      {"disclosure ahead of the start", v1::REASON_STAGE_INVALID, HubState::kScheduled, kDisclose,
       stage(v1::STAGE_STARTED)},
      {"disclosure after the start", kAccepted, HubState::kStarted, kDisclose,
       stage(v1::STAGE_STARTED)},
      {"disclosure that crosses the start", kAccepted, HubState::kStarted, kDisclose,
       stage(v1::STAGE_ACCEPTED)},
      {"question ahead of acceptance",
       v1::REASON_STAGE_INVALID,
       HubState::kOffered,
       {v1::KIND_CLARIFICATION, kBack},
       stage(v1::STAGE_ACCEPTED)},
      {"query with a stage",
       v1::REASON_STAGE_INVALID,
       HubState::kOffered,
       {v1::KIND_CAPACITY_QUERY, kOut},
       stage(v1::STAGE_INQUIRY)},
  };
}

std::vector<Row> TokenRows() {
  const auto none = [](Referral&, Header& header) {
    header.clear_token_hash();
    header.clear_token_valid_until();
  };
  return {
      {"query with a token",
       v1::REASON_FIELD_INVALID,
       HubState::kOffered,
       {v1::KIND_CAPACITY_QUERY, kOut},
       [](Referral& referral, Header& header) {
         header.set_token_hash(referral.token.token_hash());
         header.set_token_valid_until(referral.token.valid_until_hour());
       }},
      {"no token", v1::REASON_TOKEN_REQUIRED, HubState::kOffered, kAccept, none},
      {"receipt within a referral, no token", v1::REASON_TOKEN_REQUIRED, HubState::kOffered,
       kReceipt, none},
      {"receipt outside, no token", kAccepted, HubState::kOffered, kReceipt,
       [none](Referral& referral, Header& header) {
         none(referral, header);
         header.set_referral_id(IdOf<ReferralId>("query").bytes());
       }},
      {"not registered", v1::REASON_TOKEN_UNKNOWN, HubState::kOffered, kAccept,
       [](Referral&, Header& header) { header.set_token_hash(std::string(32, 'u')); }},
      {"another recipient's token", v1::REASON_TOKEN_PARTIES, HubState::kOffered, kAccept,
       [](Referral& referral, Header& header) {
         UseToken(referral, header,
                  [](auto& token) { token.set_recipient_unit(Unit("bea.intake").bytes()); });
       }},
      {"another presenter's token", v1::REASON_TOKEN_PARTIES, HubState::kOffered, kAccept,
       [](Referral& referral, Header& header) {
         UseToken(referral, header,
                  [](auto& token) { token.set_presenter_unit(Unit("qso.day").bytes()); });
       }},
      {"token that points the other way",
       v1::REASON_TOKEN_PARTIES,
       HubState::kStarted,
       {v1::KIND_CLARIFICATION, kBack},
       [](Referral& referral, Header& header) {
         auto token = referral.network.Token("back", "lin.family", "qso.night");
         EXPECT_EQ(referral.network.Register("lin", token), kAccepted);
         header.set_token_hash(token.token_hash());
       }},
      {"another end than registered", v1::REASON_TOKEN_MISMATCH, HubState::kOffered, kAccept,
       [](Referral&, Header& header) {
         header.set_token_valid_until(header.token_valid_until() + 1);
       }},
      {"revoked", v1::REASON_TOKEN_REVOKED, HubState::kOffered, kAccept,
       [](Referral& referral, Header& header) {
         UseToken(referral, header, [](auto&) {});
         auto revoke = header;
         revoke.set_kind(v1::KIND_REVOKE);
         revoke.set_message_id(IdOf<MessageId>("revoke").bytes());
         revoke.set_referral_id(IdOf<ReferralId>("elsewhere").bytes());
         EXPECT_TRUE(referral.Send(revoke).accepted());
       }},
  };
}

std::vector<Row> TokenReachRows() {
  const auto inquiry_only = [](Referral& referral, Header& header) {
    UseToken(referral, header, [](auto& token) { token.set_stage_ceiling(v1::STAGE_INQUIRY); });
  };
  const auto ends_soon = [](absl::Duration later) {
    return [later](Referral& referral, Header& header) {
      UseToken(referral, header, [](auto& token) {
        token.set_valid_until_hour(token.valid_until_hour() - 5 * 24 + 1);
      });
      const int64_t end = header.token_valid_until() * 60;
      referral.network.now = absl::UnixEpoch() + absl::Minutes(end) + later;
    };
  };
  return {
      {"within the skew", kAccepted, HubState::kStarted, kDisclose, ends_soon(absl::Seconds(119))},
      {"expired token", v1::REASON_TOKEN_EXPIRED, HubState::kStarted, kDisclose,
       ends_soon(absl::Minutes(2))},
      {"expired token, cancelled",
       kAccepted,
       HubState::kScheduled,
       {v1::KIND_CANCEL, kOut},
       ends_soon(absl::Minutes(2))},
      {"ceiling", v1::REASON_TOKEN_CEILING, HubState::kOffered, kAccept, inquiry_only},
      {"ceiling of the return flow", v1::REASON_TOKEN_CEILING, HubState::kStarted, kProgress,
       inquiry_only},
      {"ceiling does not bind a cancellation",
       kAccepted,
       HubState::kOffered,
       {v1::KIND_CANCEL, kOut},
       inquiry_only},
      {"withdrawal by the provider",
       v1::REASON_STATE_FORBIDS,
       HubState::kOffered,
       {v1::KIND_REVOKE, kBack},
       [](Referral&, Header&) {}},
      {"withdrawal of a forgotten referral by the provider",
       v1::REASON_TOKEN_NOT_ISSUER,
       HubState::kOffered,
       {v1::KIND_REVOKE, kBack},
       [](Referral&, Header& header) {
         header.set_referral_id(IdOf<ReferralId>("elsewhere").bytes());
       }},
  };
}

std::vector<Row> AllRows() {
  std::vector<Row> all;
  for (auto rows : {ShapeRows(), MemberRows(), TimeRows(), RecipientRows(), ReferralRows(),
                    StageRows(), TokenRows(), TokenReachRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

TEST(RejectionsTest, EachReasonFromOneThingWrong) {
  for (const Row& row : AllRows()) {
    SCOPED_TRACE(row.name);
    Referral referral(row.state);
    Header header = referral.Header(row.step);
    row.spoil(referral, header);
    const std::string sender = row.step.direction == kOut ? "qso" : "lin";
    const Decision decision = referral.network.Send(sender, header);
    EXPECT_EQ(ReasonName(decision.reason), ReasonName(row.reason));
    EXPECT_EQ(decision.effects.deliver.size(), row.reason == kAccepted ? 1u : 0u);
    EXPECT_EQ(decision.effects.put_seen.size(), row.reason == kAccepted ? 1u : 0u);
  }
}

TEST(RejectionsTest, TheMessageItself) {
  TestNetwork network;
  const auto header = network.Header(v1::KIND_NOTICE, "qso.night", "lin.family", "n", nullptr);
  const auto reason_of = [&](const std::function<void(v1::Message&)>& spoil) {
    v1::Message message = TestNetwork::Message(header);
    spoil(message);
    return network.Send("qso", message).reason;
  };
  EXPECT_EQ(reason_of([](auto& message) { message.mutable_sealed()->push_back('x'); }),
            v1::REASON_BUCKET_MISMATCH);
  EXPECT_EQ(reason_of([](auto& message) { message.clear_sealed(); }), v1::REASON_BUCKET_MISMATCH);
  EXPECT_EQ(reason_of([](auto& message) { message.clear_signature(); }), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(reason_of([](auto& message) { message.set_signature(std::string(73, 's')); }),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(reason_of([](auto& message) { message.set_header("\xff"); }), v1::REASON_MALFORMED);
  EXPECT_EQ(reason_of([](auto& message) { message.set_header(std::string(1025, '\0')); }),
            v1::REASON_MALFORMED);
  EXPECT_EQ(reason_of([](auto&) {}), kAccepted);
}

// C8: what the classes that need a separate release may receive, and MEDIA and FUNDER.
TEST(RejectionsTest, BlockedClasses) {
  const std::set<v1::Kind> to_police = {v1::KIND_CAPACITY_QUERY, v1::KIND_NOTICE, v1::KIND_RECEIPT};
  for (int number = v1::KIND_CAPACITY_QUERY; number <= v1::Kind_MAX; ++number) {
    const auto kind = static_cast<v1::Kind>(number);
    SCOPED_TRACE(v1::Kind_Name(kind));
    TestNetwork network;
    const auto to_media = network.Header(kind, "qso.night", "prs.desk", "m", nullptr);
    EXPECT_EQ(network.Send("qso", to_media).reason,
              kind == v1::KIND_NOTICE ? kAccepted : v1::REASON_RECIPIENT_BLOCKED);
    if (TokenDemandOf(kind) == TokenDemand::kNone || kind == v1::KIND_RECEIPT) {
      const auto header = network.Header(kind, "qso.night", "cpl.desk", "p", nullptr);
      EXPECT_EQ(network.Send("qso", header).reason,
                to_police.count(kind) == 1 ? kAccepted : v1::REASON_RECIPIENT_BLOCKED);
    }
  }
}

// The police ask a shelter: without a separate release nothing about the person comes back.
TEST(RejectionsTest, AnswersToABlockedClassNeedASeparateRelease) {
  for (bool release : {false, true}) {
    TestNetwork network;
    auto token = network.Token("t", "cpl.desk", "lin.family");
    token.set_separate_release(release);
    ASSERT_EQ(network.Register("cpl", token), kAccepted);
    const auto send = [&](v1::Kind kind, std::string_view from, std::string_view to) {
      return network.Send(MemberOf(from), network.Header(kind, from, to, "r", &token)).reason;
    };
    const v1::Reason answer = release ? kAccepted : v1::REASON_TOKEN_SEPARATE_RELEASE;
    EXPECT_EQ(send(v1::KIND_INQUIRY, "cpl.desk", "lin.family"), kAccepted);
    EXPECT_EQ(send(v1::KIND_OFFER, "lin.family", "cpl.desk"), answer);
    EXPECT_EQ(send(v1::KIND_RECEIPT, "lin.family", "cpl.desk"), kAccepted);
    EXPECT_EQ(send(v1::KIND_REVOKE, "cpl.desk", "lin.family"), kAccepted);
    EXPECT_EQ(send(v1::KIND_REVOKE_ACK, "lin.family", "cpl.desk"), kAccepted);
  }
}

TEST(RejectionsTest, EveryReasonOfTheHeadersListIsReached) {
  std::set<v1::Reason> reached = {v1::REASON_BUCKET_MISMATCH, v1::REASON_RECIPIENT_BLOCKED,
                                  v1::REASON_TOKEN_SEPARATE_RELEASE, v1::REASON_ID_REUSED};
  for (const Row& row : AllRows()) reached.insert(row.reason);
  for (v1::Reason reason :
       {v1::REASON_MALFORMED,           v1::REASON_FIELD_INVALID,     v1::REASON_ENUM_UNKNOWN,
        v1::REASON_VERSION_UNSUPPORTED, v1::REASON_TIME_INVALID,      v1::REASON_MEMBER_UNKNOWN,
        v1::REASON_MEMBER_SUSPENDED,    v1::REASON_UNIT_NOT_OWN,      v1::REASON_UNIT_UNKNOWN,
        v1::REASON_RECIPIENT_SUSPENDED, v1::REASON_RECIPIENT_LEAVING, v1::REASON_MESSAGE_EXPIRED,
        v1::REASON_NOT_A_PARTY,         v1::REASON_STATE_FORBIDS,     v1::REASON_REFERRAL_UNKNOWN,
        v1::REASON_STAGE_INVALID,       v1::REASON_TOKEN_REQUIRED,    v1::REASON_TOKEN_UNKNOWN,
        v1::REASON_TOKEN_EXPIRED,       v1::REASON_TOKEN_REVOKED,     v1::REASON_TOKEN_PARTIES,
        v1::REASON_TOKEN_CEILING,       v1::REASON_TOKEN_NOT_ISSUER,  v1::REASON_TOKEN_MISMATCH}) {
    EXPECT_EQ(reached.count(reason), 1u) << ReasonName(reason);
  }
}

}  // namespace
}  // namespace waymark::hub
