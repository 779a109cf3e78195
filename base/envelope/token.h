// The consent token on the wire, and the lock by which a person alone withdraws it.
//
// The issuer serialises a ConsentToken once. Those bytes are signed, hashed and carried; nobody
// serialises them again:
//
//   signature  = ECDSA-SHA256(issuer's identity key, frame("waymark/v1/token", bytes))
//   token_hash = SHA-256(frame("waymark/v1/token-hash", bytes))
//
// with frame() of base/crypto/hash.h. The hash is what header and hub know; the token's nonce makes
// it unguessable.
//
// Withdrawal. A case has one withdrawal secret of 80 random bits; its tokens are numbered from 0.
// Token i carries and registers revocation_lock_i, so that whoever shows the key of token i
// withdraws it and nobody else can, and until then no two locks show that they belong together:
//
//   revocation_key_i  = HKDF-SHA256(secret, salt "", info "waymark/v1/revocation-key" || i, 32
//   bytes)
//                       with i as 4 bytes, most significant first
//   revocation_lock_i = SHA-256(frame("waymark/v1/revocation-lock", revocation_key_i))
//
// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/crypto/signature.h"
#include "base/random/random.h"
#include "waymark/v1/token.pb.h"

namespace waymark {

// 80 bits: 16 Crockford symbols and a check symbol on paper.
inline constexpr size_t kWithdrawalSecretSize = 10;
// How many tokens of a case one withdrawal secret covers.
inline constexpr uint32_t kMaxTokensPerSecret = 256;

// A token as it travels.
struct SignedToken {
  std::string bytes;
  std::string signature;
};

// Serialises and signs `token`. REASON_FIELD_INVALID, REASON_ENUM_UNKNOWN: what ParseToken would
// refuse.
absl::StatusOr<SignedToken> MakeToken(const v1::ConsentToken& token, const SigningKey& issuer_key);

// Returns the 32 bytes that stand for a token in headers and at the hub.
std::string TokenHash(std::string_view token_bytes);

// Reads a token without verifying its signature. REASON_MALFORMED: does not parse, or has a field
// that this version does not know. REASON_FIELD_INVALID, REASON_ENUM_UNKNOWN: a value that the
// schema does not allow (base/schema/validate.h), no purpose, no field, a ceiling below INQUIRY, or
// an end that is not after the beginning.
absl::StatusOr<v1::ConsentToken> ParseToken(std::string_view token_bytes);

// Reads a token that `issuer_key` signed. REASON_TOKEN_SIGNATURE: it did not; otherwise as
// ParseToken.
absl::StatusOr<v1::ConsentToken> VerifyToken(std::string_view token_bytes,
                                             std::string_view signature,
                                             const VerifyingKey& issuer_key);

// The token's end as its registration and its header give it: hours since the Unix epoch.
int64_t ValidUntilHour(const v1::ConsentToken& token);

// Returns a new withdrawal secret.
SecretBytes NewWithdrawalSecret(Random& random);

// Returns revocation_key_i of a case's secret; `index` < kMaxTokensPerSecret.
SecretBytes RevocationKey(const SecretBytes& withdrawal_secret, uint32_t index);

// Returns the lock that `revocation_key` opens: 32 bytes.
std::string RevocationLock(std::string_view revocation_key);

}  // namespace waymark
