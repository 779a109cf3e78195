// A hub over loopback with members that really connect, for tests of the listeners.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "base/directory/network.h"
#include "base/directory/pem.h"
#include "base/identity/files.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/rpc/status_mapping.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "server/hub.h"
#include "tests/base/directory/fixtures.h"
#include "tests/server/routing/test_network.h"
#include "tests/support/test_network.h"
#include "waymark/v1/exchange.grpc.pb.h"
#include "waymark/v1/registry.grpc.pb.h"

namespace waymark::hub {

// One node's stream, read frame by frame.
class TestStream {
 public:
  explicit TestStream(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::ExchangeService::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream_ = stub_->Connect(&context_);
  }
  ~TestStream() {
    context_.TryCancel();
    if (!finished_) stream_->Finish();
  }

  bool Write(const v1::ConnectRequest& frame) { return stream_->Write(frame); }
  void Close() { stream_->WritesDone(); }

  // The next frame; an empty one when the stream has ended.
  v1::ConnectResponse Read() {
    v1::ConnectResponse frame;
    if (!stream_->Read(&frame)) frame.Clear();
    return frame;
  }

  absl::Status Finish() {
    finished_ = true;
    return FromGrpc(stream_->Finish());
  }

  // Says hello and returns the welcome.
  v1::Welcome Hello() {
    v1::ConnectRequest frame;
    frame.mutable_hello()->set_protocol_version(1);
    frame.mutable_hello()->set_window_messages(64);
    frame.mutable_hello()->set_window_bytes(1 << 20);
    Write(frame);
    return Read().welcome();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::ExchangeService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ConnectRequest, v1::ConnectResponse>> stream_;
  bool finished_ = false;
};

// A network, its hub in a folder of its own, and certificates for whoever asks.
class TestHub {
 public:
  // `store` is the URL of a database; empty for a file.
  explicit TestHub(std::string store = "")
      : ca_(7, absl::Now()), statements_(ca_.id(), absl::Now()), store_(std::move(store)) {
    RequireTls13();
    std::string pattern = ::testing::TempDir() + "/hub_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    WriteKeys("hub", ca_.IssueHub(absl::Hours(24 * 30)));
    EXPECT_TRUE(WritePublicFile(folder_ + "/network-ca.crt", ca_.ca_pem()).ok());
    Start();
  }
  ~TestHub() {
    hub_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    auto started = Hub::Start(options());
    ASSERT_TRUE(started.ok()) << started.status();
    hub_ = *std::move(started);
  }
  void Stop() { hub_->Stop(); }
  // Puts another certificate and its key in place of the hub's, as an operator does.
  void ReplaceCertificate(const KeyAndCertificate& keys) { WriteKeys("hub", keys); }
  // Puts a data file into the network's own catalogue, which the next start reads.
  void WriteCatalogue(const std::string& name, const std::string& json) {
    catalogue_ = folder_ + "/catalogue";
    std::filesystem::create_directories(catalogue_);
    EXPECT_TRUE(WritePublicFile(catalogue_ + "/" + name, json).ok());
  }
  void Restart() {
    hub_.reset();
    Start();
  }

  Hub::Options options(const std::string& data = "data") {
    Hub::Options options{.data = folder_ + "/" + data,
                         .network = Network{ca_.id(),
                                            "Sample",
                                            ca_.ca_pem(),
                                            statements_.registry.verifying_key(),
                                            {"127.0.0.1:1"},
                                            {"127.0.0.1:2"},
                                            1}};
    options.store = store_;
    options.catalogue = catalogue_;
    options.listen = options.enrolment_listen = options.metrics_listen = "127.0.0.1:0";
    options.tls_key = folder_ + "/hub.key";
    options.tls_certificate = folder_ + "/hub.crt";
    options.tls_refresh = absl::Seconds(1);
    options.clock = &clock_;
    options.random = &SystemRandom();
    options.drain_limit = absl::Seconds(5);
    options.maintenance_interval = absl::Milliseconds(50);
    return options;
  }

