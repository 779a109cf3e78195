// Straight lines through measurements.
//
// Pure; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace waymark::bench {

using Points = std::vector<std::pair<double, double>>;

// Its value at 0, and what it rises for each 1.
struct Line {
  double at_zero = 0;
  double rise = 0;
  // The standard error of `rise`, as far as one point does not depend on another; 0 for a line
  // through two points.
  double rise_error = 0;

  double At(double x) const { return at_zero + rise * x; }
};

// The line that is nearest to the points by least squares; nullopt unless two of them differ in
// their first coordinate.
std::optional<Line> FitLine(std::span<const std::pair<double, double>> points);

}  // namespace waymark::bench
