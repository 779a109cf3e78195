// A network for the load: a real hub in a process of its own, and members with many units.
//
// The hub is the one that is installed, at its ordinary log level; only the limits of traffic are
// wider than a hub's should be, because few members send here what thousands do. Collaborators:
// tests/support. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/prepared.h"
#include "tests/bench/load/simulated_node.h"
#include "tests/support/network_fixture.h"
#include "tests/support/wire_member.h"

namespace waymark::bench {

class BenchNetwork {
 public:
  ~BenchNetwork();
  BenchNetwork(const BenchNetwork&) = delete;
  BenchNetwork& operator=(const BenchNetwork&) = delete;

  // Starts the hub and makes every member join. What tests/support returns when something fails.
  static absl::StatusOr<std::unique_ptr<BenchNetwork>> Create(const Options& options);

  const NetworkId& id() const { return members_.front()->network(); }
  // Every unit, of one member after the other.
  const std::vector<Party>& parties() const { return parties_; }

  // Connects a node of each member from number `begin` to before `end`; UNAVAILABLE when the hub
  // does not welcome them.
  absl::StatusOr<std::vector<std::unique_ptr<SimulatedNode>>> Connect(NodeListener* listener,
                                                                      size_t begin = 0,
                                                                      size_t end = SIZE_MAX);

  // The hub, as long as the network lives.
  Load::Meter meter();
  // What waits in its mailboxes, as its metrics tell it.
  absl::StatusOr<uint64_t> CountWaiting() const;

  // Stops the hub in order.
  absl::Status Stop() { return network_->StopAll(); }

 private:
  BenchNetwork() = default;

  absl::Status Join(const Options& options);

  // The folder of the hub's limits.
  std::string catalogue_;
  std::unique_ptr<testing::NetworkFixture> network_;
  std::vector<std::unique_ptr<testing::WireMember>> members_;
  std::vector<Party> parties_;
};

// The value of a metric without labels in a metrics text; UNAVAILABLE when it is not there.
absl::StatusOr<double> MetricIn(const std::string& text, const std::string& name);

}  // namespace waymark::bench
