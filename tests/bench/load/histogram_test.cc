#include "tests/bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/seeded_random.h"

namespace waymark::bench {
namespace {

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 256; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.count(), 256);
  EXPECT_EQ(histogram.ValueAt(0), 0);
  EXPECT_EQ(histogram.ValueAt(0.5), 127);
  EXPECT_EQ(histogram.ValueAt(1), 255);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 255);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 127.5);
}

TEST(HistogramTest, WhatIsReadIsAtMostAWidthAboveWhatWasRecorded) {
  for (uint64_t value = 1; value <= Histogram::kMaxValue / 3; value = value * 3 + 1) {
    Histogram histogram;
    histogram.Record(value);
    // Beyond the value, so that the bucket's own top is read.
    histogram.Record(Histogram::kMaxValue);
    const uint64_t read = histogram.ValueAt(0.5);
    EXPECT_GE(read, value);
    EXPECT_LE(static_cast<double>(read), static_cast<double>(value) * (1 + 1.0 / 128));
  }
}

TEST(HistogramTest, QuantilesAreThoseOfTheSortedValues) {
  SeededRandom random(7);
  Histogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t value = random.Uniform(uint64_t{1} << (10 + i % 25));
    values.push_back(value);
    histogram.Record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double quantile : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(std::lround(quantile * 10'000));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto read = static_cast<double>(histogram.ValueAt(quantile));
    EXPECT_GE(read, exact) << quantile;
    EXPECT_LE(read, exact * (1 + 1.0 / 128) + 1) << quantile;
  }
}

TEST(HistogramTest, LargeValuesAreCountedAsTheLargest) {
  Histogram histogram;
  histogram.Record(~uint64_t{0});
  EXPECT_EQ(histogram.max(), Histogram::kMaxValue);
  EXPECT_EQ(histogram.ValueAt(0.5), Histogram::kMaxValue);
}

TEST(HistogramTest, MergedIsAsIfRecordedTogether) {
  Histogram both;
  Histogram first;
  Histogram second;
  for (uint64_t value = 1; value < 2'000'000; value += 999) {
    both.Record(value);
    (value % 2 == 0 ? first : second).Record(value);
  }
  first.Merge(second);
  EXPECT_EQ(first.count(), both.count());
  EXPECT_EQ(first.min(), both.min());
  EXPECT_EQ(first.max(), both.max());
  EXPECT_DOUBLE_EQ(first.Mean(), both.Mean());
  for (const double quantile : {0.0, 0.25, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(first.ValueAt(quantile), both.ValueAt(quantile));
  }
}

TEST(HistogramTest, EmptyReadsAsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.ValueAt(0.99), 0);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.Mean(), 0);
}

}  // namespace
}  // namespace waymark::bench
