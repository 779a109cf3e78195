#include "tests/bench/load/plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace waymark::bench {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 460;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 50;
// From the median to 99.99 %.
constexpr double kNines = 4;
// Told apart also by who sees no red or no green.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

// `nines`: 0 at the beginning, 1 at 90 %, 2 at 99 %.
double XOf(double nines) { return kLeft + nines / kNines * (kWidth - kLeft - kRight); }

// The decades of milliseconds that hold every value.
struct Axis {
  int low = 0;
  int high = 1;

  double YOf(double millis) const {
    const double share = (std::log10(millis) - low) / (high - low);
    return kHeight - kBottom - std::clamp(share, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }
};

Axis AxisOf(std::span<const Series> series) {
  double least = 1;
  double most = 1;
  for (const Series& each : series) {
    if (each.histogram->count() == 0) continue;
    least = std::min(least, static_cast<double>(std::max<uint64_t>(each.histogram->ValueAt(0), 1)) /
                                Histogram::kNanosAMilli);
    most = std::max(most, static_cast<double>(each.histogram->max()) / Histogram::kNanosAMilli);
  }
  Axis axis;
  axis.low = static_cast<int>(std::floor(std::log10(least)));
  axis.high = std::max(axis.low + 1, static_cast<int>(std::ceil(std::log10(most))));
  return axis;
}

void DrawGrid(const Axis& axis, std::string& svg) {
  constexpr std::array kNames = {"0 %", "90 %", "99 %", "99.9 %", "99.99 %"};
  for (size_t nines = 0; nines < kNames.size(); ++nines) {
    const double x = XOf(static_cast<double>(nines));
    absl::StrAppendFormat(&svg,
                          "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n"
                          "<text x='%.1f' y='%.1f' text-anchor='middle'>%s</text>\n",
                          x, kTop, x, kHeight - kBottom, x, kHeight - kBottom + 20, kNames[nines]);
  }
  for (int decade = axis.low; decade <= axis.high; ++decade) {
    const double millis = std::pow(10, decade);
    const double y = axis.YOf(millis);
    absl::StrAppendFormat(&svg,
                          "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#ddd'/>\n"
                          "<text x='%.1f' y='%.1f' text-anchor='end'>%g ms</text>\n",
                          kLeft, y, kWidth - kRight, y, kLeft - 6, y + 4, millis);
  }
}

void DrawLine(const Axis& axis, const Histogram& histogram, const char* colour, std::string& svg) {
  constexpr int kPoints = 200;
  absl::StrAppend(&svg, "<polyline fill='none' stroke='", colour, "' stroke-width='2' points='");
  for (int i = 0; i <= kPoints; ++i) {
    const double nines = kNines * i / kPoints;
    const double millis =
        static_cast<double>(std::max<uint64_t>(histogram.ValueAt(1 - std::pow(10, -nines)), 1)) /
        Histogram::kNanosAMilli;
    absl::StrAppendFormat(&svg, "%.1f,%.1f ", XOf(nines), axis.YOf(millis));
  }
  svg += "'/>\n";
}

}  // namespace

std::string PlotLatencies(const std::string& title, std::span<const Series> series) {
  std::string svg = absl::StrFormat(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' font-family='sans-serif' "
      "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n"
      "<text x='%g' y='22' font-size='15'>%s</text>\n",
      kWidth, kHeight, kLeft, Escaped(title));
  const Axis axis = AxisOf(series);
  DrawGrid(axis, svg);
  for (size_t i = 0; i < series.size(); ++i) {
    const char* colour = kColours[i % kColours.size()];
    if (series[i].histogram->count() > 0) DrawLine(axis, *series[i].histogram, colour, svg);
    const double y = kTop + 16 + 18 * static_cast<double>(i);
    absl::StrAppendFormat(&svg,
                          "<line x1='%g' y1='%g' x2='%g' y2='%g' stroke='%s' stroke-width='2'/>\n"
                          "<text x='%g' y='%g'>%s</text>\n",
                          kLeft + 12, y - 4, kLeft + 36, y - 4, colour, kLeft + 42, y,
                          Escaped(series[i].name));
  }
  return svg + "</svg>\n";
}

}  // namespace waymark::bench
