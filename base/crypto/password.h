// Keys and verifiers from passphrases, by scrypt (RFC 7914).
//
// Deliberately slow, and 128 * n * r bytes of memory a call: never on a thread that serves others.
// All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/random/random.h"

namespace waymark {

// Cost of scrypt. The default is 32 MiB and about a third of a second; a test may use less.
struct ScryptCost {
  uint64_t n = 1 << 15;  // a power of two
  uint32_t r = 8;
  uint32_t p = 3;
};

inline constexpr size_t kPassphraseSaltSize = 16;

// Returns `size` bytes derived from the passphrase; the caller stores salt and cost beside what the
// key protects. REASON_FIELD_INVALID: the salt is shorter than kPassphraseSaltSize or the cost is
// not a legal one, or above 256 MiB (a stored cost must not exhaust the machine).
absl::StatusOr<SecretBytes> DeriveFromPassphrase(const SecretBytes& passphrase,
                                                 std::string_view salt, const ScryptCost& cost,
                                                 size_t size);

// Returns a verifier to store for a staff login: "scrypt$n$r$p$<salt hex>$<hash hex>".
// REASON_FIELD_INVALID: as above.
absl::StatusOr<std::string> MakePassphraseVerifier(const SecretBytes& passphrase,
                                                   const ScryptCost& cost, Random& random);

// OK if the passphrase is the one of the verifier; REASON_STAFF_NOT_ALLOWED if it is another;
// REASON_DATA_CORRUPT if the verifier does not parse.
absl::Status CheckPassphrase(const SecretBytes& passphrase, std::string_view verifier);

}  // namespace waymark
