#include "server/session/session.h"

#include <gmock/gmock.h>

#include <functional>
#include <optional>

#include "base/status/status.h"
#include "tests/server/session/gated_store.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/support/session_harness.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr v1::Reason kOk = v1::REASON_UNSPECIFIED;
constexpr absl::Time kStart = absl::UnixEpoch();

// What a node gets.
class Output final : public SessionOutput {
 public:
  void Send(v1::ConnectResponse frame) override {
    ASSERT_FALSE(end_.has_value()) << "nothing follows the end";
    frames_.push_back(std::move(frame));
  }
  void Deliver(std::vector<OutgoingDelivery> deliveries) override {
    v1::ConnectResponse frame;
    for (const OutgoingDelivery& delivery : deliveries) {
      v1::Delivery& out = *frame.mutable_deliver()->add_deliveries();
      out.set_sequence(delivery.sequence);
      ASSERT_TRUE(out.mutable_message()->ParseFromString(delivery.message));
    }
    Send(std::move(frame));
  }
  void End(absl::Status status) override {
    ASSERT_FALSE(end_.has_value()) << "a stream ends once";
    end_ = std::move(status);
  }

  bool ended() const { return end_.has_value(); }
  v1::Reason reason() const { return ReasonOf(*end_); }
  const std::vector<v1::ConnectResponse>& frames() const { return frames_; }
  const v1::ConnectResponse& last() const { return frames_.back(); }

  std::vector<v1::Reason> outcomes() const {
    std::vector<v1::Reason> reasons;
    for (const auto& frame : frames_) {
      for (const auto& outcome : frame.outcomes().outcomes()) reasons.push_back(outcome.reason());
    }
    return reasons;
  }
  int deliveries() const {
    int count = 0;
    for (const auto& frame : frames_) count += frame.deliver().deliveries_size();
    return count;
  }

 private:
  std::vector<v1::ConnectResponse> frames_;
  std::optional<absl::Status> end_;
};

class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(const TrafficLimits& traffic = TestNetwork().limits.traffic)
      : hub_(&store_, traffic) {}

  struct Node {
    ~Node() { strand->Close(); }

    Output output;
    std::shared_ptr<ManualStrand> strand = std::make_shared<ManualStrand>();
    std::shared_ptr<Session> session;
  };

  void Suspend(std::string_view handle) {
    TestNetwork& network = hub_.network();
    network.SetMember(handle, v1::MEMBER_STATUS_SUSPENDED);
    hub_.SetMembers(network.membership().members());
  }

  std::unique_ptr<Node> Connect(std::string_view handle) {
    auto node = std::make_unique<Node>();
    node->session = hub_.Connect(handle, options_, &node->output, node->strand);
    return node;
  }
  std::unique_ptr<Node> Open(std::string_view handle) {
    auto node = Connect(handle);
    SayHello(*node, Hello());
    return node;
  }

  // Says it and waits for what comes back: a welcome, or the end.
  static void SayHello(Node& node, const v1::ConnectRequest& hello, absl::Time now = kStart) {
    node.session->OnFrame(hello, now);
    node.strand->RunUntil([&] { return node.output.ended() || !node.output.frames().empty(); });
  }

  static v1::ConnectRequest Hello() {
    v1::ConnectRequest frame;
    frame.mutable_hello()->set_protocol_version(1);
    frame.mutable_hello()->set_window_messages(64);
    frame.mutable_hello()->set_window_bytes(1 << 20);
    return frame;
  }
  v1::ConnectRequest Register() {
    v1::ConnectRequest frame;
    *frame.mutable_submit()->add_items()->mutable_registration() = token_;
    return frame;
  }
  v1::ConnectRequest Inquiry(const std::string& referral) {
    v1::ConnectRequest frame;
    *frame.mutable_submit()->add_items()->mutable_message() = TestNetwork::Message(
        hub_.network().Header(v1::KIND_INQUIRY, "qso.night", "lin.family", referral, &token_));
    return frame;
  }

  SqliteMedium medium_;
  GatedStore store_{*medium_.Open()};
  SessionHarness hub_;
  v1::TokenRegistration token_ = hub_.network().Token("c-c", "qso.night", "lin.family");
  Session::Options options_;
};

