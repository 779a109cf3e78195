#include "base/identity/authority.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/identity/x509.h"
#include "base/status/status.h"

namespace waymark {
namespace {

// For clocks that run a little behind the authority's.
constexpr absl::Duration kBackdate = absl::Minutes(1);
constexpr size_t kSerialSize = 16;
constexpr size_t kMaxDnsName = 253;

// How long, with which names and what for: everything of a certificate but its key.
struct Content {
  const char* common_name;
  absl::Time not_before;
  absl::Time not_after;
  const GENERAL_NAMES* names;
};

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  RequireOpenSsl(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
                 "X.509 extensions");
}

// A positive number of at most 127 bits, never zero.
void SetSerial(X509* certificate, Random& random) {
  std::string bytes = random.Bytes(kSerialSize);
  bytes[0] = static_cast<char>((bytes[0] & 0x7f) | 0x40);
  BIGNUM* number = BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr);
  RequireOpenSsl(number != nullptr &&
                     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr,
                 "X.509 serial numbers");
  BN_free(number);
}

// A certificate for `key`, complete but for its extensions and signature; `issuer` null: its own.
X509Ptr NewCertificate(const Content& content, EVP_PKEY* key, const X509* issuer, Random& random) {
  X509Ptr certificate(X509_new());
  RequireOpenSsl(certificate != nullptr, "X.509");
  X509* const x509 = certificate.get();
  SetSerial(x509, random);
  SetCommonName(X509_get_subject_name(x509), content.common_name);
  const bool ok =
      X509_set_version(x509, X509_VERSION_3) == 1 &&
      X509_set_issuer_name(x509, X509_get_subject_name(issuer == nullptr ? x509 : issuer)) == 1 &&
      ASN1_TIME_set(X509_getm_notBefore(x509), absl::ToTimeT(content.not_before)) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(x509), absl::ToTimeT(content.not_after)) != nullptr &&
      X509_set_pubkey(x509, key) == 1 &&
      X509_add1_ext_i2d(x509, NID_subject_alt_name, const_cast<GENERAL_NAMES*>(content.names), 0,
                        X509V3_ADD_DEFAULT) == 1;
  RequireOpenSsl(ok, "X.509");
  return certificate;
}

void SignWith(EVP_PKEY* key, X509* certificate) {
  RequireOpenSsl(X509_sign(certificate, key, EVP_sha256()) > 0, "X.509 signing");
}

bool IsDnsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDnsName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

// The bytes of an IP address in text; nullopt if it is none.
std::optional<std::string> AddressBytes(const std::string& text) {
  const ErrorQueueGuard guard;
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
  if (address == nullptr) return std::nullopt;
  std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(address)),
                    static_cast<size_t>(ASN1_STRING_length(address)));
  ASN1_OCTET_STRING_free(address);
  return bytes;
}

absl::StatusOr<GeneralNamesPtr> NamesOf(const IssueOptions& options) {
  GeneralNamesPtr names(GENERAL_NAMES_new());
  RequireOpenSsl(names != nullptr, "X.509 names");
  AddUri(names.get(), options.id.ToUri());
  for (const std::string& name : options.dns_names) {
    if (!IsDnsName(name)) {
      return Error(v1::REASON_FIELD_INVALID, "'" + name + "' is not a lower-case host name");
    }
    AddDnsName(names.get(), name);
  }
  for (const std::string& text : options.ip_addresses) {
    const std::optional<std::string> address = AddressBytes(text);
    if (!address.has_value()) {
      return Error(v1::REASON_FIELD_INVALID, "'" + text + "' is not an IP address");
    }
    AddIpAddress(names.get(), *address);
  }
  return names;
}

std::string KeyUsageOf(const IssueOptions& options) {
  if (!options.client_auth) return "serverAuth";
  return options.server_auth ? "clientAuth,serverAuth" : "clientAuth";
}

}  // namespace

class CertificateAuthority::Impl {
 public:
  Impl(NetworkId network_id, X509Ptr x509, PKeyPtr private_key, Clock& time, Random& randomness)
      : network(network_id),
        certificate(std::move(x509)),
        pem(ToPem(certificate.get())),
        key(std::move(private_key)),
        clock(time),
        random(randomness) {}

