// What the reports have in common.
//
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/line.h"

namespace waymark::bench {

inline double Mib(uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

// As JSON objects. Latencies in milliseconds; what went wrong is named in words of this program,
// without anything to escape.
std::string LatencyJson(const Histogram& histogram);
std::string LineJson(const Line& line);
std::string FailuresJson(const std::map<std::string, uint64_t>& failures);

// A line for each.
std::string FailuresText(const std::map<std::string, uint64_t>& failures);

}  // namespace waymark::bench
