// The pause before the next attempt to connect.
//
// It doubles with every failure and is spread at random, so that the nodes of a network do not all
// return at the same moment after their hub was away. Not thread-safe.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "base/random/random.h"

namespace waymark::node {

class Backoff {
 public:
  // `random` outlives it.
  Backoff(absl::Duration min, absl::Duration max, Random& random)
      : min_(min), max_(max), random_(random) {}

  void Succeeded() { failures_ = 0; }

  // Returns the pause after one more failure: between half and the whole of its bound.
  absl::Duration Next() {
    const absl::Duration bound = std::min(max_, min_ * (1 << std::min(failures_, kMaxDoublings)));
    ++failures_;
    return Jitter(bound / 2, bound);
  }

  // Returns a pause that a peer asked for, or up to half as much again.
  absl::Duration After(absl::Duration asked) { return Jitter(asked, asked * 3 / 2); }

 private:
  static constexpr int kMaxDoublings = 20;

  absl::Duration Jitter(absl::Duration from, absl::Duration to) {
    const int64_t spread = absl::ToInt64Milliseconds(to - from);
    if (spread <= 0) return from;
    return from + absl::Milliseconds(random_.Uniform(static_cast<uint64_t>(spread) + 1));
  }

  const absl::Duration min_;
  const absl::Duration max_;
  Random& random_;
  int failures_ = 0;
};

}  // namespace waymark::node
