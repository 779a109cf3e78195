#include "tests/bench/load/report.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace waymark::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

double Each(uint64_t amount, const LoadResult& result) {
  return result.PerThousand(static_cast<double>(amount)) / 1000;
}

std::string LatencyJson(const Histogram& histogram) {
  struct Named {
    const char* name;
    double quantile;
  };
  constexpr std::array kQuantiles = {Named{"p50", 0.5}, Named{"p90", 0.9}, Named{"p99", 0.99},
                                     Named{"p999", 0.999}, Named{"max", 1}};
  std::string json = absl::StrFormat("{\"count\":%d,\"mean\":%.4f", histogram.count(),
                                     histogram.Mean() / Histogram::kNanosAMilli);
  for (const Named& each : kQuantiles) {
    absl::StrAppendFormat(&json, ",\"%s\":%.4f", each.name, histogram.MillisAt(each.quantile));
  }
  return json + "}";
}

// Its keys are words of this program, without anything to escape.
std::string FailuresJson(const LoadResult& result) {
  return absl::StrCat("{",
                      absl::StrJoin(result.failures, ",",
                                    [](std::string* out, const auto& failure) {
                                      absl::StrAppend(out, "\"", failure.first,
                                                      "\":", failure.second);
                                    }),
                      "}");
}

std::string ResultJson(const LoadResult& result) {
  std::string json = absl::StrFormat(
      "{\"name\":\"%s\",\"seconds\":%.3f,\"messages\":%d,\"messages_per_second\":%.1f", result.name,
      result.seconds, result.messages, result.Rate());
  absl::StrAppendFormat(&json, ",\"confirmed_ms\":%s,\"delivered_ms\":%s",
                        LatencyJson(result.confirmed), LatencyJson(result.delivered));
  absl::StrAppendFormat(&json,
                        ",\"hub_cpu_seconds_per_1000\":%.5f,\"own_cpu_seconds_per_1000\":%.5f"
                        ",\"hub_context_switches_per_message\":%.3f",
                        result.PerThousand(result.hub_cpu_seconds),
                        result.PerThousand(result.own_cpu_seconds),
                        Each(result.hub_context_switches, result));
  absl::StrAppendFormat(&json,
                        ",\"frames_sent_per_message\":%.3f,\"frames_received_per_message\":%.3f"
                        ",\"commits\":%d,\"machine_busy\":%.3f,\"machine_stolen\":%.3f",
                        Each(result.frames_sent, result), Each(result.frames_received, result),
                        result.hub_commits, result.machine_busy, result.machine_stolen);
  absl::StrAppendFormat(&json,
                        ",\"hub_resident_mib_before\":%.1f,\"hub_resident_mib_after\":%.1f"
                        ",\"hub_resident_mib_most\":%.1f",
                        static_cast<double>(result.hub_before.resident_bytes) / kMiB,
                        static_cast<double>(result.hub_after.resident_bytes) / kMiB,
                        static_cast<double>(result.hub_after.most_resident_bytes) / kMiB);
  absl::StrAppendFormat(&json,
                        ",\"started\":%d,\"confirmed\":%d,\"delivered\":%d,\"duplicates\":%d"
                        ",\"registered\":%d,\"repeats\":%d,\"failures\":%s}",
                        result.started, result.total_confirmed, result.total_delivered,
                        result.duplicates, result.registered, result.repeats, FailuresJson(result));
  return json;
}

}  // namespace

std::string IdleReport(const IdleResult& result) {
  const auto mib = [](uint64_t bytes) { return static_cast<double>(bytes) / kMiB; };
  const double grown = static_cast<double>(result.after) - static_cast<double>(result.before);
  return absl::StrFormat(
      "%d idle nodes: connected in %.1f s; the hub's memory %.1f MiB before, %.1f MiB with all of "
      "them, %.1f MiB after %.0f s; %.1f KiB a node\n",
      result.nodes, absl::ToDoubleSeconds(result.connecting), mib(result.before),
      mib(result.connected), mib(result.after), absl::ToDoubleSeconds(result.idle),
      grown / 1024 / static_cast<double>(result.nodes));
}

