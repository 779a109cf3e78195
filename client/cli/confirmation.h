// What a person confirmed, carried from showing it to doing it.
//
// The confirmation of a consent's read-back is one word that holds the digest of what was read out,
// the consent's id and when it begins, so that exactly that consent is recorded. The confirmation
// of a preview is its digest alone. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

struct ReadBackConfirmation {
  std::string digest;
  std::string consent_id;
  int64_t valid_from_seconds = 0;
};

std::string FormatReadBack(const ReadBackConfirmation& confirmation);

// FIELD_INVALID: it is not what FormatReadBack wrote.
absl::StatusOr<ReadBackConfirmation> ParseReadBack(const std::string& text);

// The digest of a preview as hexadecimal digits, and back; base64 is understood too. FIELD_INVALID:
// it is neither.
std::string FormatDigest(const std::string& digest);
absl::StatusOr<std::string> ParseDigest(const std::string& text);

// OK without findings, else an error with the reason of the first that names them all.
absl::Status FindingsToStatus(const google::protobuf::RepeatedPtrField<v1::Finding>& findings);

}  // namespace waymark::node
