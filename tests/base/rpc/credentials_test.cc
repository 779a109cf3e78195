#include "base/rpc/credentials.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "base/identity/files.h"
#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/base/rpc/generic_server.h"
#include "tests/support/poll.h"
#include "tests/support/test_network.h"

namespace waymark {
namespace {

// gRPC checks certificates against the machine's clock, so these networks live now.
class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    std::string folder = testing::TempDir() + "credentials_test.XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~CredentialsTest() override { std::filesystem::remove_all(folder_); }

  TlsFiles Write(const std::string& name, const KeyAndCertificate& pair,
                 const std::string& ca_pem) {
    const std::string stem = folder_ + "/" + name;
    TlsFiles files{
        .key_path = stem + ".key", .certificate_path = stem + ".pem", .ca_path = stem + ".ca"};
    EXPECT_TRUE(WriteSecretFile(files.key_path, pair.key_pem).ok());
    EXPECT_TRUE(WritePublicFile(files.certificate_path, pair.certificate_pem).ok());
    EXPECT_TRUE(WritePublicFile(files.ca_path, ca_pem).ok());
    return files;
  }

  TlsFiles HubFiles() { return Write("hub", network_.IssueHub(), network_.ca_pem()); }
  TlsFiles MemberFiles() { return Write("member", network_.IssueMember(), network_.ca_pem()); }

  // A server that answers with what PeerIdentity says of the client.
  static std::unique_ptr<GenericServer> StartHub(const TlsFiles& files) {
    return std::make_unique<GenericServer>(MutualTlsServerCredentials(files), NameThePeer);
  }

  static absl::StatusOr<std::string> NameThePeer(const grpc::AuthContext& context) {
    ASSIGN_OR_RETURN(const SpiffeId peer, PeerIdentity(context));
    return peer.ToUri();
  }

  CallResult CallAsMember(const GenericServer& server, const TlsFiles& member) {
    return CallOnce(server.address(),
                    MutualTlsChannelCredentials(member, SpiffeId::Hub(network_.id())));
  }

  CallResult CallAsNobody(const GenericServer& server) {
    return CallOnce(server.address(),
                    ServerAuthChannelCredentials(network_.ca_pem(), SpiffeId::Hub(network_.id())));
  }

  // No connection stood, so that not even the answer that names no peer was given.
  static void ExpectRefused(const CallResult& result) {
    EXPECT_EQ(ReasonOf(result.status), v1::REASON_UNAVAILABLE) << result.status;
  }

