#include "tests/bench/load/schedule.h"

#include <algorithm>
#include <cmath>

#include "tests/bench/load/nanos.h"

namespace waymark::bench {

std::vector<Slot> TakeTurns(std::span<const size_t> steps, size_t width) {
  std::vector<Slot> order;
  for (size_t begin = 0; begin < steps.size(); begin += width) {
    const size_t end = std::min(begin + width, steps.size());
    bool more = true;
    for (size_t step = 0; more; ++step) {
      more = false;
      for (size_t referral = begin; referral < end; ++referral) {
        if (step >= steps[referral]) continue;
        order.push_back({referral, step});
        more = true;
      }
    }
  }
  return order;
}

int64_t StartOf(size_t index, double per_second) {
  return std::llround(static_cast<double>(index) * (kNanosASecond / per_second));
}

}  // namespace waymark::bench