TEST_F(SessionTest, WelcomeAnswersTheHello) {
  const auto node = Open("qso");
  ASSERT_THAT(node->output.frames(), SizeIs(1));
  const v1::Welcome& welcome = node->output.last().welcome();
  EXPECT_EQ(welcome.epoch(), store_.epoch());
  EXPECT_EQ(welcome.hub_time_ms(), absl::ToUnixMillis(hub_.clock().Now()));
  EXPECT_FALSE(welcome.restricted());
  EXPECT_EQ(welcome.heartbeat_interval().seconds(), 30);
}

TEST_F(SessionTest, NothingIsReadBeforeTheWelcome) {
  const auto node = Connect("qso");
  EXPECT_TRUE(node->session->wants_frame());
  node->session->OnFrame(Hello(), kStart);
  EXPECT_FALSE(node->session->wants_frame());
  EXPECT_THAT(node->output.frames(), IsEmpty());
  node->strand->RunNext();
  EXPECT_TRUE(node->session->wants_frame());
  EXPECT_TRUE(node->output.last().has_welcome());
}

TEST_F(SessionTest, AnEndBeforeTheWelcomeTakesItsPlace) {
  const auto node = Connect("qso");
  node->session->OnFrame(Hello(), kStart);
  node->session->Leave(v1::REASON_UNAVAILABLE, absl::Seconds(3));
  EXPECT_EQ(node->output.last().goodbye().reason(), v1::REASON_UNAVAILABLE);
  EXPECT_TRUE(node->output.ended());
  // Whether or not the attachment had begun.
  hub_.dispatcher().Shutdown();
  bool ran = false;
  node->strand->Post([&] { ran = true; });
  node->strand->RunUntil([&] { return ran; });
  EXPECT_THAT(node->output.frames(), SizeIs(1)) << "no welcome";
}

TEST_F(SessionTest, CursorCountsOnlyWithinItsEpoch) {
  v1::ConnectRequest hello = Hello();
  hello.mutable_hello()->set_cursor(7);
  hello.mutable_hello()->set_epoch(std::string(16, 'o'));
  const auto other = Connect("qso");
  SayHello(*other, hello);
  EXPECT_EQ(other->output.last().welcome().cursor(), 0u);

  hello.mutable_hello()->set_epoch(store_.epoch());
  const auto same = Connect("qso");
  SayHello(*same, hello);
  EXPECT_EQ(same->output.last().welcome().cursor(), 7u);
}

TEST_F(SessionTest, FirstFrameIsTheHelloAndTheOnlyOne) {
  const auto early = Connect("qso");
  early->session->OnFrame(Register(), kStart);
  EXPECT_EQ(early->output.reason(), v1::REASON_HELLO_EXPECTED);

  const auto twice = Open("qso");
  twice->session->OnFrame(Hello(), kStart);
  EXPECT_EQ(twice->output.reason(), v1::REASON_HELLO_EXPECTED);
}

