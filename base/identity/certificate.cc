#include "base/identity/certificate.h"

#include <optional>
#include <utility>

#include "base/crypto/signature.h"
#include "base/identity/x509.h"
#include "base/status/status.h"

namespace waymark {
namespace {

absl::StatusOr<SpiffeId> SpiffeIdOf(const GENERAL_NAMES* names) {
  const std::optional<std::string> uri = OnlyUri(names);
  if (!uri.has_value()) {
    return Error(v1::REASON_FIELD_INVALID, "the certificate does not carry exactly one SPIFFE id");
  }
  return SpiffeId::Parse(*uri);
}

absl::StatusOr<X509Ptr> ReadCa(std::string_view pem) {
  X509Ptr ca = ReadCertificatePem(pem);
  if (ca == nullptr || X509_check_ca(ca.get()) == 0) {
    return Error(v1::REASON_FIELD_INVALID, "the network's certificate is not one of an authority");
  }
  return ca;
}

absl::Status NotAccepted(const std::string& why) {
  return Error(v1::REASON_IDENTITY_MISSING, "the certificate was not accepted: " + why);
}

}  // namespace

absl::StatusOr<Certificate> Certificate::FromPem(std::string_view pem) {
  const X509Ptr x509 = ReadCertificatePem(pem);
  if (x509 == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "not a PEM certificate with a P-256 key");
  }
  ASSIGN_OR_RETURN(const SpiffeId id, SpiffeIdOf(AlternativeNames(x509.get()).get()));
  Certificate certificate(ToPem(x509.get()), id);
  certificate.not_before_ = ToTime(X509_get0_notBefore(x509.get()));
  certificate.not_after_ = ToTime(X509_get0_notAfter(x509.get()));
  certificate.spki_ = SpkiOf(X509_get0_pubkey(x509.get()));
  certificate.fingerprint_ = Fingerprint(ToDer(x509.get()));
  return certificate;
}

absl::Status Certificate::VerifyIssuedBy(std::string_view ca_pem, absl::Time now) const {
  const ErrorQueueGuard guard;
  ASSIGN_OR_RETURN(const X509Ptr ca, ReadCa(ca_pem));
  const X509Ptr leaf = ReadCertificatePem(pem_);
  const X509StorePtr store(X509_STORE_new());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  RequireOpenSsl(store != nullptr && context != nullptr &&
                     X509_STORE_add_cert(store.get(), ca.get()) == 1 &&
                     X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) == 1,
                 "X.509 verification");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (X509_verify_cert(context.get()) != 1) {
    return NotAccepted(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  if (OnlyUri(AlternativeNames(ca.get()).get()) != TrustDomainUri(spiffe_id_.network)) {
    return NotAccepted("it is of another network");
  }
  return absl::OkStatus();
}

absl::StatusOr<CertificateRequest> CertificateRequest::FromPem(std::string_view pem) {
  const ErrorQueueGuard guard;
  const X509ReqPtr x509 = ReadRequestPem(pem);
  if (x509 == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "not a PEM certificate request with a P-256 key");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(x509.get());
  if (X509_REQ_verify(x509.get(), key) != 1) {
    return Error(v1::REASON_FIELD_INVALID, "the request is not signed with its own key");
  }
  const ExtensionsPtr extensions(X509_REQ_get_extensions(x509.get()));
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  ASSIGN_OR_RETURN(const SpiffeId id, SpiffeIdOf(names.get()));
  CertificateRequest request(ToPem(x509.get()), id);
  request.spki_ = SpkiOf(key);
  request.fingerprint_ = Fingerprint(request.spki_);
  return request;
}

SecretBytes GenerateTlsKey() { return WriteP256Pem(GenerateP256().get()); }

absl::StatusOr<std::string> CreateRequest(const SecretBytes& key_pem, const SpiffeId& id) {
  const PKeyPtr key = ReadP256Pem(key_pem.view());
  if (key == nullptr) return Error(v1::REASON_FIELD_INVALID, "not a PEM P-256 private key");
  const X509ReqPtr request(X509_REQ_new());
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  RequireOpenSsl(request != nullptr && names != nullptr, "X.509 requests");
  SetCommonName(X509_REQ_get_subject_name(request.get()), CommonNameOf(id.role));
  AddUri(names.get(), id.ToUri());
  STACK_OF(X509_EXTENSION)* added = nullptr;
  bool ok = X509V3_add1_i2d(&added, NID_subject_alt_name, names.get(), 0, 0) == 1;
  const ExtensionsPtr extensions(added);
  ok = ok && X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
       X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
       X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  RequireOpenSsl(ok, "X.509 requests");
  return ToPem(request.get());
}

absl::Status CheckKeyMatches(const SecretBytes& key_pem, const Certificate& certificate) {
  const PKeyPtr key = ReadP256Pem(key_pem.view());
  if (key == nullptr) return Error(v1::REASON_FIELD_INVALID, "not a PEM P-256 private key");
  if (SpkiOf(key.get()) != certificate.spki()) {
    return Error(v1::REASON_IDENTITY_MISSING, "the private key is not that of the certificate");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CaFingerprint(std::string_view ca_pem) {
  ASSIGN_OR_RETURN(const X509Ptr ca, ReadCa(ca_pem));
  return Fingerprint(ToDer(ca.get()));
}

}  // namespace waymark
