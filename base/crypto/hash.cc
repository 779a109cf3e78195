#include "base/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <utility>

#include "base/crypto/frame.h"
#include "base/crypto/openssl.h"

namespace waymark {
namespace {

void Hmac(std::string_view key, std::string_view message, uint8_t* out) {
  // A null key would ask OpenSSL for the previous one.
  const std::string_view some_key = key.data() == nullptr ? std::string_view("") : key;
  unsigned size = 0;
  RequireOpenSsl(HMAC(EVP_sha256(), some_key.data(), static_cast<int>(some_key.size()),
                      Bytes(message), message.size(), out, &size) != nullptr,
                 "HMAC-SHA-256");
}

}  // namespace

std::string Sha256(std::string_view label, Parts parts) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  WriteFrame(label, parts, [&](std::string_view piece) {
    ok = ok && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  std::string digest(kSha256Size, '\0');
  ok = ok && EVP_DigestFinal_ex(context.get(), Bytes(digest), nullptr) == 1;
  RequireOpenSsl(ok, "SHA-256");
  return digest;
}

std::string PlainSha256(std::string_view bytes) {
  std::string digest(kSha256Size, '\0');
  RequireOpenSsl(
      EVP_Digest(bytes.data(), bytes.size(), Bytes(digest), nullptr, EVP_sha256(), nullptr) == 1,
      "SHA-256");
  return digest;
}

std::string HmacSha256(const SecretBytes& key, std::string_view label, Parts parts) {
  SecretBytes message;
  WriteFrame(label, parts, [&](std::string_view piece) { message.Append(piece); });
  std::string mac(kSha256Size, '\0');
  Hmac(key.view(), message.view(), Bytes(mac));
  return mac;
}

SecretBytes HkdfExtract(std::string_view salt, std::string_view secret) {
  SecretBytes prk(kSha256Size);
  Hmac(salt, secret, prk.data());
  return prk;
}

SecretBytes HkdfExpand(const SecretBytes& prk, std::string_view info, size_t size) {
  RequireOpenSsl(size <= 255 * kSha256Size, "HKDF beyond 8160 bytes");
  SecretBytes output;
  SecretBytes block;
  for (unsigned counter = 1; output.size() < size; ++counter) {
    const char last = static_cast<char>(counter);
    SecretBytes message = std::move(block);
    message.Append(info);
    message.Append({&last, 1});
    block = SecretBytes(kSha256Size);
    Hmac(prk.view(), message.view(), block.data());
    output.Append(block.view());
  }
  output.Truncate(size);
  return output;
}

SecretBytes HkdfSha256(std::string_view secret, std::string_view salt, std::string_view info,
                       size_t size) {
  return HkdfExpand(HkdfExtract(salt, secret), info, size);
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace waymark
