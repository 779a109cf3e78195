#include "base/crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <climits>
#include <cstdio>
#include <cstdlib>

namespace waymark {
namespace {

constexpr std::string_view kP256 = "prime256v1";

// RFC 5480: a sequence of id-ecPublicKey with secp256r1, and of a bit string of 65 bytes, which are
// 4 for an uncompressed point and the point.
constexpr char kSpkiHead[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03"
    "\x42\x00\x04";
constexpr std::string_view kP256SpkiHead(kSpkiHead, sizeof(kSpkiHead) - 1);
constexpr size_t kP256Coordinates = 64;

// Stands in for OpenSSL's own, which would ask for a passphrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

void RequireOpenSsl(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "OpenSSL cannot do %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

BioPtr ReadingBio(std::string_view bytes) {
  RequireOpenSsl(bytes.size() <= INT_MAX, "reads of 2 GiB");
  // A null pointer would be refused even with size 0.
  const char* data = bytes.empty() ? "" : bytes.data();
  BioPtr bio(BIO_new_mem_buf(data, static_cast<int>(bytes.size())));
  RequireOpenSsl(bio != nullptr, "reading from memory");
  return bio;
}

BioPtr WritingBio() {
  BioPtr bio(BIO_new(BIO_s_mem()));
  RequireOpenSsl(bio != nullptr, "writing to memory");
  return bio;
}

std::string_view Written(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

bool IsP256(const EVP_PKEY* key) {
  if (!EVP_PKEY_is_a(key, "EC")) return false;
  char group[32];
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
         std::string_view(group, size) == kP256;
}

PKeyPtr GenerateP256() {
  PKeyPtr key(EVP_EC_gen(kP256.data()));
  RequireOpenSsl(key != nullptr, "P-256 key generation");
  return key;
}

PKeyPtr ReadP256Pem(std::string_view pem) {
  const ErrorQueueGuard guard;
  PKeyPtr key(PEM_read_bio_PrivateKey(ReadingBio(pem).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr || !IsP256(key.get())) return nullptr;
  return key;
}

SecretBytes WriteP256Pem(const EVP_PKEY* key) {
  // BIO_s_mem clears what it frees.
  const BioPtr bio = WritingBio();
  RequireOpenSsl(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "PKCS#8 encoding");
  return SecretBytes::CopyOf(Written(bio));
}

std::string SpkiOf(const EVP_PKEY* key) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  RequireOpenSsl(size > 0, "public key encoding");
  std::string spki(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return spki;
}

PKeyPtr ReadP256Spki(std::string_view der) {
  if (!der.starts_with(kP256SpkiHead) || der.size() != kP256SpkiHead.size() + kP256Coordinates) {
    return nullptr;
  }
  const ErrorQueueGuard guard;
  // OpenSSL reads these and leaves them as they are.
  auto* group = const_cast<char*>(kP256.data());
  auto* point = const_cast<uint8_t*>(Bytes(der.substr(kP256SpkiHead.size() - 1)));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, kP256.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, kP256Coordinates + 1),
      OSSL_PARAM_construct_end(),
  };
  const PKeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  RequireOpenSsl(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "EC keys");
  EVP_PKEY* key = nullptr;
  const int read = EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                                     const_cast<OSSL_PARAM*>(parameters));
  return PKeyPtr(read == 1 ? key : nullptr);
}

}  // namespace waymark
