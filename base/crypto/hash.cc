#include "base/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <utility>

#include "base/crypto/frame.h"
#include "base/crypto/openssl.h"

namespace waymark {
namespace {

// SHA-256 as OpenSSL 3 wants it: EVP_sha256() would be looked up again with every digest.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* algorithm = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    RequireOpenSsl(fetched != nullptr, "SHA-256");
    return fetched;
  }();
  return algorithm;
}

// A context that begins a digest; each thread has one, and uses it for one digest at a time.
EVP_MD_CTX* BeginSha256() {
  thread_local MdCtxPtr context(EVP_MD_CTX_new());
  RequireOpenSsl(
      context != nullptr && EVP_DigestInit_ex2(context.get(), Sha256Algorithm(), nullptr) == 1,
      "SHA-256");
  return context.get();
}

std::string EndSha256(EVP_MD_CTX* context, bool ok) {
  std::string digest(kSha256Size, '\0');
  ok = ok && EVP_DigestFinal_ex(context, Bytes(digest), nullptr) == 1;
  RequireOpenSsl(ok, "SHA-256");
  return digest;
}

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
  EVP_MD_CTX* const context = BeginSha256();
  bool ok = true;
  WriteFrame(label, parts, [&](std::string_view piece) {
    ok = ok && EVP_DigestUpdate(context, piece.data(), piece.size()) == 1;
  });
  return EndSha256(context, ok);
}

std::string PlainSha256(std::string_view bytes) {
  EVP_MD_CTX* const context = BeginSha256();
  return EndSha256(context, EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
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
