// The source of randomness, injected wherever a choice must be unpredictable or repeatable in a
// test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace waymark {

// Implementations are thread-safe.
class Random {
 public:
  virtual ~Random() = default;

  // Fills `size` bytes at `data`. Cannot fail: the system source ends the process if the operating
  // system has no randomness to give.
  virtual void Fill(uint8_t* data, size_t size) = 0;

  // Returns `size` random bytes.
  std::string Bytes(size_t size);

  // Returns a number in [0, bound), without bias; `bound` > 0.
  uint64_t Uniform(uint64_t bound);
};

// The operating system's generator, the one that production uses. Never destroyed.
Random& SystemRandom();

}  // namespace waymark
