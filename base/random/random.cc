#include "base/random/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace waymark {
namespace {

class SystemRandomSource final : public Random {
 public:
  void Fill(uint8_t* data, size_t size) override {
    while (size > 0) {
      const ssize_t got = getrandom(data, size, 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        std::abort();
      }
      data += got;
      size -= static_cast<size_t>(got);
    }
  }
};

}  // namespace

std::string Random::Bytes(size_t size) {
  std::string bytes(size, '\0');
  Fill(reinterpret_cast<uint8_t*>(bytes.data()), size);
  return bytes;
}

uint64_t Random::Uniform(uint64_t bound) {
  const uint64_t limit = std::numeric_limits<uint64_t>::max() / bound * bound;
  uint64_t value;
  do {
    uint8_t bytes[sizeof(value)];
    Fill(bytes, sizeof(bytes));
    std::memcpy(&value, bytes, sizeof(value));
  } while (value >= limit);
  return value % bound;
}

Random& SystemRandom() {
  static SystemRandomSource& source = *new SystemRandomSource;
  return source;
}

}  // namespace waymark
