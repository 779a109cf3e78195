#include "tests/bench/load/bench.h"

#include "absl/time/clock.h"
#include "base/status/status.h"

namespace waymark::bench {

std::vector<LoadPlan> PlansOf(const Options& options) {
  LoadPlan plan;
  plan.warmup = absl::Seconds(options.warmup);
  plan.measured = absl::Seconds(options.seconds);
  std::vector<LoadPlan> plans;
  for (const size_t in_flight : options.in_flight) {
    plan.in_flight = in_flight;
    plans.push_back(plan);
  }
  for (const double rate : options.rates) {
    plan.rate = rate;
    plans.push_back(plan);
  }
  return plans;
}

absl::StatusOr<LoadResult> RunLoop(BenchNetwork& network, const Options& options,
                                   const LoadPlan& plan) {
  ASSIGN_OR_RETURN(const auto referrals, Prepare(network.id(), network.parties(), options.messages,
                                                 options.mix, absl::Now()));
  Load load(plan, referrals);
  ASSIGN_OR_RETURN(const auto nodes, network.Connect(&load));
  Load::Meter meter = network.meter();
  auto result = load.Run(nodes, meter);
  for (const auto& node : nodes) node->Close();
  return result;
}

}  // namespace waymark::bench
