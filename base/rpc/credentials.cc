#include "base/rpc/credentials.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace waymark {
namespace {

using grpc::experimental::CertificateVerifier;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::FileWatcherCertificateProvider;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsChannelCredentialsOptions;
using grpc::experimental::TlsCustomVerificationCheckRequest;
using grpc::experimental::TlsServerCredentialsOptions;

// The auth context property that gRPC fills from a verified certificate's only SPIFFE URI.
constexpr char kPeerSpiffeId[] = "peer_spiffe_id";

// Accepts the one server that is expected, after gRPC has verified the chain.
class ExpectedServerVerifier final : public ExternalCertificateVerifier {
 public:
  explicit ExpectedServerVerifier(const SpiffeId& expected) : expected_(expected.ToUri()) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const std::vector<grpc::string_ref> uris = request->uri_names();
    if (uris.size() != 1 || std::string_view(uris[0].data(), uris[0].size()) != expected_) {
      *sync_status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                                  "the server's certificate is not that of " + expected_);
    }
    return true;
  }

  // Nothing is ever pending: every check ends within Verify.
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string expected_;
};

// gRPC shares its providers and verifiers between credentials and handshakes.
std::shared_ptr<FileWatcherCertificateProvider> WatchFiles(const TlsFiles& files) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(files.refresh));
  return std::make_shared<FileWatcherCertificateProvider>(
      files.key_path, files.certificate_path, files.ca_path, static_cast<unsigned>(seconds));
}

void Expect(TlsChannelCredentialsOptions& options, const SpiffeId& server) {
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<ExpectedServerVerifier>(server));
  // The verifier has decided; a host name is no part of the identity.
  options.set_check_call_host(false);
}

}  // namespace

void RequireTls13() {
  // The variable lists what gRPC offers up to TLS 1.2; a suite for which nobody here has a key
  // leaves 1.3, whose suites it does not touch.
  setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
}

absl::Status CheckTlsFiles(const TlsFiles& files, absl::Time now) {
  ASSIGN_OR_RETURN(const SecretBytes key_pem, ReadSecretFile(files.key_path));
  ASSIGN_OR_RETURN(const std::string certificate_pem, ReadPublicFile(files.certificate_path));
  ASSIGN_OR_RETURN(const std::string ca_pem, ReadPublicFile(files.ca_path));
  const absl::StatusOr<Certificate> certificate = Certificate::FromPem(certificate_pem);
  RETURN_IF_ERROR(Annotate(certificate.status(), files.certificate_path));
  RETURN_IF_ERROR(Annotate(CheckKeyMatches(key_pem, *certificate), files.key_path));
  RETURN_IF_ERROR(Annotate(CaFingerprint(ca_pem).status(), files.ca_path));
  return Annotate(certificate->VerifyIssuedBy(ca_pem, now), files.certificate_path);
}

std::shared_ptr<grpc::ServerCredentials> MutualTlsServerCredentials(const TlsFiles& files) {
  TlsServerCredentialsOptions options(WatchFiles(files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> ServerTlsCredentials(const TlsFiles& files) {
  TlsServerCredentialsOptions options(WatchFiles(files));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MutualTlsChannelCredentials(const TlsFiles& files,
                                                                      const SpiffeId& server) {
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(WatchFiles(files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  Expect(options, server);
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ServerAuthChannelCredentials(const std::string& ca_pem,
                                                                       const SpiffeId& server) {
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<StaticDataCertificateProvider>(ca_pem));
  options.watch_root_certs();
  Expect(options, server);
  return grpc::experimental::TlsCredentials(options);
}

absl::StatusOr<SpiffeId> PeerIdentity(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> ids = context.FindPropertyValues(kPeerSpiffeId);
  if (!context.IsPeerAuthenticated() || ids.size() != 1) {
    return Error(v1::REASON_IDENTITY_MISSING, "the connection carries no client certificate");
  }
  auto id = SpiffeId::Parse(std::string_view(ids[0].data(), ids[0].size()));
  if (!id.ok()) {
    return Error(v1::REASON_IDENTITY_MISSING, "the client certificate names nobody of a network");
  }
  return id;
}

}  // namespace waymark
