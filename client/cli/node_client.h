// The node's local API, as the command line calls it.
//
// One channel to the node's Unix socket; every call carries the staff session's token. Not
// thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waymark/v1/node.grpc.pb.h"

namespace waymark::node {

class NodeClient {
 public:
  // `token` is empty before the login. Connects with the first call.
  NodeClient(const std::string& socket, std::string token);

  bool has_session() const { return !token_.empty(); }

  // Calls one method, for example Call(&v1::NodeService::StubInterface::ListCases, request).
  // Errors are the node's own; UNAVAILABLE also when nothing listens on the socket, PEER_STALLED
  // when there was no answer within a minute.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::NodeService::StubInterface::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Response response;
    const absl::Status status = Translate((stub_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

 private:
  void Prepare(grpc::ClientContext& context) const;
  absl::Status Translate(const grpc::Status& status) const;

  const std::string socket_;
  const std::string token_;
  const std::unique_ptr<v1::NodeService::StubInterface> stub_;
};

}  // namespace waymark::node
