#include "tests/bench/load/chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace waymark::bench {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr double kLegendLine = 18;
// Told apart also by who sees no red or no green.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

double ShareOf(const Scale& scale, double value) {
  return std::clamp((value - scale.low) / (scale.high - scale.low), 0.0, 1.0);
}

double XOf(const Panel& panel, double value) {
  return kLeft + ShareOf(panel.across, value) * (kWidth - kLeft - kRight);
}

double YOf(const Panel& panel, double value) {
  return kHeight - kBottom - ShareOf(panel.up, value) * (kHeight - kTop - kBottom);
}

void DrawGrid(const Panel& panel, std::string& svg) {
  for (const auto& [value, name] : panel.across.ticks) {
    const double x = XOf(panel, value);
    absl::StrAppendFormat(&svg,
                          "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n"
                          "<text x='%.1f' y='%.1f' text-anchor='middle'>%s</text>\n",
                          x, kTop, x, kHeight - kBottom, x, kHeight - kBottom + 20, Escaped(name));
  }
  for (const auto& [value, name] : panel.up.ticks) {
    const double y = YOf(panel, value);
    absl::StrAppendFormat(&svg,
                          "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n"
                          "<text x='%.1f' y='%.1f' text-anchor='end'>%s</text>\n",
                          kLeft, y, kWidth - kRight, y, kLeft - 6, y + 4, Escaped(name));
  }
}

void DrawCurve(const Panel& panel, const Curve& curve, const char* colour, std::string& svg) {
  for (const auto& [x, y] : curve.dots) {
    absl::StrAppendFormat(&svg,
                          "<circle cx='%.1f' cy='%.1f' r='2.5' fill='%s' fill-opacity='0.5'/>\n",
                          XOf(panel, x), YOf(panel, y), colour);
  }
  if (curve.line.empty()) return;
  absl::StrAppend(&svg, "<polyline fill='none' stroke='", colour, "' stroke-width='2' points='");
  for (const auto& [x, y] : curve.line) {
    absl::StrAppendFormat(&svg, "%.1f,%.1f ", XOf(panel, x), YOf(panel, y));
  }
  svg += "'/>\n";
}

void DrawName(const std::string& name, size_t place, const char* colour, std::string& svg) {
  const double y = kTop + 16 + kLegendLine * static_cast<double>(place);
  absl::StrAppendFormat(&svg,
                        "<line x1='%g' y1='%g' x2='%g' y2='%g' stroke='%s' stroke-width='2'/>\n"
                        "<text x='%g' y='%g'>%s</text>\n",
                        kLeft + 12, y - 4, kLeft + 36, y - 4, colour, kLeft + 42, y, Escaped(name));
}

// 1, 2 or 5 times a power of ten: so that about `wanted` steps make up `length`.
double RoundStep(double length, double wanted) {
  const double decade = std::pow(10, std::floor(std::log10(length / wanted)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade * wanted >= length) return step * decade;
  }
  return 10 * decade;
}

}  // namespace

Scale RoundScale(double low, double high, const std::string& unit) {
  constexpr double kSteps = 5;
  if (!(high > low)) high = low + 1;
  const double step = RoundStep(high - low, kSteps);
  const double first = std::floor(low / step);
  const double last = std::ceil(high / step);
  Scale scale = {.low = first * step, .high = last * step, .ticks = {}};
  for (int i = 0; i <= static_cast<int>(last - first); ++i) {
    const double value = (first + i) * step;
    scale.ticks.emplace_back(value, absl::StrFormat("%g%s", value, unit));
  }
  return scale;
}

std::string DrawPanels(std::span<const Panel> panels) {
  std::string svg = absl::StrFormat(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' font-family='sans-serif' "
      "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
      kWidth, kHeight * static_cast<double>(panels.size()));
  for (size_t i = 0; i < panels.size(); ++i) {
    const Panel& panel = panels[i];
    absl::StrAppendFormat(
        &svg, "<g transform='translate(0,%g)'>\n<text x='%g' y='22' font-size='15'>%s</text>\n",
        kHeight * static_cast<double>(i), kLeft, Escaped(panel.title));
    DrawGrid(panel, svg);
    for (size_t j = 0; j < panel.curves.size(); ++j) {
      const char* const colour = kColours[j % kColours.size()];
      DrawCurve(panel, panel.curves[j], colour, svg);
      DrawName(panel.curves[j].name, j, colour, svg);
    }
    svg += "</g>\n";
  }
  return svg + "</svg>\n";
}

Panel PanelOf(std::string title, Scale across, const std::string& unit, std::vector<Curve> curves) {
  constexpr double kRoom = 1.3;
  double most = 0;
  for (const Curve& curve : curves) {
    for (const Points* points : {&curve.dots, &curve.line}) {
      for (const auto& [x, y] : *points) most = std::max(most, y);
    }
  }
  return {.title = std::move(title),
          .across = std::move(across),
          .up = RoundScale(0, most * kRoom, unit),
          .curves = std::move(curves)};
}

Points EndsOf(const Line& line, const Points& points) {
  const auto [first, last] = std::minmax_element(points.begin(), points.end());
  return {{first->first, line.At(first->first)}, {last->first, line.At(last->first)}};
}

}  // namespace waymark::bench
