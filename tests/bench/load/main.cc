// waymark-bench: what a hub can do, measured from outside. docs/benchmarks.md says how to read it.
#include <iostream>
#include <vector>

#include "base/identity/files.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "tests/bench/load/backlog.h"
#include "tests/bench/load/bench.h"
#include "tests/bench/load/plot.h"
#include "tests/bench/load/report.h"

namespace waymark::bench {
namespace {

std::string Plot(const std::vector<LoadResult>& results) {
  std::vector<Series> series;
  series.reserve(results.size());
  for (const LoadResult& result : results) {
    series.push_back({result.name, &result.confirmed});
  }
  return PlotLatencies("From submission to confirmation", series);
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const auto network, BenchNetwork::Create(options));
  if (options.idle > 0) {
    std::cerr << "waymark-bench: " << options.members << " idle nodes\n";
    ASSIGN_OR_RETURN(const IdleResult idle, RunIdle(*network, absl::Seconds(options.idle)));
    std::cout << IdleReport(idle);
  }
  bool failed = false;
  if (options.backlog > 0) {
    std::cerr << "waymark-bench: a backlog of " << options.backlog << "\n";
    ASSIGN_OR_RETURN(const BacklogResult backlog, RunBacklog(*network, options.backlog));
    std::cout << BacklogReport(backlog);
    failed = !backlog.failures.empty();
  }
  std::vector<LoadResult> results;
  for (const LoadPlan& plan : PlansOf(options)) {
    std::cerr << "waymark-bench: " << plan.Name() << "\n";
    ASSIGN_OR_RETURN(LoadResult result, RunLoop(*network, options, plan));
    failed = failed || !result.failures.empty();
    results.push_back(std::move(result));
  }
  RETURN_IF_ERROR(network->Stop());
  if (!results.empty()) std::cout << TextReport(options, results);
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WritePublicFile(options.json, JsonReport(options, results)));
  }
  if (!options.svg.empty()) RETURN_IF_ERROR(WritePublicFile(options.svg, Plot(results)));
  if (!failed) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL, "not everything came through as it should; see above");
}

}  // namespace
}  // namespace waymark::bench

int main(int argc, char** argv) {
  using waymark::bench::ParseOptions;
  waymark::RequireTls13();
  const auto options = ParseOptions(argc, argv, WAYMARK_HUB);
  if (options.ok() && !options->has_value()) return 0;
  const absl::Status done = options.ok() ? waymark::bench::Run(**options) : options.status();
  if (done.ok()) return 0;
  std::cerr << waymark::ErrorLine("waymark-bench", done);
  return options.ok() ? 1 : 2;
}
