// Latencies, counted in buckets of constant relative width.
//
// Log-linear, as HdrHistogram: 128 buckets to each doubling, so that what is read back is at most
// 0.8 % above what was recorded, from a nanosecond to half an hour, in some 40 KiB. Below 256 every
// value has a bucket of its own. Pure; not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace waymark::bench {

class Histogram {
 public:
  // Larger values are counted as this one.
  static constexpr uint64_t kMaxValue = (uint64_t{1} << 41) - 1;
  static constexpr double kNanosAMilli = 1e6;

  void Record(uint64_t value);
  // Adds what `other` counted.
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // 0 while nothing is recorded.
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double Mean() const;

  // The least value that at least this share of what was recorded does not exceed, up to the width
  // of its bucket; never above max(). `quantile` from 0 to 1; 0 while nothing is recorded.
  uint64_t ValueAt(double quantile) const;
  // The same of nanoseconds, in milliseconds.
  double MillisAt(double quantile) const {
    return static_cast<double>(ValueAt(quantile)) / kNanosAMilli;
  }

 private:
  static constexpr int kBits = 7;
  static constexpr size_t kLinear = size_t{1} << (kBits + 1);
  static constexpr size_t kBuckets =
      kLinear + (std::bit_width(kMaxValue) - (kBits + 1)) * (kLinear / 2);

  static size_t BucketOf(uint64_t value);
  // The largest value of a bucket.
  static uint64_t TopOf(size_t bucket);

  std::array<uint64_t, kBuckets> counts_ = {};
  uint64_t count_ = 0;
  uint64_t min_ = kMaxValue;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace waymark::bench
