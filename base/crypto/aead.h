// Encryption at rest: AES-256-GCM under a key that this machine holds.
//
// A box is `nonce (12) || ciphertext || tag (16)` with a random nonce; encrypt at most 2^32 boxes
// under one key. `aad` is not stored: give what names the row (table, id, version), so that a box
// copied to another row does not open. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/random/random.h"

namespace waymark {

inline constexpr size_t kAtRestKeySize = 32;

// Returns a new key.
SecretBytes GenerateAtRestKey(Random& random);

// Returns the box. REASON_INTERNAL: `key` is not kAtRestKeySize bytes.
absl::StatusOr<std::string> EncryptAtRest(const SecretBytes& key, std::string_view aad,
                                          std::string_view plaintext, Random& random);

// Returns the plaintext. REASON_DATA_CORRUPT: the box was changed, or made with another key or aad.
// REASON_INTERNAL: `key` is not kAtRestKeySize bytes.
absl::StatusOr<SecretBytes> DecryptAtRest(const SecretBytes& key, std::string_view aad,
                                          std::string_view box);

}  // namespace waymark
