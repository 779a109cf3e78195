// The hub's listeners over real sockets and mutual TLS, in one process.

#include "server/hub.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "base/directory/enrolment.h"
#include "base/schema/catalogue.h"
#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"
#include "httplib.h"
#include "server/session/session.h"
#include "tests/server/rpc/test_hub.h"
#include "tests/support/poll.h"
#include "waymark/v1/directory_service.grpc.pb.h"
#include "waymark/v1/enrolment.grpc.pb.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr v1::Reason kOk = v1::REASON_UNSPECIFIED;

class HubTest : public testing::Test {
 protected:
  HubTest() {
    network_.now = FloorMinute(absl::Now());
    token_ = network_.Token("c-c", "qso.night", "lin.family");
  }

  void Join() {
    ASSERT_EQ(hub_.Publish("qso.night"), kOk);
    ASSERT_EQ(hub_.Publish("lin.family"), kOk);
  }

  v1::ConnectRequest Inquiry(const std::string& referral) {
    v1::ConnectRequest frame;
    *frame.mutable_submit()->add_items()->mutable_registration() = token_;
    *frame.mutable_submit()->add_items()->mutable_message() = TestNetwork::Message(
        network_.Header(v1::KIND_INQUIRY, "qso.night", "lin.family", referral, &token_));
    return frame;
  }

  // Starts the hub again with these clocks as its network's own.
  void RestartWith(const v1::UrgencyClocks& clocks) {
    std::string json;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(clocks, &json).ok());
    hub_.WriteCatalogue("urgency.json", json);
    hub_.Restart();
  }

  // Sends `frame` on a fresh stream and returns how the stream ends.
  absl::Status EndAfter(const std::shared_ptr<grpc::Channel>& channel,
                        const v1::ConnectRequest& frame, bool hello) {
    TestStream stream(channel);
    if (hello) stream.Hello();
    stream.Write(frame);
    while (stream.Read().frame_case() != v1::ConnectResponse::FRAME_NOT_SET) {
    }
    return stream.Finish();
  }

  // The certificate that the hub shows a new connection.
  static std::string ShownOn(const std::shared_ptr<grpc::Channel>& channel) {
    v1::EnrolmentService::Stub stub(channel);
    grpc::ClientContext context;
    v1::GetRenewalResponse response;
    (void)stub.GetRenewal(&context, {}, &response);
    if (context.auth_context() == nullptr) return "";
    const auto shown = context.auth_context()->FindPropertyValues("x509_pem_cert");
    return shown.empty() ? "" : std::string(shown[0].data(), shown[0].size());
  }

  // The value of a metric that has no label; -1 while there is none.
  double Metric(const std::string& name) {
    const std::string text = Get("/metrics");
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  std::string Get(const std::string& path) {
    httplib::Client client("127.0.0.1", hub_.hub().ports().metrics);
    const auto response = client.Get(path);
    return response ? std::to_string(response->status) + " " + response->body : "none";
  }

  TestHub hub_;
  TestNetwork network_;
  v1::TokenRegistration token_;
};

std::vector<v1::Reason> ReasonsOf(const v1::ConnectResponse& frame) {
  std::vector<v1::Reason> reasons;
  for (const auto& outcome : frame.outcomes().outcomes()) reasons.push_back(outcome.reason());
  return reasons;
}

TEST_F(HubTest, OneMessageFromNodeToNode) {
  Join();
  TestStream lin(hub_.ChannelOf("lin"));
  TestStream qso(hub_.ChannelOf("qso"));
  EXPECT_FALSE(lin.Hello().restricted());
  qso.Hello();
  const v1::ConnectRequest inquiry = Inquiry("9ab1");
  qso.Write(inquiry);
  EXPECT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  const v1::ConnectResponse delivered = lin.Read();
  ASSERT_EQ(delivered.deliver().deliveries_size(), 1);
  EXPECT_EQ(delivered.deliver().deliveries(0).message().SerializeAsString(),
            inquiry.submit().items(1).message().SerializeAsString())
      << "every byte as it was submitted";
  qso.Close();
  EXPECT_TRUE(qso.Finish().ok());
}

