#include "base/crypto/aead.h"

#include <optional>
#include <utility>

#include "base/crypto/gcm.h"
#include "base/status/status.h"

namespace waymark {
namespace {

absl::Status CheckKey(const SecretBytes& key) {
  if (key.size() == kAtRestKeySize) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL, "the key for stored data does not have 32 bytes");
}

}  // namespace

SecretBytes GenerateAtRestKey(Random& random) {
  SecretBytes key(kAtRestKeySize);
  random.Fill(key.data(), key.size());
  return key;
}

absl::StatusOr<std::string> EncryptAtRest(const SecretBytes& key, std::string_view aad,
                                          std::string_view plaintext, Random& random) {
  RETURN_IF_ERROR(CheckKey(key));
  const std::string nonce = random.Bytes(kGcmNonceSize);
  std::string box = nonce;
  GcmSeal(key, nonce, aad, plaintext, box);
  return box;
}

absl::StatusOr<SecretBytes> DecryptAtRest(const SecretBytes& key, std::string_view aad,
                                          std::string_view box) {
  RETURN_IF_ERROR(CheckKey(key));
  std::optional<SecretBytes> plaintext;
  if (box.size() >= kGcmNonceSize) {
    plaintext = GcmOpen(key, box.substr(0, kGcmNonceSize), aad, box.substr(kGcmNonceSize));
  }
  if (!plaintext.has_value()) {
    return Error(v1::REASON_DATA_CORRUPT, "a stored record does not decrypt with its key");
  }
  return *std::move(plaintext);
}

}  // namespace waymark
