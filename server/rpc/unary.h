// One adapter for every unary call: parse, do the work on the desk, answer.
//
// The reaction only hands over; the work runs on the desk thread and finishes the call exactly
// once. A cancelled call is finished like any other. Each call owns itself until OnDone.
#pragma once

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/log/log.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/frames.h"
#include "server/rpc/worker_pool.h"

namespace waymark::hub {

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // Runs `work` on `desk` and finishes the call with what it returns.
  static grpc::ServerUnaryReactor* Start(WorkerPool* desk,
                                         absl::AnyInvocable<absl::Status()> work) {
    auto call = std::make_shared<UnaryCall>();
    call->self_ = call;
    const bool taken = desk->Post([call, work = std::move(work)]() mutable {
      absl::Status status;
      try {
        status = work();
      } catch (...) {
        Log(LogLevel::kError, "call_threw");
        status = Error(v1::REASON_INTERNAL, "the call");
      }
      call->Finish(ToGrpc(status));
    });
    if (!taken) call->Finish(ToGrpc(Error(v1::REASON_UNAVAILABLE, "the hub is busy or stopping")));
    return call.get();
  }

  // A call that ends with `status` at once.
  static grpc::ServerUnaryReactor* Refuse(const absl::Status& status) {
    auto call = std::make_shared<UnaryCall>();
    call->self_ = call;
    call->Finish(ToGrpc(status));
    return call.get();
  }

  void OnDone() override { self_.reset(); }

 private:
  // Shared with the desk's task, which may still be returning from Finish when OnDone runs.
  std::shared_ptr<UnaryCall> self_;
};

// Serves a unary method: `handler` gets the parsed request and returns the response or an error.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* ServeUnary(WorkerPool* desk, const FrameRecorder& recorder,
                                     const grpc::ByteBuffer* in, grpc::ByteBuffer* out,
                                     Handler handler) {
  Request request;
  const absl::Status parsed = ParseFrame(*in, recorder, request);
  if (!parsed.ok()) return UnaryCall::Refuse(parsed);
  return UnaryCall::Start(
      desk, [request = std::move(request), out, handler = std::move(handler)]() -> absl::Status {
        auto response = handler(request);
        if (!response.ok()) return response.status();
        *out = SerializeFrame(*response);
        return absl::OkStatus();
      });
}

// The response of a method that has nothing to say but that it worked.
template <typename Response>
absl::StatusOr<Response> Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return Response();
}

}  // namespace waymark::hub
