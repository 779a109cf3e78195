#include "client/enrolment/key_replacement.h"

#include "base/directory/pem.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::node {

KeyReplacement KeyReplacement::Joining(const DataFolder& folder) {
  return {folder, folder.join_key(), folder.join_request(), folder.join_certificate()};
}

KeyReplacement KeyReplacement::Renewing(const DataFolder& folder) {
  return {folder, folder.next_key(), folder.next_request(), folder.next_certificate()};
}

absl::StatusOr<std::string> KeyReplacement::Request(const SpiffeId& id) const {
  if (!requested()) {
    const SecretBytes key = GenerateTlsKey();
    ASSIGN_OR_RETURN(const std::string request, CreateRequest(key, id));
    RETURN_IF_ERROR(WriteSecretFile(key_, key));
    RETURN_IF_ERROR(WritePublicFile(request_, request));
  }
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(request_));
  return DerFromPem(kPemCertificateRequest, pem);
}

absl::StatusOr<Certificate> KeyReplacement::Check(const std::string& certificate_der,
                                                  const SpiffeId& id, absl::Time now) const {
  ASSIGN_OR_RETURN(Certificate certificate,
                   Certificate::FromPem(PemFromDer(kPemCertificate, certificate_der)));
  ASSIGN_OR_RETURN(const std::string ca, ReadPublicFile(folder_.ca()));
  RETURN_IF_ERROR(certificate.VerifyIssuedBy(ca, now));
  if (certificate.spiffe_id() != id) {
    return Error(v1::REASON_IDENTITY_MISSING, "the certificate names another organisation");
  }
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(key_));
  RETURN_IF_ERROR(CheckKeyMatches(key, certificate));
  return certificate;
}

absl::Status KeyReplacement::Put(const Certificate& certificate) const {
  RETURN_IF_ERROR(WritePublicFile(certificate_, certificate.pem()));
  return Finish();
}

absl::Status KeyReplacement::Finish() const {
  if (!FileExists(certificate_)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(key_));
  ASSIGN_OR_RETURN(const std::string certificate, ReadPublicFile(certificate_));
  RETURN_IF_ERROR(WriteSecretFile(folder_.tls_key(), key));
  RETURN_IF_ERROR(WritePublicFile(folder_.tls_certificate(), certificate));
  Drop();
  return absl::OkStatus();
}

void KeyReplacement::Drop() const {
  // The request must not serve again; the certificate's presence means that this is to be repeated.
  RemoveFile(request_);
  RemoveFile(certificate_);
  RemoveFile(key_);
}

}  // namespace waymark::node