TEST_F(SessionTest, HelloIsChecked) {
  const auto refused = [this](const std::function<void(v1::Hello&)>& change) {
    v1::ConnectRequest hello = Hello();
    change(*hello.mutable_hello());
    const auto node = Connect("qso");
    node->session->OnFrame(hello, kStart);
    return node->output.reason();
  };
  EXPECT_EQ(refused([](auto& h) { h.set_protocol_version(2); }), v1::REASON_VERSION_UNSUPPORTED);
  EXPECT_EQ(refused([](auto& h) { h.set_window_messages(0); }), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(refused([](auto& h) { h.set_window_messages(4097); }), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(refused([](auto& h) { h.set_window_bytes(1); }), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(refused([](auto& h) { h.set_epoch("short"); }), v1::REASON_FIELD_INVALID);
}

TEST_F(SessionTest, StrangersAreRefused) {
  const auto node = Connect("nobody");
  node->session->OnFrame(Hello(), kStart);
  EXPECT_EQ(node->output.reason(), v1::REASON_MEMBER_UNKNOWN);
}

TEST_F(SessionTest, BadFramesEndTheStream) {
  const auto after = [this](const v1::ConnectRequest& frame) {
    const auto node = Open("qso");
    node->session->OnFrame(frame, kStart);
    return node->output.reason();
  };
  v1::ConnectRequest empty;
  empty.mutable_submit();
  EXPECT_EQ(after(empty), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(after({}), v1::REASON_MALFORMED);

  v1::ConnectRequest many;
  for (int i = 0; i <= kMaxFrameItems; ++i) {
    *many.mutable_submit()->add_items() = Register().submit().items(0);
  }
  EXPECT_EQ(after(many), v1::REASON_FRAME_TOO_LARGE);

  v1::ConnectRequest large = Inquiry("9ab1");
  large.mutable_submit()->mutable_items(0)->mutable_message()->set_sealed(
      std::string(kMaxFrameBytes, 'x'));
  EXPECT_EQ(after(large), v1::REASON_FRAME_TOO_LARGE);

  v1::ConnectRequest nameless;
  nameless.mutable_submit()->add_items()->mutable_message()->set_header("\xff");
  EXPECT_EQ(after(nameless), v1::REASON_MALFORMED);

  const auto node = Open("qso");
  node->session->OnMalformed();
  EXPECT_EQ(node->output.reason(), v1::REASON_MALFORMED);
}

TEST_F(SessionTest, OutcomesComeInTheOrderOfSubmission) {
  const auto node = Open("qso");
  v1::ConnectRequest odd = Inquiry("1f02");
  odd.mutable_submit()->mutable_items(0)->mutable_message()->set_sealed("short");
  node->session->OnFrame(Register(), kStart);
  node->session->OnFrame(odd, kStart);
  node->session->OnFrame(Inquiry("9ab1"), kStart);
  node->strand->RunUntil([&] { return node->output.outcomes().size() == 3; });
  EXPECT_THAT(node->output.outcomes(), ElementsAre(kOk, v1::REASON_BUCKET_MISMATCH, kOk));
  EXPECT_FALSE(node->output.ended());
}

TEST_F(SessionTest, NoFrameIsWantedWhileTooMuchIsUnanswered) {
  options_.max_unanswered_items = 2;
  const auto node = Open("qso");
  store_.CloseCommits();
  node->session->OnFrame(Register(), kStart);
  EXPECT_TRUE(node->session->wants_frame());
  node->session->OnFrame(Inquiry("9ab1"), kStart);
  EXPECT_FALSE(node->session->wants_frame());
  store_.OpenCommits();
  node->strand->RunUntil([&] { return node->session->wants_frame(); });
}

TEST_F(SessionTest, MessagesReachTheRecipientAndAcksTheStore) {
  const auto lin = Open("lin");
  const auto qso = Open("qso");
  qso->session->OnFrame(Register(), kStart);
  qso->session->OnFrame(Inquiry("9ab1"), kStart);
  lin->strand->RunUntil([&] { return lin->output.deliveries() == 1; });
  const v1::Delivery& delivery = lin->output.last().deliver().deliveries(0);
  EXPECT_EQ(ReadMessage(Organisation("qso"), delivery.message())->header.kind(), v1::KIND_INQUIRY);
  v1::ConnectRequest ack;
  ack.mutable_ack()->set_through(delivery.sequence());
  lin->session->OnFrame(ack, kStart);
  store_.AwaitAcks(1);
}

TEST_F(SessionTest, HeartbeatIsEchoed) {
  const auto node = Open("qso");
  v1::ConnectRequest heartbeat;
  heartbeat.mutable_heartbeat()->set_nonce(42);
  node->session->OnFrame(heartbeat, kStart);
  EXPECT_EQ(node->output.last().heartbeat().nonce(), 42u);
}

TEST_F(SessionTest, GoodbyeIsAnsweredAfterTheLastOutcome) {
  const auto node = Open("qso");
  v1::ConnectRequest goodbye;
  goodbye.mutable_goodbye();
  node->session->OnFrame(Register(), kStart);
  node->session->OnFrame(goodbye, kStart);
  EXPECT_FALSE(node->session->wants_frame());
  node->strand->RunUntil([&] { return node->output.ended(); });
  EXPECT_EQ(node->output.reason(), kOk);
  EXPECT_THAT(node->output.outcomes(), ElementsAre(kOk));
}

TEST_F(SessionTest, DrainTellsOutcomesThenGoodbyeThenEnds) {
  const auto node = Open("qso");
  node->session->OnFrame(Register(), kStart);
  node->session->Leave(v1::REASON_UNAVAILABLE, absl::Seconds(2));
  node->strand->RunUntil([&] { return node->output.ended(); });
  EXPECT_EQ(node->output.reason(), kOk);
  EXPECT_THAT(node->output.outcomes(), ElementsAre(kOk));
  EXPECT_EQ(node->output.last().goodbye().reason(), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(node->output.last().goodbye().retry_after().seconds(), 2);
}

TEST_F(SessionTest, NewerSessionReplacesTheOlder) {
  const auto older = Open("qso");
  const auto newer = Open("qso");
  older->strand->RunUntil([&] { return older->output.ended(); });
  EXPECT_EQ(older->output.last().goodbye().reason(), v1::REASON_SESSION_REPLACED);
  EXPECT_EQ(older->output.reason(), kOk);
  EXPECT_FALSE(newer->output.ended());
}

TEST_F(SessionTest, SuspensionEndsTheSessionAndTheNextIsRestricted) {
  const auto node = Open("qso");
  Suspend("qso");
  hub_.dispatcher().Disconnect(Organisation("qso"), v1::REASON_MEMBER_SUSPENDED);
  node->strand->RunUntil([&] { return node->output.ended(); });
  EXPECT_EQ(node->output.last().goodbye().reason(), v1::REASON_MEMBER_SUSPENDED);

  const auto restricted = Open("qso");
  EXPECT_TRUE(restricted->output.last().welcome().restricted());
  restricted->session->OnFrame(Inquiry("9ab1"), kStart);
  restricted->strand->RunUntil([&] { return !restricted->output.outcomes().empty(); });
  EXPECT_THAT(restricted->output.outcomes(), ElementsAre(v1::REASON_MEMBER_SUSPENDED));
}

TEST_F(SessionTest, OnlyTheSenderLearnsOfAnOfflinePeer) {
  const auto qso = Open("qso");
  const auto bea = Open("bea");
  qso->session->OnFrame(Register(), kStart);
  qso->session->OnFrame(Inquiry("9ab1"), kStart);
  qso->strand->RunUntil([&] { return qso->output.outcomes().size() == 2; });
  hub_.clock().Advance(absl::Minutes(2) + absl::Seconds(1));
  const auto notices = store_.TakeOfflineNotices(hub_.clock().Now() - absl::Minutes(2), 10);
  ASSERT_TRUE(notices.ok());
  hub_.dispatcher().NotifyPeerOffline(*notices);
  qso->strand->RunUntil([&] { return qso->output.last().has_peer_offline(); });
  EXPECT_THAT(bea->output.frames(), SizeIs(1)) << "the welcome and nothing else";
  EXPECT_THAT(*store_.TakeOfflineNotices(hub_.clock().Now(), 10), IsEmpty()) << "once per message";
}

TEST_F(SessionTest, SilenceEndsTheSession) {
  const auto node = Open("qso");
  node->session->OnTick(kStart + absl::Seconds(90));
  EXPECT_FALSE(node->output.ended());
  node->session->OnTick(kStart + absl::Seconds(91));
  EXPECT_EQ(node->output.reason(), v1::REASON_PEER_STALLED);
}

TEST_F(SessionTest, ANodeThatAcknowledgesNothingIsCut) {
  const auto lin = Open("lin");
  const auto qso = Open("qso");
  qso->session->OnFrame(Register(), kStart);
  qso->session->OnFrame(Inquiry("9ab1"), kStart);
  lin->strand->RunUntil([&] { return lin->output.deliveries() == 1; });
  v1::ConnectRequest heartbeat;
  heartbeat.mutable_heartbeat();
  const auto at = [&](absl::Duration passed) {
    lin->session->OnFrame(heartbeat, kStart + passed);
    lin->session->OnTick(kStart + passed);
    return lin->output.ended();
  };
  EXPECT_FALSE(at(absl::Seconds(10)));
  EXPECT_FALSE(at(absl::Seconds(120)));
  v1::ConnectRequest ack;
  ack.mutable_ack()->set_through(1000);
  lin->session->OnFrame(ack, kStart + absl::Seconds(125));
  EXPECT_FALSE(at(absl::Seconds(400))) << "nothing waits";
  qso->session->OnFrame(Inquiry("77cd"), kStart);
  lin->strand->RunUntil([&] { return lin->output.deliveries() == 2; });
  EXPECT_FALSE(at(absl::Seconds(410)));
  EXPECT_FALSE(at(absl::Seconds(530)));
  EXPECT_TRUE(at(absl::Seconds(531)));
  EXPECT_EQ(lin->output.reason(), v1::REASON_PEER_STALLED);
}

class CrowdedSessionTest : public SessionTest {
 protected:
  CrowdedSessionTest()
      : SessionTest({.items_per_second = 1,
                     .burst_items = 2,
                     .bytes_per_second = 1e6,
                     .burst_bytes = 1e6,
                     .sessions_per_second = 1,
                     .burst_sessions = 2}) {}
};

TEST_F(CrowdedSessionTest, TheQuotaIsAnsweredItemByItemAndHarmsNobodyElse) {
  const auto qso = Open("qso");
  const auto lin = Open("lin");
  v1::ConnectRequest frame = Register();
  *frame.mutable_submit()->add_items() = Inquiry("9ab1").submit().items(0);
  const v1::ConnectRequest late = Inquiry("77cd");
  *frame.mutable_submit()->add_items() = late.submit().items(0);
  qso->session->OnFrame(frame, kStart);
  qso->strand->RunUntil([&] { return qso->output.outcomes().size() == 3; });
  EXPECT_THAT(qso->output.outcomes(), ElementsAre(kOk, kOk, v1::REASON_QUOTA_EXCEEDED));

  lin->session->OnFrame(Register(), kStart);
  lin->strand->RunUntil([&] { return lin->output.outcomes().size() == 1; });
  EXPECT_THAT(lin->output.outcomes(), ElementsAre(v1::REASON_TOKEN_NOT_ISSUER));

  qso->session->OnFrame(late, kStart + absl::Seconds(2));
  qso->strand->RunUntil([&] { return qso->output.outcomes().size() == 4; });
  EXPECT_EQ(qso->output.outcomes().back(), kOk) << "the same again, later";
  EXPECT_FALSE(qso->output.ended());
}

TEST_F(CrowdedSessionTest, AHelloBeyondTheRateIsToldWhenToComeBack) {
  const auto qso = Open("qso");
  const auto lin = Open("lin");
  const auto bea = Open("bea");
  ASSERT_THAT(bea->output.frames(), SizeIs(1)) << "no welcome";
  const v1::Goodbye& goodbye = bea->output.last().goodbye();
  EXPECT_EQ(goodbye.reason(), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_GE(goodbye.retry_after().seconds(), 1);
  EXPECT_LE(goodbye.retry_after().seconds(), 2);
  EXPECT_EQ(bea->output.reason(), kOk);
  EXPECT_FALSE(qso->output.ended());

  const auto again = Connect("bea");
  SayHello(*again, Hello(), kStart + absl::Seconds(2));
  EXPECT_TRUE(again->output.last().has_welcome());
}

TEST_F(SessionTest, AnswersAfterTheStreamIsGoneAreDropped) {
  const auto node = Open("qso");
  store_.CloseCommits();
  node->session->OnFrame(Register(), kStart);
  node->session->OnGone();
  store_.OpenCommits();
  hub_.committer().Shutdown();
  bool ran = false;
  node->strand->Post([&] { ran = true; });
  node->strand->RunUntil([&] { return ran; });
  EXPECT_THAT(node->output.frames(), SizeIs(1));
  EXPECT_FALSE(node->output.ended());
}

}  // namespace
}  // namespace waymark::hub
