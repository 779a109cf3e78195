// A server and a client without any schema, for tests of what lies beneath: every method of the
// server answers with what a handler says.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/status_mapping.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace waymark {

// Listens on a loopback port, a free one unless given, until destroyed. The answer is computed on
// gRPC's threads.
class GenericServer {
 public:
  using Answer = std::function<absl::StatusOr<std::string>(const grpc::AuthContext&)>;

  GenericServer(std::shared_ptr<grpc::ServerCredentials> credentials, Answer answer, int port = 0)
      : service_(std::move(answer)) {
    grpc::ServerBuilder builder;
    ApplyServerOptions(builder);
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), std::move(credentials), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  // Reads one request, then answers.
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(absl::StatusOr<std::string> answer) : answer_(std::move(answer)) {
      StartRead(&request_);
    }
    void OnReadDone(bool ok) override {
      if (!ok || !answer_.ok()) {
        Finish(ToGrpc(answer_.status()));
        return;
      }
      const grpc::Slice body(*answer_);
      response_ = grpc::ByteBuffer(&body, 1);
      StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    const absl::StatusOr<std::string> answer_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(Answer answer) : answer_(std::move(answer)) {}
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
      return new Reactor(answer_(*context->auth_context()));
    }

   private:
    const Answer answer_;
  };

  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

struct CallResult {
  absl::Status status;
  std::string answer;
  // The certificate that the server showed, as PEM; empty if no connection stood.
  std::string server_certificate;
};

// Makes one call over a connection of its own.
inline CallResult CallOnce(const std::string& address,
                           const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                           size_t request_size = 0,
                           grpc::ChannelArguments arguments = ChannelOptions()) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::GenericStub stub(grpc::CreateCustomChannel(address, credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
  const grpc::Slice payload(std::string(request_size, 'x'));
  const grpc::ByteBuffer request(&payload, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/waymark.test.Generic/Call", grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  CallResult result;
  result.status = FromGrpc(done.get_future().get());
  grpc::Slice body;
  if (result.status.ok() && response.DumpToSingleSlice(&body).ok()) {
    result.answer.assign(reinterpret_cast<const char*>(body.begin()), body.size());
  }
  if (const auto auth = context.auth_context(); auth != nullptr) {
    for (const grpc::string_ref& pem : auth->FindPropertyValues("x509_pem_cert")) {
      result.server_certificate.assign(pem.data(), pem.size());
    }
  }
  return result;
}

}  // namespace waymark
