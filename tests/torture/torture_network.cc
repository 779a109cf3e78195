#include "tests/torture/torture_network.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/evidence.h"
#include "tests/torture/proxy_way.h"

namespace waymark::torture {

using testing::HubProcess;
using testing::NetworkFixture;
using testing::NodeProcess;
using testing::PostgresServer;

namespace {

constexpr char kDatabase[] = "hub";

}  // namespace

absl::StatusOr<std::unique_ptr<TortureNetwork>> TortureNetwork::Create(
    const Options& options, const std::vector<std::string>& handles) {
  auto network = std::unique_ptr<TortureNetwork>(new TortureNetwork(options, handles));
  network->Beat("setting up the network");
  if (options.ways == WayKind::kNamespace) {
    ASSIGN_OR_RETURN(network->namespaces_, NamespaceNetwork::Enter());
  }
  if (options.store != StoreKind::kSqlite) RETURN_IF_ERROR(network->StartDatabase());
  RETURN_IF_ERROR(network->StartNetwork());
  for (const std::string& handle : handles) RETURN_IF_ERROR(network->AddNode(handle));
  return network;
}

absl::Status TortureNetwork::StartDatabase() {
  ASSIGN_OR_RETURN(database_, PostgresServer::Start());
  RETURN_IF_ERROR(database_->CreateDatabase(kDatabase));
  mortals_.push_back({.name = "database",
                      .pid = [this] { return database_->pid(); },
                      .running = [this] { return database_->running(); },
                      .restart =
                          [this] {
                            database_->Kill();
                            return database_->Resume();
                          },
                      .needed = true,
                      .die_at_its_point = nullptr,
                      .spare = nullptr,
                      .take_copy = nullptr,
                      .lose_disk = nullptr});
  return absl::OkStatus();
}

HubProcess::Variant TortureNetwork::HubVariant() const {
  HubProcess::Variant variant;
  if (database_ != nullptr) {
    variant.settings = absl::StrCat("store: ", database_->Url(kDatabase), "\n");
  }
  if (namespaces_ != nullptr) variant.addresses = {NamespaceNetwork::kAddress};
  return variant;
}

absl::Status TortureNetwork::StartNetwork() {
  const HubProcess::Variant variant = HubVariant();
  ASSIGN_OR_RETURN(fixture_, NetworkFixture::Create(testing::Scenario1Organisations(handles_),
                                                    NetworkFixture::Evening(), variant));
  hubs_.push_back(&fixture_->hub());
  mortals_.push_back(MortalHub("hub", fixture_->hub()));
  if (options_.store == StoreKind::kPostgresql) {
    ASSIGN_OR_RETURN(HubProcess* const second, fixture_->AddHub(variant));
    hubs_.push_back(second);
    mortals_.push_back(MortalHub("second hub", *second));
  }
  if (database_ != nullptr) return absl::OkStatus();
  mortals_.back().take_copy = [this] { return CopyHub(); };
  mortals_.back().lose_disk = [this] { return RestoreHub(); };
  return CopyHub();
}

Mortal TortureNetwork::MortalHub(const std::string& name, HubProcess& hub) {
  return {.name = name,
          .pid = [&hub] { return hub.pid(); },
          .running = [&hub] { return hub.running(); },
          .restart =
              [&hub] {
                hub.Kill();
                return hub.Start();
              },
          .needed = false,
          .die_at_its_point = nullptr,
          .spare = nullptr,
          .take_copy = nullptr,
          .lose_disk = nullptr};
}

absl::Status TortureNetwork::AddNode(const std::string& handle) {
  Beat("giving a way to " + handle);
  NodeProcess& node = fixture_->node(handle);
  ASSIGN_OR_RETURN(auto way, MakeWay());
  RETURN_IF_ERROR(node.Stop());
  std::string hubs = "hubs:\n";
  for (const std::string& address : way->hubs()) absl::StrAppend(&hubs, "  - ", address, "\n");
  RETURN_IF_ERROR(node.Configure(hubs));
  node.set_entrance(way->entrance());
  RETURN_IF_ERROR(node.Start());
  RETURN_IF_ERROR(fixture_->AwaitConnected(handle));
  ways_.push_back(std::move(way));
  mortals_.push_back({.name = handle,
                      .pid = [&node] { return node.pid(); },
                      .running = [&node] { return node.running(); },
                      .restart =
                          [&node] {
                            node.Kill();
                            return node.Start();
                          },
                      .needed = false,
                      .die_at_its_point = [&node] { return node.KillAtNextDelivery(); },
                      .spare = [&node] { node.Spare(); },
                      .take_copy = nullptr,
                      .lose_disk = nullptr});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Way>> TortureNetwork::MakeWay() {
  std::vector<int> ports;
  ports.reserve(hubs_.size());
  for (const HubProcess* hub : hubs_) ports.push_back(hub->ports().exchange);
  if (namespaces_ != nullptr) return namespaces_->MakeWay(std::move(ports));
  return ProxyWay::Start(ports);
}

absl::Status TortureNetwork::CopyHub() {
  const std::string partial = HubCopy() + ".part";
  std::filesystem::remove(partial);
  RETURN_IF_ERROR(testing::QueryDatabase(testing::DatabaseOf(fixture_->hub()),
                                         absl::StrCat("VACUUM INTO '", partial, "'"))
                      .status());
  std::filesystem::rename(partial, HubCopy());
  return absl::OkStatus();
}

absl::Status TortureNetwork::RestoreHub() {
  restored_ = true;
  const std::string database = testing::DatabaseOf(fixture_->hub());
  for (const char* beside : {"", "-wal", "-shm"}) std::filesystem::remove(database + beside);
  std::filesystem::copy_file(HubCopy(), database);
  return absl::OkStatus();
}

}  // namespace waymark::torture
