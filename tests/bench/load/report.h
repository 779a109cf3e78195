// What a run measured, for people, for programs and as a plot.
//
// Collaborators: backlog_report.h, soak_report.h. Pure; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/load/backlog.h"
#include "tests/bench/load/bench.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/soak.h"

namespace waymark::bench {

// What was asked for is there.
struct Results {
  std::optional<IdleResult> idle;
  std::optional<StormResult> storm;
  std::optional<BacklogResult> backlog;
  std::optional<SoakResult> soak;
  std::vector<LoadResult> loops;
};

// Whether everything came through as it should.
bool AllWell(const Results& results);

// A line each.
std::string IdleReport(const IdleResult& result);
std::string StormReport(const StormResult& result);

// A table with a line for each loop, and what went wrong.
std::string TextReport(const Options& options, std::span<const LoadResult> loops);

// One JSON object: what was asked for, and what was measured.
std::string JsonReport(const Options& options, const Results& results);

// An SVG document with panels for all of it.
std::string Plot(const Results& results);

}  // namespace waymark::bench
