// X.509 certificates of a network: reading and checking them, and asking for one.
//
// All keys are ECDSA P-256. Subjects are neutral ("waymark hub", "waymark node", "waymark
// registry"); who is meant stands in the SPIFFE id alone. Certificates and requests travel as PEM
// strings, private keys as PEM in SecretBytes. The authority that issues is in authority.h.
//
// Values are immutable; all functions are thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/secret.h"
#include "base/identity/spiffe.h"

namespace waymark {

// A parsed certificate of a member, hub or registry.
class Certificate {
 public:
  // Reads the first certificate of `pem`. REASON_FIELD_INVALID: it does not parse, its key is not
  // P-256, or it does not carry exactly one SPIFFE id.
  static absl::StatusOr<Certificate> FromPem(std::string_view pem);

  const std::string& pem() const { return pem_; }
  const SpiffeId& spiffe_id() const { return spiffe_id_; }
  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }
  // The DER SubjectPublicKeyInfo.
  const std::string& spki() const { return spki_; }
  // The human-comparable form of SHA-256 over the certificate's DER.
  const std::string& fingerprint() const { return fingerprint_; }

  // OK if `ca_pem` issued this certificate, it is valid at `now`, and it belongs to the CA's
  // network. REASON_IDENTITY_MISSING otherwise, saying which. REASON_FIELD_INVALID: `ca_pem` does
  // not parse.
  absl::Status VerifyIssuedBy(std::string_view ca_pem, absl::Time now) const;

 private:
  Certificate(std::string pem, SpiffeId spiffe_id) : pem_(std::move(pem)), spiffe_id_(spiffe_id) {}

  std::string pem_;
  SpiffeId spiffe_id_;
  absl::Time not_before_;
  absl::Time not_after_;
  std::string spki_;
  std::string fingerprint_;
};

// A parsed certificate signing request whose self-signature holds.
class CertificateRequest {
 public:
  // REASON_FIELD_INVALID: it does not parse, its key is not P-256, its signature does not verify,
  // or it does not ask for exactly one SPIFFE id.
  static absl::StatusOr<CertificateRequest> FromPem(std::string_view pem);

  const std::string& pem() const { return pem_; }
  // What the requester asks to be; the issuer decides.
  const SpiffeId& requested_id() const { return requested_id_; }
  // The DER SubjectPublicKeyInfo.
  const std::string& spki() const { return spki_; }
  // The human-comparable fingerprint of the requested key, which operator and member compare.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  CertificateRequest(std::string pem, SpiffeId requested_id)
      : pem_(std::move(pem)), requested_id_(requested_id) {}

  std::string pem_;
  SpiffeId requested_id_;
  std::string spki_;
  std::string fingerprint_;
};

// Returns a new TLS key as PKCS#8 PEM, from OpenSSL's own generator.
SecretBytes GenerateTlsKey();

// Returns a PEM request for `id`, signed with `key_pem`. REASON_FIELD_INVALID: not a P-256 private
// key.
absl::StatusOr<std::string> CreateRequest(const SecretBytes& key_pem, const SpiffeId& id);

// OK if `key_pem` is the private key of the certificate; REASON_IDENTITY_MISSING if it is of
// another one, REASON_FIELD_INVALID if it does not parse.
absl::Status CheckKeyMatches(const SecretBytes& key_pem, const Certificate& certificate);

// Returns the human-comparable fingerprint of a CA certificate, which an invitation carries.
// REASON_FIELD_INVALID: it does not parse.
absl::StatusOr<std::string> CaFingerprint(std::string_view ca_pem);

}  // namespace waymark
