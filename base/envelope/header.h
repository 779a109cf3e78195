// The routing header: what every reader of it checks first, the hub and both nodes alike.
//
// Only shape is decided here: ids, enums, times in order, and nothing besides the fifteen fields.
// What a kind may do in a referral's state is the routing table's business, which token it needs
// the registration's, and how far `expires_at` may lie ahead the urgency clocks'.
//
// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waymark/v1/header.pb.h"

namespace waymark {

// The largest serialised header, in bytes.
inline constexpr size_t kMaxHeaderBytes = 1024;

// The version of waymark.v1 that this program speaks.
inline constexpr uint32_t kSchemaVersion = 1;

// The first minute of the year 2200, in minutes since the Unix epoch: no header reaches it.
inline constexpr int64_t kEndOfMinutes = 120'968'640;

// Which way a kind travels. The origin is the unit that asks, the provider the one that is asked.
enum class Travel {
  kForward,  // origin to provider
  kReturn,   // provider to origin
  kEither,
};

// Returns the way that messages of `kind` travel; kEither for kinds outside a referral.
Travel TravelOf(v1::Kind kind);

// OK if `header` is well formed:
//   - every id has 16 bytes that are not all zero, and the two units differ (REASON_FIELD_INVALID);
//   - kind, stage, urgency and size bucket are specified and known (REASON_ENUM_UNKNOWN);
//   - 0 < sent_minute <= respond_by, sent_minute < expires_at, both < kEndOfMinutes
//     (REASON_TIME_INVALID);
//   - the token hash has 32 bytes and an end, or both are absent (REASON_FIELD_INVALID);
//   - the taxonomy version is at least 1 (REASON_FIELD_INVALID), the schema version is one that
//   this
//     program speaks (REASON_VERSION_UNSUPPORTED);
//   - no field is unknown: nothing may travel in the clear that nobody checked (REASON_MALFORMED).
absl::Status CheckHeaderShape(const v1::Header& header);

// Reads a header as it travels. REASON_MALFORMED: larger than kMaxHeaderBytes, or does not parse;
// and everything that CheckHeaderShape refuses.
absl::StatusOr<v1::Header> ParseHeader(std::string_view bytes);

}  // namespace waymark
