// The network of a campaign: hubs, nodes with a way each, what the hubs store in, and how each of
// these dies and comes back.
//
// Collaborators: network_fixture.h for the processes, faults.h, way.h. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/network_fixture.h"
#include "tests/support/postgres_server.h"
#include "tests/torture/faults.h"
#include "tests/torture/namespace_network.h"
#include "tests/torture/way.h"

namespace waymark::torture {

enum class StoreKind {
  // One hub with a file, whose disk may be lost.
  kSqlite,
  // A PostgreSQL server, a mortal like the two hubs on its one database.
  kPostgresql,
  // The same with one hub, which assumes more than one that shares.
  kPostgresqlAlone,
};

enum class WayKind {
  // proxy_way.h: without privileges.
  kProxy,
  // namespace_network.h: the whole campaign moves into a network of its own.
  kNamespace,
};

class TortureNetwork {
 public:
  struct Options {
    StoreKind store = StoreKind::kSqlite;
    WayKind ways = WayKind::kProxy;
    // Told what is going on, often.
    std::function<void(const std::string& doing)> beat;
  };

  // Sets up everything, with nodes of these handles, and waits until it works. Errors: of the
  // processes, or of namespace_network.h for want of rights.
  static absl::StatusOr<std::unique_ptr<TortureNetwork>> Create(
      const Options& options, const std::vector<std::string>& handles);

  testing::NetworkFixture& fixture() { return *fixture_; }
  const std::vector<Mortal>& mortals() const { return mortals_; }
  // The nodes' handles; each has the way of the same index.
  const std::vector<std::string>& handles() const { return handles_; }
  Way& way(size_t index) { return *ways_[index]; }
  // Whether a hub has lost its disk since the beginning.
  bool restored() const { return restored_; }

 private:
  TortureNetwork(const Options& options, std::vector<std::string> handles)
      : options_(options), handles_(std::move(handles)) {}

  void Beat(const std::string& doing) const {
    if (options_.beat) options_.beat(doing);
  }
  absl::Status StartDatabase();
  // How the hubs differ from those of other tests.
  testing::HubProcess::Variant HubVariant() const;
  absl::Status StartNetwork();
  // Gives the node a way of its own.
  absl::Status AddNode(const std::string& handle);
  absl::StatusOr<std::unique_ptr<Way>> MakeWay();
  static Mortal MortalHub(const std::string& name, testing::HubProcess& hub);
  absl::Status CopyHub();
  absl::Status RestoreHub();
  std::string HubCopy() const { return fixture_->folder() + "/hub.copy"; }

  const Options options_;
  const std::vector<std::string> handles_;
  // Null but for their kind of way and of store.
  std::unique_ptr<NamespaceNetwork> namespaces_;
  std::unique_ptr<testing::PostgresServer> database_;
  std::unique_ptr<testing::NetworkFixture> fixture_;
  std::vector<testing::HubProcess*> hubs_;
  std::vector<std::unique_ptr<Way>> ways_;
  std::vector<Mortal> mortals_;
  bool restored_ = false;
};

}  // namespace waymark::torture
