#include "server/registry/registry.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/crypto/hash.h"
#include "base/directory/enrolment.h"
#include "base/directory/pem.h"
#include "base/identity/certificate.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

// What an answer that lists holds together; half of what a message may be.
constexpr size_t kPageBytes = size_t{1} << 20;
// As many as any time has in microseconds since 1970.
constexpr int kTimeDigits = 20;

absl::Status BadPageToken() {
  return Error(v1::REASON_FIELD_INVALID, "page_token: expected the next_page_token of a page");
}

// Where a request to join or for renewal stands in the list, as a page token: bytes that sort as
// the list does.
std::string PlaceOf(const EnrolmentRow& row) {
  return absl::StrFormat("%0*d", kTimeDigits, absl::ToUnixMicros(row.requested_at)) +
         row.request_id;
}

absl::Time FromMinute(int64_t minute) { return absl::UnixEpoch() + absl::Minutes(minute); }
int64_t ToMinute(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

// Returns the request if it asks to be `organisation` of `network`.
absl::StatusOr<CertificateRequest> ReadRequest(const std::string& der, const NetworkId& network,
                                               const OrganisationId& organisation) {
  ASSIGN_OR_RETURN(CertificateRequest request,
                   CertificateRequest::FromPem(PemFromDer(kPemCertificateRequest, der)));
  if (request.requested_id() != SpiffeId::Organisation(network, organisation)) {
    return Error(v1::REASON_FIELD_INVALID, "the certificate request is for another organisation");
  }
  return request;
}

EnrolmentRow RowOf(const v1::Enrolment& enrolment, const OrganisationId& organisation,
                   absl::Time now) {
  EnrolmentRow row;
  row.request_id = enrolment.request_id();
  row.organisation = organisation;
  row.invitation_hash = enrolment.invitation_hash();
  row.renewal = enrolment.renewal();
  row.state = v1::ENROLMENT_STATE_PENDING;
  row.requested_at = now;
  row.request = enrolment.SerializeAsString();
  return row;
}

absl::StatusOr<v1::Enrolment> ReadEnrolment(const EnrolmentRow& row) {
  v1::Enrolment enrolment;
  if (!enrolment.ParseFromString(row.request)) {
    return Error(v1::REASON_DATA_CORRUPT, "a certificate request");
  }
  enrolment.set_state(static_cast<v1::EnrolmentState>(row.state));
  return enrolment;
}

absl::StatusOr<v1::GetEnrolmentResponse> ReadResponse(const EnrolmentRow& row) {
  v1::GetEnrolmentResponse response;
  if (!response.ParseFromString(row.response)) {
    return Error(v1::REASON_DATA_CORRUPT, "the answer to a certificate request");
  }
  response.set_state(static_cast<v1::EnrolmentState>(row.state));
  return response;
}

}  // namespace

Registry::Registry(Store* store, Directory* directory, Clock* clock, const Network& network)
    : store_(store), directory_(directory), clock_(clock), network_(network) {}

absl::StatusOr<InvitationRow> Registry::FindInvitation(const std::string& secret) {
  if (secret.size() == kInvitationSize) {
    ASSIGN_OR_RETURN(auto row, store_->FindInvitation(InvitationHash(secret)));
    if (row) return *std::move(row);
  }
  return Error(v1::REASON_INVITATION_INVALID, "the invitation is unknown");
}

absl::StatusOr<EnrolmentRow> Registry::FindRequest(const std::string& request_id) {
  ASSIGN_OR_RETURN(auto row, store_->FindEnrolment(request_id));
  if (!row) return Error(v1::REASON_NOT_FOUND, "certificate request");
  return *std::move(row);
}

absl::Status Registry::RequestEnrolment(const v1::RequestEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(InvitationRow invitation, FindInvitation(request.invitation()));
  const std::string request_id = EnrolmentRequestId(request.certificate_request());
  if (invitation.used_by == request_id) return absl::OkStatus();
  if (!invitation.used_by.empty()) {
    return Error(v1::REASON_INVITATION_INVALID, "the invitation was used for another request");
  }
  if (invitation.expires_at <= clock_->Now()) {
    return Error(v1::REASON_INVITATION_INVALID, "the invitation has expired");
  }
  RETURN_IF_ERROR(
      ReadRequest(request.certificate_request(), network_.id, invitation.organisation).status());
  ASSIGN_OR_RETURN(const VerifyingKey identity_key, VerifyingKey::FromSpki(request.identity_key()));
  RETURN_IF_ERROR(VerifyEnrolment(identity_key, invitation.hash, request.certificate_request(),
                                  request.proof()));
  v1::Enrolment enrolment;
  enrolment.set_request_id(request_id);
  enrolment.set_organisation_id(invitation.organisation.bytes());
  enrolment.set_certificate_request(request.certificate_request());
  enrolment.set_identity_key(request.identity_key());
  enrolment.set_proof(request.proof());
  enrolment.set_requested_minute(ToMinute(clock_->Now()));
  enrolment.set_invitation_hash(invitation.hash);
  RETURN_IF_ERROR(store_->PutEnrolment(RowOf(enrolment, invitation.organisation, clock_->Now())));
  invitation.used_by = request_id;
  return store_->PutInvitation(invitation);
}

