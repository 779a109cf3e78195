// What an organisation asks of the hub's desk: EnrolmentService without its transport.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::node {

// Before it is a member, at the enrolment listener. Each method is the RPC of the same name, with
// its errors. Not thread-safe.
class InvitationDesk {
 public:
  virtual ~InvitationDesk() = default;

  virtual absl::Status RequestEnrolment(const v1::RequestEnrolmentRequest& request) = 0;
  virtual absl::StatusOr<v1::GetEnrolmentResponse> GetEnrolment(
      const v1::GetEnrolmentRequest& request) = 0;
};

// As a member, at the main listener. As above.
class RenewalDesk {
 public:
  virtual ~RenewalDesk() = default;

  virtual absl::Status RequestRenewal(const v1::RequestRenewalRequest& request) = 0;
  virtual absl::StatusOr<v1::GetRenewalResponse> GetRenewal() = 0;
};

}  // namespace waymark::node
