// Crockford base 32: codes and fingerprints that people read, say and type.
//
// The symbols are 0-9 and A-Z without I, L, O and U; each carries 5 bits, most significant first.
// The check symbol is the value modulo 37, out of those 32 and `*~$=U`: it finds every single wrong
// symbol and every swap of neighbours. Reading ignores case, hyphens and spaces, and takes O for 0,
// I and L for 1. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"

namespace waymark {

// Returns the first `symbols` symbols of `bytes`, which hold at least 5 * symbols bits.
std::string CrockfordEncode(std::string_view bytes, size_t symbols);

// Returns all of `bytes`, a multiple of 5 bytes, and the check symbol: 10 bytes are 16 + 1 symbols.
std::string CrockfordEncodeChecked(std::string_view bytes);

// Reads back `size` bytes, a multiple of 5, from what CrockfordEncodeChecked wrote, as a person may
// type it. REASON_FIELD_INVALID: another length, a foreign symbol, or a check symbol that does not
// match; the message never repeats the code.
absl::StatusOr<SecretBytes> CrockfordDecodeChecked(std::string_view text, size_t size);

// Returns `symbols` with a hyphen after each `group` of them.
std::string InGroups(std::string_view symbols, size_t group);

}  // namespace waymark
