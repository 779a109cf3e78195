// Who is let in, and what becomes of a member that is suspended while it is connected: real hub and
// nodes, strangers and impostors.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/identity/authority.h"
#include "base/identity/files.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/fake_clock.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"
#include "tests/support/wire_member.h"

namespace waymark::testing {
namespace {

class MembershipTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ready_ = Prepare(); }
  static void TearDownTestSuite() {
    member_.reset();
    network_.reset();
  }
  void SetUp() override {
    ASSERT_TRUE(ready_.ok()) << ready_;
    ASSERT_TRUE(Connects());
  }
  // Whatever was tried, the hub still serves its members.
  void TearDown() override {
    EXPECT_TRUE(!ready_.ok() || Connects());
  }

  // The streams of the test before may have yet to end at the hub, which takes four of a member.
  static bool Connects() {
    return Eventually([] { return member_->Connect().ok(); });
  }

  static absl::Status Prepare() {
    ASSIGN_OR_RETURN(network_, NetworkFixture::Create(Scenario1Organisations({"qso", "lin"})));
    const node::MemberPlan plan = Scenario1Organisations({"bea"}).front().member;
    ASSIGN_OR_RETURN(member_,
                     WireMember::Join(network_->folder() + "/bea", plan, network_->registry(),
                                      network_->desk(), network_->clock()));
    RETURN_IF_ERROR(member_->FetchDirectory());
    return network_->AwaitMember("lin", "bea");
  }

  // TLS files with a certificate that `authority` issues for `id`.
  static absl::StatusOr<TlsFiles> Certify(const std::string& name,
                                          const CertificateAuthority& authority, const SpiffeId& id,
                                          absl::Duration validity) {
    const std::string folder = network_->folder() + "/" + name;
    std::filesystem::create_directories(folder);
    const SecretBytes key = GenerateTlsKey();
    ASSIGN_OR_RETURN(const std::string pem, CreateRequest(key, id));
    ASSIGN_OR_RETURN(const auto request, CertificateRequest::FromPem(pem));
    ASSIGN_OR_RETURN(const std::string certificate,
                     authority.Issue(request, {.id = id, .validity = validity}));
    RETURN_IF_ERROR(WriteSecretFile(folder + "/tls.key", key));
    RETURN_IF_ERROR(WritePublicFile(folder + "/tls.crt", certificate));
    return TlsFiles{.key_path = folder + "/tls.key",
                    .certificate_path = folder + "/tls.crt",
                    .ca_path = network_->registry().ca_path()};
  }

  // How a stream under these files ends.
  static absl::Status TryToConnect(const TlsFiles& files) {
    WireStream stream(ChannelTo(network_->hub_address(), files, member_->network()));
    stream.Send(HelloFrame());
    if (const auto frame = stream.Next(); frame.has_value()) return absl::OkStatus();
    return stream.End();
  }

  static absl::StatusOr<v1::Message> Question(const UnitId& from) {
    v1::Header header =
        member_->HeaderTo(network_->unit("lin.family"), v1::KIND_CAPACITY_QUERY, v1::STAGE_NONE);
    header.set_sender_unit(from.bytes());
    v1::Payload payload;
    v1::CapacityQuery& query = *payload.mutable_capacity_query();
    query.set_service_id(network_->service("lin-206").bytes());
    query.set_service_code(206);
    query.set_quantity(1);
    query.set_unit(v1::CAPACITY_UNIT_FAMILY_ROOM);
    return member_->Seal(header, payload);
  }

  static inline absl::Status ready_;
  static inline std::unique_ptr<NetworkFixture> network_;
  static inline std::unique_ptr<WireMember> member_;
};

TEST_F(MembershipTest, ACertificateOfAnotherNetworkDoesNotConnect) {
  FakeClock clock(network_->clock().Now());
  const NetworkId other = NetworkId::Generate(SystemRandom());
  const auto authority =
      CertificateAuthority::Create(other, absl::Hours(48), clock, SystemRandom());
  ASSERT_TRUE(authority.ok()) << authority.status();
  const auto files = Certify(
      "foreigner", **authority,
      SpiffeId::Organisation(other, OrganisationId::Generate(SystemRandom())), absl::Hours(48));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(ReasonOf(TryToConnect(*files)), v1::REASON_UNAVAILABLE);
}

