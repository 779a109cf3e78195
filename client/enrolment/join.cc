#include "client/enrolment/join.h"

#include <utility>

#include "base/directory/enrolment.h"
#include "base/directory/pem.h"
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
  if (FileExists(folder.tls_request())) {
    ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder.tls_request()));
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
  if (!join->joined()) RETURN_IF_ERROR(join->MakeRequest());
  return join;
}

bool Join::joined() const { return FileExists(folder_.tls_certificate()); }

absl::Status Join::MakeRequest() {
  RETURN_IF_ERROR(WritePublicFile(folder_.network(), FormatNetwork(invitation_.network())));
  RETURN_IF_ERROR(WritePublicFile(folder_.ca(), network_.ca_pem));
  // The request is made once: the hub knows it by its bytes, and no two signatures are equal.
  if (FileExists(folder_.tls_request())) return absl::OkStatus();
  const SecretBytes key = GenerateTlsKey();
  ASSIGN_OR_RETURN(const std::string request, CreateRequest(key, id_));
  RETURN_IF_ERROR(WriteSecretFile(folder_.tls_key(), key));
  return WritePublicFile(folder_.tls_request(), request);
}

absl::StatusOr<bool> Join::Advance(InvitationDesk& desk) {
  if (joined()) return true;
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
      return true;
    case v1::ENROLMENT_STATE_REJECTED:
      return Error(v1::REASON_INVITATION_INVALID, "the registry operator rejected the request");
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "the hub answers with an unknown state");
  }
}

absl::Status Join::Request(InvitationDesk& desk) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder_.tls_request()));
  ASSIGN_OR_RETURN(const std::string der, DerFromPem(kPemCertificateRequest, pem));
  v1::RequestEnrolmentRequest request;
  request.set_invitation(invitation_.secret());
  request.set_certificate_request(der);
  request.set_identity_key(identity_key_.verifying_key().spki());
  request.set_proof(SignEnrolment(identity_key_, InvitationHash(invitation_.secret()), der));
  return desk.RequestEnrolment(request);
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
                   Certificate::FromPem(PemFromDer(kPemCertificate, answer.certificate())));
  RETURN_IF_ERROR(certificate.VerifyIssuedBy(network_.ca_pem, clock_.Now()));
  if (certificate.spiffe_id() != id_) {
    return Error(v1::REASON_IDENTITY_MISSING, "the certificate names another organisation");
  }
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(folder_.tls_key()));
  RETURN_IF_ERROR(CheckKeyMatches(key, certificate));
  ASSIGN_OR_RETURN(const v1::Member member, CheckMember(answer.member()));
  RETURN_IF_ERROR(StoreAdmission(*vault_, member));
  // Last, because its presence means that all the rest is there.
  RETURN_IF_ERROR(WritePublicFile(folder_.tls_certificate(), certificate.pem()));
  RemoveFile(folder_.tls_request());
  return absl::OkStatus();
}

}  // namespace waymark::node
