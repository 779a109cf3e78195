#include "client/link/enrolment_client.h"

#include <chrono>
#include <utility>

#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "grpcpp/create_channel.h"
#include "waymark/v1/enrolment.grpc.pb.h"

namespace waymark::node {
namespace {

using Stub = v1::EnrolmentService::StubInterface;

// Without details of ours it was not the hub that answered.
bool IsTransportFailure(const grpc::Status& status) {
  return !status.ok() && status.error_details().empty();
}

template <typename Request, typename Response>
grpc::Status CallOnce(HubChannel& hub,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request, Response& response) {
  const std::shared_ptr<grpc::Channel> channel = hub.Get();
  const std::unique_ptr<Stub> stub = v1::EnrolmentService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallPatience);
  grpc::Status status = (stub.get()->*method)(&context, request, &response);
  if (IsTransportFailure(status)) hub.Failed(channel);
  return status;
}

// Asks each address once.
template <typename Request, typename Response>
absl::StatusOr<Response> CallAny(HubChannel& hub, const std::vector<std::string>& addresses,
                                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                                 const Request& request) {
  std::string tried;
  for (const std::string& address : addresses) {
    Response response;
    const grpc::Status status = CallOnce(hub, method, request, response);
    if (status.ok()) return response;
    if (!IsTransportFailure(status)) return FromGrpc(status);
    tried += (tried.empty() ? "" : ", ") + address;
  }
  return ErrorFromPeer(absl::StatusCode::kUnavailable,
                       "cannot reach the hub's enrolment desk at " + tried +
                           ": check the network connection, or ask the registry operator whether "
                           "the hub is up and the addresses in the invitation are right",
                       v1::REASON_UNAVAILABLE);
}

}  // namespace

InvitationClient::InvitationClient(const Network& network)
    : addresses_(network.enrolment_addresses),
      channel_(network.enrolment_addresses,
               [credentials = ServerAuthChannelCredentials(
                    network.ca_pem, SpiffeId::Hub(network.id))](const std::string& address) {
                 return grpc::CreateCustomChannel(address, credentials, ChannelOptions());
               }) {}

absl::Status InvitationClient::RequestEnrolment(const v1::RequestEnrolmentRequest& request) {
  return CallAny<v1::RequestEnrolmentRequest, v1::RequestEnrolmentResponse>(
             channel_, addresses_, &Stub::RequestEnrolment, request)
      .status();
}

absl::StatusOr<v1::GetEnrolmentResponse> InvitationClient::GetEnrolment(
    const v1::GetEnrolmentRequest& request) {
  return CallAny<v1::GetEnrolmentRequest, v1::GetEnrolmentResponse>(channel_, addresses_,
                                                                    &Stub::GetEnrolment, request);
}

absl::Status RenewalClient::RequestRenewal(const v1::RequestRenewalRequest& request) {
  v1::RequestRenewalResponse response;
  return FromGrpc(CallOnce(channel_, &Stub::RequestRenewal, request, response));
}

absl::StatusOr<v1::GetRenewalResponse> RenewalClient::GetRenewal() {
  v1::GetRenewalResponse response;
  const absl::Status status =
      FromGrpc(CallOnce(channel_, &Stub::GetRenewal, v1::GetRenewalRequest(), response));
  if (!status.ok()) return status;
  return response;
}

}  // namespace waymark::node
