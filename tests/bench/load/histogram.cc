#include "tests/bench/load/histogram.h"

#include <algorithm>
#include <cmath>

namespace waymark::bench {

size_t Histogram::BucketOf(uint64_t value) {
  if (value < kLinear) return value;
  const int shift = std::bit_width(value) - (kBits + 1);
  return static_cast<size_t>(shift) * (kLinear / 2) + (value >> shift);
}

uint64_t Histogram::TopOf(size_t bucket) {
  if (bucket < kLinear) return bucket;
  const size_t shift = bucket / (kLinear / 2) - 1;
  const uint64_t mantissa = bucket - shift * (kLinear / 2);
  return ((mantissa + 1) << shift) - 1;
}

void Histogram::Record(uint64_t value) {
  value = std::min(value, kMaxValue);
  ++counts_[BucketOf(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::Mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

uint64_t Histogram::ValueAt(double quantile) const {
  if (count_ == 0) return 0;
  const auto wanted = std::max<uint64_t>(
      1, static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(TopOf(i), max_);
  }
  return max_;
}

}  // namespace waymark::bench