absl::StatusOr<v1::GetEnrolmentResponse> Registry::GetEnrolment(
    const v1::GetEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(const InvitationRow invitation, FindInvitation(request.invitation()));
  if (invitation.used_by.empty()) {
    return Error(v1::REASON_NOT_FOUND, "no request was made with this invitation");
  }
  ASSIGN_OR_RETURN(const EnrolmentRow row, FindRequest(invitation.used_by));
  return ReadResponse(row);
}

absl::Status Registry::RequestRenewal(const OrganisationId& organisation,
                                      const v1::RequestRenewalRequest& request) {
  const DirectoryState::Member* member = directory_->state().FindMember(organisation);
  if (member == nullptr) {
    return Error(v1::REASON_MEMBER_UNKNOWN, "organisation " + organisation.hex());
  }
  if (member->member.status() == v1::MEMBER_STATUS_SUSPENDED) {
    return Error(v1::REASON_MEMBER_SUSPENDED, "organisation " + organisation.hex());
  }
  RETURN_IF_ERROR(ReadRequest(request.certificate_request(), network_.id, organisation).status());
  RETURN_IF_ERROR(
      VerifyRenewal(member->identity_key, request.certificate_request(), request.proof()));
  const std::string request_id = EnrolmentRequestId(request.certificate_request());
  ASSIGN_OR_RETURN(const auto known, store_->FindEnrolment(request_id));
  if (known) return absl::OkStatus();
  RETURN_IF_ERROR(DropPendingRenewal(organisation));
  v1::Enrolment enrolment;
  enrolment.set_request_id(request_id);
  enrolment.set_organisation_id(organisation.bytes());
  enrolment.set_certificate_request(request.certificate_request());
  enrolment.set_identity_key(member->identity_key.spki());
  enrolment.set_proof(request.proof());
  enrolment.set_renewal(true);
  enrolment.set_requested_minute(ToMinute(clock_->Now()));
  return store_->PutEnrolment(RowOf(enrolment, organisation, clock_->Now()));
}

absl::StatusOr<std::optional<EnrolmentRow>> Registry::LatestRenewal(
    const OrganisationId& organisation) {
  ASSIGN_OR_RETURN(std::vector<EnrolmentRow> rows, store_->ListEnrolments(true));
  std::optional<EnrolmentRow> latest;
  for (EnrolmentRow& row : rows) {
    if (!row.renewal || row.organisation != organisation) continue;
    if (!latest || row.requested_at >= latest->requested_at) latest = std::move(row);
  }
  return latest;
}

absl::Status Registry::DropPendingRenewal(const OrganisationId& organisation) {
  ASSIGN_OR_RETURN(auto pending, LatestRenewal(organisation));
  if (!pending || pending->state != v1::ENROLMENT_STATE_PENDING) return absl::OkStatus();
  pending->state = v1::ENROLMENT_STATE_REJECTED;
  return store_->PutEnrolment(*pending);
}

absl::StatusOr<v1::GetRenewalResponse> Registry::GetRenewal(const OrganisationId& organisation) {
  ASSIGN_OR_RETURN(const auto latest, LatestRenewal(organisation));
  if (!latest) return Error(v1::REASON_NOT_FOUND, "no renewal was requested");
  ASSIGN_OR_RETURN(const v1::GetEnrolmentResponse decided, ReadResponse(*latest));
  v1::GetRenewalResponse response;
  response.set_state(decided.state());
  response.set_certificate(decided.certificate());
  return response;
}

absl::Status Registry::CreateInvitation(const v1::CreateInvitationRequest& request) {
  const auto organisation = OrganisationId::FromBytes(request.organisation_id());
  const absl::Time expires_at = FromMinute(request.expires_minute());
  if (request.invitation_hash().size() != kSha256Size) {
    return Error(v1::REASON_FIELD_INVALID, "invitation_hash: expected 32 bytes");
  }
  if (!organisation) return Error(v1::REASON_FIELD_INVALID, "organisation_id: expected 16 bytes");
  if (expires_at <= clock_->Now() || expires_at > clock_->Now() + kMaxInvitation) {
    return Error(v1::REASON_FIELD_INVALID, "expires_minute: expected at most 72 hours ahead");
  }
  ASSIGN_OR_RETURN(const auto known, store_->FindInvitation(request.invitation_hash()));
  if (known) {
    if (known->organisation == *organisation && known->expires_at == expires_at) {
      return absl::OkStatus();
    }
    return Error(v1::REASON_EXISTS, "an invitation of this hash");
  }
  return store_->PutInvitation({request.invitation_hash(), *organisation, expires_at, ""});
}

