// What a soak went through, and what grew in it: for people, for programs and as a plot.
//
// Slopes are those of lines through all samples after the warm-up. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/load/chart.h"
#include "tests/bench/load/soak.h"

namespace waymark::bench {

// A table of some of the samples, the slopes, and what went wrong.
std::string SoakReport(const SoakResult& result);

// One JSON object with every sample and the lines.
std::string SoakJson(const SoakResult& result);

// Memory, open files, latency and CPU over the minutes.
std::vector<Panel> SoakPanels(const SoakResult& result);

}  // namespace waymark::bench
