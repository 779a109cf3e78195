#include "tests/bench/load/plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"

namespace waymark::bench {
namespace {

// From the median to 99.99 %.
constexpr double kNines = 4;

double MillisOf(uint64_t nanos) {
  return static_cast<double>(std::max<uint64_t>(nanos, 1)) / Histogram::kNanosAMilli;
}

// The decades of milliseconds that hold every value.
Scale DecadesOf(std::span<const Series> series) {
  double least = 1;
  double most = 1;
  for (const Series& each : series) {
    if (each.histogram->count() == 0) continue;
    least = std::min(least, MillisOf(each.histogram->ValueAt(0)));
    most = std::max(most, MillisOf(each.histogram->max()));
  }
  const int low = static_cast<int>(std::floor(std::log10(least)));
  const int high = std::max(low + 1, static_cast<int>(std::ceil(std::log10(most))));
  Scale scale = {.low = static_cast<double>(low), .high = static_cast<double>(high), .ticks = {}};
  for (int decade = low; decade <= high; ++decade) {
    scale.ticks.emplace_back(decade, absl::StrFormat("%g ms", std::pow(10, decade)));
  }
  return scale;
}

// 0 at the beginning, 1 at 90 %, 2 at 99 %.
Points LineOf(const Histogram& histogram) {
  constexpr int kPoints = 200;
  Points line;
  for (int i = 0; i <= kPoints; ++i) {
    const double nines = kNines * i / kPoints;
    line.emplace_back(nines, std::log10(MillisOf(histogram.ValueAt(1 - std::pow(10, -nines)))));
  }
  return line;
}

}  // namespace

Panel LatencyPanel(std::string title, std::span<const Series> series) {
  Panel panel;
  panel.title = std::move(title);
  panel.across = {.low = 0,
                  .high = kNines,
                  .ticks = {{0, "0 %"}, {1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}}};
  panel.up = DecadesOf(series);
  for (const Series& each : series) {
    const bool any = each.histogram->count() > 0;
    panel.curves.push_back(
        {.name = each.name, .dots = {}, .line = any ? LineOf(*each.histogram) : Points()});
  }
  return panel;
}

}  // namespace waymark::bench