absl::StatusOr<v1::ListEnrolmentsResponse> Registry::ListEnrolments(
    const v1::ListEnrolmentsRequest& request) {
  ASSIGN_OR_RETURN(std::vector<EnrolmentRow> rows,
                   store_->ListEnrolments(request.include_decided()));
  std::sort(rows.begin(), rows.end(), [](const EnrolmentRow& a, const EnrolmentRow& b) {
    return std::tie(a.requested_at, a.request_id) < std::tie(b.requested_at, b.request_id);
  });
  if (!request.page_token().empty() && request.page_token().size() != kTimeDigits + kSha256Size) {
    return BadPageToken();
  }
  v1::ListEnrolmentsResponse response;
  size_t bytes = 0;
  std::string last;
  for (const EnrolmentRow& row : rows) {
    std::string place = PlaceOf(row);
    if (place <= request.page_token()) continue;
    bytes += row.request.size();
    if (bytes > kPageBytes && !last.empty()) {
      response.set_next_page_token(last);
      break;
    }
    ASSIGN_OR_RETURN(*response.add_enrolments(), ReadEnrolment(row));
    last = std::move(place);
  }
  return response;
}

absl::Status Registry::CheckCertificate(const v1::Enrolment& enrolment,
                                        const std::string& certificate_der) {
  ASSIGN_OR_RETURN(const Certificate certificate,
                   Certificate::FromPem(PemFromDer(kPemCertificate, certificate_der)));
  RETURN_IF_ERROR(certificate.VerifyIssuedBy(network_.ca_pem, clock_->Now()));
  const auto organisation = OrganisationId::FromBytes(enrolment.organisation_id()).value();
  ASSIGN_OR_RETURN(const CertificateRequest request,
                   ReadRequest(enrolment.certificate_request(), network_.id, organisation));
  if (certificate.spki() != request.spki()) {
    return Error(v1::REASON_FINGERPRINT_MISMATCH, "the certificate is for another key");
  }
  if (certificate.spiffe_id() != request.requested_id()) {
    return Error(v1::REASON_FINGERPRINT_MISMATCH, "the certificate names another organisation");
  }
  return absl::OkStatus();
}

absl::Status Registry::ApproveEnrolment(const v1::ApproveEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(EnrolmentRow row, FindRequest(request.request_id()));
  ASSIGN_OR_RETURN(const v1::Enrolment enrolment, ReadEnrolment(row));
  RETURN_IF_ERROR(CheckCertificate(enrolment, request.certificate()));
  if (row.renewal == request.has_member()) {
    return Error(v1::REASON_FIELD_INVALID,
                 row.renewal ? "member: a renewal has none" : "member: an enrolment needs one");
  }
  v1::GetEnrolmentResponse response;
  response.set_certificate(request.certificate());
  if (request.has_member()) {
    ASSIGN_OR_RETURN(const CheckedStatement member, directory_->CheckMember(request.member()));
    if (member.organisation != row.organisation ||
        member.content.member().identity_key() != enrolment.identity_key()) {
      return Error(v1::REASON_FINGERPRINT_MISMATCH,
                   "the member statement is about another organisation or identity key");
    }
    *response.mutable_member() = request.member();
  }
  response.set_state(v1::ENROLMENT_STATE_APPROVED);
  if (row.state == v1::ENROLMENT_STATE_PENDING && request.has_member()) {
    RETURN_IF_ERROR(directory_->PublishMember(request.member()));
    // Asked for with the certificate, perhaps with the identity key, that this replaces.
    RETURN_IF_ERROR(DropPendingRenewal(row.organisation));
  }
  return Decide(std::move(row), response);
}

absl::Status Registry::RejectEnrolment(const v1::RejectEnrolmentRequest& request) {
  ASSIGN_OR_RETURN(EnrolmentRow row, FindRequest(request.request_id()));
  v1::GetEnrolmentResponse response;
  response.set_state(v1::ENROLMENT_STATE_REJECTED);
  return Decide(std::move(row), response);
}

absl::Status Registry::Decide(EnrolmentRow row, const v1::GetEnrolmentResponse& response) {
  const std::string bytes = response.SerializeAsString();
  if (row.state != v1::ENROLMENT_STATE_PENDING) {
    if (row.state == response.state() && row.response == bytes) return absl::OkStatus();
    return Error(v1::REASON_STATE_FORBIDS, "the certificate request has been decided");
  }
  row.state = response.state();
  row.response = bytes;
  return store_->PutEnrolment(row);
}

absl::Status Registry::PublishMember(const v1::PublishMemberRequest& request) {
  return directory_->PublishMember(request.member());
}

absl::StatusOr<v1::ListMembersResponse> Registry::ListMembers(
    const v1::ListMembersRequest& request) {
  std::optional<OrganisationId> after;
  if (!request.page_token().empty()) {
    after = OrganisationId::FromBytes(request.page_token());
    if (!after) return BadPageToken();
  }
  ASSIGN_OR_RETURN(Directory::MemberPage page, directory_->MemberStatements(after, kPageBytes));
  v1::ListMembersResponse response;
  for (v1::SignedStatement& statement : page.statements) {
    *response.add_members() = std::move(statement);
  }
  if (page.next) response.set_next_page_token(page.next->bytes());
  return response;
}

}  // namespace waymark::hub
