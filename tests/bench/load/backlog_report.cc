#include "tests/bench/load/backlog_report.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/bench/load/line.h"
#include "tests/bench/load/report_parts.h"

namespace waymark::bench {
namespace {

constexpr double kMillion = 1e6;

double CostOf(const BacklogResult::Part& part) {
  return part.hub_cpu_seconds * 1000 / static_cast<double>(part.messages);
}

double RateOf(const BacklogResult::Part& part) {
  return static_cast<double>(part.messages) / part.seconds;
}

// What `measure` says of each part that was stored, over how many waited half-way through it.
template <typename Measure>
Points PointsOf(const BacklogResult& result, Measure measure) {
  Points points;
  uint64_t before = 0;
  for (const BacklogResult::Part& part : result.filling) {
    const double middle = static_cast<double>(before) + static_cast<double>(part.messages) / 2;
    points.emplace_back(middle / kMillion, measure(part));
    before += part.messages;
  }
  return points;
}

std::string CostLine(const BacklogResult& result) {
  const Points points = PointsOf(result, CostOf);
  const std::optional<Line> line = FitLine(points);
  if (!line) return "";
  const Points ends = EndsOf(*line, points);
  return absl::StrFormat(
      "CPU of 1000 messages: %.4f s, and %+.4f s (%+.1f %%, standard error %.4f s) for each "
      "million that waits;\nfrom %.0f to %.0f waiting the line goes from %.4f to %.4f s\n",
      line->at_zero, line->rise, 100 * line->rise / line->at_zero, line->rise_error,
      ends[0].first * kMillion, ends[1].first * kMillion, ends[0].second, ends[1].second);
}

std::string PartsJson(const std::vector<BacklogResult::Part>& parts) {
  return absl::StrCat(
      "[",
      absl::StrJoin(parts, ",",
                    [](std::string* out, const BacklogResult::Part& part) {
                      absl::StrAppendFormat(
                          out, "{\"messages\":%d,\"seconds\":%.4f,\"hub_cpu_seconds\":%.4f}",
                          part.messages, part.seconds, part.hub_cpu_seconds);
                    }),
      "]");
}

Panel PanelOfParts(const std::string& title, const Points& points, const std::string& unit,
                   const absl::FormatSpec<double, double>& name) {
  Curve curve = {.name = "parts", .dots = points, .line = {}};
  if (const std::optional<Line> line = FitLine(points)) {
    curve.name = absl::StrFormat(name, line->at_zero, line->rise);
    curve.line = EndsOf(*line, points);
  }
  const double most = points.empty() ? 1 : points.back().first;
  return PanelOf(title, RoundScale(0, most, " M"), unit, {curve});
}

}  // namespace

std::string BacklogReport(const BacklogResult& result) {
  constexpr size_t kLines = 10;
  std::string text = "waiting     stored/s  hub cpu\n";
  uint64_t waiting = 0;
  const size_t each = (result.filling.size() + kLines - 1) / kLines;
  for (size_t i = 0; i < result.filling.size(); ++i) {
    const BacklogResult::Part& part = result.filling[i];
    waiting += part.messages;
    if (i % each != 0 && i + 1 != result.filling.size()) continue;
    absl::StrAppendFormat(&text, "%9d %10.0f  %7.4f\n", waiting, RateOf(part), CostOf(part));
  }
  absl::StrAppendFormat(&text, "%sopened in %.3f s\n\nwaiting  delivered/s  hub cpu\n",
                        CostLine(result), absl::ToDoubleSeconds(result.opening));
  for (const BacklogResult::Part& part : result.draining) {
    waiting -= part.messages;
    absl::StrAppendFormat(&text, "%9d %10.0f  %7.4f\n", waiting, RateOf(part), CostOf(part));
  }
  absl::StrAppendFormat(
      &text,
      "the hub's memory: %.1f MiB before, %.1f with all waiting, %.1f at most, %.1f with none\n",
      Mib(result.before), Mib(result.filled), Mib(result.most), Mib(result.drained));
  return text + FailuresText(result.failures);
}

std::string BacklogJson(const BacklogResult& result) {
  std::string json = absl::StrCat("{\"filling\":", PartsJson(result.filling),
                                  ",\"draining\":", PartsJson(result.draining));
  if (const auto line = FitLine(PointsOf(result, CostOf))) {
    absl::StrAppend(&json, ",\"cpu_seconds_per_1000_by_million\":", LineJson(*line));
  }
  if (const auto line = FitLine(PointsOf(result, RateOf))) {
    absl::StrAppend(&json, ",\"messages_per_second_by_million\":", LineJson(*line));
  }
  absl::StrAppendFormat(&json,
                        ",\"opening_seconds\":%.4f,\"hub_resident_mib_before\":%.1f"
                        ",\"hub_resident_mib_filled\":%.1f,\"hub_resident_mib_most\":%.1f"
                        ",\"hub_resident_mib_drained\":%.1f",
                        absl::ToDoubleSeconds(result.opening), Mib(result.before),
                        Mib(result.filled), Mib(result.most), Mib(result.drained));
  return absl::StrCat(json, ",\"failures\":", FailuresJson(result.failures), "}");
}

std::vector<Panel> BacklogPanels(const BacklogResult& result) {
  return {PanelOfParts("The hub's CPU for 1,000 messages, by how many wait",
                       PointsOf(result, CostOf), " s", "%.4f s, and %+.4f s for each million"),
          PanelOfParts("Messages stored in a second, by how many wait", PointsOf(result, RateOf),
                       "", "%.0f, and %+.0f for each million")};
}

}  // namespace waymark::bench
