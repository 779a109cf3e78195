#include "base/identity/x509.h"

#include <openssl/pem.h>

#include <ctime>
#include <utility>

namespace waymark {
namespace {

void Append(GENERAL_NAMES* names, int type, ASN1_STRING* value, std::string_view bytes) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  RequireOpenSsl(name != nullptr && value != nullptr &&
                     ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1,
                 "X.509 names");
  GENERAL_NAME_set0_value(name, type, value);
  RequireOpenSsl(sk_GENERAL_NAME_push(names, name) > 0, "X.509 names");
}

}  // namespace

X509Ptr ReadCertificatePem(std::string_view pem) {
  const ErrorQueueGuard guard;
  X509Ptr certificate(PEM_read_bio_X509(ReadingBio(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return nullptr;
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  return key != nullptr && IsP256(key) ? std::move(certificate) : nullptr;
}

X509ReqPtr ReadRequestPem(std::string_view pem) {
  const ErrorQueueGuard guard;
  X509ReqPtr request(PEM_read_bio_X509_REQ(ReadingBio(pem).get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return nullptr;
  const EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  return key != nullptr && IsP256(key) ? std::move(request) : nullptr;
}

std::string ToPem(const X509* certificate) {
  const BioPtr bio = WritingBio();
  RequireOpenSsl(PEM_write_bio_X509(bio.get(), certificate) == 1, "X.509 encoding");
  return std::string(Written(bio));
}

std::string ToPem(const X509_REQ* request) {
  const BioPtr bio = WritingBio();
  RequireOpenSsl(PEM_write_bio_X509_REQ(bio.get(), request) == 1, "X.509 encoding");
  return std::string(Written(bio));
}

std::string ToDer(const X509* certificate) {
  const BioPtr bio = WritingBio();
  RequireOpenSsl(i2d_X509_bio(bio.get(), certificate) == 1, "X.509 encoding");
  return std::string(Written(bio));
}

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm broken_down = {};
  // A time that does not parse is never valid: the earliest time ends before every other.
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return absl::InfinitePast();
  return absl::FromTM(broken_down, absl::UTCTimeZone());
}

std::optional<std::string> OnlyUri(const GENERAL_NAMES* names) {
  std::optional<std::string> uri;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    if (uri.has_value()) return std::nullopt;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return uri;
}

GeneralNamesPtr AlternativeNames(const X509* certificate) {
  return GeneralNamesPtr(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

void AddUri(GENERAL_NAMES* names, std::string_view uri) {
  Append(names, GEN_URI, ASN1_IA5STRING_new(), uri);
}

void AddDnsName(GENERAL_NAMES* names, std::string_view name) {
  Append(names, GEN_DNS, ASN1_IA5STRING_new(), name);
}

void AddIpAddress(GENERAL_NAMES* names, std::string_view address) {
  Append(names, GEN_IPADD, ASN1_OCTET_STRING_new(), address);
}

const char* CommonNameOf(SpiffeId::Role role) {
  switch (role) {
    case SpiffeId::Role::kHub:
      return "waymark hub";
    case SpiffeId::Role::kRegistry:
      return "waymark registry";
    case SpiffeId::Role::kOrganisation:
      break;
  }
  return "waymark node";
}

void SetCommonName(X509_NAME* name, const char* common_name) {
  RequireOpenSsl(
      X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                 reinterpret_cast<const uint8_t*>(common_name), -1, -1, 0) == 1,
      "X.509 names");
}

}  // namespace waymark