  // A channel to the main listener that presents a certificate of `id`.
  std::shared_ptr<grpc::Channel> ChannelOf(const SpiffeId& id, ::waymark::TestNetwork& issuer) {
    return ChannelTo(hub_->ports().exchange, id, issuer);
  }
  // The same to the port of another hub of the network.
  std::shared_ptr<grpc::Channel> ChannelTo(int port, std::string_view handle) {
    return ChannelTo(port, SpiffeId::Organisation(ca_.id(), Organisation(handle)), ca_);
  }
  std::shared_ptr<grpc::Channel> ChannelTo(int port, const SpiffeId& id,
                                           ::waymark::TestNetwork& issuer) {
    const std::string name = "client-" + std::to_string(++clients_);
    WriteKeys(name, issuer.Issue({.id = id, .validity = absl::Hours(1)}));
    const TlsFiles files{folder_ + "/" + name + ".key", folder_ + "/" + name + ".crt",
                         folder_ + "/network-ca.crt"};
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                     MutualTlsChannelCredentials(files, SpiffeId::Hub(ca_.id())),
                                     ChannelOptions());
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const OrganisationId& organisation) {
    return ChannelOf(SpiffeId::Organisation(ca_.id(), organisation), ca_);
  }
  std::shared_ptr<grpc::Channel> ChannelOf(std::string_view handle) {
    return ChannelOf(Organisation(handle));
  }
  std::shared_ptr<grpc::Channel> RegistryChannel() {
    return ChannelOf(SpiffeId::Registry(ca_.id()), ca_);
  }
  std::shared_ptr<grpc::Channel> EnrolmentChannel() {
    return grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(hub_->ports().enrolment),
        ServerAuthChannelCredentials(ca_.ca_pem(), SpiffeId::Hub(ca_.id())), ChannelOptions());
  }

  // The member of a unit such as "lin.family", with the ids of the routing tests.
  TestOrganisation& Member(std::string_view unit) {
    const std::string handle = MemberOf(unit);
    auto [found, added] = members_.try_emplace(handle, handle);
    if (added) {
      found->second.id = Organisation(handle);
      found->second.unit = Unit(unit);
    }
    return found->second;
  }
  // Publishes that member's statement as the registry does.
  v1::Reason Publish(std::string_view unit, uint64_t version = 1,
                     v1::MemberStatus status = v1::MEMBER_STATUS_ACTIVE) {
    v1::Statement statement = statements_.Member(Member(unit), version);
    statement.mutable_member()->set_status(status);
    return Publish(statement);
  }
  v1::Reason Publish(const v1::Statement& statement) {
    v1::PublishMemberRequest request;
    *request.mutable_member() = statements_.ByRegistry(statement);
    v1::PublishMemberResponse response;
    grpc::ClientContext context;
    const auto stub = v1::RegistryService::NewStub(RegistryChannel());
    return ReasonOf(FromGrpc(stub->PublishMember(&context, request, &response)));
  }

  Hub& hub() { return *hub_; }
  FakeClock& clock() { return clock_; }
  ::waymark::TestNetwork& ca() { return ca_; }
  TestDirectory& statements() { return statements_; }

 private:
  void WriteKeys(const std::string& name, const KeyAndCertificate& keys) {
    EXPECT_TRUE(WriteSecretFile(folder_ + "/" + name + ".key", keys.key_pem).ok());
    EXPECT_TRUE(WritePublicFile(folder_ + "/" + name + ".crt", keys.certificate_pem).ok());
  }

  ::waymark::TestNetwork ca_;
  TestDirectory statements_;
  FakeClock clock_{absl::Now()};
  const std::string store_;
  std::string folder_;
  std::string catalogue_;
  std::unique_ptr<Hub> hub_;
  std::map<std::string, TestOrganisation> members_;
  int clients_ = 0;
};

}  // namespace waymark::hub
