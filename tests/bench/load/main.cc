// waymark-bench: what a hub can do, measured from outside. docs/benchmarks.md says how to read it.
#include <iostream>
#include <vector>

#include "base/identity/files.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "tests/bench/load/backlog.h"
#include "tests/bench/load/backlog_report.h"
#include "tests/bench/load/bench.h"
#include "tests/bench/load/report.h"
#include "tests/bench/load/soak.h"
#include "tests/bench/load/soak_report.h"

namespace waymark::bench {
namespace {

// At the rate that is asked for, or at half of what a closed loop reaches, which is then among the
// loops.
absl::StatusOr<SoakResult> Soak(BenchNetwork& network, const Options& options, Results& results) {
  double rate = options.soak_rate;
  double maximum = 0;
  if (rate == 0) {
    const LoadPlan plan = MaximumPlan(options);
    std::cerr << "waymark-bench: " << plan.Name() << ", for the maximum\n";
    ASSIGN_OR_RETURN(LoadResult loop, RunLoop(network, options, plan));
    maximum = loop.Rate();
    rate = maximum / 2;
    if (!(rate > 0)) return Error(v1::REASON_UNAVAILABLE, "no message came through");
    results.loops.push_back(std::move(loop));
  }
  std::cerr << "waymark-bench: a soak of " << options.soak << " minutes at " << rate
            << " messages a second\n";
  return RunSoak(network, SoakPlanOf(options, rate, maximum));
}

// Prints each result as soon as it is there.
absl::Status Measure(BenchNetwork& network, const Options& options, Results& results) {
  if (options.idle > 0) {
    std::cerr << "waymark-bench: " << options.members << " idle nodes\n";
    ASSIGN_OR_RETURN(results.idle, RunIdle(network, absl::Seconds(options.idle)));
    std::cout << IdleReport(*results.idle) << std::flush;
  }
  if (options.storm) {
    std::cerr << "waymark-bench: a storm of " << options.members << " nodes\n";
    ASSIGN_OR_RETURN(results.storm, RunStorm(network));
    std::cout << StormReport(*results.storm) << std::flush;
  }
  if (options.backlog > 0) {
    std::cerr << "waymark-bench: a backlog of " << options.backlog << "\n";
    ASSIGN_OR_RETURN(results.backlog, RunBacklog(network, options.backlog));
    std::cout << BacklogReport(*results.backlog) << std::flush;
  }
  if (options.soak > 0) {
    ASSIGN_OR_RETURN(results.soak, Soak(network, options, results));
    std::cout << SoakReport(*results.soak) << std::flush;
  }
  for (const LoadPlan& plan : PlansOf(options)) {
    std::cerr << "waymark-bench: " << plan.Name() << "\n";
    ASSIGN_OR_RETURN(LoadResult result, RunLoop(network, options, plan));
    results.loops.push_back(std::move(result));
  }
  if (!results.loops.empty()) std::cout << TextReport(options, results.loops) << std::flush;
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const auto network, BenchNetwork::Create(options));
  Results results;
  RETURN_IF_ERROR(Measure(*network, options, results));
  RETURN_IF_ERROR(network->Stop());
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WritePublicFile(options.json, JsonReport(options, results)));
  }
  if (!options.svg.empty()) RETURN_IF_ERROR(WritePublicFile(options.svg, Plot(results)));
  if (AllWell(results)) return absl::OkStatus();
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
