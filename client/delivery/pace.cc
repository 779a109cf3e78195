#include "client/delivery/pace.h"

#include <algorithm>
#include <vector>

namespace waymark::node {

void Pace::Add(absl::Duration took) {
  last_.push_back(took);
  if (last_.size() > kMost) last_.pop_front();
}

std::optional<absl::Duration> Pace::Median() const {
  if (last_.empty()) return std::nullopt;
  std::vector<absl::Duration> sorted(last_.begin(), last_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

std::optional<absl::Duration> Pace::Longest() const {
  if (last_.empty()) return std::nullopt;
  return *std::max_element(last_.begin(), last_.end());
}

}  // namespace waymark::node
