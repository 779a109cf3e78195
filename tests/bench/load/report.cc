#include "tests/bench/load/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/bench/load/backlog_report.h"
#include "tests/bench/load/plot.h"
#include "tests/bench/load/report_parts.h"
#include "tests/bench/load/soak_report.h"

namespace waymark::bench {
namespace {

double Each(uint64_t amount, const LoadResult& result) {
  return result.PerThousand(static_cast<double>(amount)) / 1000;
}

std::string LoopJson(const LoadResult& result) {
  std::string json = absl::StrFormat(
      "{\"name\":\"%s\",\"seconds\":%.3f,\"messages\":%d,\"messages_per_second\":%.1f", result.name,
      result.seconds, result.messages, result.Rate());
  absl::StrAppendFormat(&json, ",\"confirmed_ms\":%s,\"delivered_ms\":%s",
                        LatencyJson(result.confirmed), LatencyJson(result.delivered));
  absl::StrAppendFormat(
      &json,
      ",\"hub_cpu_seconds_per_1000\":%.5f,\"database_cpu_seconds_per_1000\":%.5f"
      ",\"own_cpu_seconds_per_1000\":%.5f"
      ",\"hub_context_switches_per_message\":%.3f",
      result.PerThousand(result.hub_cpu_seconds), result.PerThousand(result.database_cpu_seconds),
      result.PerThousand(result.own_cpu_seconds), Each(result.hub_context_switches, result));
  absl::StrAppendFormat(&json,
                        ",\"frames_sent_per_message\":%.3f,\"frames_received_per_message\":%.3f"
                        ",\"commits\":%d,\"machine_busy\":%.3f,\"machine_stolen\":%.3f",
                        Each(result.frames_sent, result), Each(result.frames_received, result),
                        result.hub_commits, result.machine_busy, result.machine_stolen);
  absl::StrAppendFormat(&json,
                        ",\"hub_resident_mib_before\":%.1f,\"hub_resident_mib_after\":%.1f"
                        ",\"hub_resident_mib_most\":%.1f",
                        Mib(result.hub_before.resident_bytes), Mib(result.hub_after.resident_bytes),
                        Mib(result.hub_after.most_resident_bytes));
  absl::StrAppendFormat(&json,
                        ",\"started\":%d,\"confirmed\":%d,\"delivered\":%d,\"duplicates\":%d"
                        ",\"registered\":%d,\"repeats\":%d,\"failures\":%s}",
                        result.started, result.total_confirmed, result.total_delivered,
                        result.duplicates, result.registered, result.repeats,
                        FailuresJson(result.failures));
  return json;
}

// What was measured, for a sentence.
std::string HubText(const Options& options) {
  if (options.store == Store::kSqlite) return "hub";
  if (options.hubs == 1) return "hub, PostgreSQL";
  return absl::StrCat(options.hubs, " hub processes, PostgreSQL");
}

std::string IdleJson(const IdleResult& result) {
  return absl::StrFormat(
      "{\"nodes\":%d,\"connecting_seconds\":%.3f,\"idle_seconds\":%.3f"
      ",\"hub_resident_mib_before\":%.1f,\"hub_resident_mib_connected\":%.1f"
      ",\"hub_resident_mib_after\":%.1f}",
      result.nodes, absl::ToDoubleSeconds(result.connecting), absl::ToDoubleSeconds(result.idle),
      Mib(result.before), Mib(result.connected), Mib(result.after));
}

std::string StormJson(const StormResult& result) {
  return absl::StrFormat(
      "{\"nodes\":%d,\"serving_seconds\":%.3f,\"half_seconds\":%.3f,\"all_seconds\":%.3f"
      ",\"failed\":%d,\"turned_away\":%d}",
      result.nodes, absl::ToDoubleSeconds(result.serving), absl::ToDoubleSeconds(result.half),
      absl::ToDoubleSeconds(result.all), result.failed, result.turned_away);
}

}  // namespace

bool AllWell(const Results& results) {
  const auto well = [](const LoadResult& loop) { return loop.failures.empty(); };
  return (!results.backlog || results.backlog->failures.empty()) &&
         (!results.soak || results.soak->failures.empty()) &&
         std::all_of(results.loops.begin(), results.loops.end(), well);
}

std::string IdleReport(const IdleResult& result) {
  const double grown = static_cast<double>(result.after) - static_cast<double>(result.before);
  return absl::StrFormat(
      "%d idle nodes: connected in %.1f s; the hub's memory %.1f MiB before, %.1f MiB with all of "
      "them, %.1f MiB after %.0f s; %.1f KiB a node\n",
      result.nodes, absl::ToDoubleSeconds(result.connecting), Mib(result.before),
      Mib(result.connected), Mib(result.after), absl::ToDoubleSeconds(result.idle),
      grown / 1024 / static_cast<double>(result.nodes));
}

std::string StormReport(const StormResult& result) {
  return absl::StrFormat(
      "a storm of %d nodes: the hub serves again %.2f s after its end, half of them are welcomed "
      "after %.2f s, all after %.2f s; %d attempts failed, %d were put off by the hub\n",
      result.nodes, absl::ToDoubleSeconds(result.serving), absl::ToDoubleSeconds(result.half),
      absl::ToDoubleSeconds(result.all), result.failed, result.turned_away);
}

std::string TextReport(const Options& options, std::span<const LoadResult> loops) {
  std::string text = absl::StrFormat(
      "%d members with %d units, %s; %s and load on one machine. Latencies in milliseconds, CPU\n"
      "in seconds for 1000 messages, db cpu: what of the hub's is its database's; memory in MiB\n"
      "without a database; sw/msg: the hub's context switches, fr: frames to and from the hub,\n"
      "batch: messages in a transaction.\n\n",
      options.members, options.units,
      options.mix == Mix::kReferral ? "whole referrals in 2 KiB" : "varied referrals",
      HubText(options));
  absl::StrAppendFormat(
      &text,
      "%-18s %9s | %7s %7s %7s %7s | %7s %7s | %7s %7s %7s %6s %5s %5s %6s | %5s %5s | %5s\n",
      "loop", "msg/s", "confirm", "p99", "p99.9", "max", "deliver", "p99", "hub cpu", "db cpu",
      "own cpu", "sw/msg", "fr to", "fr of", "batch", "RSS", "most", "busy");
  for (const LoadResult& result : loops) {
    const double batch = result.hub_commits > 0 ? static_cast<double>(result.messages) /
                                                      static_cast<double>(result.hub_commits)
                                                : 0;
    absl::StrAppendFormat(
        &text,
        "%-18s %9.0f | %7.3f %7.3f %7.3f %7.3f | %7.3f %7.3f | %7.4f %7.4f %7.4f %6.2f %5.2f %5.2f "
        "%6.1f | %5.0f %5.0f | %4.0f%%\n",
        result.name, result.Rate(), result.confirmed.MillisAt(0.5), result.confirmed.MillisAt(0.99),
        result.confirmed.MillisAt(0.999), result.confirmed.MillisAt(1),
        result.delivered.MillisAt(0.5), result.delivered.MillisAt(0.99),
        result.PerThousand(result.hub_cpu_seconds), result.PerThousand(result.database_cpu_seconds),
        result.PerThousand(result.own_cpu_seconds), Each(result.hub_context_switches, result),
        Each(result.frames_sent, result), Each(result.frames_received, result), batch,
        Mib(result.hub_after.resident_bytes), Mib(result.hub_after.most_resident_bytes),
        result.machine_busy * 100);
    for (const auto& [what, times] : result.failures) {
      absl::StrAppendFormat(&text, "  wrong: %s (%d times)\n", what, times);
    }
  }
  return text;
}

std::string JsonReport(const Options& options, const Results& results) {
  std::string json = absl::StrCat(
      "{\"members\":", options.members, ",\"units\":", options.units, ",\"mix\":\"",
      options.mix == Mix::kReferral ? "referral" : "varied", "\",\"store\":\"",
      options.store == Store::kSqlite ? "sqlite" : "postgresql", "\",\"hubs\":", options.hubs);
  if (results.idle) absl::StrAppend(&json, ",\n\"idle\":", IdleJson(*results.idle));
  if (results.storm) absl::StrAppend(&json, ",\n\"storm\":", StormJson(*results.storm));
  if (results.backlog) absl::StrAppend(&json, ",\n\"backlog\":", BacklogJson(*results.backlog));
  if (results.soak) absl::StrAppend(&json, ",\n\"soak\":", SoakJson(*results.soak));
  return absl::StrCat(
      json, ",\n\"loops\":[",
      absl::StrJoin(results.loops, ",\n",
                    [](std::string* out, const LoadResult& loop) { *out += LoopJson(loop); }),
      "]}\n");
}

std::string Plot(const Results& results) {
  std::vector<Panel> panels;
  if (results.backlog) panels = BacklogPanels(*results.backlog);
  if (results.soak) {
    const std::vector<Panel> soak = SoakPanels(*results.soak);
    panels.insert(panels.end(), soak.begin(), soak.end());
  }
  std::vector<Series> series;
  for (const LoadResult& loop : results.loops) series.push_back({loop.name, &loop.confirmed});
  if (!series.empty()) {
    panels.push_back(LatencyPanel("From submission to confirmation", series));
  }
  return DrawPanels(panels);
}

}  // namespace waymark::bench
