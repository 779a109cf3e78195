// Two whole hubs on one PostgreSQL database, over real sockets: together they are one hub.
#include <gmock/gmock.h>

#include "base/status/status.h"
#include "tests/server/rpc/test_hub.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;
using ::testing::SizeIs;

constexpr v1::Reason kTaken = v1::REASON_UNSPECIFIED;

class HubsOnPostgresTest : public ::testing::Test {
 protected:
  HubsOnPostgresTest() : one_(medium_.url()) {
    network_.now = FloorMinute(absl::Now());
    token_ = network_.Token("c-c", "qso.night", "lin.family");
    StartTwo();
  }

  void StartTwo() {
    auto started = Hub::Start(one_.options("other"));
    ASSERT_TRUE(started.ok()) << started.status();
    two_ = *std::move(started);
  }
  // Admits both at the first, and waits until the second knows.
  void Join() {
    ASSERT_EQ(one_.Publish("qso.night"), kTaken);
    ASSERT_EQ(one_.Publish("lin.family"), kTaken);
    const auto known = [&] {
      return !TestStream(AtTwo("lin")).Hello().epoch().empty() &&
             !TestStream(AtTwo("qso")).Hello().epoch().empty();
    };
    ASSERT_TRUE(Eventually(known));
  }
  std::shared_ptr<grpc::Channel> AtOne(std::string_view handle) { return one_.ChannelOf(handle); }
  std::shared_ptr<grpc::Channel> AtTwo(std::string_view handle) {
    return one_.ChannelTo(two_->ports().exchange, handle);
  }

  // Submits an inquiry, with its token, and returns the answers.
  std::vector<v1::Reason> Submit(TestStream& stream, int referral) {
    v1::ConnectRequest frame;
    *frame.mutable_submit()->add_items()->mutable_registration() = token_;
    *frame.mutable_submit()->add_items()->mutable_message() =
        TestNetwork::Message(network_.Header(v1::KIND_INQUIRY, "qso.night", "lin.family",
                                             "referral " + std::to_string(referral), &token_));
    stream.Write(frame);
    std::vector<v1::Reason> reasons;
    v1::ConnectResponse answer = stream.Read();
    while (!answer.has_outcomes() && answer.frame_case() != v1::ConnectResponse::FRAME_NOT_SET) {
      answer = stream.Read();
    }
    for (const auto& outcome : answer.outcomes().outcomes()) reasons.push_back(outcome.reason());
    return reasons;
  }
  // The sequences that come until there are `count`.
  static std::vector<uint64_t> Receive(TestStream& stream, size_t count) {
    std::vector<uint64_t> sequences;
    while (sequences.size() < count) {
      const v1::ConnectResponse frame = stream.Read();
      if (frame.frame_case() == v1::ConnectResponse::FRAME_NOT_SET) break;
      for (const auto& delivery : frame.deliver().deliveries()) {
        sequences.push_back(delivery.sequence());
      }
    }
    return sequences;
  }

  PostgresMedium medium_;
  TestHub one_;
  std::unique_ptr<Hub> two_;
  TestNetwork network_;
  v1::TokenRegistration token_;
};

TEST_F(HubsOnPostgresTest, WhatIsSubmittedAtOneIsDeliveredAtTheOther) {
  Join();
  TestStream lin(AtTwo("lin"));
  lin.Hello();
  TestStream qso(AtOne("qso"));
  qso.Hello();
  for (int i = 1; i <= 5; ++i) EXPECT_THAT(Submit(qso, i), Each(kTaken));
  EXPECT_EQ(Receive(lin, 5), (std::vector<uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(HubsOnPostgresTest, ANodeThatMovesGetsWhatWaits) {
  Join();
  TestStream qso(AtTwo("qso"));
  qso.Hello();
  EXPECT_THAT(Submit(qso, 1), Each(kTaken));
  TestStream lin(AtOne("lin"));
  lin.Hello();
  EXPECT_THAT(Receive(lin, 1), SizeIs(1));
  TestStream moved(AtTwo("lin"));
  moved.Hello();
  EXPECT_THAT(Receive(moved, 1), SizeIs(1)) << "nothing was acknowledged";
}

TEST_F(HubsOnPostgresTest, TheNewestSessionWins) {
  Join();
  TestStream older(AtOne("lin"));
  older.Hello();
  TestStream newer(AtTwo("lin"));
  newer.Hello();
  v1::ConnectResponse last;
  for (v1::ConnectResponse frame = older.Read();
       frame.frame_case() != v1::ConnectResponse::FRAME_NOT_SET; frame = older.Read()) {
    last = frame;
  }
  EXPECT_EQ(last.goodbye().reason(), v1::REASON_SESSION_REPLACED);
  TestStream qso(AtOne("qso"));
  qso.Hello();
  EXPECT_THAT(Submit(qso, 1), Each(kTaken));
  EXPECT_THAT(Receive(newer, 1), SizeIs(1));
}

TEST_F(HubsOnPostgresTest, ASuspensionAtOneHoldsAtTheOther) {
  Join();
  TestStream qso(AtTwo("qso"));
  qso.Hello();
  ASSERT_EQ(one_.Publish("qso.night", 2, v1::MEMBER_STATUS_SUSPENDED), kTaken);
  while (qso.Read().frame_case() != v1::ConnectResponse::FRAME_NOT_SET) {
  }
  TestStream again(AtTwo("qso"));
  EXPECT_TRUE(again.Hello().restricted());
}

TEST_F(HubsOnPostgresTest, AHubThatEndsLeavesItsWorkToTheOther) {
  Join();
  {
    TestStream qso(AtTwo("qso"));
    qso.Hello();
    EXPECT_THAT(Submit(qso, 1), Each(kTaken));
  }
  two_ = nullptr;
  TestStream lin(AtOne("lin"));
  lin.Hello();
  EXPECT_THAT(Receive(lin, 1), SizeIs(1));
}

TEST_F(HubsOnPostgresTest, TheDatabaseMayGoAndComeBack) {
  Join();
  PostgresMedium::server().Stop();
  {
    TestStream qso(AtOne("qso"));
    qso.Hello();
    EXPECT_THAT(Submit(qso, 1), Not(Contains(kTaken)));
  }
  ASSERT_TRUE(PostgresMedium::server().Resume().ok());
  const auto submitted = [&] {
    TestStream qso(AtTwo("qso"));
    if (qso.Hello().epoch().empty()) return false;
    const auto reasons = Submit(qso, 2);
    return reasons == std::vector<v1::Reason>{kTaken, kTaken};
  };
  EXPECT_TRUE(Eventually(submitted));
  TestStream lin(AtOne("lin"));
  lin.Hello();
  EXPECT_THAT(Receive(lin, 1), SizeIs(1));
}

}  // namespace
}  // namespace waymark::hub
