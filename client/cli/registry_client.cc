#include "client/cli/registry_client.h"

#include <chrono>
#include <utility>

#include "base/rpc/channel_options.h"
#include "base/rpc/credentials.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "grpcpp/create_channel.h"

namespace waymark::node {
namespace {

constexpr auto kHubPatience = std::chrono::seconds(20);

}  // namespace

absl::StatusOr<std::unique_ptr<RegistryClient>> RegistryClient::Create(const Operator& registry,
                                                                       Clock& clock) {
  const TlsFiles files{.key_path = registry.key_path(),
                       .certificate_path = registry.certificate_path(),
                       .ca_path = registry.ca_path()};
  RETURN_IF_ERROR(CheckTlsFiles(files, clock.Now()));
  const auto credentials = MutualTlsChannelCredentials(files, SpiffeId::Hub(registry.network().id));
  std::vector<Hub> hubs;
  for (const std::string& address : registry.network().hub_addresses) {
    hubs.push_back({.address = address,
                    .stub = v1::RegistryService::NewStub(
                        grpc::CreateCustomChannel(address, credentials, ChannelOptions()))});
  }
  if (hubs.empty()) {
    return Error(v1::REASON_FILE_UNUSABLE, "network.json names no address of a hub");
  }
  return std::unique_ptr<RegistryClient>(new RegistryClient(std::move(hubs)));
}

template <typename Request, typename Response>
absl::StatusOr<Response> RegistryClient::Call(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                           const Request&,
                                                                           Response*),
                                              const Request& request) {
  std::string tried;
  for (size_t i = 0; i < hubs_.size(); ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kHubPatience);
    Response response;
    const grpc::Status status = (hubs_[i].stub.get()->*method)(&context, request, &response);
    const bool unreachable =
        status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
    if (!unreachable) {
      std::swap(hubs_[0], hubs_[i]);
      const absl::Status ours = FromGrpc(status);
      if (!ours.ok()) return ours;
      return response;
    }
    tried += (tried.empty() ? "" : ", ") + hubs_[i].address;
  }
  return ErrorFromPeer(absl::StatusCode::kUnavailable,
                       "cannot reach the hub at " + tried +
                           ": start it with 'waymark-hub', or correct the addresses in "
                           "network.json",
                       v1::REASON_UNAVAILABLE);
}

absl::Status RegistryClient::CreateInvitation(const v1::CreateInvitationRequest& request) {
  return Call(&Stub::CreateInvitation, request).status();
}

absl::StatusOr<v1::ListEnrolmentsResponse> RegistryClient::ListEnrolments(
    const v1::ListEnrolmentsRequest& request) {
  return Call(&Stub::ListEnrolments, request);
}

absl::Status RegistryClient::ApproveEnrolment(const v1::ApproveEnrolmentRequest& request) {
  return Call(&Stub::ApproveEnrolment, request).status();
}

absl::Status RegistryClient::RejectEnrolment(const v1::RejectEnrolmentRequest& request) {
  return Call(&Stub::RejectEnrolment, request).status();
}

absl::Status RegistryClient::PublishMember(const v1::PublishMemberRequest& request) {
  return Call(&Stub::PublishMember, request).status();
}

absl::StatusOr<v1::ListMembersResponse> RegistryClient::ListMembers(
    const v1::ListMembersRequest& request) {
  return Call(&Stub::ListMembers, request);
}

}  // namespace waymark::node
