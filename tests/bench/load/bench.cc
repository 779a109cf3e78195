#include "tests/bench/load/bench.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/bench/load/process_meter.h"
#include "tests/support/pace.h"
#include "tests/support/poll.h"

namespace waymark::bench {
namespace {

constexpr absl::Duration kStormLimit = absl::Minutes(10);

using NodeList = std::vector<std::unique_ptr<SimulatedNode>>;

void TickAll(const NodeList& nodes) {
  for (const auto& node : nodes) node->Tick(absl::Now());
}

// Lets the nodes act while this thread does something else.
template <typename Work>
absl::Status WhileNodesAct(const NodeList& nodes, Work work) {
  constexpr absl::Duration kPause = absl::Milliseconds(5);
  std::atomic<bool> done = false;
  std::thread acting([&] {
    while (!done) {
      TickAll(nodes);
      testing::PaceFor(kPause);
    }
  });
  absl::Status worked = work();
  done = true;
  acting.join();
  return worked;
}

// Idle nodes are told nothing.
class Silent final : public NodeListener {
 public:
  void OnConfirmed(size_t /*node*/, uint64_t /*tag*/) override {}
  void OnRefused(size_t /*node*/, uint64_t /*tag*/, v1::Reason /*reason*/) override {}
  void OnDelivered(size_t /*node*/, const v1::Message& /*message*/) override {}
  void OnBroken(size_t /*node*/, const std::string& /*what*/) override {}
};

}  // namespace

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

SoakPlan SoakPlanOf(const Options& options, double rate, double maximum) {
  return {.lasts = absl::Minutes(options.soak),
          .rate = rate,
          .maximum = maximum,
          .leaves = options.leaves,
          .seed = options.seed};
}

LoadPlan MaximumPlan(const Options& options) {
  return {.in_flight = 64,
          .rate = 0,
          .warmup = absl::Seconds(options.warmup),
          .measured = absl::Seconds(options.seconds)};
}

absl::StatusOr<IdleResult> RunIdle(BenchNetwork& network, absl::Duration idle) {
  const Servers servers = network.servers();
  IdleResult result{.idle = idle};
  ASSIGN_OR_RETURN(const ServersUse before, LookAtServers(servers));
  const absl::Time start = absl::Now();
  Silent silent;
  ASSIGN_OR_RETURN(const auto nodes, network.Connect(&silent));
  result.connecting = absl::Now() - start;
  ASSIGN_OR_RETURN(const ServersUse connected, LookAtServers(servers));
  // Nobody is waited for but the time.
  Eventually(
      [&nodes] {
        TickAll(nodes);
        return false;
      },
      idle);
  ASSIGN_OR_RETURN(const ServersUse after, LookAtServers(servers));
  for (const auto& node : nodes) node->Close();
  result.nodes = nodes.size();
  result.before = before.hubs.resident_bytes;
  result.connected = connected.hubs.resident_bytes;
  result.after = after.hubs.resident_bytes;
  return result;
}

absl::StatusOr<StormResult> RunStorm(BenchNetwork& network) {
  Silent silent;
  ASSIGN_OR_RETURN(const auto nodes, network.Connect(&silent));
  std::vector<SimulatedNode::Counts> before;
  before.reserve(nodes.size());
  for (const auto& node : nodes) before.push_back(node->counts());
  StormResult result{.nodes = nodes.size()};
  const absl::Time cut = absl::Now();
  RETURN_IF_ERROR(WhileNodesAct(nodes, [&network] { return network.RestartHubs(); }));
  result.serving = absl::Now() - cut;
  const auto all_are_back = [&] {
    TickAll(nodes);
    size_t back = 0;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i]->counts().welcomes > before[i].welcomes) ++back;
    }
    if (result.half == absl::ZeroDuration() && 2 * back >= nodes.size()) {
      result.half = absl::Now() - cut;
    }
    return back == nodes.size();
  };
  if (!Eventually(all_are_back, kStormLimit)) {
    return Error(v1::REASON_UNAVAILABLE, "the hub does not welcome every node again");
  }
  result.all = absl::Now() - cut;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const SimulatedNode::Counts after = nodes[i]->counts();
    result.failed += after.failed - before[i].failed;
    result.turned_away += after.turned_away - before[i].turned_away;
  }
  return result;
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
