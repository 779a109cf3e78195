#include "base/envelope/payload.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/crypto/hpke.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr size_t kLengthSize = 4;

constexpr std::array kBuckets = {v1::SIZE_BUCKET_2_KIB, v1::SIZE_BUCKET_8_KIB,
                                 v1::SIZE_BUCKET_32_KIB, v1::SIZE_BUCKET_128_KIB};

void PutLength(uint8_t* out, size_t length) {
  for (size_t i = 0; i < kLengthSize; ++i) {
    out[i] = static_cast<uint8_t>(length >> (8 * (kLengthSize - 1 - i)));
  }
}

size_t GetLength(std::string_view in) {
  size_t length = 0;
  for (size_t i = 0; i < kLengthSize; ++i) length = length << 8 | static_cast<uint8_t>(in[i]);
  return length;
}

}  // namespace

size_t BucketBytes(v1::SizeBucket bucket) {
  switch (bucket) {
    case v1::SIZE_BUCKET_2_KIB:
      return 2048;
    case v1::SIZE_BUCKET_8_KIB:
      return 8192;
    case v1::SIZE_BUCKET_32_KIB:
      return 32768;
    case v1::SIZE_BUCKET_128_KIB:
      return 131072;
    default:
      return 0;
  }
}

size_t BucketCapacity(v1::SizeBucket bucket) {
  const size_t box = BucketBytes(bucket);
  return box == 0 ? 0 : box - hpke::kOverhead - kLengthSize;
}

absl::StatusOr<PaddedPayload> Pad(std::string_view payload) {
  for (const v1::SizeBucket bucket : kBuckets) {
    if (payload.size() > BucketCapacity(bucket)) continue;
    PaddedPayload padded{bucket, SecretBytes(BucketBytes(bucket) - hpke::kOverhead)};
    PutLength(padded.plaintext.data(), payload.size());
    if (!payload.empty()) {
      std::memcpy(padded.plaintext.data() + kLengthSize, payload.data(), payload.size());
    }
    return padded;
  }
  return Error(v1::REASON_FIELD_INVALID,
               "a payload of " + std::to_string(payload.size()) + " bytes exceeds the " +
                   std::to_string(BucketCapacity(kBuckets.back())) + " bytes that a message holds");
}

absl::StatusOr<std::string_view> Unpad(std::string_view padded) {
  if (padded.size() < kLengthSize) {
    return Error(v1::REASON_MALFORMED, "the opened box is too short to hold a length");
  }
  const size_t length = GetLength(padded);
  const std::string_view rest = padded.substr(kLengthSize);
  if (length > rest.size()) {
    return Error(v1::REASON_MALFORMED, "the opened box names a length beyond its end");
  }
  if (rest.substr(length).find_first_not_of('\0') != std::string_view::npos) {
    return Error(v1::REASON_MALFORMED, "the padding of the opened box is not all zero");
  }
  return rest.substr(0, length);
}

}  // namespace waymark
