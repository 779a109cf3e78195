// A node's certificate is renewed while the node serves: real hub and node, and the operator's own
// command line.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "tests/base/rpc/generic_server.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"

namespace waymark::testing {
namespace {

// Two thirds of a certificate's 90 days, and a day.
constexpr absl::Duration kDue = absl::Hours(61 * 24);

// Stands in for the hub at its address and under its certificate, and looks at who comes.
class Doorkeeper {
 public:
  Doorkeeper(const TlsFiles& files, int port)
      : server_(
            MutualTlsServerCredentials(files),
            [this](const grpc::AuthContext& peer) {
              Look(peer);
              return Error(v1::REASON_UNAVAILABLE, "nobody is served here");
            },
            port) {}

  // The certificate (PEM) that the last caller showed.
  std::string shown() {
    MutexLock lock(mu_);
    return shown_;
  }

 private:
  void Look(const grpc::AuthContext& peer) {
    MutexLock lock(mu_);
    for (const grpc::string_ref& pem : peer.FindPropertyValues("x509_pem_cert")) {
      shown_.assign(pem.data(), pem.size());
    }
  }

  Mutex mu_;
  std::string shown_ ABSL_GUARDED_BY(mu_);
  GenericServer server_;
};

class RenewalTest : public ::testing::Test {
 protected:
  // TLS looks at the machine's own time, so the network is as old as the first certificate should
  // be, and comes of age by moving its clock to the present.
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso"}), absl::Now() - kDue);
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
  }

  NodeProcess& qso() { return network_->node("qso"); }

  absl::StatusOr<Certificate> CertificateOfNode() {
    ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(qso().data() + "/tls.crt"));
    return Certificate::FromPem(pem);
  }

  bool RenewalWaits() {
    const auto listed = network_->desk().ListEnrolments({});
    return listed.ok() && listed->enrolments_size() == 1 && listed->enrolments(0).renewal();
  }

  // What the operator's timer runs every day.
  absl::Status RefreshAsOperator() {
    return RunToEnd(
        {.command = {WAYMARK, "registry", "refresh", "--dir", network_->folder() + "/operator"},
         .output = network_->folder() + "/refresh.out"});
  }

  v1::GetStatusResponse Status() {
    const auto status = qso().administrator().Call(&NodeStub::GetStatus, v1::GetStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status();
    return status.ok() ? *status : v1::GetStatusResponse();
  }

  std::unique_ptr<NetworkFixture> network_;
};

TEST_F(RenewalTest, TheOperatorsRefreshGivesALiveNodeTheCertificateOfItsNextConnection) {
  const auto first = CertificateOfNode();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(RenewalWaits());

  network_->MoveTo(absl::Now());
  ASSERT_TRUE(Eventually([&] { return RenewalWaits(); })) << "the node asks by itself";
  EXPECT_EQ(CertificateOfNode()->pem(), first->pem()) << "and keeps what it has until then";
  const absl::Status refreshed = RefreshAsOperator();
  ASSERT_TRUE(refreshed.ok()) << refreshed;

  ASSERT_TRUE(Eventually([&] {
    const auto now = CertificateOfNode();
    return now.ok() && now->pem() != first->pem();
  }));
  const auto renewed = CertificateOfNode();
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_GT(renewed->not_after(), first->not_after() + kDue - absl::Hours(1));
  EXPECT_EQ(renewed->spiffe_id(), first->spiffe_id());
  const v1::GetStatusResponse status = Status();
  EXPECT_TRUE(status.connected()) << status.link_error();
  EXPECT_EQ(status.certificate_expires_at().seconds(), absl::ToUnixSeconds(renewed->not_after()));

  // The process that has served all along shows the new certificate wherever it connects next.
  ASSERT_TRUE(network_->hub().Stop().ok());
  {
    const std::string hub = network_->hub().folder() + "/data/hub";
    Doorkeeper door({.key_path = hub + ".key",
                     .certificate_path = hub + ".crt",
                     .ca_path = network_->registry().ca_path()},
                    network_->hub().ports().exchange);
    EXPECT_TRUE(Eventually([&] { return door.shown() == renewed->pem(); })) << door.shown();
  }
  ASSERT_TRUE(network_->hub().Start().ok());
  const absl::Status back = network_->AwaitConnected("qso");
  EXPECT_TRUE(back.ok()) << back;
}

}  // namespace
}  // namespace waymark::testing
