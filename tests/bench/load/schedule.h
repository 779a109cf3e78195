// When the messages of an open loop are meant to start, whatever became of those before them.
//
// A referral's messages follow each other, so a loop that only went through one referral after the
// other would wait for each answer. Here the messages of many referrals take turns: each has long
// been meant to be answered when the next of its referral is due. Latency is counted from the
// moment that was meant, also when the one before was late: that is what a caller would have
// waited.
//
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace waymark::bench {

// A message, by its referral and its place in it.
struct Slot {
  size_t referral = 0;
  size_t step = 0;

  friend bool operator==(const Slot&, const Slot&) = default;
};

// The order in which the messages of referrals start; `steps` holds how many each has. `width`
// referrals, at least 1, take turns, until each of them is done; then come the next.
std::vector<Slot> TakeTurns(std::span<const size_t> steps, size_t width);

// Nanoseconds from the beginning to the start of the slot `index`, at `per_second` > 0 slots a
// second, evenly.
int64_t StartOf(size_t index, double per_second);

}  // namespace waymark::bench
