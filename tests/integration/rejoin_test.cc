// An organisation that fell out, by a certificate that ended or a vault that is lost, joins again
// under its id: real hub and nodes.
#include <gtest/gtest.h>

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

namespace waymark::testing {
namespace {

class RejoinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "lin"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
  }

  std::string InviteAgain(const std::string& handle) {
    const auto invitation = network_->registry().InviteAgain(network_->desk(), handle);
    EXPECT_TRUE(invitation.ok()) << invitation.status();
    return invitation.value_or("");
  }

  // Leaves the node with a certificate of its key that ended ten days ago.
  absl::Status EndCertificate(const std::string& handle) {
    FakeClock then(network_->clock().Now() - absl::Hours(24 * 100));
    ASSIGN_OR_RETURN(const auto authority, network_->Authority(then));
    const std::string data = network_->node(handle).data();
    ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(data + "/tls.key"));
    ASSIGN_OR_RETURN(const std::string present, ReadPublicFile(data + "/tls.crt"));
    ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(present));
    ASSIGN_OR_RETURN(const std::string pem, CreateRequest(key, certificate.spiffe_id()));
    ASSIGN_OR_RETURN(const auto request, CertificateRequest::FromPem(pem));
    ASSIGN_OR_RETURN(const std::string ended,
                     authority->Issue(request, {.id = certificate.spiffe_id(),
                                                .validity = absl::Hours(24 * 90)}));
    return WritePublicFile(data + "/tls.crt", ended);
  }

  // What `node` says of the member: whether its key changed, or nothing while it does not list it.
  std::optional<bool> ChangedKey(const std::string& node, const std::string& member) {
    const auto listed = network_->node(node).administrator().Call(&NodeStub::ListDirectory,
                                                                  v1::ListDirectoryRequest());
    if (!listed.ok()) return std::nullopt;
    for (const v1::DirectoryMember& entry : listed->members()) {
      if (entry.member().handle() == member) return entry.identity_key_changed();
    }
    return std::nullopt;
  }

  SeededRandom random_{21};
  std::unique_ptr<NetworkFixture> network_;
};

TEST_F(RejoinTest, AnEndedCertificateIsReplacedAndTheCasesStay) {
  Walkthrough walk(*network_, random_, Sara());
  const absl::Status opened = walk.OpenCase();
  ASSERT_TRUE(opened.ok()) << opened;
  NodeProcess& qso = network_->node("qso");
  ASSERT_TRUE(qso.Stop().ok());
  const absl::Status ended = EndCertificate("qso");
  ASSERT_TRUE(ended.ok()) << ended;
  ASSERT_TRUE(qso.Start().ok());
  const auto status = qso.administrator().Call(&NodeStub::GetStatus, v1::GetStatusRequest());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_FALSE(status->connected());
  ASSERT_TRUE(qso.Stop().ok());

  const absl::Status admitted =
      network_->Admit(qso, "qso", InviteAgain("qso"), NodeProcess::Joining::kAgain);
  ASSERT_TRUE(admitted.ok()) << admitted;
  ASSERT_TRUE(qso.Start().ok());
  const absl::Status connected = network_->AwaitConnected("qso");
  ASSERT_TRUE(connected.ok()) << connected;

  absl::Status told = walk.RecordInquiryConsent();
  if (told.ok())
    told = walk.Inquire("lin", walk.InquiryContent("room", "lin-206", walk.InquiryConsent()));
  if (told.ok()) told = walk.AwaitKind("lin", "lin", v1::KIND_INQUIRY);
  EXPECT_TRUE(told.ok()) << told << ": the case that was open before goes on";
  EXPECT_EQ(ChangedKey("lin", "qso"), false) << "the identity key is the same";
}

TEST_F(RejoinTest, ALostVaultBringsANewIdentityThatPartnersAreShown) {
  network_->node("lin").Kill();
  network_->Advance(absl::Minutes(2));
  NodeProcess lin({.folder = network_->folder() + "/lin-again",
                   .unit = network_->unit("lin.family"),
                   .clock_file = network_->folder() + "/clock",
                   .clock = &network_->clock()});
  const absl::Status admitted = network_->Admit(lin, "lin", InviteAgain("lin"));
  ASSERT_TRUE(admitted.ok()) << admitted;
  const absl::Status started = lin.Start();
  ASSERT_TRUE(started.ok()) << started;
  EXPECT_TRUE(Eventually([&] { return ChangedKey("qso", "lin") == true; }));

  const auto members = network_->registry().Members(network_->desk());
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(members->size(), 2u) << "nobody was added";
}

TEST_F(RejoinTest, OnlyAMemberIsInvitedAgain) {
  EXPECT_EQ(ReasonOf(network_->registry().InviteAgain(network_->desk(), "bea").status()),
            v1::REASON_NOT_FOUND);
  const auto plan = Scenario1Organisations({"lin"}).front().member;
  EXPECT_EQ(ReasonOf(network_->registry().Invite(network_->desk(), plan).status()),
            v1::REASON_EXISTS);
}

}  // namespace
}  // namespace waymark::testing
