// The hub's RegistryService over mutual TLS: RegistryDesk for the operator's command line.
#pragma once

#include <memory>
#include <vector>

#include "client/operator/operator.h"
#include "waymark/v1/registry.grpc.pb.h"

namespace waymark::node {

// Tries the network's hub addresses in order, and stays with the first that answers. Not
// thread-safe.
class RegistryClient final : public RegistryDesk {
 public:
  // With the operator's own TLS files. Errors as CheckTlsFiles; connects with the first call.
  static absl::StatusOr<std::unique_ptr<RegistryClient>> Create(const Operator& registry,
                                                                Clock& clock);

  absl::Status CreateInvitation(const v1::CreateInvitationRequest& request) override;
  absl::StatusOr<v1::ListEnrolmentsResponse> ListEnrolments(
      const v1::ListEnrolmentsRequest& request) override;
  absl::Status ApproveEnrolment(const v1::ApproveEnrolmentRequest& request) override;
  absl::Status RejectEnrolment(const v1::RejectEnrolmentRequest& request) override;
  absl::Status PublishMember(const v1::PublishMemberRequest& request) override;
  absl::StatusOr<v1::ListMembersResponse> ListMembers(
      const v1::ListMembersRequest& request) override;

 private:
  using Stub = v1::RegistryService::StubInterface;

  struct Hub {
    std::string address;
    std::unique_ptr<Stub> stub;
  };

  explicit RegistryClient(std::vector<Hub> hubs) : hubs_(std::move(hubs)) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request);

  // Never empty; the one in use is first.
  std::vector<Hub> hubs_;
};

}  // namespace waymark::node
