// X.509 through OpenSSL, for the sources of base/identity only.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/crypto/openssl.h"
#include "base/identity/spiffe.h"

namespace waymark {

inline void FreeExtensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeWith<FreeExtensions>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

// Null unless `pem` begins with a certificate or request with a P-256 key.
X509Ptr ReadCertificatePem(std::string_view pem);
X509ReqPtr ReadRequestPem(std::string_view pem);

std::string ToPem(const X509* certificate);
std::string ToPem(const X509_REQ* request);
std::string ToDer(const X509* certificate);

absl::Time ToTime(const ASN1_TIME* time);

// The one URI among `names`; nullopt if there is none or more than one. Null names have none.
std::optional<std::string> OnlyUri(const GENERAL_NAMES* names);
GeneralNamesPtr AlternativeNames(const X509* certificate);

// Appends a name; `address` is the 4 or 16 bytes of an IP address.
void AddUri(GENERAL_NAMES* names, std::string_view uri);
void AddDnsName(GENERAL_NAMES* names, std::string_view name);
void AddIpAddress(GENERAL_NAMES* names, std::string_view address);

// The neutral common name of a role's certificates.
const char* CommonNameOf(SpiffeId::Role role);
void SetCommonName(X509_NAME* name, const char* common_name);

}  // namespace waymark
