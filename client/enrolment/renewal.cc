#include "client/enrolment/renewal.h"

#include "base/directory/enrolment.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::node {

absl::StatusOr<bool> Renewal::IsTime() const {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder_.tls_certificate()));
  ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  const absl::Duration validity = certificate.not_after() - certificate.not_before();
  return clock_.Now() >= certificate.not_before() + validity * 2 / 3;
}

absl::StatusOr<bool> Renewal::Advance(RenewalDesk& desk) {
  ASSIGN_OR_RETURN(const bool time, IsTime());
  if (!time) return false;
  ASSIGN_OR_RETURN(const std::string der, next_.Request(id_));
  v1::RequestRenewalRequest request;
  request.set_certificate_request(der);
  request.set_proof(SignRenewal(identity_key_, der));
  RETURN_IF_ERROR(desk.RequestRenewal(request));
  ASSIGN_OR_RETURN(const v1::GetRenewalResponse answer, desk.GetRenewal());
  switch (answer.state()) {
    case v1::ENROLMENT_STATE_PENDING:
      return false;
    case v1::ENROLMENT_STATE_APPROVED: {
      ASSIGN_OR_RETURN(const Certificate certificate,
                       next_.Check(answer.certificate(), id_, clock_.Now()));
      RETURN_IF_ERROR(next_.Put(certificate));
      return true;
    }
    case v1::ENROLMENT_STATE_REJECTED:
      next_.Drop();
      return Error(v1::REASON_STATE_FORBIDS, "the registry operator rejected the renewal");
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "the hub answers with an unknown state");
  }
}

}  // namespace waymark::node
