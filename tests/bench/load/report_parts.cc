#include "tests/bench/load/report_parts.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace waymark::bench {

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

std::string LineJson(const Line& line) {
  return absl::StrFormat("{\"at_zero\":%.6g,\"rise\":%.6g,\"rise_error\":%.6g}", line.at_zero,
                         line.rise, line.rise_error);
}

std::string FailuresJson(const std::map<std::string, uint64_t>& failures) {
  return absl::StrCat("{",
                      absl::StrJoin(failures, ",",
                                    [](std::string* out, const auto& failure) {
                                      absl::StrAppend(out, "\"", failure.first,
                                                      "\":", failure.second);
                                    }),
                      "}");
}

std::string FailuresText(const std::map<std::string, uint64_t>& failures) {
  std::string text;
  for (const auto& [what, count] : failures) {
    absl::StrAppendFormat(&text, "FAILED: %s (%d)\n", what, count);
  }
  return text;
}

}  // namespace waymark::bench