TEST_F(HubTest, WhatIsAnsweredAndDeliveredTogetherIsOneFrame) {
  Join();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  v1::Statement two_units = hub_.statements().Member(hub_.Member("qso.night"), 2);
  AddUnit(two_units, Unit("qso.day").bytes(), "qso.day", "Desk");
  ASSERT_EQ(hub_.Publish(two_units), kOk);
  // The first ones may find the hub still reading the mailbox, which takes its own time.
  v1::ConnectResponse joint;
  for (int query = 0; query < 100 && joint.deliver().outcomes().empty(); ++query) {
    v1::ConnectRequest frame;
    *frame.mutable_submit()->add_items()->mutable_message() =
        TestNetwork::Message(network_.Header(v1::KIND_CAPACITY_QUERY, "qso.night", "qso.day",
                                             "query " + std::to_string(query), nullptr));
    qso.Write(frame);
    size_t answers = 0;
    for (size_t deliveries = 0; answers == 0 || deliveries == 0;) {
      joint = qso.Read();
      ASSERT_TRUE(joint.has_outcomes() || joint.has_deliver());
      deliveries += static_cast<size_t>(joint.deliver().deliveries_size());
      answers +=
          static_cast<size_t>(joint.outcomes().outcomes_size() + joint.deliver().outcomes_size());
    }
  }
  ASSERT_EQ(joint.deliver().outcomes_size(), 1);
  EXPECT_EQ(joint.deliver().outcomes(0).reason(), kOk);

  // The ack goes with the next submission; what is acknowledged is not delivered again.
  v1::ConnectRequest frame = Inquiry("9ab1");
  frame.mutable_submit()->set_ack_through(joint.deliver().deliveries(0).sequence());
  qso.Write(frame);
  EXPECT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  hub_.Restart();
  TestStream again(hub_.ChannelOf("qso"));
  again.Hello();
  v1::ConnectRequest heartbeat;
  heartbeat.mutable_heartbeat()->set_nonce(7);
  again.Write(heartbeat);
  EXPECT_EQ(again.Read().heartbeat().nonce(), 7u);
}

TEST_F(HubTest, WhatWasConfirmedSurvivesARestart) {
  Join();
  {
    TestStream qso(hub_.ChannelOf("qso"));
    qso.Hello();
    qso.Write(Inquiry("9ab1"));
    ASSERT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  }
  hub_.Restart();
  TestStream lin(hub_.ChannelOf("lin"));
  lin.Hello();
  EXPECT_EQ(lin.Read().deliver().deliveries_size(), 1);
}

TEST_F(HubTest, BadStreamsGetTheirReasonAndTheHubStaysUp) {
  Join();
  const auto channel = hub_.ChannelOf("qso");
  EXPECT_EQ(ReasonOf(EndAfter(channel, Inquiry("9ab1"), false)), v1::REASON_HELLO_EXPECTED);
  v1::ConnectRequest empty;
  EXPECT_EQ(ReasonOf(EndAfter(channel, empty, true)), v1::REASON_MALFORMED);
  v1::ConnectRequest large = Inquiry("9ab1");
  large.mutable_submit()->mutable_items(1)->mutable_message()->set_sealed(
      std::string(kMaxFrameBytes, 'x'));
  EXPECT_EQ(ReasonOf(EndAfter(channel, large, true)), v1::REASON_FRAME_TOO_LARGE);
  large.mutable_submit()->mutable_items(1)->mutable_message()->set_sealed(
      std::string(3 * kMaxFrameBytes, 'x'));
  EXPECT_EQ(EndAfter(channel, large, true).code(), absl::StatusCode::kResourceExhausted)
      << "beyond what the transport takes";
  TestStream again(channel);
  EXPECT_EQ(again.Hello().epoch().size(), 16u);
}

TEST_F(HubTest, OnlyMembersOfThisNetworkConnect) {
  Join();
  const v1::ConnectRequest frame = Inquiry("9ab1");
  EXPECT_EQ(ReasonOf(EndAfter(hub_.ChannelOf("bea"), frame, true)), v1::REASON_MEMBER_UNKNOWN);
  EXPECT_EQ(ReasonOf(EndAfter(hub_.RegistryChannel(), frame, true)), v1::REASON_IDENTITY_MISSING);
  ::waymark::TestNetwork foreign(8, absl::Now());
  const auto id = SpiffeId::Organisation(foreign.id(), Organisation("qso"));
  EXPECT_EQ(ReasonOf(EndAfter(hub_.ChannelOf(id, foreign), frame, true)), v1::REASON_UNAVAILABLE)
      << "the handshake fails";
}

