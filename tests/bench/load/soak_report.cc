#include "tests/bench/load/soak_report.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/bench/load/line.h"
#include "tests/bench/load/report_parts.h"

namespace waymark::bench {
namespace {

using Sample = SoakResult::Sample;
using Reading = double (*)(const Sample&);

double MinutesOf(const Sample& sample) { return sample.minutes; }
double HoursOf(const Sample& sample) { return sample.minutes / 60; }
double ThousandReferralsOf(const Sample& sample) {
  return static_cast<double>(sample.referrals) / 1000;
}
double MemoryOf(const Sample& sample) { return Mib(sample.resident_bytes); }
double DescriptorsOf(const Sample& sample) { return static_cast<double>(sample.descriptors); }
double MedianOf(const Sample& sample) { return sample.confirm_p50; }
double LatencyOf(const Sample& sample) { return sample.confirm_p99; }
double CpuOf(const Sample& sample) {
  if (sample.messages == 0) return 0;
  return sample.hub_cpu_seconds * 1000 / static_cast<double>(sample.messages);
}

// Of the samples after the warm-up, or of all; without those in which nothing was measured.
Points Trail(const SoakResult& result, Reading across, Reading value, bool all = false) {
  Points points;
  for (const Sample& sample : result.samples) {
    if (sample.confirm_count == 0) continue;
    const absl::Duration since = absl::Minutes(sample.minutes);
    if (all || since > result.warmup) points.emplace_back(across(sample), value(sample));
  }
  return points;
}

struct Trend {
  const char* name;
  // The key of its line in JSON, which names the unit.
  const char* key;
  const char* unit;
  Reading value;
};
constexpr Trend kTrends[] = {
    {"memory", "hub_resident_mib_by_hour", "MiB", MemoryOf},
    {"open files", "hub_descriptors_by_hour", "", DescriptorsOf},
    {"confirm p50", "confirm_p50_ms_by_hour", "ms", MedianOf},
    {"confirm p99", "confirm_p99_ms_by_hour", "ms", LatencyOf},
    {"CPU of 1000", "hub_cpu_seconds_per_1000_by_hour", "s", CpuOf},
};
constexpr char kMemoryKey[] = "hub_resident_mib_by_1000_referrals";

std::string TrendText(const SoakResult& result, const Trend& trend) {
  const Points points = Trail(result, HoursOf, trend.value);
  const std::optional<Line> line = FitLine(points);
  if (!line) return "";
  const Points ends = EndsOf(*line, points);
  return absl::StrFormat("%-12s from %.6g to %.6g %s: %+.4g an hour (standard error %.2g)\n",
                         trend.name, ends[0].second, ends[1].second, trend.unit, line->rise,
                         line->rise_error);
}

std::string MemoryText(const SoakResult& result) {
  const std::optional<Line> line = FitLine(Trail(result, ThousandReferralsOf, MemoryOf));
  if (!line) return "";
  return absl::StrFormat(
      "memory       %+.4g MiB for 1000 referrals (standard error %.2g), which the hub remembers\n",
      line->rise, line->rise_error);
}

std::string SampleText(const Sample& sample) {
  const double rate =
      sample.seconds > 0 ? static_cast<double>(sample.messages) / sample.seconds : 0;
  return absl::StrFormat("%7.1f %8.0f | %7.3f %7.3f %8.1f | %7.4f %8.1f %5d | %8d %6d %6d\n",
                         sample.minutes, rate, sample.confirm_p50, sample.confirm_p99,
                         sample.welcome_most, CpuOf(sample), MemoryOf(sample), sample.descriptors,
                         sample.waiting, sample.late, sample.leaves);
}

std::string SampleJson(const Sample& sample) {
  std::string json = absl::StrFormat(
      "{\"minutes\":%.4f,\"seconds\":%.3f,\"messages\":%d,\"hub_cpu_seconds\":%.4f"
      ",\"confirm_ms\":{\"count\":%d,\"p50\":%.4f,\"p99\":%.4f}",
      sample.minutes, sample.seconds, sample.messages, sample.hub_cpu_seconds, sample.confirm_count,
      sample.confirm_p50, sample.confirm_p99);
  absl::StrAppendFormat(&json,
                        ",\"welcomes\":%d,\"welcome_ms_most\":%.3f,\"hub_resident_mib\":%.3f"
                        ",\"hub_descriptors\":%d,\"waiting\":%d,\"late\":%d,\"referrals\":%d"
                        ",\"leaves\":%d}",
                        sample.welcomes, sample.welcome_most, MemoryOf(sample), sample.descriptors,
                        sample.waiting, sample.late, sample.referrals, sample.leaves);
  return json;
}

// A curve of every sample, with the line of those after the warm-up.
Curve CurveOf(const SoakResult& result, const std::string& name, const std::string& unit,
              Reading value) {
  Curve curve = {.name = name, .dots = Trail(result, MinutesOf, value, true), .line = {}};
  const Points points = Trail(result, MinutesOf, value);
  if (const std::optional<Line> line = FitLine(points)) {
    absl::StrAppendFormat(&curve.name, ": %+.4g%s an hour", 60 * line->rise, unit);
    curve.line = EndsOf(*line, points);
  }
  return curve;
}

}  // namespace

std::string SoakReport(const SoakResult& result) {
  constexpr size_t kLines = 30;
  std::string text = absl::StrFormat(
      "%g messages a second for %g minutes, %g nodes leave in a minute (seed %d); latencies in\n"
      "milliseconds, back: the longest welcome; CPU for 1000 messages, memory in MiB\n\n"
      "%7s %8s | %7s %7s %8s | %7s %8s %5s | %8s %6s %6s\n",
      result.plan.rate, absl::ToDoubleMinutes(result.plan.lasts), result.plan.leaves,
      result.plan.seed, "minute", "msg/s", "confirm", "p99", "back", "hub cpu", "RSS", "files",
      "waiting", "late", "left");
  const size_t each = (result.samples.size() + kLines - 1) / kLines;
  for (size_t i = 0; i < result.samples.size(); ++i) {
    if ((i + 1) % each == 0 || i + 1 == result.samples.size())
      text += SampleText(result.samples[i]);
  }
  absl::StrAppendFormat(&text,
                        "\nafter the first %.3g minutes, in which caches and indexes fill:\n",
                        absl::ToDoubleMinutes(result.warmup));
  for (const Trend& trend : kTrends) text += TrendText(result, trend);
  text += MemoryText(result);
  absl::StrAppendFormat(
      &text,
      "%d messages started, %d confirmed, %d delivered; nodes left %d times in order and %d times\n"
      "abruptly, and submitted %d items again\n",
      result.started, result.confirmed, result.delivered, result.left_in_order,
      result.left_abruptly, result.repeats);
  return text + FailuresText(result.failures);
}

std::string SoakJson(const SoakResult& result) {
  std::string json = absl::StrFormat(
      "{\"minutes\":%g,\"rate\":%.1f,\"maximum\":%.1f,\"leaves_a_minute\":%g,\"seed\":%d"
      ",\"warmup_minutes\":%g",
      absl::ToDoubleMinutes(result.plan.lasts), result.plan.rate, result.plan.maximum,
      result.plan.leaves, result.plan.seed, absl::ToDoubleMinutes(result.warmup));
  for (const Trend& trend : kTrends) {
    if (const auto line = FitLine(Trail(result, HoursOf, trend.value))) {
      absl::StrAppend(&json, ",\"", trend.key, "\":", LineJson(*line));
    }
  }
  if (const auto line = FitLine(Trail(result, ThousandReferralsOf, MemoryOf))) {
    absl::StrAppend(&json, ",\"", kMemoryKey, "\":", LineJson(*line));
  }
  absl::StrAppendFormat(&json,
                        ",\"started\":%d,\"confirmed\":%d,\"delivered\":%d,\"left_in_order\":%d"
                        ",\"left_abruptly\":%d,\"repeats\":%d,\"failures\":%s",
                        result.started, result.confirmed, result.delivered, result.left_in_order,
                        result.left_abruptly, result.repeats, FailuresJson(result.failures));
  return absl::StrCat(
      json, ",\"samples\":[",
      absl::StrJoin(result.samples, ",\n",
                    [](std::string* out, const Sample& sample) { *out += SampleJson(sample); }),
      "]}");
}

std::vector<Panel> SoakPanels(const SoakResult& result) {
  const double last = result.samples.empty() ? 1 : result.samples.back().minutes;
  const Scale across = RoundScale(0, last, " min");
  return {
      PanelOf("The hub's memory", across, " MiB", {CurveOf(result, "memory", " MiB", MemoryOf)}),
      PanelOf("The hub's open files and connections", across, "",
              {CurveOf(result, "open", "", DescriptorsOf)}),
      PanelOf("From submission to confirmation", across, " ms",
              {CurveOf(result, "p50", " ms", MedianOf), CurveOf(result, "p99", " ms", LatencyOf)}),
      PanelOf("The hub's CPU for 1,000 messages", across, " s",
              {CurveOf(result, "CPU", " s", CpuOf)})};
}

}  // namespace waymark::bench
