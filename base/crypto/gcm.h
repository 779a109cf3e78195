// AES-256-GCM with an explicit nonce: the one place that drives the cipher, for hpke and aead.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto/secret.h"

namespace waymark {

inline constexpr size_t kGcmKeySize = 32;
inline constexpr size_t kGcmNonceSize = 12;
inline constexpr size_t kGcmTagSize = 16;

// Appends `ciphertext || tag` to `box`. Key and nonce have their sizes, and are used together once.
void GcmSeal(const SecretBytes& key, std::string_view nonce, std::string_view aad,
             std::string_view plaintext, std::string& box);

// Returns the plaintext of `ciphertext || tag`, nullopt if anything was changed.
std::optional<SecretBytes> GcmOpen(const SecretBytes& key, std::string_view nonce,
                                   std::string_view aad, std::string_view box);

}  // namespace waymark