TEST_F(HubTest, SuspensionTakesEffectOnALiveStreamBeforeItsResponse) {
  Join();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  ASSERT_EQ(hub_.Publish("qso.night", 2, v1::MEMBER_STATUS_SUSPENDED), kOk);
  qso.Write(Inquiry("9ab1"));
  v1::ConnectResponse frame = qso.Read();
  if (frame.has_outcomes()) {
    EXPECT_THAT(ReasonsOf(frame),
                ElementsAre(v1::REASON_MEMBER_SUSPENDED, v1::REASON_MEMBER_SUSPENDED));
    frame = qso.Read();
  }
  EXPECT_EQ(frame.goodbye().reason(), v1::REASON_MEMBER_SUSPENDED);
  EXPECT_TRUE(qso.Finish().ok());

  TestStream again(hub_.ChannelOf("qso"));
  EXPECT_TRUE(again.Hello().restricted());
}

TEST_F(HubTest, NewerStreamReplacesTheOlder) {
  Join();
  const auto channel = hub_.ChannelOf("qso");
  TestStream older(channel);
  older.Hello();
  TestStream newer(channel);
  newer.Hello();
  EXPECT_EQ(older.Read().goodbye().reason(), v1::REASON_SESSION_REPLACED);
  EXPECT_TRUE(older.Finish().ok());
}

TEST_F(HubTest, SenderOfAnUrgentMessageLearnsThatItsPeerIsOffline) {
  Join();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  const v1::ConnectRequest inquiry = Inquiry("9ab1");
  qso.Write(inquiry);
  ASSERT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  hub_.clock().Advance(absl::Minutes(3));
  const v1::ConnectResponse notice = qso.Read();
  v1::Header header;
  ASSERT_TRUE(header.ParseFromString(inquiry.submit().items(1).message().header()));
  EXPECT_EQ(notice.peer_offline().message_id(), header.message_id());
}

TEST_F(HubTest, DrainSaysGoodbyeWithATimeToComeBack) {
  Join();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  v1::DirectoryService::Stub directory(hub_.ChannelOf("lin"));
  grpc::ClientContext context;
  const auto watch = directory.WatchDirectory(&context, {});
  v1::WatchDirectoryResponse page;
  ASSERT_TRUE(watch->Read(&page));

  std::thread stop([this] { hub_.Stop(); });
  const v1::Goodbye goodbye = qso.Read().goodbye();
  EXPECT_EQ(goodbye.reason(), v1::REASON_UNAVAILABLE);
  EXPECT_GT(google::protobuf::util::TimeUtil::DurationToMilliseconds(goodbye.retry_after()), 0);
  EXPECT_TRUE(qso.Finish().ok());
  EXPECT_FALSE(watch->Read(&page));
  EXPECT_EQ(ReasonOf(FromGrpc(watch->Finish())), v1::REASON_UNAVAILABLE);
  stop.join();
}

TEST_F(HubTest, DirectoryIsPublishedAndWatched) {
  Join();
  v1::DirectoryService::Stub lin(hub_.ChannelOf("lin"));
  grpc::ClientContext watching;
  const auto watch = lin.WatchDirectory(&watching, {});
  v1::WatchDirectoryResponse page;
  ASSERT_TRUE(watch->Read(&page));
  EXPECT_EQ(page.entries_size(), 2);
  EXPECT_TRUE(page.caught_up());

  TestOrganisation& qso = hub_.Member("qso.night");
  v1::PublishStatementsRequest request;
  *request.add_statements() = SignStatement(hub_.statements().Service(qso), qso.identity);
  *request.add_statements() = SignStatement(hub_.statements().Capacity(qso), qso.identity);
  v1::PublishStatementsResponse response;
  grpc::ClientContext publishing;
  v1::DirectoryService::Stub publisher(hub_.ChannelOf("qso"));
  ASSERT_TRUE(publisher.PublishStatements(&publishing, request, &response).ok());
  EXPECT_THAT(response.results(), ElementsAre(kOk, kOk));

  ASSERT_TRUE(watch->Read(&page));
  EXPECT_EQ(page.entries_size(), 1);
  EXPECT_EQ(page.capacities_size(), 1);
  EXPECT_EQ(page.head().hash(), response.head().hash());
  watching.TryCancel();
  EXPECT_FALSE(watch->Read(&page));
  watch->Finish();
}

TEST_F(HubTest, RegistryServesTheOperatorOnly) {
  Join();
  grpc::ClientContext context;
  v1::ListMembersResponse response;
  v1::RegistryService::Stub member(hub_.ChannelOf("qso"));
  EXPECT_EQ(ReasonOf(FromGrpc(member.ListMembers(&context, {}, &response))),
            v1::REASON_REGISTRY_ONLY);
  grpc::ClientContext operating;
  v1::RegistryService::Stub operator_stub(hub_.RegistryChannel());
  ASSERT_TRUE(operator_stub.ListMembers(&operating, {}, &response).ok());
  EXPECT_EQ(response.members_size(), 2);
}

