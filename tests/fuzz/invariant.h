// What the fuzz targets share: a check that ends the process, and the reasons that a decoder
// documents.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "absl/status/status.h"
#include "base/status/status.h"
#include "google/protobuf/message.h"

// Ends the process, as a fuzzer expects of a finding, unless `condition` holds.
#define HOLDS(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace waymark::fuzz {

// The input as libFuzzer gives it.
inline std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the first byte off `input`; 0 once it is empty.
inline uint8_t TakeByte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

// Whether `status` failed with one of the reasons that its function documents.
inline bool FailedWith(const absl::Status& status, std::initializer_list<v1::Reason> documented) {
  return !status.ok() &&
         std::find(documented.begin(), documented.end(), ReasonOf(status)) != documented.end();
}

inline bool SameBytes(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace waymark::fuzz
