// OpenSSL, for the sources of base/crypto and base/identity only: owning pointers, and P-256 keys
// in and out. No header that others include includes this one.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/crypto/secret.h"

namespace waymark {

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using KdfPtr = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
using KdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using PKeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using PKeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

// Empties this thread's OpenSSL error queue at the end of a scope in which failures are expected:
// TLS on the same thread would otherwise read them as its own.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() = default;
  ~ErrorQueueGuard() { ERR_clear_error(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

// Ends the process, naming `what`, unless `ok`: for calls that fail only when OpenSSL itself is
// broken or memory is exhausted.
void RequireOpenSsl(bool ok, const char* what);

inline const uint8_t* Bytes(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
inline uint8_t* Bytes(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// A BIO that reads `bytes`, which outlive it.
BioPtr ReadingBio(std::string_view bytes);
// An empty BIO in memory, and what was written to it.
BioPtr WritingBio();
std::string_view Written(const BioPtr& bio);

bool IsP256(const EVP_PKEY* key);
PKeyPtr GenerateP256();
// Null unless `pem` is an unencrypted P-256 private key.
PKeyPtr ReadP256Pem(std::string_view pem);
// The private key as unencrypted PKCS#8 PEM.
SecretBytes WriteP256Pem(const EVP_PKEY* key);
// The DER SubjectPublicKeyInfo (RFC 5480): the curve by name, the point uncompressed.
std::string SpkiOf(const EVP_PKEY* key);
// Null unless `der` is exactly that of a point of P-256. OpenSSL's own decoder looks through all
// that it could be, which takes ten times as long, and a directory has tens of thousands of keys.
PKeyPtr ReadP256Spki(std::string_view der);

}  // namespace waymark
