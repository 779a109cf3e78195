// TLS credentials of servers and channels, and who the peer is.
//
// Every connection between machines is TLS 1.3. Keys and certificates are read from files and read
// again every TlsFiles::refresh, so that a renewal needs no restart; a new certificate serves the
// handshakes that follow, while live connections keep theirs. A renewal that changes the key
// replaces both files; a handshake that falls between the two fails and is tried again.
//
// A client does not check the host name: it accepts a server whose certificate chains to the
// network's CA and whose SPIFFE id is exactly the expected one. Thus a hub may move between
// addresses, and a member's certificate, though of the same CA, never poses as the hub.
//
// All functions are thread-safe except RequireTls13.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/identity/spiffe.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace waymark {

// Lets gRPC speak nothing older than TLS 1.3. Call it first in main, before any thread and before
// any other use of gRPC: this gRPC has no option for it and reads the process environment once.
void RequireTls13();

// PEM files. The certificate file may hold a chain; the CA file holds the network's CA.
struct TlsFiles {
  std::string key_path;
  std::string certificate_path;
  std::string ca_path;
  // How often the files are looked at again; whole seconds, at least one.
  absl::Duration refresh = absl::Minutes(1);
};

// OK if the files can serve a connection at `now`; call it before making credentials from them,
// because gRPC itself reports a bad file only as failing handshakes. Each error names the file.
// REASON_FILE_UNUSABLE: a file is missing, or others may read the key. REASON_FIELD_INVALID: one
// does not parse. REASON_IDENTITY_MISSING: the key is of another certificate, or the CA did not
// issue the certificate, or it is not valid at `now`.
absl::Status CheckTlsFiles(const TlsFiles& files, absl::Time now);

// A server that demands a client certificate of the network's CA.
std::shared_ptr<grpc::ServerCredentials> MutualTlsServerCredentials(const TlsFiles& files);

// A server that asks for no client certificate: enrolment.
std::shared_ptr<grpc::ServerCredentials> ServerTlsCredentials(const TlsFiles& files);

// A channel that presents a certificate and accepts only `server`.
std::shared_ptr<grpc::ChannelCredentials> MutualTlsChannelCredentials(const TlsFiles& files,
                                                                      const SpiffeId& server);

// A channel that presents none and accepts only `server`, under the CA in `ca_pem`: enrolment.
std::shared_ptr<grpc::ChannelCredentials> ServerAuthChannelCredentials(const std::string& ca_pem,
                                                                       const SpiffeId& server);

// Returns who the peer is, from its verified certificate. REASON_IDENTITY_MISSING: the connection
// has no verified client certificate, or it does not carry exactly one SPIFFE id of ours.
absl::StatusOr<SpiffeId> PeerIdentity(const grpc::AuthContext& context);

}  // namespace waymark
