#include "client/node.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "base/directory/network.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/log/log.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/schema/catalogue.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "client/api/node_service.h"
#include "client/casework/context.h"
#include "client/casework/receiver.h"
#include "client/delivery/delivery.h"
#include "client/delivery/desk.h"
#include "client/directory/keyring.h"
#include "client/directory/publication.h"
#include "client/directory/replica.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/identity.h"
#include "client/enrolment/renewal.h"
#include "client/link/directory_client.h"
#include "client/link/enrolment_client.h"
#include "client/link/hub_channel.h"
#include "client/link/link.h"
#include "client/local_systems.h"
#include "client/node_alerts.h"
#include "client/node_worker.h"
#include "client/vault/vault.h"
#include "google/protobuf/duration.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"

namespace waymark::node {
namespace {

constexpr auto kDrainLimit = std::chrono::seconds(5);
constexpr mode_t kNobodyElse = 0177;
constexpr absl::Duration kLateForRenewal = absl::Hours(24 * 10);

absl::Status SocketError(const std::string& path, std::string_view what) {
  return Error(v1::REASON_FILE_UNUSABLE, "the socket " + path + " " + std::string(what));
}

// OK if a server may listen on `path`: there is nothing, or what a node that died left behind.
absl::Status ClearSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return SocketError(path, "has a path of more than 107 bytes");
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) return SocketError(path, "is something else: another file");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool lives =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  if (lives) return SocketError(path, "is served by another node");
  if (unlink(path.c_str()) != 0) return SocketError(path, "is left over and cannot be deleted");
  return absl::OkStatus();
}

absl::StatusOr<Certificate> OwnCertificate(const DataFolder& folder) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder.tls_certificate()));
  return Certificate::FromPem(pem);
}

// What Start reads from the data folder before anything runs.
struct Membership {
  Network network;
  SpiffeId id;
};

absl::StatusOr<Membership> ReadMembership(const DataFolder& folder) {
  RETURN_IF_ERROR(folder.CheckJoined());
  RETURN_IF_ERROR(KeyReplacement::Renewing(folder).Finish());
  RETURN_IF_ERROR(KeyReplacement::Joining(folder).Finish());
  ASSIGN_OR_RETURN(Network network, LoadNetwork(folder.network()));
  ASSIGN_OR_RETURN(const Certificate certificate, OwnCertificate(folder));
  const SpiffeId id = certificate.spiffe_id();
  if (id != SpiffeId::Organisation(network.id, id.organisation)) {
    return Error(v1::REASON_FILE_UNUSABLE, folder.tls_certificate() +
                                               " is not the certificate of an organisation of " +
                                               folder.network());
  }
  return Membership{std::move(network), id};
}

// The own units: as the directory has them, or as the registry admitted the organisation.
absl::StatusOr<UnitsByHandle> OwnUnits(const Membership& membership, const Replica& replica,
                                       const Vault& vault) {
  const auto directory = replica.snapshot();
  const MemberEntry* member = directory->FindMember(membership.id.organisation);
  if (member != nullptr) return UnitsOf(member->member);
  ASSIGN_OR_RETURN(const std::optional<v1::Member> admission, LoadAdmission(vault));
  return UnitsOf(admission.value_or(v1::Member()));
}

// To the millisecond.
void SetDuration(google::protobuf::Duration& out, absl::Duration duration) {
  const int64_t millis = absl::ToInt64Milliseconds(duration);
  out.set_seconds(millis / 1000);
  out.set_nanos(static_cast<int32_t>(millis % 1000 * 1'000'000));
}

HubChannel::Factory ChannelsTo(const SpiffeId& hub, const TlsFiles& files) {
  return [credentials = MutualTlsChannelCredentials(files, hub)](const std::string& address) {
    return grpc::CreateCustomChannel(address, credentials, ChannelOptions());
  };
}

}  // namespace

