#include "base/crypto/hpke.h"

#include <cstddef>

#include "base/crypto/hpke_evp.h"
#include "base/crypto/hpke_native.h"
#include "base/crypto/openssl.h"
#include "base/status/status.h"

namespace waymark::hpke {
namespace {

// What DeriveKeyPair takes: as many bytes as a private key has.
SecretBytes KeyMaterial(Random& random) {
  SecretBytes ikm(kPrivateKeySize);
  random.Fill(ikm.data(), ikm.size());
  return ikm;
}

}  // namespace

KeyPair GenerateKeyPair(Random& random) { return evp::DeriveKeyPair(KeyMaterial(random).view()); }

absl::StatusOr<std::string> PublicFromPrivate(const SecretBytes& private_key) {
  const ErrorQueueGuard guard;
  const PKeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(),
                                                 private_key.size()));
  if (key == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "the sealing key does not have 32 bytes");
  }
  std::string public_key(kPublicKeySize, '\0');
  size_t size = public_key.size();
  RequireOpenSsl(EVP_PKEY_get_raw_public_key(key.get(), Bytes(public_key), &size) == 1, "X25519");
  return public_key;
}

absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext, Random& random) {
  if (plaintext.empty() || info.size() > kMaxInfoSize) {
    return Error(v1::REASON_INTERNAL, "an empty payload or too long an info was to be sealed");
  }
  const SecretBytes ikm = KeyMaterial(random);
#if WAYMARK_NATIVE_HPKE
  return native::Seal(public_key, info, aad, plaintext, ikm);
#else
  return evp::Seal(public_key, info, aad, plaintext, evp::DeriveKeyPair(ikm.view()));
#endif
}

absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed) {
#if WAYMARK_NATIVE_HPKE
  return native::Open(private_key, info, aad, sealed);
#else
  return evp::Open(private_key, info, aad, sealed);
#endif
}

}  // namespace waymark::hpke
