#include "tests/bench/load/bench_network.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/crypto/hpke.h"
#include "base/identity/files.h"
#include "base/identity/spiffe.h"
#include "base/random/random.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "grpcpp/create_channel.h"
#include "tests/support/poll.h"

namespace waymark::bench {
namespace {

constexpr absl::Duration kConnectLimit = absl::Seconds(120);

constexpr char kTraffic[] = R"({
  "version": 1,
  "items_per_second": 1000000,
  "burst_items": 1000000,
  "bytes_per_second": 2147483648,
  "burst_bytes": 2147483648,
  "sessions_per_second": 100000,
  "burst_sessions": 100000
})";

node::MemberPlan PlanOf(size_t number, size_t units) {
  node::MemberPlan plan = {.handle = absl::StrCat("m", number),
                           .display_name = absl::StrCat("Member ", number),
                           .organisation_class = v1::ORGANISATION_CLASS_NGO,
                           .jurisdiction = "XA",
                           .policy_pack = "us-vsp",
                           .units = {}};
  for (size_t i = 0; i < units; ++i) {
    plan.units.push_back(
        {.name = absl::StrCat("u", i), .display_name = absl::StrCat("Unit ", i, " of ", number)});
  }
  return plan;
}

absl::Status ConnectAll(const std::vector<std::unique_ptr<SimulatedNode>>& nodes) {
  for (const auto& node : nodes) node->Connect();
  const bool all = Eventually(
      [&nodes] {
        for (const auto& node : nodes) node->Tick(absl::Now());
        return std::all_of(nodes.begin(), nodes.end(),
                           [](const auto& node) { return node->connected(); });
      },
      kConnectLimit);
  if (!all) return Error(v1::REASON_UNAVAILABLE, "the hub does not welcome every node");
  return absl::OkStatus();
}

