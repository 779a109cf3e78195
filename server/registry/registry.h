// The desk of the registry at the hub: invitations, certificate requests, approvals, members.
//
// The operator's keys stay with the operator. What is approved here was signed there; the registry
// checks that it fits together before it stores and publishes it. Collaborators: Directory
// publishes member statements; Store keeps invitations and requests; base/identity reads
// certificates.
//
// Threads: everything runs on the hub's desk thread, one call at a time, and may block on the
// store. Lifetime: store, directory and clock outlive it.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/directory/network.h"
#include "base/ids/ids.h"
#include "base/time/clock.h"
#include "server/directory/directory.h"
#include "server/store/store.h"
#include "waymark/v1/enrolment.pb.h"
#include "waymark/v1/registry.pb.h"

namespace waymark::hub {

class Registry {
 public:
  static constexpr absl::Duration kMaxInvitation = absl::Hours(72);

  Registry(Store* store, Directory* directory, Clock* clock, const Network& network);

  // For whoever holds an invitation ---------------------------------------------------------------

  // Queues a request. REASON_INVITATION_INVALID: unknown, expired or used for another request;
  // REASON_FIELD_INVALID: the request or key does not parse or asks for another organisation;
  // REASON_SIGNATURE_INVALID: the proof.
  absl::Status RequestEnrolment(const v1::RequestEnrolmentRequest& request);

  // Returns what became of it. REASON_INVITATION_INVALID: unknown; REASON_NOT_FOUND: not used yet.
  absl::StatusOr<v1::GetEnrolmentResponse> GetEnrolment(const v1::GetEnrolmentRequest& request);

  // For members -----------------------------------------------------------------------------------

  // Queues a request for a new certificate; an earlier pending one of the member is rejected.
  // REASON_MEMBER_UNKNOWN, REASON_MEMBER_SUSPENDED, and as RequestEnrolment.
  absl::Status RequestRenewal(const OrganisationId& organisation,
                              const v1::RequestRenewalRequest& request);

  // Returns what became of the latest one. REASON_NOT_FOUND: there was none.
  absl::StatusOr<v1::GetRenewalResponse> GetRenewal(const OrganisationId& organisation);

  // For the operator ------------------------------------------------------------------------------

  // REASON_FIELD_INVALID: hash, organisation or end; REASON_EXISTS: announced before otherwise.
  absl::Status CreateInvitation(const v1::CreateInvitationRequest& request);

  // Page by page. REASON_FIELD_INVALID: the page token.
  absl::StatusOr<v1::ListEnrolmentsResponse> ListEnrolments(
      const v1::ListEnrolmentsRequest& request);

  // REASON_NOT_FOUND: no such request; REASON_STATE_FORBIDS: decided otherwise before;
  // REASON_FINGERPRINT_MISMATCH: the certificate is not for the requested key and organisation, or
  // the statement not about the organisation and identity key that asked; REASON_IDENTITY_MISSING:
  // the network's CA did not issue it; REASON_STATEMENT_INVALID: as Directory.
  absl::Status ApproveEnrolment(const v1::ApproveEnrolmentRequest& request);

  // REASON_NOT_FOUND, REASON_STATE_FORBIDS as above.
  absl::Status RejectEnrolment(const v1::RejectEnrolmentRequest& request);

  absl::Status PublishMember(const v1::PublishMemberRequest& request);

  // Page by page. REASON_FIELD_INVALID: the page token.
  absl::StatusOr<v1::ListMembersResponse> ListMembers(const v1::ListMembersRequest& request);

 private:
  absl::StatusOr<InvitationRow> FindInvitation(const std::string& secret);
  absl::StatusOr<EnrolmentRow> FindRequest(const std::string& request_id);
  // The latest renewal of a member, nullopt if there is none.
  absl::StatusOr<std::optional<EnrolmentRow>> LatestRenewal(const OrganisationId& organisation);
  // Rejects that one if it waits.
  absl::Status DropPendingRenewal(const OrganisationId& organisation);
  absl::Status Decide(EnrolmentRow row, const v1::GetEnrolmentResponse& response);
  absl::Status CheckCertificate(const v1::Enrolment& enrolment, const std::string& certificate_der);

  Store* const store_;
  Directory* const directory_;
  Clock* const clock_;
  const Network network_;
};

}  // namespace waymark::hub
