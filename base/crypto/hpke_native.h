// HPKE of OpenSSL 3.2 and later. hpke.h is the way in; this header is for hpke.cc and the test that
// holds both implementations equal.
#pragma once

#include <openssl/opensslv.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"

#define WAYMARK_NATIVE_HPKE (OPENSSL_VERSION_NUMBER >= 0x30200000L)

#if WAYMARK_NATIVE_HPKE
namespace waymark::hpke::native {

// hpke::Seal with the ephemeral key derived from `ikm`.
absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext,
                                 const SecretBytes& ikm);

// hpke::Open.
absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed);

}  // namespace waymark::hpke::native
#endif
