#include "base/crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include <climits>
#include <cstdio>
#include <cstdlib>

namespace waymark {
namespace {

constexpr std::string_view kP256 = "prime256v1";

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

}  // namespace waymark
