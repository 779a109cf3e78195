// Sealing to a public key: HPKE (RFC 9180), base mode, one box per key exchange, with the suite
//   DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
//
// A sealed box is `enc || ciphertext || tag`: kOverhead bytes longer than its plaintext. `info`
// binds the key exchange and `aad` the box: both must be given unchanged to open it. The sender is
// not authenticated; a signature beside the box does that (signature.h). Anyone who later holds the
// recipient's private key can open stored boxes, so recipients rotate and destroy keys.
//
// All functions are thread-safe. They end the process if OpenSSL lacks the suite.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/random/random.h"

namespace waymark::hpke {

inline constexpr size_t kPublicKeySize = 32;
inline constexpr size_t kPrivateKeySize = 32;
// 32 bytes of encapsulated key and 16 of authentication tag.
inline constexpr size_t kOverhead = 48;
// The longest `info`, a limit of OpenSSL's own HPKE.
inline constexpr size_t kMaxInfoSize = 1024;

struct KeyPair {
  SecretBytes private_key;
  std::string public_key;
};

// Returns a new key pair, derived by RFC 9180's DeriveKeyPair from 32 bytes of `random`.
KeyPair GenerateKeyPair(Random& random);

// Returns the public key of `private_key`. REASON_FIELD_INVALID: not kPrivateKeySize bytes.
absl::StatusOr<std::string> PublicFromPrivate(const SecretBytes& private_key);

// Returns `plaintext`, at least one byte, sealed to `public_key`. The ephemeral key is derived from
// 32 bytes of `random`; a repeated value would repeat key and nonce. REASON_FIELD_INVALID:
// `public_key` is not a usable X25519 key. REASON_INTERNAL: the plaintext is empty or `info` too
// long.
absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext, Random& random);

// Returns the plaintext of `sealed`. REASON_SEAL_BROKEN: any byte of the box, `info`, `aad` or the
// key differs from what was sealed; which one is not told. REASON_FIELD_INVALID: `private_key` is
// not kPrivateKeySize bytes.
absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed);

}  // namespace waymark::hpke
