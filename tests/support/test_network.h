// Networks made at run time: an authority, its clock, and what it issues.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "base/identity/authority.h"
#include "base/identity/certificate.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace waymark {

struct KeyAndCertificate {
  SecretBytes key_pem;
  std::string certificate_pem;
};

// Not thread-safe.
class TestNetwork {
 public:
  TestNetwork(uint32_t seed, absl::Time now) : random_(seed), clock_(now) {
    id_ = NetworkId::Generate(random_);
    authority_ = *CertificateAuthority::Create(id_, absl::Hours(24 * 365), clock_, random_);
  }

  NetworkId id() const { return id_; }
  const std::string& ca_pem() const { return authority_->certificate_pem(); }
  CertificateAuthority& authority() { return *authority_; }
  FakeClock& clock() { return clock_; }
  SeededRandom& random() { return random_; }

  SpiffeId NewMember() { return SpiffeId::Organisation(id_, OrganisationId::Generate(random_)); }

  KeyAndCertificate Issue(const IssueOptions& options) {
    KeyAndCertificate issued;
    issued.key_pem = GenerateTlsKey();
    const auto request = *CertificateRequest::FromPem(*CreateRequest(issued.key_pem, options.id));
    issued.certificate_pem = *authority_->Issue(request, options);
    return issued;
  }

  KeyAndCertificate IssueHub(absl::Duration validity = absl::Hours(24)) {
    return Issue({.id = SpiffeId::Hub(id_),
                  .dns_names = {"localhost"},
                  .ip_addresses = {"127.0.0.1"},
                  .client_auth = false,
                  .server_auth = true,
                  .validity = validity});
  }

  KeyAndCertificate IssueMember(absl::Duration validity = absl::Hours(24)) {
    return Issue({.id = NewMember(), .validity = validity});
  }

 private:
  SeededRandom random_;
  FakeClock clock_;
  NetworkId id_;
  std::unique_ptr<CertificateAuthority> authority_;
};

}  // namespace waymark
