// The node put together: vault, directory, casework, link to the hub, local API; from start to
// stop.
//
// The local API listens on a Unix socket that only the node's own user may open (mode 0600), with
// grpc.health.v1 and server reflection beside it. Without the hub everything local goes on: days
// offline are normal.
//
// Threads: gRPC's own (API and reactions); the link's; the directory watch's; the worker's
// (node_worker.h); one for publication and renewal, which wait for the hub; one for each local
// system (client/delivery). Start and Stop are called by one thread. Lifetime: the destructor
// stops.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/password.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "client/local_systems.h"
#include "client/vault/master_key.h"

namespace waymark::node {

class Node {
 public:
  struct Options {
    // Of the program, for GetStatus.
    std::string version = "unknown";
    // The data folder of a node that has joined.
    std::string data;
    // The path of the local API's socket.
    std::string socket;
    // "host:port" of hubs; empty: those of the network file.
    std::vector<std::string> hubs;
    // A folder with data files that replace the compiled-in ones; empty: none.
    std::string catalogue;
    // The systems in which the organisation works.
    LocalSystemsSettings local_systems;
    // Whether messages that are not urgent leave after a random delay, so that an observer of the
    // network cannot match them with what happened at the desk.
    bool delays = true;
    // Not owned; they outlive the node.
    Clock* clock = nullptr;
    Random* random = nullptr;
    // What a login costs.
    ScryptCost staff_cost;
    // How often clocks are looked at, and publication and renewal, in real time.
    absl::Duration tick = absl::Seconds(2);
    absl::Duration maintenance_interval = absl::Seconds(30);
    // How often the TLS files are looked at again, in real time.
    absl::Duration tls_refresh = absl::Minutes(1);
    // Called on the link's thread when delivered messages are in the inbox and not yet
    // acknowledged. What the test binary uses; may be empty.
    std::function<void()> on_stored;
  };

  // Opens everything and begins to serve. REASON_FILE_UNUSABLE: the folder has not joined, a file
  // or the socket cannot be used, or another node lives, saying which. LocalSystems::Open's codes.
  // Vault::Open's codes.
  static absl::StatusOr<std::unique_ptr<Node>> Start(const Options& options, const MasterKey& key);

  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Ends the API's calls, says goodbye to the hub and ends all threads. What was confirmed to
  // anybody is in the vault already. Idempotent.
  void Stop();

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace waymark::node