// A server that has been at work uses the files of its write-ahead log again. One that was made a
// moment ago makes each, of 16 MiB, in the middle of a commit, until its first checkpoint.
absl::Status WarmLog(const testing::PostgresServer& server) {
  constexpr int kFiles = 32;
  for (int i = 0; i < kFiles; ++i) {
    RETURN_IF_ERROR(
        server
            .Query("waymark",
                   "SELECT pg_logical_emit_message(false, 'bench', ''); SELECT pg_switch_wal()")
            .status());
  }
  return server.Query("waymark", "CHECKPOINT").status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<BenchNetwork>> BenchNetwork::Create(const Options& options) {
  auto network = std::unique_ptr<BenchNetwork>(new BenchNetwork());
  if (!options.folder.empty()) setenv("TMPDIR", options.folder.c_str(), 1);
  std::string catalogue =
      (std::filesystem::temp_directory_path() / "waymark-bench-XXXXXX").string();
  if (mkdtemp(catalogue.data()) == nullptr) {
    return Error(v1::REASON_FILE_UNUSABLE, "no folder can be made in " + options.folder);
  }
  network->catalogue_ = catalogue;
  RETURN_IF_ERROR(WritePublicFile(catalogue + "/traffic.json", kTraffic));
  testing::HubProcess::Variant variant = {
      .program = options.hub, .log_level = "info", .settings = ""};
  if (!options.storm) variant.settings = "catalogue: " + catalogue + "\n";
  if (options.store == Store::kPostgresql) {
    ASSIGN_OR_RETURN(const std::string store, network->StartDatabase());
    variant.settings += store;
  }
  ASSIGN_OR_RETURN(network->network_, testing::NetworkFixture::Create({}, absl::Now(), variant));
  RETURN_IF_ERROR(network->Join(options));
  RETURN_IF_ERROR(network->StartMore(options.hubs, variant));
  return network;
}

BenchNetwork::~BenchNetwork() {
  // Before the folder goes, in which gRPC looks for their certificates.
  channels_.clear();
  members_.clear();
  more_hubs_.clear();
  network_.reset();
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(catalogue_, ignored);
}

absl::StatusOr<std::string> BenchNetwork::StartDatabase() {
  const std::string parent = std::filesystem::temp_directory_path().string();
  ASSIGN_OR_RETURN(database_, testing::PostgresServer::StartDurable(parent));
  RETURN_IF_ERROR(database_->CreateDatabase("waymark"));
  RETURN_IF_ERROR(WarmLog(*database_));
  return absl::StrCat("store: postgresql://administrator@/waymark?host=", database_->host(),
                      "&port=", database_->port(), "\n");
}

absl::Status BenchNetwork::StartMore(size_t count, const testing::HubProcess::Variant& variant) {
  for (size_t number = 2; number <= count; ++number) {
    auto hub = std::make_unique<testing::HubProcess>(
        testing::HubProcess::Options{.folder = absl::StrCat(network_->folder(), "/hub", number),
                                     .network = network_->registry().network_path(),
                                     .clock_file = "",
                                     .variant = variant});
    ASSIGN_OR_RETURN(const std::string request, hub->Init());
    ASSIGN_OR_RETURN(const std::string certificate,
                     network_->registry().SignHub(request, {"localhost"}, {"127.0.0.1"}));
    RETURN_IF_ERROR(hub->Install(certificate));
    RETURN_IF_ERROR(hub->Start());
    more_hubs_.push_back(std::move(hub));
  }
  const std::vector<testing::HubProcess*> all = hubs();
  credentials_.resize(members_.size());
  for (size_t i = 0; i < members_.size(); ++i) {
    // Referrals go from a member to the next (Prepare). By twos, half of them go from one process
    // to another when there are two, as they would if every node had chosen at random.
    testing::HubProcess* const own = all[i / 2 % all.size()];
    addresses_.push_back(absl::StrCat("127.0.0.1:", own->ports().exchange));
    channels_.push_back(own == all.front() ? members_[i]->channel() : Dial(i));
  }
  return absl::OkStatus();
}

std::vector<testing::HubProcess*> BenchNetwork::hubs() {
  std::vector<testing::HubProcess*> all = {&network_->hub()};
  for (const auto& hub : more_hubs_) all.push_back(hub.get());
  return all;
}

std::shared_ptr<grpc::Channel> BenchNetwork::Dial(size_t member) {
  std::shared_ptr<grpc::ChannelCredentials>& credentials = credentials_[member];
  if (credentials == nullptr) {
    credentials = MutualTlsChannelCredentials(members_[member]->tls(), SpiffeId::Hub(id()));
  }
  grpc::ChannelArguments arguments = ChannelOptions();
  // Else channels of the same kind share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(addresses_[member], credentials, arguments);
}

absl::Status BenchNetwork::RestartHubs() {
  for (testing::HubProcess* hub : hubs()) hub->Kill();
  for (testing::HubProcess* hub : hubs()) RETURN_IF_ERROR(hub->Start());
  return absl::OkStatus();
}

absl::Status BenchNetwork::Stop() {
  for (const auto& hub : more_hubs_) RETURN_IF_ERROR(hub->Stop());
  return network_->StopAll();
}

absl::Status BenchNetwork::Join(const Options& options) {
  for (size_t i = 0; i < options.members; ++i) {
    const size_t units =
        options.units * (i + 1) / options.members - options.units * i / options.members;
    ASSIGN_OR_RETURN(auto member, testing::WireMember::Join(
                                      absl::StrCat(network_->folder(), "/m", i), PlanOf(i, units),
                                      network_->registry(), network_->desk(), network_->clock()));
    for (const UnitId& unit : member->units()) {
      // Who seals knows the key without the directory, and nobody opens what was sealed.
      hpke::KeyPair pair = hpke::GenerateKeyPair(SystemRandom());
      parties_.push_back({.member = i,
                          .unit = unit,
                          .sealing_key = {.id = KeyId::Generate(SystemRandom()),
                                          .public_key = std::move(pair.public_key)},
                          .identity_key = &member->identity_key()});
    }
    members_.push_back(std::move(member));
  }
  return absl::OkStatus();
}

std::unique_ptr<SimulatedNode> BenchNetwork::NodeOf(size_t member,
                                                    std::shared_ptr<grpc::Channel> channel,
                                                    NodeListener* listener) {
  return std::make_unique<SimulatedNode>(
      member, std::move(channel), [this, member] { return Dial(member); }, listener);
}

absl::StatusOr<std::vector<std::unique_ptr<SimulatedNode>>> BenchNetwork::Connect(
    NodeListener* listener, size_t begin, size_t end) {
  std::vector<std::unique_ptr<SimulatedNode>> nodes;
  for (size_t i = begin; i < std::min(end, members_.size()); ++i) {
    nodes.push_back(NodeOf(i, channels_[i], listener));
  }
  RETURN_IF_ERROR(ConnectAll(nodes));
  return nodes;
}

absl::StatusOr<std::vector<std::unique_ptr<SimulatedNode>>> BenchNetwork::ConnectAnew(
    NodeListener* listener) {
  std::vector<std::unique_ptr<SimulatedNode>> nodes;
  for (size_t i = 0; i < members_.size(); ++i) nodes.push_back(NodeOf(i, Dial(i), listener));
  RETURN_IF_ERROR(ConnectAll(nodes));
  return nodes;
}

Load::Meter BenchNetwork::meter() {
  return {.servers = servers(), .commits = [this] {
            double all = 0;
            for (const testing::HubProcess* hub : hubs()) {
              const auto text = hub->Metrics();
              if (text.ok()) all += MetricIn(*text, "waymark_commit_seconds_count").value_or(0);
            }
            return static_cast<uint64_t>(all);
          }};
}

Servers BenchNetwork::servers() {
  Servers servers;
  for (const testing::HubProcess* hub : hubs()) servers.hubs.push_back(hub->pid());
  if (database_ != nullptr) servers.database = database_->pid();
  return servers;
}

absl::StatusOr<uint64_t> BenchNetwork::CountWaiting() const {
  ASSIGN_OR_RETURN(const std::string text, network_->hub().Metrics());
  ASSIGN_OR_RETURN(const double waiting, MetricIn(text, "waymark_mailbox_messages"));
  return static_cast<uint64_t>(waiting);
}

absl::StatusOr<double> MetricIn(const std::string& text, const std::string& name) {
  const std::string line = "\n" + name + " ";
  const size_t found = ("\n" + text).find(line);
  double value = 0;
  if (found != std::string::npos) {
    const size_t begin = found + line.size() - 1;
    if (absl::SimpleAtod(text.substr(begin, text.find('\n', begin) - begin), &value)) return value;
  }
  return Error(v1::REASON_UNAVAILABLE, "the hub has no metric " + name);
}

}  // namespace waymark::bench
