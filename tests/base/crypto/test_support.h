// Small helpers for the tests of crypto, identity and rpc.
#pragma once

#include <string>
#include <string_view>

#include "base/status/status.h"

namespace waymark {

inline std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

template <typename T>
v1::Reason ReasonOf(const absl::StatusOr<T>& result) {
  return ReasonOf(result.status());
}

// Calls `visit(changed, position)` with copies of `bytes` that differ from it in one bit each, in
// every byte.
template <typename Visit>
void ForEachFlippedByte(const std::string& bytes, Visit visit) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    visit(changed, i);
  }
}

}  // namespace waymark
