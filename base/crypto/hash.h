// Hashes, MACs and key derivation on SHA-256, with the framing that keeps labelled inputs apart.
//
// Framing. Whatever Waymark hashes, MACs or signs is a label and a list of parts, encoded as
//
//   frame(label, p1, ..., pn) = len(label) || label || len(p1) || p1 || ... || len(pn) || pn
//
// where len(x) is the number of bytes of x as 8 bytes, most significant first. No two different
// lists have the same frame, so bytes cannot slide from one part into the next, and a value made
// under one label never stands for another. The frame is input only; it is not sent.
//
// All functions are thread-safe. They end the process if OpenSSL lacks SHA-256.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/crypto/secret.h"

namespace waymark {

inline constexpr size_t kSha256Size = 32;

using Parts = std::initializer_list<std::string_view>;

// Returns SHA-256(frame(label, parts)): 32 bytes.
std::string Sha256(std::string_view label, Parts parts);

// Returns SHA-256(bytes), unframed: for fingerprints that others compute with their own tools.
std::string PlainSha256(std::string_view bytes);

// Returns HMAC-SHA-256(key, frame(label, parts)): 32 bytes.
std::string HmacSha256(const SecretBytes& key, std::string_view label, Parts parts);

// The two halves of HKDF-SHA-256 (RFC 5869). An empty `salt` is 32 zero bytes; `size` is at most
// 8160.
SecretBytes HkdfExtract(std::string_view salt, std::string_view secret);
SecretBytes HkdfExpand(const SecretBytes& prk, std::string_view info, size_t size);

// Returns `size` bytes of HKDF-SHA-256, both halves, from the keying material `secret`.
SecretBytes HkdfSha256(std::string_view secret, std::string_view salt, std::string_view info,
                       size_t size);

// Whether `a` and `b` are equal, in a time that depends on their sizes only.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace waymark
