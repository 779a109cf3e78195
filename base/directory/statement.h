// Signed statements of the directory: making, reading and chaining them.
//
//   signature = ECDSA-SHA256(key, frame("waymark/v1/statement", statement bytes)); the registry key
//   signs
//               members, a member's identity key everything else
//   digest    = SHA-256(frame("waymark/v1/statement-digest", statement bytes, signature))
//   head_0    = 32 zero bytes
//   head_n    = SHA-256(frame("waymark/v1/directory-head", head_{n-1}, digest_n))
//
// The head of revision n covers every statement up to n: two nodes with equal heads saw one
// directory. Capacity statements are outside the log. Who may say what about whom is
// base/directory/state.h. All functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "waymark/v1/directory.pb.h"

namespace waymark {

inline constexpr size_t kMaxStatementBytes = 64 * 1024;
inline constexpr absl::Duration kMaxStatementValidity = absl::Hours(8 * 24);

// Serialises and signs a statement. Those bytes are never made again.
v1::SignedStatement SignStatement(const v1::Statement& statement, const SigningKey& key);

// Reads a statement without verifying its signature. REASON_MALFORMED: does not parse or is too
// large. REASON_FIELD_INVALID, REASON_ENUM_UNKNOWN: a field is missing or outside its documented
// range; the message names it. Times are not looked at.
absl::StatusOr<v1::Statement> ParseStatement(const v1::SignedStatement& signed_statement);

// OK if `key` signed it; REASON_STATEMENT_INVALID otherwise.
absl::Status VerifySignature(const v1::SignedStatement& signed_statement, const VerifyingKey& key);

// OK if the statement is of `network` and valid at `now`: issued at most 5 minutes ahead of it, not
// ended, at most 8 days long. REASON_STATEMENT_INVALID otherwise, saying which.
absl::Status CheckValidity(const v1::Statement& statement, const NetworkId& network,
                           absl::Time now);

// What a parsed statement is about: "<kind>/<32 hex digits>", for example "member/<organisation
// id>".
std::string SubjectOf(const v1::Statement& statement);

// The chain of the log.
std::string StatementDigest(const v1::SignedStatement& signed_statement);
std::string EmptyHead();
std::string NextHead(std::string_view head, std::string_view digest);

}  // namespace waymark
