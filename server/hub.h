// The hub put together: store, rules, desk, streams and listeners, from start to drained end.
//
// Three listeners: the main one (mutual TLS: exchange, directory, registry, renewals,
// grpc.health.v1), the enrolment one (server TLS: invitations), and loopback HTTP (metrics,
// health).
//
// Threads: gRPC's own; the committer's; the dispatcher's; one desk thread for directory and
// registry; two for strands; one for maintenance. Start and Stop are called by one thread.
// Lifetime: the destructor stops.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/directory/network.h"
#include "base/random/random.h"
#include "base/rpc/credentials.h"
#include "base/secret/secret.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "grpcpp/server.h"
#include "server/directory/directory.h"
#include "server/own_certificate.h"
#include "server/registry/registry.h"
#include "server/rpc/desk_services.h"
#include "server/rpc/exchange_service.h"
#include "server/rpc/worker_pool.h"
#include "server/session/committer.h"
#include "server/session/dispatcher.h"
#include "server/session/peer_news.h"
#include "server/store/store.h"
#include "server/web/metrics.h"
#include "server/web/web_server.h"

namespace waymark::hub {

class Hub final : public MembershipListener {
 public:
  struct Options {
    // Of the program, for the metrics.
    std::string version = "unknown";
    // A folder of the hub's own, readable by nobody else; made if it does not exist.
    std::string data;
    Network network;
    // The URL of a PostgreSQL database, which several hubs may share; empty for a file in `data`.
    std::string store;
    SecretReference store_password;
    // A folder with data files that replace compiled-in ones; empty for the compiled-in ones.
    std::string catalogue;
    // "host:port"; port 0 takes a free one.
    std::string listen;
    std::string enrolment_listen;
    std::string metrics_listen;
    // PEM files, read again when they change.
    std::string tls_key;
    std::string tls_certificate;
    // How often they are looked at again; whole seconds, at least one.
    absl::Duration tls_refresh = absl::Minutes(1);
    // Not owned; they outlive the hub.
    Clock* clock = nullptr;
    Random* random = nullptr;
    // How long Stop waits for streams to end in order.
    absl::Duration drain_limit = absl::Seconds(10);
    // How often clocks are swept and notices taken, in real time.
    absl::Duration maintenance_interval = absl::Seconds(1);
    // For how long nothing is published after the store was restored from a copy (directory.h).
    absl::Duration publication_pause = Directory::kPublicationPause;
    // For tests that look at everything the hub was sent.
    FrameRecorder frame_recorder;
  };

  struct Ports {
    int exchange = 0;
    int enrolment = 0;
    int metrics = 0;
  };

  // Opens the store and begins to serve. The store's codes; REASON_FILE_UNUSABLE: a file (one of
  // the catalogue too) or folder cannot be used; REASON_CONFIG_INVALID: an address cannot be used,
  // each saying which; REASON_IDENTITY_MISSING: the certificate is not this network's or has ended.
  static absl::StatusOr<std::unique_ptr<Hub>> Start(const Options& options);

  ~Hub() override;
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  const Ports& ports() const { return ports_; }

  // Drains: reports NOT_SERVING, refuses new streams, says goodbye to the others, waits for them at
  // most drain_limit, then ends everything. What was confirmed is durable before it is confirmed,
  // so nothing waits to be saved. Idempotent.
  void Stop();

 private:
  explicit Hub(const Options& options);

  absl::Status OpenRooms();
  void ListenToPeers();
  absl::Status StartListeners();
  void OnMembership(std::shared_ptr<const Membership> membership) override;
  void OnStanding(const OrganisationId& organisation, v1::MemberStatus status) override;

  TlsFiles tls_files() const;
  void RunMaintenance();
  void Sweep();
  void CountWaiting();
  // The metrics, with what is looked at when somebody asks.
  std::string Metrics();
  // Tells how long the hub's own certificate still serves.
  void LookAtCertificate();

  const Options options_;
  Ports ports_;
  std::atomic<bool> serving_ = false;
  // Used by Start, then by the maintenance thread.
  OwnCertificate certificate_;
  absl::Duration offline_notice_after_;

  // In order of construction; each uses those above it.
  HubMetrics metrics_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Quotas> quotas_;
  std::unique_ptr<HelloGate> gate_;
  std::unique_ptr<WorkerPool> strands_;
  std::unique_ptr<WorkerPool> desk_;
  std::unique_ptr<PeerNews> peer_news_;
  ExchangeReactor::Environment exchange_environment_;
  DeskEnvironment desk_environment_;
  std::unique_ptr<ExchangeService> exchange_;
  std::unique_ptr<DirectoryService> directory_service_;
  std::unique_ptr<InvitationService> invitation_service_;
  std::unique_ptr<RenewalService> renewal_service_;
  std::unique_ptr<RegistryService> registry_service_;
  std::unique_ptr<grpc::Server> main_server_;
  std::unique_ptr<grpc::Server> enrolment_server_;
  std::unique_ptr<WebServer> web_;

  Mutex mu_;
  CondVar stopped_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread maintenance_;
};

}  // namespace waymark::hub
