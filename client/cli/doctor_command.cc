#include <filesystem>

#include "base/directory/network.h"
#include "base/doctor/look.h"
#include "base/program/machine.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/doctor.h"
#include "client/vault/schema_version.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

constexpr absl::Duration kConnectLimit = absl::Seconds(3);

struct DoctorOptions {
  std::string data;
};

absl::StatusOr<v1::GetStatusResponse> StatusOfNode(Shell& shell) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  return node->Call(&Api::GetStatus, v1::GetStatusRequest());
}

DataFacts LookAtData(const std::string& path, absl::Time now) {
  DataFacts data;
  data.folder = LookAtPrivate(path);
  data.key = LookAtPrivate(path + "/tls.key");
  data.vault = LookAtPrivate(path + "/vault.db");
  const absl::StatusOr<DiskSpace> disk = SpaceAt(path);
  data.disk_looked = disk.status();
  data.disk = disk.value_or(DiskSpace{});
  data.certificate = LookAtCertificate({.key_path = path + "/tls.key",
                                        .certificate_path = path + "/tls.crt",
                                        .ca_path = path + "/ca.crt"},
                                       now);
  data.schema = {.found = LookAtSchema(path + "/vault.db"), .known = kVaultSchemaVersion};
  return data;
}

absl::Status Doctor(Shell& shell, const DoctorOptions& options) {
  NodeFacts facts{.now = shell.clock().Now(), .version = WAYMARK_VERSION};
  ASSIGN_OR_RETURN(facts.socket, shell.Socket());
  facts.status = StatusOfNode(shell);
  facts.data_path = options.data;
  if (facts.data_path.empty()) {
    facts.data_path = std::filesystem::absolute(facts.socket).parent_path().string();
  }
  facts.clock = LookAtClock();
  const auto network = LoadNetwork(facts.data_path + "/network.json");
  if (network.ok()) {
    facts.data = LookAtData(facts.data_path, facts.now);
    for (const std::string& hub : network->hub_addresses) {
      facts.hubs.push_back(Reach(hub, kConnectLimit));
    }
  }
  const std::vector<Finding> findings = DiagnoseNode(facts);
  shell.out() << (shell.json() ? FindingsJson(findings) + "\n" : FindingsText(findings));
  shell.set_exit_code(DoctorExitCode(findings));
  return absl::OkStatus();
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<DoctorOptions>();
  CLI::App* doctor = shell.Add(
      app, "doctor",
      "Says what is wrong with this node and its machine or soon will be, and what to do. Changes "
      "nothing. It exits with 0 when all is fine, 1 with warnings, 2 with errors.",
      "waymark doctor", [&] { return Doctor(shell, options); });
  doctor->add_option("--data", options.data,
                     "The node's data folder; without it, the folder that the socket is in");
}

}  // namespace waymark::node
