// The coverage report as tables for people. Pure; thread-safe.
#pragma once

#include <string>

#include "client/cli/output.h"
#include "waymark/v1/coverage.pb.h"

namespace waymark::node {

// Areas, categories, languages and training, and how many cells have nobody; with an area or a code
// also the cells. When only gaps were asked for, nothing but those.
std::string CoverageText(const View& view, const v1::GetCoverageRequest& request,
                         const v1::GetCoverageResponse& coverage);

}  // namespace waymark::node
