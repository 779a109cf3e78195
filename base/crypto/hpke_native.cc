#include "base/crypto/hpke_native.h"

#if WAYMARK_NATIVE_HPKE
#include <openssl/hpke.h>

#include <memory>

#include "base/crypto/hpke.h"
#include "base/crypto/openssl.h"
#include "base/status/status.h"

namespace waymark::hpke::native {
namespace {

using ContextPtr = std::unique_ptr<OSSL_HPKE_CTX, FreeWith<OSSL_HPKE_CTX_free>>;

constexpr OSSL_HPKE_SUITE kSuite = {OSSL_HPKE_KEM_ID_X25519, OSSL_HPKE_KDF_ID_HKDF_SHA256,
                                    OSSL_HPKE_AEAD_ID_AES_GCM_256};

ContextPtr NewContext(int role) {
  ContextPtr context(OSSL_HPKE_CTX_new(OSSL_HPKE_MODE_BASE, kSuite, role, nullptr, nullptr));
  RequireOpenSsl(context != nullptr, "HPKE");
  return context;
}

}  // namespace

absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext,
                                 const SecretBytes& ikm) {
  const ErrorQueueGuard guard;
  const ContextPtr context = NewContext(OSSL_HPKE_ROLE_SENDER);
  RequireOpenSsl(OSSL_HPKE_CTX_set1_ikme(context.get(), ikm.data(), ikm.size()) == 1, "HPKE");
  std::string sealed(plaintext.size() + kOverhead, '\0');
  size_t enc_size = kPublicKeySize;
  if (OSSL_HPKE_encap(context.get(), Bytes(sealed), &enc_size, Bytes(public_key), public_key.size(),
                      Bytes(info), info.size()) != 1) {
    return Error(v1::REASON_FIELD_INVALID, "the recipient's sealing key is not an X25519 key");
  }
  size_t box_size = sealed.size() - kPublicKeySize;
  RequireOpenSsl(OSSL_HPKE_seal(context.get(), Bytes(sealed) + kPublicKeySize, &box_size,
                                Bytes(aad), aad.size(), Bytes(plaintext), plaintext.size()) == 1,
                 "HPKE");
  return sealed;
}

absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed) {
  const ErrorQueueGuard guard;
  const PKeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(),
                                                 private_key.size()));
  if (key == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "the sealing key does not have 32 bytes");
  }
  const ContextPtr context = NewContext(OSSL_HPKE_ROLE_RECEIVER);
  if (sealed.size() >= kOverhead) {
    const std::string_view box = sealed.substr(kPublicKeySize);
    SecretBytes plaintext(box.size());
    size_t size = plaintext.size();
    if (OSSL_HPKE_decap(context.get(), Bytes(sealed), kPublicKeySize, key.get(), Bytes(info),
                        info.size()) == 1 &&
        OSSL_HPKE_open(context.get(), plaintext.data(), &size, Bytes(aad), aad.size(), Bytes(box),
                       box.size()) == 1) {
      plaintext.Truncate(size);
      return plaintext;
    }
  }
  return Error(v1::REASON_SEAL_BROKEN, "the box does not open with this key, header and label");
}

}  // namespace waymark::hpke::native
#endif
