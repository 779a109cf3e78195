#include "client/enrolment/renewal.h"

#include "base/directory/enrolment.h"
#include "base/directory/pem.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::node {
absl::Status FinishRenewal(const DataFolder& folder) {
  if (!FileExists(folder.next_certificate())) return absl::OkStatus();
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(folder.next_key()));
  ASSIGN_OR_RETURN(const std::string certificate, ReadPublicFile(folder.next_certificate()));
  RETURN_IF_ERROR(WriteSecretFile(folder.tls_key(), key));
  RETURN_IF_ERROR(WritePublicFile(folder.tls_certificate(), certificate));
  // The request must not serve again; the certificate's presence means that this is to be repeated.
  RemoveFile(folder.next_request());
  RemoveFile(folder.next_certificate());
  RemoveFile(folder.next_key());
  return absl::OkStatus();
}

absl::StatusOr<bool> Renewal::IsTime() const {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder_.tls_certificate()));
  ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  const absl::Duration validity = certificate.not_after() - certificate.not_before();
  return clock_.Now() >= certificate.not_before() + validity * 2 / 3;
}

absl::StatusOr<std::string> Renewal::NextRequest() const {
  if (!FileExists(folder_.next_request())) {
    const SecretBytes key = GenerateTlsKey();
    ASSIGN_OR_RETURN(const std::string request, CreateRequest(key, id_));
    RETURN_IF_ERROR(WriteSecretFile(folder_.next_key(), key));
    RETURN_IF_ERROR(WritePublicFile(folder_.next_request(), request));
  }
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder_.next_request()));
  return DerFromPem(kPemCertificateRequest, pem);
}

absl::StatusOr<bool> Renewal::Advance(RenewalDesk& desk) {
  ASSIGN_OR_RETURN(const bool time, IsTime());
  if (!time) return false;
  ASSIGN_OR_RETURN(const std::string der, NextRequest());
  v1::RequestRenewalRequest request;
  request.set_certificate_request(der);
  request.set_proof(SignRenewal(identity_key_, der));
  RETURN_IF_ERROR(desk.RequestRenewal(request));
  ASSIGN_OR_RETURN(const v1::GetRenewalResponse answer, desk.GetRenewal());
  switch (answer.state()) {
    case v1::ENROLMENT_STATE_PENDING:
      return false;
    case v1::ENROLMENT_STATE_APPROVED:
      RETURN_IF_ERROR(TakeIn(answer.certificate()));
      return true;
    case v1::ENROLMENT_STATE_REJECTED:
      RemoveFile(folder_.next_request());
      RemoveFile(folder_.next_key());
      return Error(v1::REASON_STATE_FORBIDS, "the registry operator rejected the renewal");
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "the hub answers with an unknown state");
  }
}

absl::Status Renewal::TakeIn(const std::string& certificate_der) const {
  ASSIGN_OR_RETURN(const Certificate certificate,
                   Certificate::FromPem(PemFromDer(kPemCertificate, certificate_der)));
  ASSIGN_OR_RETURN(const std::string ca, ReadPublicFile(folder_.ca()));
  RETURN_IF_ERROR(certificate.VerifyIssuedBy(ca, clock_.Now()));
  if (certificate.spiffe_id() != id_) {
    return Error(v1::REASON_IDENTITY_MISSING, "the renewed certificate names another organisation");
  }
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(folder_.next_key()));
  RETURN_IF_ERROR(CheckKeyMatches(key, certificate));
  RETURN_IF_ERROR(WritePublicFile(folder_.next_certificate(), certificate.pem()));
  return FinishRenewal(folder_);
}

}  // namespace waymark::node