class Node::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const Options& options, const MasterKey& key);

  absl::Status Start();
  void Stop();

 private:
  Impl(const Options& options, Membership membership, std::unique_ptr<Vault> vault,
       SigningKey identity_key, std::unique_ptr<Replica> replica,
       std::unique_ptr<const Catalogue> own_catalogue, LocalSystems local_systems);

  CaseworkContext MakeContext();
  // Begins to bring to the local systems, and to read from them. Without one there is nothing to
  // begin.
  absl::Status StartDelivery();
  absl::Status StartApi();
  void RunMaintenance();
  void WakeMaintenance();
  void Maintain();
  // The operator's refresh runs daily; a renewal that waits for so long was forgotten.
  void WarnOfEnd();
  absl::Status FillStatus(v1::GetStatusResponse& status);
  void FillLocalSystems(v1::GetStatusResponse& status) const;

  const Options options_;
  const DataFolder folder_;
  const Membership membership_;

  // In order of construction; each uses those above it.
  const std::unique_ptr<Vault> vault_;
  const SigningKey identity_key_;
  const std::unique_ptr<Replica> replica_;
  const std::unique_ptr<const Catalogue> own_catalogue_;
  NodeAlerts alerts_;
  HubChannel hub_;
  Publication publication_;
  const LocalSystems local_systems_;
  LocalDelivery delivery_;
  const CaseworkContext context_;
  StaffRegister staff_;
  Cases cases_;
  Consents consents_;
  Origin origin_;
  Provider provider_;
  Overview overview_;
  Receiver receiver_;
  Upkeep upkeep_;
  NodeWorker worker_;
  const std::unique_ptr<Link> link_;
  DirectoryWatch watch_;
  RenewalClient renewal_desk_;
  Renewal renewal_;
  LocalDesk local_desk_;
  NodeService api_;
  std::unique_ptr<grpc::Server> server_;

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool maintenance_due_ ABSL_GUARDED_BY(mu_) = false;
  std::thread maintenance_;
};

Node::Impl::Impl(const Options& options, Membership membership, std::unique_ptr<Vault> vault,
                 SigningKey identity_key, std::unique_ptr<Replica> replica,
                 std::unique_ptr<const Catalogue> own_catalogue, LocalSystems local_systems)
    : options_(options),
      folder_(options.data),
      membership_(std::move(membership)),
      vault_(std::move(vault)),
      identity_key_(std::move(identity_key)),
      replica_(std::move(replica)),
      own_catalogue_(std::move(own_catalogue)),
      alerts_(*options.clock),
      hub_(options.hubs.empty() ? membership_.network.hub_addresses : options.hubs,
           ChannelsTo(SpiffeId::Hub(membership_.network.id),
                      {.key_path = folder_.tls_key(),
                       .certificate_path = folder_.tls_certificate(),
                       .ca_path = folder_.ca(),
                       .refresh = options.tls_refresh})),
      publication_(
          {.network = membership_.network.id, .organisation = membership_.id.organisation},
          identity_key_, *vault_, *options.clock, *options.random,
          [this] { return replica_->snapshot(); },
          [this](const v1::PublishStatementsRequest& request)
              -> absl::StatusOr<v1::PublishStatementsResponse> {
            // Something new, before a restored hub has back what it lacks, makes another history.
            if (replica_->up_to_date()) return PublishStatements(hub_, request);
            return Error(v1::REASON_UNAVAILABLE, "the directory is not being followed");
          }),
      local_systems_(std::move(local_systems)),
      delivery_(local_systems_.targets(), *options.clock),
      context_(MakeContext()),
      staff_(*vault_, *options.clock, *options.random, options.staff_cost),
      cases_(*vault_, context_.catalogue, *options.clock),
      consents_(context_),
      origin_(context_),
      provider_(context_),
      overview_(context_),
      receiver_(context_),
      upkeep_(context_),
      worker_(
          *vault_, receiver_, upkeep_, alerts_, [this] { return replica_->caught_up(); },
          [this] {
            watch_.Wake();
            WakeMaintenance();
          },
          options.on_stored, options.tick),
      link_(Link::Create({}, *vault_, hub_, *options.clock, *options.random, worker_)),
      watch_({}, hub_, *replica_, *options.random,
             [this] {
               worker_.Nudge();
               WakeMaintenance();
             }),
      renewal_desk_(hub_),
      renewal_(folder_, membership_.id, identity_key_, *options.clock),
      local_desk_(context_, delivery_),
      api_({.context = context_,
            .staff = staff_,
            .cases = cases_,
            .consents = consents_,
            .origin = origin_,
            .provider = provider_,
            .overview = overview_,
            .replica = *replica_,
            .publication = publication_,
            .local = local_desk_,
            .status = [this](v1::GetStatusResponse& status) { return FillStatus(status); }}) {}

CaseworkContext Node::Impl::MakeContext() {
  return {.network = membership_.network.id,
          .organisation = membership_.id.organisation,
          .identity_key = identity_key_,
          .vault = *vault_,
          .catalogue = own_catalogue_ == nullptr ? Catalogue::Default() : *own_catalogue_,
          .clock = *options_.clock,
          .random = *options_.random,
          .delays = options_.delays,
          .directory = [this] { return replica_->snapshot(); },
          .directory_up_to_date = [this] { return replica_->up_to_date(); },
          .opening_keys = [](const Reader& reader,
                             const UnitId& unit) { return OpeningKeys(reader, unit); },
          .check_peer_head =
              [this](const v1::DirectoryHead& head) {
                if (replica_->CheckPeerHead(head) == HeadComparison::kMismatch) {
                  Log(LogLevel::kError, "directory_heads_differ");
                }
              },
          // The link is made last, and nothing leaves before.
          .outbox_grew = [this] { link_->Wake(); },
          .local_copies = &delivery_.planner()};
}

