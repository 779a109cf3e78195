// Signatures: ECDSA on P-256 with SHA-256 over a label and parts.
//
// What is signed is frame(label, parts) of hash.h; the signature is the DER form of RFC 3279
// (ECDSA-Sig-Value, at most 72 bytes). It is randomised: two signatures of one input differ, both
// verify, so never compare or hash signatures to find repeats. Every purpose has a label of its
// own, so a signature made for one purpose never verifies for another.
//
// Keys are immutable; all methods are thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"

namespace waymark {

class EcKey;

// A public key. Copies share one key.
class VerifyingKey {
 public:
  // Reads a DER SubjectPublicKeyInfo. REASON_FIELD_INVALID: not exactly one P-256 public key with
  // its curve by name and its point uncompressed.
  static absl::StatusOr<VerifyingKey> FromSpki(std::string_view der);

  // OK if `signature` is of this label and these parts by this key; REASON_SIGNATURE_INVALID
  // otherwise.
  absl::Status Verify(std::string_view label, Parts parts, std::string_view signature) const;

  // The DER SubjectPublicKeyInfo.
  const std::string& spki() const { return spki_; }
  // See Fingerprint().
  std::string fingerprint() const;

  friend bool operator==(const VerifyingKey& a, const VerifyingKey& b) {
    return a.spki_ == b.spki_;
  }

 private:
  friend class SigningKey;
  VerifyingKey(std::shared_ptr<const EcKey> key, std::string spki);

  // Shared because copies live in directory entries and sessions alike, and a parsed key is
  // immutable.
  std::shared_ptr<const EcKey> key_;
  std::string spki_;
};

// A private key with its public key.
class SigningKey {
 public:
  // A new key, from OpenSSL's own generator: ECDSA draws its nonces there too.
  static SigningKey Generate();

  // Reads an unencrypted PKCS#8 PEM. REASON_FIELD_INVALID: not a P-256 private key.
  static absl::StatusOr<SigningKey> FromPem(const SecretBytes& pem);

  // The key as unencrypted PKCS#8 PEM.
  SecretBytes ToPem() const;

  // Signs the label and the parts.
  std::string Sign(std::string_view label, Parts parts) const;

  const VerifyingKey& verifying_key() const { return verifying_key_; }

 private:
  explicit SigningKey(std::shared_ptr<const EcKey> key);

  // Shared with verifying_key_: one parsed key serves both.
  std::shared_ptr<const EcKey> key_;
  VerifyingKey verifying_key_;
};

// Returns the form in which two people compare a key or certificate over the phone: the first 125
// bits of SHA-256(der) as five groups of five Crockford base-32 symbols, "7Q3ZK-...". `der` is a
// key's SubjectPublicKeyInfo or a certificate's DER.
std::string Fingerprint(std::string_view der);

}  // namespace waymark
