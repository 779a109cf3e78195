// HPKE on OpenSSL's EVP primitives, for OpenSSL 3.0 and 3.1, which have no HPKE of their own.
// hpke.h is the way in; this header is for hpke.cc and the tests, which compare it with RFC 9180's
// vectors and with the native one.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/secret.h"

namespace waymark::hpke::evp {

// RFC 9180, 7.1.3: DeriveKeyPair, whose public key follows from the private one.
SecretBytes DerivePrivateKey(std::string_view ikm);

// hpke::PublicFromPrivate.
absl::StatusOr<std::string> PublicFromPrivate(const SecretBytes& private_key);

// hpke::Seal with the ephemeral private key given.
absl::StatusOr<std::string> Seal(std::string_view public_key, std::string_view info,
                                 std::string_view aad, std::string_view plaintext,
                                 const SecretBytes& ephemeral);

// hpke::Open.
absl::StatusOr<SecretBytes> Open(const SecretBytes& private_key, std::string_view info,
                                 std::string_view aad, std::string_view sealed);

}  // namespace waymark::hpke::evp
