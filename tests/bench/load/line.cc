#include "tests/bench/load/line.h"

#include <cmath>

namespace waymark::bench {

std::optional<Line> FitLine(std::span<const std::pair<double, double>> points) {
  const auto count = static_cast<double>(points.size());
  double x_sum = 0;
  double y_sum = 0;
  for (const auto& [x, y] : points) {
    x_sum += x;
    y_sum += y;
  }
  double spread = 0;
  double together = 0;
  for (const auto& [x, y] : points) {
    spread += (x - x_sum / count) * (x - x_sum / count);
    together += (x - x_sum / count) * (y - y_sum / count);
  }
  if (!(spread > 0)) return std::nullopt;
  Line line;
  line.rise = together / spread;
  line.at_zero = (y_sum - line.rise * x_sum) / count;
  if (points.size() == 2) return line;
  double missed = 0;
  for (const auto& [x, y] : points) missed += (y - line.At(x)) * (y - line.At(x));
  line.rise_error = std::sqrt(missed / (count - 2) / spread);
  return line;
}

}  // namespace waymark::bench
