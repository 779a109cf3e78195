#include "server/hub.h"

#include <chrono>
#include <filesystem>
#include <utility>

#include "base/identity/files.h"
#include "base/log/log.h"
#include "base/program/machine.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/schema/catalogue.h"
#include "base/status/status.h"
#include "grpc/grpc.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"
#include "server/routing/limits.h"
#include "server/store/postgres/postgres_store.h"
#include "server/store/sqlite/sqlite_store.h"

namespace waymark::hub {
namespace {

constexpr int kStrandThreads = 2;
constexpr size_t kStrandQueue = size_t{1} << 20;
constexpr size_t kDeskQueue = 4096;
constexpr size_t kSweepLimit = 1000;
constexpr size_t kNoticeLimit = 256;

absl::Status MakeDataFolder(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (!error && made) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (error) {
    return Error(v1::REASON_FILE_UNUSABLE, "the data folder " + path + " cannot be made");
  }
  return absl::OkStatus();
}

absl::StatusOr<Limits> LoadLimits(const std::string& catalogue) {
  if (catalogue.empty()) return Limits::From(Catalogue::Default());
  ASSIGN_OR_RETURN(const auto own, Catalogue::Load(catalogue));
  return Limits::From(*own);
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Hub::Options& options) {
  if (options.store.empty()) {
    return SqliteStore::Open(
        {.path = options.data + "/hub.sqlite", .random = options.random, .clock = options.clock});
  }
  return PostgresStore::Open({.target = {options.store, options.store_password},
                              .random = options.random,
                              .clock = options.clock});
}

absl::StatusOr<std::unique_ptr<grpc::Server>> Listen(
    const std::string& key, const std::string& address,
    const std::shared_ptr<grpc::ServerCredentials>& credentials,
    const std::vector<grpc::Service*>& services, int* port) {
  grpc::ServerBuilder builder;
  ApplyServerOptions(builder);
  // Two hubs on one port would each get half of the nodes.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(address, credentials, port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  auto server = builder.BuildAndStart();
  if (server == nullptr || *port == 0) {
    return Error(v1::REASON_CONFIG_INVALID, "cannot listen on " + key + " " + address);
  }
  return server;
}

}  // namespace

Hub::Hub(const Options& options)
    : options_(options), certificate_(tls_files()), metrics_(options.version) {}

TlsFiles Hub::tls_files() const {
  return {.key_path = options_.tls_key,
          .certificate_path = options_.tls_certificate,
          .ca_path = options_.data + "/ca.crt",
          .refresh = options_.tls_refresh};
}

absl::StatusOr<std::unique_ptr<Hub>> Hub::Start(const Options& options) {
  auto hub = std::unique_ptr<Hub>(new Hub(options));
  RETURN_IF_ERROR(hub->OpenRooms());
  RETURN_IF_ERROR(hub->StartListeners());
  hub->serving_ = true;
  hub->maintenance_ = std::thread([raw = hub.get()] { raw->RunMaintenance(); });
  return hub;
}

absl::Status Hub::OpenRooms() {
  ASSIGN_OR_RETURN(const Limits limits, LoadLimits(options_.catalogue));
  offline_notice_after_ = limits.offline_notice_after;
  RETURN_IF_ERROR(MakeDataFolder(options_.data));
  ASSIGN_OR_RETURN(store_, OpenStore(options_));
  ASSIGN_OR_RETURN(directory_,
                   Directory::Open(store_.get(), options_.clock, options_.network.id,
                                   options_.network.registry_key, options_.publication_pause));
  directory_->set_listener(this);
  registry_ =
      std::make_unique<Registry>(store_.get(), directory_.get(), options_.clock, options_.network);
  dispatcher_ = Dispatcher::Create(store_.get(), options_.clock, &metrics_);
  strands_ = std::make_unique<WorkerPool>(kStrandThreads, kStrandQueue);
  committer_ = Committer::Create(
      {.store = store_.get(),
       .listener = dispatcher_.get(),
       .metrics = &metrics_,
       .clock = options_.clock,
       .together = [this](absl::FunctionRef<void()> release) { strands_->PostTogether(release); }},
      limits, Committer::Bounds{});
  committer_->SetMembership(directory_->membership());
  quotas_ = std::make_unique<Quotas>(limits.traffic);
  gate_ = std::make_unique<HelloGate>(limits.traffic, options_.random);
  desk_ = std::make_unique<WorkerPool>(1, kDeskQueue);
  ListenToPeers();

  exchange_environment_.pool = strands_.get();
  exchange_environment_.recorder = options_.frame_recorder;
  exchange_environment_.steady = &SteadyClock();
  exchange_environment_.session = {
      .committer = committer_.get(),
      .dispatcher = dispatcher_.get(),
      .quotas = quotas_.get(),
      .gate = gate_.get(),
      .clock = options_.clock,
      .membership = [directory = directory_.get()] { return directory->membership(); },
      .epoch = store_->epoch()};
  desk_environment_ = {.pool = strands_.get(),
                       .desk = desk_.get(),
                       .directory = directory_.get(),
                       .registry = registry_.get(),
                       .network = options_.network.id,
                       .recorder = options_.frame_recorder};
  exchange_ = std::make_unique<ExchangeService>(&exchange_environment_, options_.network.id,
                                                options_.random);
  directory_service_ = std::make_unique<DirectoryService>(&desk_environment_);
  invitation_service_ = std::make_unique<InvitationService>(&desk_environment_);
  renewal_service_ = std::make_unique<RenewalService>(&desk_environment_);
  registry_service_ = std::make_unique<RegistryService>(&desk_environment_);
  return absl::OkStatus();
}

void Hub::ListenToPeers() {
  peer_news_ = std::make_unique<PeerNews>(dispatcher_.get(), committer_.get(), directory_.get(),
                                          [desk = desk_.get()](absl::AnyInvocable<void()> task) {
                                            return desk->Post(std::move(task));
                                          });
  store_->SetPeerListener(peer_news_.get());
  // The directory was read before anybody listened.
  if (store_->shared()) peer_news_->OnNewsLost();
}

absl::Status Hub::StartListeners() {
  const TlsFiles files = tls_files();
  RETURN_IF_ERROR(WritePublicFile(files.ca_path, options_.network.ca_pem));
  RETURN_IF_ERROR(CheckOwnCertificate(files, options_.clock->Now()));
  LookAtCertificate();

  grpc::EnableDefaultHealthCheckService(true);
  ASSIGN_OR_RETURN(main_server_,
                   Listen("listen", options_.listen, MutualTlsServerCredentials(files),
                          {exchange_.get(), directory_service_.get(), registry_service_.get(),
                           renewal_service_.get()},
                          &ports_.exchange));
  ASSIGN_OR_RETURN(enrolment_server_, Listen("enrolment_listen", options_.enrolment_listen,
                                             ServerTlsCredentials(files),
                                             {invitation_service_.get()}, &ports_.enrolment));
  ASSIGN_OR_RETURN(web_, WebServer::Start(
                             options_.metrics_listen, [this] { return Metrics(); },
                             [this] { return serving_.load(); }));
  ports_.metrics = web_->port();
  return absl::OkStatus();
}

Hub::~Hub() { Stop(); }

void Hub::Stop() {
  {
    MutexLock lock(mu_);
    if (std::exchange(stopping_, true)) return;
  }
  stopped_.SignalAll();
  serving_ = false;
  if (exchange_ != nullptr) exchange_->Drain();
  if (directory_service_ != nullptr) directory_service_->Drain();
  const auto deadline =
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(options_.drain_limit);
  if (main_server_ != nullptr) {
    main_server_->GetHealthCheckService()->SetServingStatus(false);
    main_server_->Shutdown(deadline);
  }
  if (enrolment_server_ != nullptr) enrolment_server_->Shutdown(deadline);
  // The streams have ended; what is left are answers that nobody waits for.
  if (store_ != nullptr) store_->Interrupt();
  if (maintenance_.joinable()) maintenance_.join();
  if (store_ != nullptr) store_->SetPeerListener(nullptr);
  if (committer_ != nullptr) committer_->Shutdown();
  if (dispatcher_ != nullptr) dispatcher_->Shutdown();
  if (desk_ != nullptr) desk_->Shutdown();
  if (strands_ != nullptr) strands_->Shutdown();
}

void Hub::OnMembership(std::shared_ptr<const Membership> membership) {
  committer_->SetMembership(std::move(membership));
}

void Hub::OnStanding(const OrganisationId& organisation, v1::MemberStatus status) {
  Log(LogLevel::kInfo, "member_standing",
      {{"organisation", organisation}, {"status", v1::MemberStatus_Name(status)}});
  dispatcher_->Disconnect(organisation, status == v1::MEMBER_STATUS_SUSPENDED
                                            ? v1::REASON_MEMBER_SUSPENDED
                                            : v1::REASON_UNSPECIFIED);
}

void Hub::RunMaintenance() {
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stopping_) stopped_.WaitFor(mu_, options_.maintenance_interval);
      if (stopping_) return;
    }
    exchange_->Tick();
    peer_news_->Retry();
    metrics_.SetStreams(exchange_->streams());
    Sweep();
    CountWaiting();
    LookAtCertificate();
  }
}