absl::StatusOr<std::unique_ptr<Node::Impl>> Node::Impl::Open(const Options& options,
                                                             const MasterKey& key) {
  const DataFolder folder(options.data);
  ASSIGN_OR_RETURN(Membership membership, ReadMembership(folder));
  ASSIGN_OR_RETURN(std::unique_ptr<Vault> vault,
                   Vault::Open({.path = folder.vault()}, key, *options.random));
  ASSIGN_OR_RETURN(SigningKey identity_key, LoadIdentityKey(*vault));
  ASSIGN_OR_RETURN(std::unique_ptr<Replica> replica,
                   Replica::Open(membership.network.id, membership.network.registry_key, *vault,
                                 *options.clock));
  std::unique_ptr<const Catalogue> own_catalogue;
  if (!options.catalogue.empty()) {
    ASSIGN_OR_RETURN(own_catalogue, Catalogue::Load(options.catalogue));
  }
  ASSIGN_OR_RETURN(const UnitsByHandle units, OwnUnits(membership, *replica, *vault));
  ASSIGN_OR_RETURN(LocalSystems local_systems,
                   LocalSystems::Open(options.local_systems, &units, SteadyClock()));
  return std::unique_ptr<Impl>(new Impl(options, std::move(membership), std::move(vault),
                                        std::move(identity_key), std::move(replica),
                                        std::move(own_catalogue), std::move(local_systems)));
}

absl::Status Node::Impl::Start() {
  // A certificate that ended keeps the node from the hub, not the staff from their cases.
  absl::Status tls = CheckTlsFiles({.key_path = folder_.tls_key(),
                                    .certificate_path = folder_.tls_certificate(),
                                    .ca_path = folder_.ca()},
                                   options_.clock->Now());
  if (ReasonOf(tls) == v1::REASON_IDENTITY_MISSING) {
    alerts_.Raise(v1::REASON_IDENTITY_MISSING,
                  "The node's certificate does not count: " + std::string(tls.message()));
  } else if (!tls.ok()) {
    return tls;
  }
  ASSIGN_OR_RETURN(const bool nobody, staff_.IsEmpty());
  if (nobody) Log(LogLevel::kWarning, "no_staff", {{"cure", "run waymark-node staff-init"}});
  RETURN_IF_ERROR(StartApi());
  RETURN_IF_ERROR(worker_.Start());
  RETURN_IF_ERROR(StartDelivery());
  link_->Start();
  watch_.Start();
  maintenance_ = std::thread([this] { RunMaintenance(); });
  return absl::OkStatus();
}

absl::Status Node::Impl::StartDelivery() {
  if (delivery_.targets().empty()) return absl::OkStatus();
  return delivery_.Start(
      context_,
      [this](v1::Capacity capacity) { return publication_.PublishCapacity(std::move(capacity)); },
      [this](v1::Reason reason, const std::string& text) { alerts_.Raise(reason, text); });
}

absl::Status Node::Impl::StartApi() {
  RETURN_IF_ERROR(ClearSocket(options_.socket));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  ApplyServerOptions(builder);
  builder.SetMaxSendMessageSize(kMaxLocalAnswerBytes);
  builder.AddListeningPort("unix:" + options_.socket, grpc::InsecureServerCredentials());
  builder.RegisterService(&api_);
  // From its first moment nobody else may open the socket.
  const mode_t before = umask(kNobodyElse);
  server_ = builder.BuildAndStart();
  umask(before);
  if (server_ == nullptr)
    return SocketError(options_.socket, "cannot be made: is its folder there?");
  return absl::OkStatus();
}

