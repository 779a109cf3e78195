#include "base/crypto/signature.h"

#include <utility>

#include "base/crypto/crockford.h"
#include "base/crypto/frame.h"
#include "base/crypto/openssl.h"
#include "base/status/status.h"

namespace waymark {

class EcKey {
 public:
  explicit EcKey(PKeyPtr key) : key_(std::move(key)) {}
  // OpenSSL takes non-const pointers for operations that leave the key as it is.
  EVP_PKEY* get() const { return key_.get(); }

 private:
  PKeyPtr key_;
};

VerifyingKey::VerifyingKey(std::shared_ptr<const EcKey> key, std::string spki)
    : key_(std::move(key)), spki_(std::move(spki)) {}

absl::StatusOr<VerifyingKey> VerifyingKey::FromSpki(std::string_view der) {
  PKeyPtr key = ReadP256Spki(der);
  if (key == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "the verifying key is not a P-256 public key");
  }
  return VerifyingKey(std::make_shared<const EcKey>(std::move(key)), std::string(der));
}

absl::Status VerifyingKey::Verify(std::string_view label, Parts parts,
                                  std::string_view signature) const {
  const ErrorQueueGuard guard;
  const MdCtxPtr context(EVP_MD_CTX_new());
  bool ok = context != nullptr &&
            EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->get()) == 1;
  WriteFrame(label, parts, [&](std::string_view piece) {
    ok = ok && EVP_DigestVerifyUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  RequireOpenSsl(ok, "ECDSA");
  if (EVP_DigestVerifyFinal(context.get(), Bytes(signature), signature.size()) != 1) {
    return Error(v1::REASON_SIGNATURE_INVALID, "the signature is not of this content by this key");
  }
  return absl::OkStatus();
}

std::string VerifyingKey::fingerprint() const { return Fingerprint(spki_); }

SigningKey::SigningKey(std::shared_ptr<const EcKey> key)
    : key_(std::move(key)), verifying_key_(key_, SpkiOf(key_->get())) {}

SigningKey SigningKey::Generate() {
  return SigningKey(std::make_shared<const EcKey>(GenerateP256()));
}

absl::StatusOr<SigningKey> SigningKey::FromPem(const SecretBytes& pem) {
  PKeyPtr key = ReadP256Pem(pem.view());
  if (key == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "the signing key is not an unencrypted P-256 PEM");
  }
  return SigningKey(std::make_shared<const EcKey>(std::move(key)));
}

SecretBytes SigningKey::ToPem() const { return WriteP256Pem(key_->get()); }

std::string SigningKey::Sign(std::string_view label, Parts parts) const {
  const MdCtxPtr context(EVP_MD_CTX_new());
  bool ok = context != nullptr &&
            EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->get()) == 1;
  WriteFrame(label, parts, [&](std::string_view piece) {
    ok = ok && EVP_DigestSignUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  std::string signature(static_cast<size_t>(EVP_PKEY_get_size(key_->get())), '\0');
  size_t size = signature.size();
  ok = ok && EVP_DigestSignFinal(context.get(), Bytes(signature), &size) == 1;
  RequireOpenSsl(ok, "ECDSA");
  signature.resize(size);
  return signature;
}

std::string Fingerprint(std::string_view der) {
  return InGroups(CrockfordEncode(PlainSha256(der), 25), 5);
}

}  // namespace waymark
