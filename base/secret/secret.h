// Secrets by reference: the configuration says where a secret is, never what it is.
//
//   password: {credential: register-password}
//
// Stateless; thread-safe as long as nobody changes the environment.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/crypto/secret.h"

namespace waymark {

struct SecretReference {
  enum class Kind { kNone, kEnvironment, kFile, kCredential };
  Kind kind = Kind::kNone;
  // The name of the variable or credential, or the path of the file.
  std::string name;
};

// Reads the reference under `key`; kNone when the key is absent. CONFIG_INVALID: it is the secret
// itself, or does not say exactly one place.
absl::StatusOr<SecretReference> ReadSecretReference(ConfigSection& section, std::string_view key);

// Returns the secret without the newline at its end; no bytes for kNone. Asked whenever it is
// needed, so that a changed secret takes effect. FILE_UNUSABLE, CONFIG_INVALID: it is not there, or
// others may read the file.
absl::StatusOr<SecretBytes> ReadSecret(const SecretReference& reference);

}  // namespace waymark