void Node::Impl::Stop() {
  {
    MutexLock lock(mu_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.SignalAll();
  if (server_ != nullptr) {
    server_->GetHealthCheckService()->SetServingStatus(false);
    server_->Shutdown(std::chrono::system_clock::now() + kDrainLimit);
  }
  watch_.Stop();
  link_->Stop();
  worker_.Stop();
  delivery_.Stop();
  if (maintenance_.joinable()) maintenance_.join();
}

void Node::Impl::WakeMaintenance() {
  {
    MutexLock lock(mu_);
    maintenance_due_ = true;
  }
  changed_.SignalAll();
}

void Node::Impl::RunMaintenance() {
  while (true) {
    Maintain();
    MutexLock lock(mu_);
    if (!stopping_ && !maintenance_due_) changed_.WaitFor(mu_, options_.maintenance_interval);
    if (stopping_) return;
    maintenance_due_ = false;
  }
}

void Node::Impl::Maintain() {
  // Days without the hub are normal and no news.
  if (!link_->state().connected) return;
  if (replica_->up_to_date()) {
    const absl::Status published = publication_.Maintain();
    if (!published.ok()) Log(LogLevel::kWarning, "publication_failed", {{"reason", published}});
  }
  const absl::StatusOr<bool> renewed = renewal_.Advance(renewal_desk_);
  if (!renewed.ok()) {
    Log(LogLevel::kWarning, "renewal_failed", {{"reason", renewed.status()}});
    alerts_.Raise(ReasonOf(renewed.status()), "The certificate could not be renewed: " +
                                                  std::string(renewed.status().message()));
  } else if (*renewed) {
    Log(LogLevel::kInfo, "certificate_renewed");
  }
  WarnOfEnd();
}

void Node::Impl::WarnOfEnd() {
  const absl::StatusOr<Certificate> certificate = OwnCertificate(folder_);
  if (!certificate.ok() || certificate->not_after() - options_.clock->Now() > kLateForRenewal) {
    return;
  }
  alerts_.Raise(v1::REASON_IDENTITY_MISSING,
                "The node's certificate ends within days and nobody renewed it: ask the registry "
                "operator to run 'waymark registry refresh'.");
}

absl::Status Node::Impl::FillStatus(v1::GetStatusResponse& status) {
  status.set_version(options_.version);
  status.set_organisation_id(membership_.id.organisation.bytes());
  const auto directory = replica_->snapshot();
  if (const MemberEntry* member = directory->FindMember(membership_.id.organisation)) {
    *status.mutable_member() = member->member;
    status.mutable_member_valid_until()->set_seconds(absl::ToUnixSeconds(member->valid_until));
  } else {
    ASSIGN_OR_RETURN(const std::optional<v1::Member> admission, LoadAdmission(*vault_));
    if (admission.has_value()) *status.mutable_member() = *admission;
  }
  const LinkState link = link_->state();
  status.set_connected(link.connected);
  if (!link.connected) status.set_link_error(std::string(link.error.message()));
  status.set_restricted(link.restricted || ReasonOf(link.error) == v1::REASON_MEMBER_SUSPENDED);
  status.set_clock_skew_ms(-absl::ToInt64Milliseconds(link.clock_skew));
  status.set_directory_revision(directory->head().revision());
  OutboxCounters outbox;
  RETURN_IF_ERROR(vault_->Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(outbox, reader.CountOutbox());
    return absl::OkStatus();
  }));
  status.set_outbox(static_cast<uint32_t>(outbox.waiting));
  status.set_awaiting_receipt(static_cast<uint32_t>(outbox.awaiting_receipt));
  const std::vector<std::string> directory_alerts = replica_->alerts();
  for (auto text = directory_alerts.rbegin(); text != directory_alerts.rend(); ++text) {
    v1::Alert* alert = status.add_alerts();
    alert->set_reason(v1::REASON_STATEMENT_INVALID);
    alert->set_text(*text);
  }
  for (v1::Alert& alert : alerts_.List()) {
    if (status.alerts_size() < NodeAlerts::kMost) *status.add_alerts() = std::move(alert);
  }
  FillLocalSystems(status);
  ASSIGN_OR_RETURN(const Certificate certificate, OwnCertificate(folder_));
  status.mutable_certificate_expires_at()->set_seconds(
      absl::ToUnixSeconds(certificate.not_after()));
  return absl::OkStatus();
}

void Node::Impl::FillLocalSystems(v1::GetStatusResponse& status) const {
  for (const auto& [connector, counters] : delivery_.Counters()) {
    v1::LocalSystemStatus* system = status.add_local_systems();
    system->set_connector(connector);
    system->set_waiting(static_cast<uint32_t>(counters.waiting));
    system->set_uncertain(static_cast<uint32_t>(counters.uncertain));
    system->set_dead(static_cast<uint32_t>(counters.dead));
    system->set_written(static_cast<uint64_t>(counters.written));
    system->set_erased(static_cast<uint64_t>(counters.erased));
    system->set_failed(static_cast<uint64_t>(counters.failed));
    if (!counters.longest_time_to_record.has_value()) continue;
    SetDuration(*system->mutable_median_time_to_record(), *counters.median_time_to_record);
    SetDuration(*system->mutable_longest_time_to_record(), *counters.longest_time_to_record);
  }
}

absl::StatusOr<std::unique_ptr<Node>> Node::Start(const Options& options, const MasterKey& key) {
  ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Open(options, key));
  auto node = std::unique_ptr<Node>(new Node(std::move(impl)));
  RETURN_IF_ERROR(node->impl_->Start());
  return node;
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() { Stop(); }
void Node::Stop() { impl_->Stop(); }

}  // namespace waymark::node
