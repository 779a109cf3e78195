// Charts as SVG: panels one below the other, each with dots and lines over two scales.
//
// Scales are linear; what is to look otherwise is given so, values and ticks alike (plot.h). Pure;
// thread-safe.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/load/line.h"

namespace waymark::bench {

// From where to where a panel shows, and what is written beside it there. `low` < `high`.
struct Scale {
  double low = 0;
  double high = 1;
  std::vector<std::pair<double, std::string>> ticks;
};

// One that holds everything from `low` to `high`, with ticks at round numbers and `unit` behind
// each.
Scale RoundScale(double low, double high, const std::string& unit);

// In one colour.
struct Curve {
  std::string name;
  // Each by itself, and joined; either may be empty.
  Points dots;
  Points line;
};

struct Panel {
  std::string title;
  Scale across;
  Scale up;
  std::vector<Curve> curves;
};

// Returns an SVG document. What lies beyond a scale is drawn at its end.
std::string DrawPanels(std::span<const Panel> panels);

// Measurements over `across`, from 0 upwards with room for the names above them; `unit` is that of
// their values.
Panel PanelOf(std::string title, Scale across, const std::string& unit, std::vector<Curve> curves);

// The two ends of a line from the first to the last of the points, to be drawn.
Points EndsOf(const Line& line, const Points& points);

}  // namespace waymark::bench
