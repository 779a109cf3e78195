// How long things took lately. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "absl/time/time.h"

namespace waymark::node {

class Pace {
 public:
  // How many it remembers.
  static constexpr size_t kMost = 100;

  void Add(absl::Duration took);
  // Of those it remembers; nullopt when there is none. Of an even number the upper of the two in
  // the middle.
  std::optional<absl::Duration> Median() const;
  std::optional<absl::Duration> Longest() const;

 private:
  std::deque<absl::Duration> last_;
};

}  // namespace waymark::node