std::string BacklogReport(const BacklogResult& result) {
  constexpr size_t kLines = 10;
  const auto mib = [](uint64_t bytes) { return static_cast<double>(bytes) / kMiB; };
  const auto cost = [](const BacklogResult::Part& part) {
    return part.hub_cpu_seconds * 1000 / static_cast<double>(part.messages);
  };
  std::string text = "waiting     stored/s  hub cpu\n";
  std::vector<std::pair<double, double>> points;
  uint64_t waiting = 0;
  const size_t each = (result.filling.size() + kLines - 1) / kLines;
  for (size_t i = 0; i < result.filling.size(); ++i) {
    const BacklogResult::Part& part = result.filling[i];
    waiting += part.messages;
    points.emplace_back(static_cast<double>(waiting) / 1e6, cost(part));
    if (i % each != 0 && i + 1 != result.filling.size()) continue;
    absl::StrAppendFormat(&text, "%9d %10.0f  %7.4f\n", waiting,
                          static_cast<double>(part.messages) / part.seconds, cost(part));
  }
  if (points.size() > 1) {
    const Line line = FitLine(points);
    absl::StrAppendFormat(
        &text, "CPU of 1000 messages: %.4f s, and %+.4f s (%+.1f %%) for each million that waits\n",
        line.at_zero, line.rise, 100 * line.rise / line.at_zero);
  }
  absl::StrAppendFormat(&text, "opened in %.3f s\n\nwaiting  delivered/s  hub cpu\n",
                        absl::ToDoubleSeconds(result.opening));
  for (const BacklogResult::Part& part : result.draining) {
    waiting -= part.messages;
    absl::StrAppendFormat(&text, "%9d %10.0f  %7.4f\n", waiting,
                          static_cast<double>(part.messages) / part.seconds, cost(part));
  }
  absl::StrAppendFormat(
      &text,
      "the hub's memory: %.1f MiB before, %.1f with all waiting, %.1f at most, %.1f with none\n",
      mib(result.before), mib(result.filled), mib(result.most), mib(result.drained));
  for (const auto& [what, count] : result.failures) {
    absl::StrAppendFormat(&text, "FAILED: %s (%d)\n", what, count);
  }
  return text;
}

std::string TextReport(const Options& options, std::span<const LoadResult> results) {
  std::string text = absl::StrFormat(
      "%d members with %d units, %s; hub and load on one machine. Latencies in milliseconds, CPU\n"
      "in seconds for 1000 messages, memory in MiB; sw/msg: the hub's context switches, fr: "
      "frames\n"
      "to and from the hub, batch: messages in a transaction.\n\n",
      options.members, options.units,
      options.mix == Mix::kReferral ? "whole referrals in 2 KiB" : "varied referrals");
  absl::StrAppendFormat(
      &text, "%-18s %9s | %7s %7s %7s %7s | %7s %7s | %7s %7s %6s %5s %5s %6s | %5s %5s | %5s\n",
      "loop", "msg/s", "confirm", "p99", "p99.9", "max", "deliver", "p99", "hub cpu", "own cpu",
      "sw/msg", "fr to", "fr of", "batch", "RSS", "most", "busy");
  for (const LoadResult& result : results) {
    const double batch = result.hub_commits > 0 ? static_cast<double>(result.messages) /
                                                      static_cast<double>(result.hub_commits)
                                                : 0;
    absl::StrAppendFormat(
        &text,
        "%-18s %9.0f | %7.3f %7.3f %7.3f %7.3f | %7.3f %7.3f | %7.4f %7.4f %6.2f %5.2f %5.2f %6.1f "
        "| %5.0f %5.0f | %4.0f%%\n",
        result.name, result.Rate(), result.confirmed.MillisAt(0.5), result.confirmed.MillisAt(0.99),
        result.confirmed.MillisAt(0.999), result.confirmed.MillisAt(1),
        result.delivered.MillisAt(0.5), result.delivered.MillisAt(0.99),
        result.PerThousand(result.hub_cpu_seconds), result.PerThousand(result.own_cpu_seconds),
        Each(result.hub_context_switches, result), Each(result.frames_sent, result),
        Each(result.frames_received, result), batch,
        static_cast<double>(result.hub_after.resident_bytes) / kMiB,
        static_cast<double>(result.hub_after.most_resident_bytes) / kMiB,
        result.machine_busy * 100);
    for (const auto& [what, times] : result.failures) {
      absl::StrAppendFormat(&text, "  wrong: %s (%d times)\n", what, times);
    }
  }
  return text;
}

std::string JsonReport(const Options& options, std::span<const LoadResult> results) {
  return absl::StrCat(
      "{\"members\":", options.members, ",\"units\":", options.units, ",\"mix\":\"",
      options.mix == Mix::kReferral ? "referral" : "varied", "\",\"loops\":[",
      absl::StrJoin(results, ",\n",
                    [](std::string* out, const LoadResult& result) { *out += ResultJson(result); }),
      "]}\n");
}

}  // namespace waymark::bench
