// Repeatable randomness: the same sequence for the same seed. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>

#include "base/random/random.h"

namespace waymark {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint32_t seed) : engine_(seed) {}

  void Fill(uint8_t* data, size_t size) override {
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(engine_());
  }

 private:
  std::mt19937 engine_;
};

}  // namespace waymark
