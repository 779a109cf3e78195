// A whole network of real processes on loopback: an operator, a hub and a node per organisation.
//
// Everything lies in one temporary folder and runs on one clock that the test moves. The operator's
// side is the library that the command line uses; keys are made by each program itself, as in real
// life. Collaborators: hub_process.h, node_process.h. Not thread-safe.
//
// The clock begins, unless told otherwise, at the last 19:41 that has passed, so that certificates,
// which TLS checks against the machine's own time, are valid for both clocks whenever the tests
// run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/identity/authority.h"
#include "base/ids/ids.h"
#include "client/cli/registry_client.h"
#include "client/operator/operator.h"
#include "tests/support/control_clock.h"
#include "tests/support/hub_process.h"
#include "tests/support/node_process.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::testing {

// A service that a unit publishes; ids are drawn and the unit is found by the fixture.
struct ServicePlan {
  // For example "lin.family".
  std::string unit;
  v1::Service service;
  // Without a status nothing is published about room; a status stands until `room_until`, or for
  // the usual time of its unit.
  v1::CapacityStatus room = v1::CAPACITY_STATUS_UNSPECIFIED;
  std::optional<absl::Time> room_until;
};

struct OrganisationPlan {
  node::MemberPlan member;
  v1::Profile profile;
  std::vector<ServicePlan> services;
};

class NetworkFixture {
 public:
  // Sets up everything and waits until every node is connected and sees the same directory. The
  // folder is deleted with the fixture unless the environment has WAYMARK_TEST_KEEP. The clock
  // begins at `start`.
  static absl::StatusOr<std::unique_ptr<NetworkFixture>> Create(
      const std::vector<OrganisationPlan>& organisations, absl::Time start = Evening(),
      const HubProcess::Variant& hub = {});
  ~NetworkFixture();

  // The last 19:41 UTC before the machine's present time: where a test network's clock begins.
  static absl::Time Evening();

  Clock& clock() { return clock_; }
  // Sets all clocks to `time`; they go on from there.
  void MoveTo(absl::Time time);
  // The same for all but the hub, whose clock goes on as before.
  void MoveNodesTo(absl::Time time);
  void Advance(absl::Duration by) { MoveTo(clock_.Now() + by); }

  HubProcess& hub() { return *hubs_.front(); }
  // Starts one more hub; on the database of the first the two are one. Valid as long as this.
  absl::StatusOr<HubProcess*> AddHub(const HubProcess::Variant& variant);
  NodeProcess& node(const std::string& handle) { return *nodes_.at(handle); }
  bool has(const std::string& handle) const { return nodes_.count(handle) > 0; }
  node::Operator& registry() { return *operator_; }
  node::RegistryDesk& desk() { return *desk_; }
  // The network's own authority, at the time of another clock, which outlives it.
  absl::StatusOr<std::unique_ptr<CertificateAuthority>> Authority(Clock& clock) const;

  // A unit ("lin.family") or a service ("lin-206"), as it stands in the directory.
  UnitId unit(const std::string& handle) const { return units_.at(handle); }
  ServiceId service(const std::string& handle) const { return services_.at(handle); }
  // The organisation of the directory's member, for example "lin".
  OrganisationId organisation(const std::string& handle) const { return organisations_.at(handle); }

  // Makes `node`, whose organisation was invited as `handle`, a member; it does not serve yet.
  absl::Status Admit(NodeProcess& node, const std::string& handle, const std::string& invitation,
                     NodeProcess::Joining joining = NodeProcess::Joining::kFirst);
  // Kills the first hub and starts it again on the same ports, waiting for no node.
  absl::Status RestartHub();
  // Stops every process in order, nodes first.
  absl::Status StopAll();
  // Waits until the node knows the member and its unit's sealing key.
  absl::Status AwaitMember(const std::string& handle, const std::string& member);
  // Waits until the node's link is up and it has taken in what the hub holds.
  absl::Status AwaitConnected(const std::string& handle);

  // Holds everything that any of the processes wrote.
  const std::string& folder() const { return folder_; }
  std::string hub_address() const;

 private:
  explicit NetworkFixture(const std::string& folder);

  void MoveClock(const std::string& file, absl::Time time);
  absl::Status CreateNetwork();
  absl::Status StartHub(const HubProcess::Variant& variant);
  absl::Status Join(const OrganisationPlan& plan);
  absl::Status Publish(const OrganisationPlan& plan);
  absl::Status AwaitSameDirectory();

  const std::string folder_;
  ControlClock clock_;
  std::unique_ptr<node::Operator> operator_;
  std::unique_ptr<node::RegistryDesk> desk_;
  std::vector<std::unique_ptr<HubProcess>> hubs_;
  std::map<std::string, std::unique_ptr<NodeProcess>> nodes_;
  std::map<std::string, OrganisationId> organisations_;
  std::map<std::string, UnitId> units_;
  std::map<std::string, ServiceId> services_;
};

}  // namespace waymark::testing
