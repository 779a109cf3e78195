// Padding: what makes every sealed box one of four sizes.
//
// A box is exactly as large as the bucket that its header names, so that neither the number nor the
// kind of sections shows. Before sealing, the payload becomes
//
//   length (4 bytes, most significant first) || payload || zeros
//
// of BucketBytes(bucket) - hpke::kOverhead bytes, in the smallest bucket that holds it. A reader
// refuses a length beyond the padding and any padding byte that is not zero: nothing can hide
// there.
//
// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "waymark/v1/common.pb.h"

namespace waymark {

// Returns the size of a sealed box of `bucket` in bytes; 0 for a value that is not a bucket.
size_t BucketBytes(v1::SizeBucket bucket);

// Returns the largest payload that `bucket` holds, in bytes; 0 for a value that is not a bucket.
size_t BucketCapacity(v1::SizeBucket bucket);

// A payload, padded for `bucket`.
struct PaddedPayload {
  v1::SizeBucket bucket = v1::SIZE_BUCKET_UNSPECIFIED;
  SecretBytes plaintext;
};

// Returns `payload` in the smallest bucket that holds it. REASON_FIELD_INVALID: larger than the
// largest bucket holds; the message names both sizes.
absl::StatusOr<PaddedPayload> Pad(std::string_view payload);

// Returns the payload inside `padded`, a part of the same memory. REASON_MALFORMED: shorter than a
// length, a length beyond the end, or padding that is not zero.
absl::StatusOr<std::string_view> Unpad(std::string_view padded);

}  // namespace waymark
