#include "client/enrolment/join.h"

#include <utility>

#include "base/directory/enrolment.h"
#include "base/directory/statement.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "client/enrolment/identity.h"

namespace waymark::node {
namespace {

absl::Status BelongsElsewhere(const DataFolder& folder, std::string_view whose) {
  return Error(v1::REASON_EXISTS, "the data folder " + folder.path() + " belongs to another " +
                                      std::string(whose) +
                                      " and was left as it is; name another folder with --data");
}

// A folder serves one organisation of one network, for good.
absl::Status CheckOwner(const DataFolder& folder, const SpiffeId& id) {
  if (FileExists(folder.network())) {
    ASSIGN_OR_RETURN(const Network network, LoadNetwork(folder.network()));
    if (network.id != id.network) return BelongsElsewhere(folder, "network");
  }
  if (FileExists(folder.tls_certificate())) {
    ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder.tls_certificate()));
    ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
    if (certificate.spiffe_id() != id) return BelongsElsewhere(folder, "organisation");
  }
  if (FileExists(folder.join_request())) {
    ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder.join_request()));
    ASSIGN_OR_RETURN(const CertificateRequest request, CertificateRequest::FromPem(pem));
    if (request.requested_id() != id) return BelongsElsewhere(folder, "organisation");
  }
  return absl::OkStatus();
}

}  // namespace

Join::Join(v1::Invitation invitation, Network network, SpiffeId id, DataFolder folder,
           std::unique_ptr<Vault> vault, SigningKey identity_key, Clock& clock)
    : invitation_(std::move(invitation)),
      network_(std::move(network)),
      id_(id),
      folder_(std::move(folder)),
      next_(KeyReplacement::Joining(folder_)),
      vault_(std::move(vault)),
      identity_key_(std::move(identity_key)),
      clock_(clock) {}

absl::StatusOr<std::unique_ptr<Join>> Join::Open(const v1::Invitation& invitation,
                                                 const DataFolder& folder, const MasterKey& key,
                                                 const ScryptCost& cost, Clock& clock,
                                                 Random& random) {
  ASSIGN_OR_RETURN(Network network, CheckNetwork(invitation.network()));
  const auto organisation = OrganisationId::FromBytes(invitation.organisation_id());
  if (!organisation) {
    return Error(v1::REASON_INVITATION_INVALID, "the invitation names no organisation");
  }
  const SpiffeId id = SpiffeId::Organisation(network.id, *organisation);
  RETURN_IF_ERROR(folder.Make());
  RETURN_IF_ERROR(CheckOwner(folder, id));
  ASSIGN_OR_RETURN(std::unique_ptr<Vault> vault,
                   Vault::Open({.path = folder.vault(), .passphrase_cost = cost}, key, random));
  ASSIGN_OR_RETURN(SigningKey identity_key, MakeIdentityKey(*vault));
  auto join = std::unique_ptr<Join>(new Join(invitation, std::move(network), id, folder,
                                             std::move(vault), std::move(identity_key), clock));
  RETURN_IF_ERROR(join->ReadProgress());
  return join;
}

absl::Status Join::ReadProgress() {
  RETURN_IF_ERROR(KeyReplacement::Renewing(folder_).Finish());
  RETURN_IF_ERROR(next_.Finish());
  again_ = FileExists(folder_.tls_certificate());
  ASSIGN_OR_RETURN(const bool admitted, AdmittedBy(*vault_, InvitationHash(invitation_.secret())));
  // The vault is told before the certificate is put in place.
  joined_ = again_ && admitted && !next_.requested();
  if (joined_) return absl::OkStatus();
  const absl::StatusOr<Network> known = LoadNetwork(folder_.network());
  if (!known.ok() || known->version <= network_.version) {
    RETURN_IF_ERROR(WritePublicFile(folder_.network(), FormatNetwork(invitation_.network())));
  }
  RETURN_IF_ERROR(WritePublicFile(folder_.ca(), network_.ca_pem));
  return next_.Request(id_).status();
}

absl::StatusOr<bool> Join::Advance(InvitationDesk& desk) {
  if (joined_) return true;
  if (!requested_) RETURN_IF_ERROR(Request(desk));
  requested_ = true;
  v1::GetEnrolmentRequest query;
  query.set_invitation(invitation_.secret());
  ASSIGN_OR_RETURN(const v1::GetEnrolmentResponse answer, desk.GetEnrolment(query));
  switch (answer.state()) {
    case v1::ENROLMENT_STATE_PENDING:
      return false;
    case v1::ENROLMENT_STATE_APPROVED:
      RETURN_IF_ERROR(TakeIn(answer));
      joined_ = true;
      return true;
    case v1::ENROLMENT_STATE_REJECTED:
      return Error(v1::REASON_INVITATION_INVALID, "the registry operator rejected the request");
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "the hub answers with an unknown state");
  }
}

absl::Status Join::Request(InvitationDesk& desk) {
  ASSIGN_OR_RETURN(const std::string der, next_.Request(id_));
  v1::RequestEnrolmentRequest request;
  request.set_invitation(invitation_.secret());
  request.set_certificate_request(der);
  request.set_identity_key(identity_key_.verifying_key().spki());
  request.set_proof(SignEnrolment(identity_key_, InvitationHash(invitation_.secret()), der));
  absl::Status requested = desk.RequestEnrolment(request);
  // A request that its invitation does not cover must not stand in the way of the next one.
  if (ReasonOf(requested) == v1::REASON_INVITATION_INVALID) next_.Drop();
  return requested;
}

absl::StatusOr<v1::Member> Join::CheckMember(const v1::SignedStatement& signed_statement) const {
  RETURN_IF_ERROR(VerifySignature(signed_statement, network_.registry_key));
  ASSIGN_OR_RETURN(v1::Statement statement, ParseStatement(signed_statement));
  RETURN_IF_ERROR(CheckValidity(statement, network_.id, clock_.Now()));
  if (!statement.has_member() || statement.organisation_id() != id_.organisation.bytes()) {
    return Error(v1::REASON_STATEMENT_INVALID,
                 "the registry's statement is about another organisation");
  }
  if (statement.member().identity_key() != identity_key_.verifying_key().spki()) {
    return Error(v1::REASON_FINGERPRINT_MISMATCH, "the registry vouches for another identity key");
  }
  return std::move(*statement.mutable_member());
}

absl::Status Join::TakeIn(const v1::GetEnrolmentResponse& answer) {
  ASSIGN_OR_RETURN(const Certificate certificate,
                   next_.Check(answer.certificate(), id_, clock_.Now()));
  ASSIGN_OR_RETURN(const v1::Member member, CheckMember(answer.member()));
  RETURN_IF_ERROR(StoreAdmission(*vault_, member, InvitationHash(invitation_.secret())));
  // A renewal that was asked for before must not replace this.
  KeyReplacement::Renewing(folder_).Drop();
  return next_.Put(certificate);
}

}  // namespace waymark::node