TEST_F(HubTest, EnrolmentListenerServesInvitationsAndNothingElse) {
  v1::EnrolmentService::Stub stranger(hub_.EnrolmentChannel());
  v1::GetEnrolmentRequest request;
  request.set_invitation(std::string(16, 'i'));
  v1::GetEnrolmentResponse response;
  grpc::ClientContext asking;
  EXPECT_EQ(ReasonOf(FromGrpc(stranger.GetEnrolment(&asking, request, &response))),
            v1::REASON_INVITATION_INVALID);
  grpc::ClientContext renewing;
  v1::GetRenewalResponse renewal;
  EXPECT_EQ(stranger.GetRenewal(&renewing, {}, &renewal).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  v1::RegistryService::Stub registry(hub_.EnrolmentChannel());
  grpc::ClientContext listing;
  v1::ListMembersResponse members;
  EXPECT_EQ(registry.ListMembers(&listing, {}, &members).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(HubTest, MetricsAndHealth) {
  Join();
  EXPECT_EQ(Get("/healthz"), "200 ok\n");
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  qso.Write(Inquiry("9ab1"));
  qso.Read();
  EXPECT_THAT(Get("/metrics"), HasSubstr("waymark_items_accepted_total 2"));
  EXPECT_TRUE(
      Eventually([&] { return Get("/metrics").find("waymark_streams 1") != std::string::npos; }));
  EXPECT_THAT(Get("/other"), HasSubstr("404"));
}

TEST_F(HubTest, MetricsTellHowLongEachKindTookAndWhatIsUnderWay) {
  Join();
  TestStream lin(hub_.ChannelOf("lin"));
  lin.Hello();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  qso.Write(Inquiry("9ab1"));
  ASSERT_TRUE(lin.Read().has_deliver());
  EXPECT_EQ(Metric("waymark_unacknowledged_messages"), 1);
  EXPECT_GT(Metric("waymark_unacknowledged_bytes"), 2048);
  EXPECT_EQ(Metric("waymark_sessions_without_credit"), 0);
  EXPECT_EQ(Metric("waymark_commit_queue_items"), 0);
  // Counted after the answer was released, which may be after the delivery.
  EXPECT_TRUE(Eventually(
      [&] { return Metric("waymark_confirmation_seconds_count{kind=\"INQUIRY\"}") == 1; }));
  EXPECT_EQ(Metric("waymark_confirmation_seconds_count{kind=\"REGISTRATION\"}"), 1);
  EXPECT_EQ(Metric("waymark_confirmation_seconds_count{kind=\"OFFER\"}"), 0);
  EXPECT_EQ(Metric("waymark_store_commit_seconds_count"), 1);
  EXPECT_GT(Metric("waymark_confirmation_seconds_sum{kind=\"INQUIRY\"}"),
            Metric("waymark_store_commit_seconds_sum"))
      << "the confirmation waits for the store";
  EXPECT_EQ(Metric("waymark_items_rejected_total{reason=\"TOKEN_UNKNOWN\"}"), 0);
  EXPECT_GT(Metric("waymark_data_free_bytes"), 0);
  EXPECT_GT(Metric("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(Metric("process_open_fds"), 3);

  v1::ConnectRequest ack;
  ack.mutable_ack()->set_through(1000);
  lin.Write(ack);
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_unacknowledged_messages") == 0; }));
}

TEST_F(HubTest, NoLabelOfTheMetricsNamesAnybody) {
  Join();
  TestStream lin(hub_.ChannelOf("lin"));
  lin.Hello();
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  qso.Write(Inquiry("9ab1"));
  ASSERT_TRUE(lin.Read().has_deliver());
  std::set<std::string> labels;
  const std::string text = Get("/metrics");
  for (size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
    labels.insert(text.substr(at + 1, text.find('=', at) - at - 1));
  }
  EXPECT_THAT(labels, ElementsAre("kind", "le", "reason", "version"));
}

TEST_F(HubTest, MetricsTellWhatWaits) {
  Join();
  const v1::ConnectRequest inquiry = Inquiry("9ab1");
  {
    TestStream qso(hub_.ChannelOf("qso"));
    qso.Hello();
    qso.Write(inquiry);
    ASSERT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  }
  hub_.clock().Advance(absl::Seconds(90));
  // Stores keep times in whole microseconds.
  EXPECT_TRUE(
      Eventually([&] { return std::abs(Metric("waymark_mailbox_oldest_seconds") - 90) < 0.001; }));
  EXPECT_EQ(Metric("waymark_mailbox_messages"), 1);
  EXPECT_EQ(Metric("waymark_mailbox_bytes"), inquiry.submit().items(1).message().ByteSizeLong());
  EXPECT_EQ(Metric("waymark_mailboxes_waiting"), 1);

  TestStream lin(hub_.ChannelOf("lin"));
  lin.Hello();
  v1::ConnectRequest ack;
  ack.mutable_ack()->set_through(lin.Read().deliver().deliveries(0).sequence());
  lin.Write(ack);
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_mailbox_messages") == 0; }));
  EXPECT_EQ(Metric("waymark_mailbox_bytes"), 0);
  EXPECT_EQ(Metric("waymark_mailbox_oldest_seconds"), 0);
  EXPECT_EQ(Metric("waymark_mailboxes_waiting"), 0);
}

TEST_F(HubTest, AReplacedCertificateIsShownToNewConnectionsWithoutARestart) {
  Join();
  TestStream before(hub_.ChannelOf("qso"));
  before.Hello();
  const KeyAndCertificate next = hub_.ca().IssueHub(absl::Hours(24 * 90));
  ASSERT_NE(ShownOn(hub_.EnrolmentChannel()), next.certificate_pem);
  hub_.ReplaceCertificate(next);
  EXPECT_TRUE(Eventually([&] { return ShownOn(hub_.EnrolmentChannel()) == next.certificate_pem; }));
  EXPECT_TRUE(Eventually([&] { return ShownOn(hub_.ChannelOf("lin")) == next.certificate_pem; }));

  before.Write(Inquiry("9ab1"));
  EXPECT_THAT(ReasonsOf(before.Read()), ElementsAre(kOk, kOk)) << "live streams go on";
  hub_.clock().Advance(absl::Hours(1));
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_certificate_left_seconds") > 88 * 86400; }));
}

TEST_F(HubTest, MetricsTellHowLongTheCertificateLasts) {
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_certificate_left_seconds") > 29 * 86400; }));
  hub_.clock().Advance(absl::Hours(24 * 31));
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_certificate_left_seconds") == 0; }));
}

TEST_F(HubTest, TheRulesFollowTheNetworksOwnCatalogue) {
  Join();
  v1::UrgencyClocks clocks = Catalogue::Default().clocks();
  clocks.mutable_clocks(0)->mutable_expires_after()->set_minutes(60);
  RestartWith(clocks);
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  qso.Write(Inquiry("9ab1"));
  EXPECT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, v1::REASON_TIME_INVALID))
      << "four hours, which the compiled-in file allows";
}

TEST_F(HubTest, WhenASenderIsToldFollowsTheNetworksOwnCatalogue) {
  Join();
  v1::UrgencyClocks clocks = Catalogue::Default().clocks();
  for (v1::UrgencyClock& clock : *clocks.mutable_clocks()) {
    if (clock.has_offline_notice_after()) clock.mutable_offline_notice_after()->set_minutes(1);
  }
  RestartWith(clocks);
  TestStream qso(hub_.ChannelOf("qso"));
  qso.Hello();
  qso.Write(Inquiry("9ab1"));
  ASSERT_THAT(ReasonsOf(qso.Read()), ElementsAre(kOk, kOk));
  hub_.clock().Advance(absl::Seconds(90));
  EXPECT_TRUE(Eventually([&] { return Metric("waymark_offline_notices_total") == 1; }))
      << "the compiled-in file has two minutes";
}

TEST_F(HubTest, ABrokenFileOfTheCatalogueIsNamed) {
  hub_.WriteCatalogue("urgency.json", "{");
  Hub::Options broken = hub_.options();
  broken.data += "-2";
  const auto refused = Hub::Start(broken);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("/catalogue/urgency.json"));
}

TEST_F(HubTest, TakenPortIsNamed) {
  Hub::Options second = hub_.options();
  second.data += "-2";
  second.listen = "127.0.0.1:" + std::to_string(hub_.hub().ports().exchange);
  const auto refused = Hub::Start(second);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("cannot listen on listen"));
}

TEST_F(HubTest, MetricsAreForThisMachineOnly) {
  Hub::Options open = hub_.options();
  open.data += "-2";
  open.metrics_listen = "0.0.0.0:0";
  EXPECT_EQ(ReasonOf(Hub::Start(open).status()), v1::REASON_CONFIG_INVALID);
}

}  // namespace
}  // namespace waymark::hub
