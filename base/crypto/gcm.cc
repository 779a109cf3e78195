#include "base/crypto/gcm.h"

#include <climits>

#include "base/crypto/openssl.h"

namespace waymark {
namespace {

// EVP counts bytes in int.
int Size(std::string_view bytes) {
  RequireOpenSsl(bytes.size() <= INT_MAX, "AES-GCM of 2 GiB");
  return static_cast<int>(bytes.size());
}

// Fetched once: OpenSSL looks EVP_aes_256_gcm() up again with every use.
const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  RequireOpenSsl(kCipher != nullptr, "AES-256-GCM");
  return kCipher;
}

}  // namespace

void GcmSeal(const SecretBytes& key, std::string_view nonce, std::string_view aad,
             std::string_view plaintext, std::string& box) {
  const size_t start = box.size();
  box.resize(start + plaintext.size() + kGcmTagSize);
  uint8_t* const out = Bytes(box) + start;
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX* const ctx = context.get();
  int written = 0;
  const bool ok =
      ctx != nullptr && key.size() == kGcmKeySize && nonce.size() == kGcmNonceSize &&
      EVP_EncryptInit_ex(ctx, Aes256Gcm(), nullptr, key.data(), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(ctx, nullptr, &written, Bytes(aad), Size(aad)) == 1 &&
      EVP_EncryptUpdate(ctx, out, &written, Bytes(plaintext), Size(plaintext)) == 1 &&
      EVP_EncryptFinal_ex(ctx, out + plaintext.size(), &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, kGcmTagSize, out + plaintext.size()) == 1;
  RequireOpenSsl(ok, "AES-256-GCM");
}

std::optional<SecretBytes> GcmOpen(const SecretBytes& key, std::string_view nonce,
                                   std::string_view aad, std::string_view box) {
  if (box.size() < kGcmTagSize) return std::nullopt;
  const ErrorQueueGuard guard;
  const std::string_view ciphertext = box.substr(0, box.size() - kGcmTagSize);
  std::string tag(box.substr(ciphertext.size()));
  SecretBytes plaintext(ciphertext.size());
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX* const ctx = context.get();
  int written = 0;
  const bool ready = ctx != nullptr && key.size() == kGcmKeySize && nonce.size() == kGcmNonceSize &&
                     EVP_DecryptInit_ex(ctx, Aes256Gcm(), nullptr, key.data(), Bytes(nonce)) == 1 &&
                     EVP_DecryptUpdate(ctx, nullptr, &written, Bytes(aad), Size(aad)) == 1 &&
                     EVP_DecryptUpdate(ctx, plaintext.data(), &written, Bytes(ciphertext),
                                       Size(ciphertext)) == 1 &&
                     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, kGcmTagSize, tag.data()) == 1;
  RequireOpenSsl(ready, "AES-256-GCM");
  uint8_t none;
  if (EVP_DecryptFinal_ex(ctx, &none, &written) != 1) return std::nullopt;
  return plaintext;
}

}  // namespace waymark
