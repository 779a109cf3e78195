// The framing of hash.h as a visitor, so that large parts are hashed where they lie.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/crypto/hash.h"

namespace waymark {

// Calls `sink` with consecutive pieces whose concatenation is frame(label, parts).
template <typename Sink>
void WriteFrame(std::string_view label, Parts parts, Sink sink) {
  const auto write = [&sink](std::string_view part) {
    char length[8];
    for (int i = 0; i < 8; ++i) {
      length[i] = static_cast<char>(static_cast<uint64_t>(part.size()) >> (56 - 8 * i));
    }
    sink(std::string_view(length, sizeof(length)));
    sink(part);
  };
  write(label);
  for (const std::string_view part : parts) write(part);
}

}  // namespace waymark
