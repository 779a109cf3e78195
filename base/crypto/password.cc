#include "base/crypto/password.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/crypto/hash.h"
#include "base/crypto/openssl.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr uint64_t kMaxMemory = 256 << 20;
constexpr uint32_t kMaxParallel = 16;
constexpr size_t kVerifierSize = 32;
constexpr std::string_view kScheme = "scrypt";

bool IsLegal(const ScryptCost& cost) {
  return cost.n >= 2 && (cost.n & (cost.n - 1)) == 0 && cost.r >= 1 && cost.p >= 1 &&
         cost.p <= kMaxParallel && cost.n <= kMaxMemory / 128 / cost.r;
}

std::vector<std::string_view> SplitAtDollars(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('$', start), text.size());
    pieces.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return pieces;
}

template <typename T>
bool ParseNumber(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex += kDigits[static_cast<uint8_t>(byte) >> 4];
    hex += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return hex;
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    uint8_t byte;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (error != std::errc() || end != hex.data() + i + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

absl::StatusOr<SecretBytes> DeriveFromPassphrase(const SecretBytes& passphrase,
                                                 std::string_view salt, const ScryptCost& cost,
                                                 size_t size) {
  if (salt.size() < kPassphraseSaltSize) {
    return Error(v1::REASON_FIELD_INVALID, "the passphrase's salt is shorter than 16 bytes");
  }
  if (!IsLegal(cost)) {
    return Error(v1::REASON_FIELD_INVALID, "the passphrase's scrypt cost is out of range");
  }
  const KdfPtr kdf(EVP_KDF_fetch(nullptr, "SCRYPT", nullptr));
  const KdfCtxPtr context(EVP_KDF_CTX_new(kdf.get()));
  ScryptCost given = cost;
  uint64_t max_memory = 2 * kMaxMemory;
  // EVP reads these, though it takes them as non-const.
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
                                        const_cast<uint8_t*>(passphrase.data()), passphrase.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<char*>(salt.data()),
                                        salt.size()),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &given.n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &given.r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &given.p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
      OSSL_PARAM_construct_end(),
  };
  SecretBytes key(size);
  RequireOpenSsl(
      context != nullptr && EVP_KDF_derive(context.get(), key.data(), key.size(), parameters) == 1,
      "scrypt");
  return key;
}

absl::StatusOr<std::string> MakePassphraseVerifier(const SecretBytes& passphrase,
                                                   const ScryptCost& cost, Random& random) {
  const std::string salt = random.Bytes(kPassphraseSaltSize);
  ASSIGN_OR_RETURN(const SecretBytes key,
                   DeriveFromPassphrase(passphrase, salt, cost, kVerifierSize));
  return std::string(kScheme) + '$' + std::to_string(cost.n) + '$' + std::to_string(cost.r) + '$' +
         std::to_string(cost.p) + '$' + ToHex(salt) + '$' + ToHex(key.view());
}

absl::Status CheckPassphrase(const SecretBytes& passphrase, std::string_view verifier) {
  const std::vector<std::string_view> pieces = SplitAtDollars(verifier);
  ScryptCost cost;
  std::optional<std::string> salt;
  std::optional<std::string> expected;
  if (pieces.size() == 6 && pieces[0] == kScheme && ParseNumber(pieces[1], cost.n) &&
      ParseNumber(pieces[2], cost.r) && ParseNumber(pieces[3], cost.p) && IsLegal(cost)) {
    salt = FromHex(pieces[4]);
    expected = FromHex(pieces[5]);
  }
  if (!salt.has_value() || salt->size() < kPassphraseSaltSize || !expected.has_value() ||
      expected->size() != kVerifierSize) {
    return Error(v1::REASON_DATA_CORRUPT, "a stored passphrase verifier does not parse");
  }
  ASSIGN_OR_RETURN(const SecretBytes key,
                   DeriveFromPassphrase(passphrase, *salt, cost, kVerifierSize));
  if (!ConstantTimeEquals(key.view(), *expected)) {
    return Error(v1::REASON_STAFF_NOT_ALLOWED, "the passphrase is wrong");
  }
  return absl::OkStatus();
}

}  // namespace waymark
