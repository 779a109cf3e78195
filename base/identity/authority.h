// The certificate authority of one network, held by the registry operator alone.
//
// A root with path length 0 and a name constraint to its network's SPIFFE trust domain: it can
// issue neither sub-authorities nor names of another network. Collaborators: Clock for validity,
// Random for serial numbers. Immutable after construction; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/secret.h"
#include "base/identity/certificate.h"
#include "base/random/random.h"
#include "base/time/clock.h"

namespace waymark {

// What the authority puts into a certificate. The key comes from the request; nothing else does.
struct IssueOptions {
  SpiffeId id;
  // Host names and IP addresses at which a hub is reached; empty for members.
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  // Extended key usage; at least one.
  bool client_auth = true;
  bool server_auth = false;
  absl::Duration validity;
};

class CertificateAuthority {
 public:
  // Creates the key and self-signed certificate of a new network, valid from now for `validity`.
  // `clock` and `random` outlive the result.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> Create(NetworkId network,
                                                                      absl::Duration validity,
                                                                      Clock& clock, Random& random);

  // Reads what certificate_pem() and key_pem() gave. REASON_FIELD_INVALID: they do not parse, do
  // not belong together or are not of an authority.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> FromPem(
      std::string_view certificate_pem, const SecretBytes& key_pem, Clock& clock, Random& random);

  ~CertificateAuthority();

  const std::string& certificate_pem() const;
  SecretBytes key_pem() const;
  const NetworkId& network() const;

  // Returns a certificate (PEM) for the request's key, valid from one minute before now, for clocks
  // that run a little behind, until now + validity, but never longer than the authority's own.
  // REASON_FIELD_INVALID: the id is of another network or not what the request asks for, an address
  // does not parse, no key usage, or the validity is not positive.
  absl::StatusOr<std::string> Issue(const CertificateRequest& request,
                                    const IssueOptions& options) const;

 private:
  class Impl;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace waymark
