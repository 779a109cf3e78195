// The results of loops, for people, for programs and as a plot.
//
// Pure; thread-safe.
#pragma once

#include <span>
#include <string>

#include "tests/bench/load/backlog.h"
#include "tests/bench/load/bench.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"

namespace waymark::bench {

// One line.
std::string IdleReport(const IdleResult& result);
// What a backlog cost as it grew and as it went.
std::string BacklogReport(const BacklogResult& result);

// A table with a line for each loop, and what went wrong.
std::string TextReport(const Options& options, std::span<const LoadResult> results);

// One JSON object: what was asked for, and each loop with its latencies in milliseconds.
std::string JsonReport(const Options& options, std::span<const LoadResult> results);

}  // namespace waymark::bench