  std::string folder_;
  TestNetwork network_{1, absl::Now()};
};

TEST_F(CredentialsTest, AMemberReachesTheHubAndIsKnown) {
  const auto server = StartHub(HubFiles());
  const TlsFiles member = MemberFiles();
  const CallResult result = CallAsMember(*server, member);
  ASSERT_TRUE(result.status.ok()) << result.status;
  const auto certificate = *Certificate::FromPem(*ReadPublicFile(member.certificate_path));
  EXPECT_EQ(result.answer, certificate.spiffe_id().ToUri());
}

TEST_F(CredentialsTest, WithoutAClientCertificateThereIsNoConnection) {
  const auto server = StartHub(HubFiles());
  const auto result =
      CallOnce(server->address(),
               ServerAuthChannelCredentials(network_.ca_pem(), SpiffeId::Hub(network_.id())));
  EXPECT_EQ(ReasonOf(result.status), v1::REASON_UNAVAILABLE);
}

TEST_F(CredentialsTest, AMemberOfAnotherNetworkIsRefused) {
  const auto server = StartHub(HubFiles());
  TestNetwork other(2, absl::Now());
  // It trusts our CA, so that the refusal is the hub's.
  const TlsFiles stranger = Write("stranger", other.IssueMember(), network_.ca_pem());
  ExpectRefused(CallAsMember(*server, stranger));
}

TEST_F(CredentialsTest, AnExpiredMemberIsRefused) {
  const auto server = StartHub(HubFiles());
  network_.clock().Advance(-absl::Hours(48));
  const TlsFiles expired = MemberFiles();
  ExpectRefused(CallAsMember(*server, expired));
}

TEST_F(CredentialsTest, AnExpiredHubIsRefused) {
  const TlsFiles member = MemberFiles();
  network_.clock().Advance(-absl::Hours(48));
  const auto server = StartHub(HubFiles());
  ExpectRefused(CallAsMember(*server, member));
}

TEST_F(CredentialsTest, AHubOfAnotherNetworkIsRefused) {
  TestNetwork other(2, absl::Now());
  const auto server = StartHub(Write("hub", other.IssueHub(), network_.ca_pem()));
  ExpectRefused(CallAsMember(*server, MemberFiles()));
}

TEST_F(CredentialsTest, AMemberNeverPosesAsTheHub) {
  // Even with a certificate that may serve and that names the right host.
  const SpiffeId impostor = network_.NewMember();
  const KeyAndCertificate issued = network_.Issue({.id = impostor,
                                                   .dns_names = {"localhost"},
                                                   .ip_addresses = {"127.0.0.1"},
                                                   .client_auth = true,
                                                   .server_auth = true,
                                                   .validity = absl::Hours(1)});
  const auto server = StartHub(Write("impostor", issued, network_.ca_pem()));
  const TlsFiles member = MemberFiles();
  ExpectRefused(CallAsMember(*server, member));
  // The identity alone made the difference.
  EXPECT_TRUE(
      CallOnce(server->address(), MutualTlsChannelCredentials(member, impostor)).status.ok());
}

TEST_F(CredentialsTest, TheHubsCertificateIsNoClientCertificate) {
  const TlsFiles hub = HubFiles();
  const auto server = StartHub(hub);
  ExpectRefused(CallAsMember(*server, hub));
}

TEST_F(CredentialsTest, EnrolmentNeedsNoClientCertificateAndFindsNoPeer) {
  const GenericServer server(
      ServerTlsCredentials(HubFiles()),
      [](const grpc::AuthContext& context) { return PeerIdentity(context).status(); });
  const auto result =
      CallOnce(server.address(),
               ServerAuthChannelCredentials(network_.ca_pem(), SpiffeId::Hub(network_.id())));
  EXPECT_EQ(ReasonOf(result.status), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(CredentialsTest, MessagesBeyondTheLimitAreRefused) {
  const auto server = StartHub(HubFiles());
  const auto credentials = MutualTlsChannelCredentials(MemberFiles(), SpiffeId::Hub(network_.id()));
  EXPECT_TRUE(CallOnce(server->address(), credentials, 1 << 20).status.ok());
  const size_t too_large = kMaxMessageBytes + 1;
  const absl::Status not_sent = CallOnce(server->address(), credentials, too_large).status;
  EXPECT_EQ(not_sent.code(), absl::StatusCode::kResourceExhausted) << not_sent;
  const absl::Status not_taken =
      CallOnce(server->address(), credentials, too_large, grpc::ChannelArguments()).status;
  EXPECT_EQ(not_taken.code(), absl::StatusCode::kResourceExhausted) << not_taken;
}

TEST_F(CredentialsTest, ARenewedCertificateIsServedWithoutARestart) {
  TlsFiles hub = HubFiles();
  hub.refresh = absl::Seconds(1);
  const auto server = StartHub(hub);
  const auto credentials = MutualTlsChannelCredentials(MemberFiles(), SpiffeId::Hub(network_.id()));
  const std::string first = CallOnce(server->address(), credentials).server_certificate;
  EXPECT_EQ(first, *ReadPublicFile(hub.certificate_path));

  HubFiles();
  const std::string renewed = *ReadPublicFile(hub.certificate_path);
  ASSERT_NE(renewed, first);
  // The watcher is a thread of gRPC's with a period in seconds; nothing announces that it has run.
  EXPECT_TRUE(Eventually(
      [&] { return CallOnce(server->address(), credentials).server_certificate == renewed; }));
}

TEST_F(CredentialsTest, FilesAreCheckedBeforeTheyServe) {
  const TlsFiles good = MemberFiles();
  const absl::Time now = absl::Now();
  EXPECT_TRUE(CheckTlsFiles(good, now).ok());
  EXPECT_EQ(ReasonOf(CheckTlsFiles(good, now + absl::Hours(25))), v1::REASON_IDENTITY_MISSING);

  const auto reason_with = [&](std::string TlsFiles::*path, const std::string& other) {
    TlsFiles files = good;
    files.*path = other;
    const absl::Status status = CheckTlsFiles(files, now);
    EXPECT_NE(std::string(status.message()).find(folder_), std::string::npos) << status;
    return ReasonOf(status);
  };
  EXPECT_EQ(reason_with(&TlsFiles::key_path, folder_ + "/none"), v1::REASON_FILE_UNUSABLE);
  EXPECT_EQ(reason_with(&TlsFiles::key_path, HubFiles().key_path), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(reason_with(&TlsFiles::certificate_path, good.ca_path), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(reason_with(&TlsFiles::ca_path, good.certificate_path), v1::REASON_FIELD_INVALID);
  TestNetwork other(2, now);
  const TlsFiles foreign = Write("foreign", other.IssueMember(), other.ca_pem());
  EXPECT_EQ(reason_with(&TlsFiles::ca_path, foreign.ca_path), v1::REASON_IDENTITY_MISSING);
}

// Whether a client that speaks at most `version` completes a handshake.
bool HandshakeSucceeds(int port, int version) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), version);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()),
                                                          BIO_free_all);
  BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
  return BIO_do_connect(bio.get()) == 1 && BIO_do_handshake(bio.get()) == 1;
}

TEST_F(CredentialsTest, NothingOlderThanTls13IsSpoken) {
  const GenericServer server(ServerTlsCredentials(HubFiles()), NameThePeer);
  EXPECT_TRUE(HandshakeSucceeds(server.port(), TLS1_3_VERSION));
  EXPECT_FALSE(HandshakeSucceeds(server.port(), TLS1_2_VERSION));
}

}  // namespace
}  // namespace waymark