void Hub::Sweep() {
  const absl::Time now = options_.clock->Now();
  const auto notices = store_->TakeOfflineNotices(now - offline_notice_after_, kNoticeLimit);
  if (notices.ok() && !notices->empty()) {
    metrics_.OnOfflineNotices(notices->size());
    const auto elsewhere = dispatcher_->NotifyPeerOffline(*notices);
    if (const absl::Status sent = store_->SendNotices(elsewhere); !sent.ok()) {
      Log(LogLevel::kWarning, "notices_failed", {{"reason", sent}});
    }
  }
  if (!notices.ok()) Log(LogLevel::kWarning, "notices_failed", {{"reason", notices.status()}});
  const auto swept = store_->Sweep(now, kSweepLimit);
  if (swept.ok()) {
    metrics_.OnSweep(*swept);
  } else {
    Log(LogLevel::kWarning, "sweep_failed", {{"reason", swept.status()}});
  }
}

void Hub::CountWaiting() {
  const auto totals = store_->CountWaiting();
  if (totals.ok()) {
    metrics_.SetWaiting(*totals, options_.clock->Now());
  } else {
    Log(LogLevel::kWarning, "count_failed", {{"reason", totals.status()}});
  }
}

std::string Hub::Metrics() {
  metrics_.SetQueue(committer_->queued());
  metrics_.SetUnderWay(dispatcher_->CountUnderWay());
  metrics_.SetMachine(LookAtProcess(), SpaceAt(options_.data).value_or(DiskSpace{}));
  return metrics_.Text();
}

void Hub::LookAtCertificate() {
  const OwnCertificate::Sight sight = certificate_.Look(options_.clock->Now());
  metrics_.SetCertificateLeft(sight.left);
  const LogField file = {"file", options_.tls_certificate};
  const LogField hours = {"hours_left", absl::ToInt64Hours(sight.left)};
  switch (sight.news) {
    case OwnCertificate::News::kNone:
      return;
    case OwnCertificate::News::kReplaced:
      return Log(LogLevel::kInfo, "certificate_replaced", {file, hours});
    case OwnCertificate::News::kEndsSoon:
      return Log(LogLevel::kWarning, "certificate_ends_soon", {file, hours});
    case OwnCertificate::News::kUnusable:
      return Log(LogLevel::kError, "certificate_unusable", {file, {"reason", sight.status}});
  }
}

}  // namespace waymark::hub
