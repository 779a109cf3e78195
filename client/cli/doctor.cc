#include "client/cli/doctor.h"

#include "base/status/status.h"

namespace waymark::node {
namespace {

// The node asks for the next certificate at two thirds of 90 days, and is answered within a day.
constexpr absl::Duration kRenewalMissed = absl::Hours(24 * 14);
// The registry signs again after 4 days of 8.
constexpr absl::Duration kRefreshMissed = absl::Hours(24 * 3);

constexpr char kAskForRefresh[] =
    "Ask the registry operator to run 'waymark registry refresh', and to see to it that it runs "
    "every day.";

Finding CheckNode(const NodeFacts& facts) {
  constexpr char kCheck[] = "node";
  if (facts.status.ok()) return Fine(kCheck, "a node answers at " + facts.socket);
  if (ReasonOf(facts.status.status()) == v1::REASON_STAFF_NOT_ALLOWED) {
    return Warning(
        kCheck,
        "a node answers at " + facts.socket + ", and tells nothing more without a staff session",
        "waymark login NAME, then waymark doctor again.");
  }
  return Wrong(kCheck, "no node answers at " + facts.socket,
               "systemctl start waymark-node, then journalctl -u waymark-node, whose last line "
               "says why if it ended. Run waymark as the node's own user, with the socket of "
               "node.yaml.");
}

Finding CheckLink(const v1::GetStatusResponse& status) {
  constexpr char kCheck[] = "link";
  if (status.connected()) return Fine(kCheck, "the link to the hub is up");
  return Wrong(kCheck,
               "the link to the hub is down" +
                   (status.link_error().empty() ? "" : ": " + status.link_error()),
               "If the hub cannot be reached either (reachability), it is the network or the hub. "
               "If it can, look at certificate and skew, and at the node's log.");
}

Finding CheckStanding(const v1::GetStatusResponse& status) {
  constexpr char kCheck[] = "standing";
  if (status.restricted() || status.member().status() == v1::MEMBER_STATUS_SUSPENDED) {
    return Wrong(kCheck, "the organisation is suspended: withdrawals alone go through",
                 "Call the registry operator, who alone can end it.");
  }
  return Fine(kCheck, "the organisation is not suspended");
}

Finding CheckOutbox(const v1::GetStatusResponse& status) {
  constexpr char kCheck[] = "outbox";
  const std::string waiting = std::to_string(status.outbox());
  if (status.connected() || status.outbox() == 0) {
    return Fine(kCheck, waiting + " messages wait to leave");
  }
  return Warning(kCheck, waiting + " messages wait to leave, and the link is down",
                 "They leave by themselves when it is up again. Phone what cannot wait.");
}

Finding CheckLocalSystems(const v1::GetStatusResponse& status) {
  constexpr char kCheck[] = "local systems";
  uint64_t stuck = 0;
  for (const v1::LocalSystemStatus& system : status.local_systems()) {
    stuck += system.dead() + system.uncertain();
  }
  if (stuck == 0) {
    return Fine(kCheck, std::to_string(status.local_systems_size()) + " are configured");
  }
  return Warning(kCheck, std::to_string(stuck) + " deliveries need a person",
                 "waymark local list names the reason and what to do for each.");
}

Finding CheckAlerts(const v1::GetStatusResponse& status) {
  constexpr char kCheck[] = "alerts";
  if (status.alerts().empty()) return Fine(kCheck, "the node has raised none");
  return Warning(kCheck, std::to_string(status.alerts_size()) + " are raised",
                 "waymark status shows them.");
}

void AddNodesOwn(const NodeFacts& facts, std::vector<Finding>& findings) {
  const v1::GetStatusResponse& status = *facts.status;
  const std::string running = status.version().empty() ? "an older version" : status.version();
  findings.push_back(CheckVersion(facts.version, running, "waymark-node"));
  findings.push_back(CheckLink(status));
  findings.push_back(CheckStanding(status));
  findings.push_back(CheckSkew(absl::Milliseconds(status.clock_skew_ms())));
  std::optional<absl::Time> until;
  if (status.has_member_valid_until()) {
    until = absl::FromUnixSeconds(status.member_valid_until().seconds());
  }
  findings.push_back(
      CheckStatements("the registry", until, facts.now, kRefreshMissed, kAskForRefresh));
  findings.push_back(CheckOutbox(status));
  findings.push_back(CheckLocalSystems(status));
  findings.push_back(CheckAlerts(status));
}

void AddData(const NodeFacts& facts, std::vector<Finding>& findings) {
  if (!facts.data.has_value()) {
    findings.push_back(Warning("data", "there is no node's data at " + facts.data_path,
                               "Give the data folder of node.yaml: waymark doctor --data DIR."));
    return;
  }
  const DataFacts& data = *facts.data;
  for (const PrivateFacts* path : {&data.folder, &data.key, &data.vault}) {
    findings.push_back(CheckPrivate(*path));
  }
  findings.push_back(CheckDisk(data.folder.path, data.disk_looked, data.disk));
  findings.push_back(CheckSchema(data.schema, "waymark-node " + facts.version));
  findings.push_back(CheckCertificate(data.certificate, facts.now, kRenewalMissed, kAskForRefresh));
}

}  // namespace

std::vector<Finding> DiagnoseNode(const NodeFacts& facts) {
  std::vector<Finding> findings = {CheckNode(facts)};
  if (facts.status.ok()) AddNodesOwn(facts, findings);
  AddData(facts, findings);
  findings.push_back(CheckClockSync(facts.clock));
  for (const ReachFacts& hub : facts.hubs) {
    findings.push_back(CheckReachable(
        hub,
        "Look at this machine's network and its firewall: a node needs to connect out to this "
        "address, and nothing else. If others cannot reach it either, call the hub's "
        "administrator."));
  }
  return findings;
}

}  // namespace waymark::node
