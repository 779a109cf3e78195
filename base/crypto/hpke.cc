#include "base/crypto/hpke.h"

#include "base/crypto/hpke_evp.h"
#include "base/crypto/hpke_native.h"
#include "base/status/status.h"

namespace waymark::hpke {
namespace {

// What DerivePrivateKey takes: as many bytes as a private key has.
SecretBytes KeyMaterial(Random& random) {
  SecretBytes ikm(kPrivateKeySize);
  random.Fill(ikm.data(), ikm.size());
  return ikm;
}

}  // namespace

KeyPair GenerateKeyPair(Random& random) {
  KeyPair keys;
  keys.private_key = evp::DerivePrivateKey(KeyMaterial(random).view());
  keys.public_key = *evp::PublicFromPrivate(keys.private_key);
  return keys;
}

absl::StatusOr<std::string> PublicFromPrivate(const SecretBytes& private_key) {
  return evp::PublicFromPrivate(private_key);
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
  return evp::Seal(public_key, info, aad, plaintext, evp::DerivePrivateKey(ikm.view()));
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