  const NetworkId network;
  const X509Ptr certificate;
  const std::string pem;
  const PKeyPtr key;
  Clock& clock;
  Random& random;
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CertificateAuthority::~CertificateAuthority() = default;

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Create(
    NetworkId network, absl::Duration validity, Clock& clock, Random& random) {
  if (network.empty() || validity <= absl::ZeroDuration()) {
    return Error(v1::REASON_FIELD_INVALID, "an authority needs a network id and a validity");
  }
  const absl::Time now = clock.Now();
  PKeyPtr key = GenerateP256();
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  AddUri(names.get(), TrustDomainUri(network));
  X509Ptr x509 = NewCertificate({"waymark network", now - kBackdate, now + validity, names.get()},
                                key.get(), nullptr, random);
  AddExtension(x509.get(), x509.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  AddExtension(x509.get(), x509.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(x509.get(), x509.get(), NID_name_constraints,
               "critical,permitted;URI:" + TrustDomain(network));
  AddExtension(x509.get(), x509.get(), NID_subject_key_identifier, "hash");
  SignWith(key.get(), x509.get());
  return std::unique_ptr<CertificateAuthority>(new CertificateAuthority(
      std::make_unique<Impl>(network, std::move(x509), std::move(key), clock, random)));
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::FromPem(
    std::string_view certificate_pem, const SecretBytes& key_pem, Clock& clock, Random& random) {
  const ErrorQueueGuard guard;
  X509Ptr x509 = ReadCertificatePem(certificate_pem);
  PKeyPtr key = ReadP256Pem(key_pem.view());
  if (x509 == nullptr || key == nullptr || X509_check_ca(x509.get()) == 0 ||
      X509_check_private_key(x509.get(), key.get()) != 1) {
    return Error(v1::REASON_FIELD_INVALID,
                 "not the certificate and private key of one network's authority");
  }
  const std::optional<NetworkId> network =
      NetworkOfTrustDomainUri(OnlyUri(AlternativeNames(x509.get()).get()).value_or(""));
  if (!network.has_value()) {
    return Error(v1::REASON_FIELD_INVALID, "the authority's certificate names no network");
  }
  return std::unique_ptr<CertificateAuthority>(new CertificateAuthority(
      std::make_unique<Impl>(*network, std::move(x509), std::move(key), clock, random)));
}

const std::string& CertificateAuthority::certificate_pem() const { return impl_->pem; }
SecretBytes CertificateAuthority::key_pem() const { return WriteP256Pem(impl_->key.get()); }
const NetworkId& CertificateAuthority::network() const { return impl_->network; }

absl::StatusOr<std::string> CertificateAuthority::Issue(const CertificateRequest& request,
                                                        const IssueOptions& options) const {
  if (options.id.network != impl_->network || options.id != request.requested_id()) {
    return Error(v1::REASON_FIELD_INVALID, "the request is for another identity or network");
  }
  if (!options.client_auth && !options.server_auth) {
    return Error(v1::REASON_FIELD_INVALID, "a certificate needs a use: client, server or both");
  }
  if (options.validity <= absl::ZeroDuration()) {
    return Error(v1::REASON_FIELD_INVALID, "a certificate needs a positive validity");
  }
  ASSIGN_OR_RETURN(const GeneralNamesPtr names, NamesOf(options));
  X509* const issuer = impl_->certificate.get();
  const X509ReqPtr csr = ReadRequestPem(request.pem());
  const absl::Time now = impl_->clock.Now();
  const absl::Time end = std::min(now + options.validity, ToTime(X509_get0_notAfter(issuer)));
  const X509Ptr x509 =
      NewCertificate({CommonNameOf(options.id.role), now - kBackdate, end, names.get()},
                     X509_REQ_get0_pubkey(csr.get()), issuer, impl_->random);
  AddExtension(x509.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(x509.get(), issuer, NID_key_usage, "critical,digitalSignature");
  AddExtension(x509.get(), issuer, NID_ext_key_usage, KeyUsageOf(options));
  AddExtension(x509.get(), issuer, NID_subject_key_identifier, "hash");
  AddExtension(x509.get(), issuer, NID_authority_key_identifier, "keyid:always");
  SignWith(impl_->key.get(), x509.get());
  return ToPem(x509.get());
}

}  // namespace waymark
