// The hub's desk over gRPC.
//
// Calls are synchronous and end within 20 seconds: PEER_STALLED then, UNAVAILABLE when nobody
// listens. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/directory/network.h"
#include "client/link/enrolment_desk.h"
#include "client/link/hub_channel.h"

namespace waymark::node {

// At the enrolment listeners of a network, without a certificate of our own: the hub's is checked
// against the network's authority. Whichever address answers is used.
class InvitationClient final : public InvitationDesk {
 public:
  explicit InvitationClient(const Network& network);

  absl::Status RequestEnrolment(const v1::RequestEnrolmentRequest& request) override;
  absl::StatusOr<v1::GetEnrolmentResponse> GetEnrolment(
      const v1::GetEnrolmentRequest& request) override;

 private:
  const std::vector<std::string> addresses_;
  HubChannel channel_;
};

// At the main listener, over the node's channel, which outlives it.
class RenewalClient final : public RenewalDesk {
 public:
  explicit RenewalClient(HubChannel& channel) : channel_(channel) {}

  absl::Status RequestRenewal(const v1::RequestRenewalRequest& request) override;
  absl::StatusOr<v1::GetRenewalResponse> GetRenewal() override;

 private:
  HubChannel& channel_;
};

}  // namespace waymark::node
