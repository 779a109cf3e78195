// What the registry operator asks of the hub: RegistryService without its transport.
#pragma once

#include "absl/status/statusor.h"
#include "waymark/v1/registry.pb.h"

namespace waymark::node {

// Each method is the RPC of the same name, with its errors. Not thread-safe.
class RegistryDesk {
 public:
  virtual ~RegistryDesk() = default;

  virtual absl::Status CreateInvitation(const v1::CreateInvitationRequest& request) = 0;
  virtual absl::StatusOr<v1::ListEnrolmentsResponse> ListEnrolments(
      const v1::ListEnrolmentsRequest& request) = 0;
  virtual absl::Status ApproveEnrolment(const v1::ApproveEnrolmentRequest& request) = 0;
  virtual absl::Status RejectEnrolment(const v1::RejectEnrolmentRequest& request) = 0;
  virtual absl::Status PublishMember(const v1::PublishMemberRequest& request) = 0;
  virtual absl::StatusOr<v1::ListMembersResponse> ListMembers(
      const v1::ListMembersRequest& request) = 0;
};

}  // namespace waymark::node