TEST_F(MembershipTest, AnExpiredCertificateDoesNotConnect) {
  FakeClock clock(network_->clock().Now() - absl::Hours(2));
  const auto authority = network_->Authority(clock);
  ASSERT_TRUE(authority.ok()) << authority.status();
  const auto files = Certify(
      "expired", **authority,
      SpiffeId::Organisation(member_->network(), network_->organisation("lin")), absl::Hours(1));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(ReasonOf(TryToConnect(*files)), v1::REASON_UNAVAILABLE);
}

TEST_F(MembershipTest, ACertificateOfNobodyInTheDirectoryIsRefused) {
  FakeClock clock(network_->clock().Now());
  const auto authority = network_->Authority(clock);
  ASSERT_TRUE(authority.ok()) << authority.status();
  const auto files =
      Certify("stranger", **authority,
              SpiffeId::Organisation(member_->network(), OrganisationId::Generate(SystemRandom())),
              absl::Hours(48));
  ASSERT_TRUE(files.ok()) << files.status();
  const absl::Status end = TryToConnect(*files);
  EXPECT_EQ(ReasonOf(end), v1::REASON_MEMBER_UNKNOWN) << end;
}

TEST_F(MembershipTest, AMessageInTheNameOfAnotherMembersUnitIsRefused) {
  const auto message = Question(network_->unit("qso.night"));
  ASSERT_TRUE(message.ok()) << message.status();
  const auto outcome = member_->Submit(*message);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, v1::REASON_UNIT_NOT_OWN);
}

TEST_F(MembershipTest, ASuspensionEndsTheLiveStreamAndLeavesARestrictedOne) {
  ASSERT_TRUE(
      network_->registry().SetStatus(network_->desk(), "bea", v1::MEMBER_STATUS_SUSPENDED).ok());
  const auto goodbye = member_->AwaitGoodbye();
  ASSERT_TRUE(goodbye.has_value());
  EXPECT_EQ(goodbye->reason(), v1::REASON_MEMBER_SUSPENDED);
  const auto welcome = member_->Connect();
  ASSERT_TRUE(welcome.ok()) << welcome.status();
  EXPECT_TRUE(welcome->restricted());
  const auto message = Question(member_->unit());
  ASSERT_TRUE(message.ok()) << message.status();
  const auto outcome = member_->Submit(*message);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, v1::REASON_MEMBER_SUSPENDED);

  ASSERT_TRUE(
      network_->registry().SetStatus(network_->desk(), "bea", v1::MEMBER_STATUS_ACTIVE).ok());
  const auto back = member_->Connect();
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_FALSE(back->restricted());
}

// Last in the suite: lin stays suspended.
TEST_F(MembershipTest, ASuspendedNodeStillTakesAndAcknowledgesAWithdrawal) {
  SeededRandom random(9);
  Walkthrough walk(*network_, random, Sara());
  absl::Status told = walk.OpenCase();
  if (told.ok()) told = walk.RecordInquiryConsent();
  if (told.ok()) told = walk.InquireRooms();
  ASSERT_TRUE(told.ok()) << told;
  ASSERT_TRUE(
      network_->registry().SetStatus(network_->desk(), "lin", v1::MEMBER_STATUS_SUSPENDED).ok());
  v1::WithdrawRequest request;
  request.set_referral_id(walk.Id("lin"));
  const auto withdrawn = walk.lead().Call(&NodeStub::Withdraw, request);
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  const absl::Status reached = walk.AwaitState("lin", "lin", "WITHDRAWN");
  EXPECT_TRUE(reached.ok()) << reached;
  const absl::Status acknowledged = walk.AwaitKind("qso", "lin", v1::KIND_REVOKE_ACK);
  EXPECT_TRUE(acknowledged.ok()) << acknowledged;

  // Its staff learn why everything else waits.
  const auto status =
      network_->node("lin").administrator().Call(&NodeStub::GetStatus, v1::GetStatusRequest());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->connected()) << status->link_error();
  EXPECT_TRUE(status->restricted());
  EXPECT_EQ(status->member().status(), v1::MEMBER_STATUS_SUSPENDED);
}

}  // namespace
}  // namespace waymark::testing
