// What a backlog cost as it grew and as it went: for people, for programs and as a plot.
//
// Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/load/backlog.h"
#include "tests/bench/load/chart.h"

namespace waymark::bench {

std::string BacklogReport(const BacklogResult& result);

// One JSON object with every part, and the lines that are fitted through them.
std::string BacklogJson(const BacklogResult& result);

// CPU and rate of each part by how many waited half-way through it, in millions, and the lines.
std::vector<Panel> BacklogPanels(const BacklogResult& result);

}  // namespace waymark::bench
