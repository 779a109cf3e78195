#include "base/crypto/hpke_evp.h"

#include <optional>
#include <utility>

#include "base/crypto/gcm.h"
#include "base/crypto/hash.h"
#include "base/crypto/hpke.h"
#include "base/crypto/openssl.h"
#include "base/status/status.h"

namespace waymark::hpke::evp {
namespace {

using std::string_view_literals::operator""sv;

// RFC 9180, 4.1 and 5.1: "KEM" || kem_id, and "HPKE" || kem_id || kdf_id || aead_id.
constexpr std::string_view kKemSuite = "KEM\x00\x20"sv;
constexpr std::string_view kHpkeSuite = "HPKE\x00\x20\x00\x01\x00\x02"sv;
constexpr std::string_view kVersion = "HPKE-v1";
constexpr char kModeBase = '\0';

struct KeyAndNonce {
  SecretBytes key;
  SecretBytes nonce;
};

SecretBytes LabeledExtract(std::string_view suite, std::string_view salt, std::string_view label,
                           std::string_view ikm) {
  SecretBytes labeled = SecretBytes::CopyOf(kVersion);
  labeled.Append(suite);
  labeled.Append(label);
  labeled.Append(ikm);
  return HkdfExtract(salt, labeled.view());
}

SecretBytes LabeledExpand(std::string_view suite, const SecretBytes& prk, std::string_view label,
                          std::string_view info, size_t size) {
  std::string labeled{static_cast<char>(size >> 8), static_cast<char>(size)};
  labeled += kVersion;
  labeled += suite;
  labeled += label;
  labeled += info;
  return HkdfExpand(prk, labeled, size);
}

// A private key as OpenSSL holds it, and its public key. Reading one computes the public key, which
// costs as much as an exchange: read each key once.
struct ParsedKey {
  PKeyPtr key;
  std::string public_key;
};

// Nullopt if `private_key` has another size.
std::optional<ParsedKey> Parse(const SecretBytes& private_key) {
  ParsedKey parsed;
  parsed.key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(),
                                                private_key.size()));
  if (parsed.key == nullptr) return std::nullopt;
  parsed.public_key.resize(kPublicKeySize);
  size_t size = kPublicKeySize;
  RequireOpenSsl(
      EVP_PKEY_get_raw_public_key(parsed.key.get(), Bytes(parsed.public_key), &size) == 1,
      "X25519");
  return parsed;
}

// The shared secret of X25519. Nullopt if `public_key` is unusable: of another size, or a point of
// low order, which RFC 9180, 7.1.4, demands to be refused.
std::optional<SecretBytes> DiffieHellman(const PKeyPtr& own, std::string_view public_key) {
  const PKeyPtr peer(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, Bytes(public_key), public_key.size()));
  if (peer == nullptr) return std::nullopt;
  const PKeyCtxPtr context(EVP_PKEY_CTX_new(own.get(), nullptr));
  SecretBytes shared(kPublicKeySize);
  size_t size = shared.size();
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1) {
    return std::nullopt;
  }
  return shared;
}

// The key schedule of base mode for the first and only message: RFC 9180, 4.1 ExtractAndExpand,
// then 5.1 KeySchedule, whose psk and psk_id are empty and whose nonce for sequence 0 is
// base_nonce.
KeyAndNonce ScheduleKeys(const SecretBytes& dh, std::string_view enc, std::string_view public_key,
                         std::string_view info) {
  const std::string kem_context = std::string(enc) + std::string(public_key);
  const SecretBytes eae_prk = LabeledExtract(kKemSuite, "", "eae_prk", dh.view());
  const SecretBytes shared_secret =
      LabeledExpand(kKemSuite, eae_prk, "shared_secret", kem_context, kSha256Size);

  std::string context(1, kModeBase);
  context += LabeledExtract(kHpkeSuite, "", "psk_id_hash", "").view();
  context += LabeledExtract(kHpkeSuite, "", "info_hash", info).view();
  const SecretBytes secret = LabeledExtract(kHpkeSuite, shared_secret.view(), "secret", "");
  return {LabeledExpand(kHpkeSuite, secret, "key", context, kGcmKeySize),
          LabeledExpand(kHpkeSuite, secret, "base_nonce", context, kGcmNonceSize)};
}

absl::Status BadPrivateKey() {
  return Error(v1::REASON_FIELD_INVALID, "the sealing key does not have 32 bytes");
}

}  // namespace

SecretBytes DerivePrivateKey(std::string_view ikm) {
  const SecretBytes dkp_prk = LabeledExtract(kKemSuite, "", "dkp_prk", ikm);
  return LabeledExpand(kKemSuite, dkp_prk, "sk", "", kPrivateKeySize);
}

absl::StatusOr<std::string> PublicFromPrivate(const SecretBytes& private_key) {
  const ErrorQueueGuard guard;
  std::optional<ParsedKey> parsed = Parse(private_key);
  if (!parsed.has_value()) return BadPrivateKey();
  return std::move(parsed->public_key);
}

absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext,
                                 const SecretBytes& ephemeral) {
  const ErrorQueueGuard guard;
  const std::optional<ParsedKey> own = Parse(ephemeral);
  if (!own.has_value()) return BadPrivateKey();
  const std::optional<SecretBytes> dh = DiffieHellman(own->key, public_key);
  if (!dh.has_value()) {
    return Error(v1::REASON_FIELD_INVALID, "the recipient's sealing key is not an X25519 key");
  }
  const KeyAndNonce keys = ScheduleKeys(*dh, own->public_key, public_key, info);
  std::string sealed = own->public_key;
  GcmSeal(keys.key, keys.nonce.view(), aad, plaintext, sealed);
  return sealed;
}

absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed) {
  const ErrorQueueGuard guard;
  const std::optional<ParsedKey> own = Parse(private_key);
  if (!own.has_value()) return BadPrivateKey();
  std::optional<SecretBytes> plaintext;
  if (sealed.size() >= kOverhead) {
    const std::string_view enc = sealed.substr(0, kPublicKeySize);
    if (const auto dh = DiffieHellman(own->key, enc); dh.has_value()) {
      const KeyAndNonce keys = ScheduleKeys(*dh, enc, own->public_key, info);
      plaintext = GcmOpen(keys.key, keys.nonce.view(), aad, sealed.substr(kPublicKeySize));
    }
  }
  if (!plaintext.has_value()) {
    return Error(v1::REASON_SEAL_BROKEN, "the box does not open with this key, header and label");
  }
  return *std::move(plaintext);
}

}  // namespace waymark::hpke::evp
