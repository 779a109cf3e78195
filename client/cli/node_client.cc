#include "client/cli/node_client.h"

#include <chrono>
#include <utility>

#include "base/rpc/channel_options.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace waymark::node {
namespace {

constexpr auto kNodePatience = std::chrono::seconds(60);

grpc::ChannelArguments LocalChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxLocalAnswerBytes);
  return arguments;
}

}  // namespace

NodeClient::NodeClient(const std::string& socket, std::string token)
    : socket_(socket),
      token_(std::move(token)),
      stub_(v1::NodeService::NewStub(grpc::CreateCustomChannel(
          "unix:" + socket, grpc::InsecureChannelCredentials(), LocalChannel()))) {}

void NodeClient::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() + kNodePatience);
  if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_);
}

absl::Status NodeClient::Translate(const grpc::Status& status) const {
  // Without details of ours it was not the node that answered.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty()) {
    return ErrorFromPeer(absl::StatusCode::kUnavailable,
                         "cannot reach the node at " + socket_ +
                             ": start it with 'waymark-node serve --config FILE', or give --socket",
                         v1::REASON_UNAVAILABLE);
  }
  return FromGrpc(status);
}

}  // namespace waymark::node
