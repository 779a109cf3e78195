// PEM around DER: certificates and requests travel as DER and rest in files as PEM.
//
// Nothing is parsed beyond the armour; base/identity reads what is inside. All functions are
// thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace waymark {

inline constexpr std::string_view kPemCertificate = "CERTIFICATE";
inline constexpr std::string_view kPemCertificateRequest = "CERTIFICATE REQUEST";

// Returns `der` in PEM armour of the kind named.
std::string PemFromDer(std::string_view kind, std::string_view der);

// Returns the DER of the first block of that kind. REASON_FIELD_INVALID: there is none, or it is
// not base 64.
absl::StatusOr<std::string> DerFromPem(std::string_view kind, std::string_view pem);

}  // namespace waymark
