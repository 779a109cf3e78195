// Latencies as a picture: for each series, what share of the messages took at most how long.
//
// Percentiles run along the axis as in HdrHistogram's plots, each nine as wide as the one before;
// latencies upwards, logarithmically. Pure; thread-safe.
#pragma once

#include <span>
#include <string>

#include "tests/bench/load/chart.h"
#include "tests/bench/load/histogram.h"

namespace waymark::bench {

struct Series {
  std::string name;
  // Nanoseconds; not owned.
  const Histogram* histogram = nullptr;
};

// A series without a value has no line.
Panel LatencyPanel(std::string title, std::span<const Series> series);

}  // namespace waymark::bench
