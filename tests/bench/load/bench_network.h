// A network for the load: a real hub in one or several processes of its own, and members with many
// units.
//
// The hub is the one that is installed, at its ordinary log level; only the limits of traffic are
// wider than a hub's should be, because few members send here what thousands do, but not for a
// storm, in which its limits have their part. It stores in its file, or in a PostgreSQL server of
// the run's own, as durable as an installed one. Collaborators: tests/support. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/prepared.h"
#include "tests/bench/load/simulated_node.h"
#include "tests/support/hub_process.h"
#include "tests/support/network_fixture.h"
#include "tests/support/postgres_server.h"
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

  // The same of every member, over a new connection of the node's alone: once it leaves, nothing of
  // it is left.
  absl::StatusOr<std::vector<std::unique_ptr<SimulatedNode>>> ConnectAnew(NodeListener* listener);

  // The hub, as long as the network lives.
  Load::Meter meter();
  Servers servers();
  // What waits in its mailboxes, as its metrics tell it.
  absl::StatusOr<uint64_t> CountWaiting() const;

  // Kills every process of the hub, and starts each again.
  absl::Status RestartHubs();
  // Stops the hub in order.
  absl::Status Stop();

 private:
  BenchNetwork() = default;

  // Returns the line of hub.yaml that names it.
  absl::StatusOr<std::string> StartDatabase();
  absl::Status Join(const Options& options);
  // Starts the second process of the hub and those after it, which find the members in the store.
  absl::Status StartMore(size_t count, const testing::HubProcess::Variant& variant);
  std::vector<testing::HubProcess*> hubs();
  std::unique_ptr<SimulatedNode> NodeOf(size_t member, std::shared_ptr<grpc::Channel> channel,
                                        NodeListener* listener);
  // A new connection of the member's; from one thread at a time.
  std::shared_ptr<grpc::Channel> Dial(size_t member);

  // The folder of the hub's limits.
  std::string catalogue_;
  std::unique_ptr<testing::PostgresServer> database_;
  std::unique_ptr<testing::NetworkFixture> network_;
  std::vector<std::unique_ptr<testing::HubProcess>> more_hubs_;
  std::vector<std::unique_ptr<testing::WireMember>> members_;
  // Of each member: where its process of the hub is, who it is there, and its connection.
  std::vector<std::string> addresses_;
  std::vector<std::shared_ptr<grpc::ChannelCredentials>> credentials_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<Party> parties_;
};

// The value of a metric without labels in a metrics text; UNAVAILABLE when it is not there.
absl::StatusOr<double> MetricIn(const std::string& text, const std::string& name);

}  // namespace waymark::bench
