#include "base/secret/secret.h"

#include <cstdlib>
#include <utility>

#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kHow =
    "a secret does not stand in this file; say where it is instead: {credential: NAME} for "
    "systemd's "
    "LoadCredential, {file: PATH} for a file with mode 0600, or {env: NAME}";

absl::StatusOr<SecretBytes> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value != nullptr) return SecretBytes::CopyOf(value);
  return Error(v1::REASON_CONFIG_INVALID,
               "the environment variable " + name + ", which should hold a secret, is not set");
}

// systemd guards the folder itself, so the file's mode is not looked at.
absl::StatusOr<SecretBytes> FromCredential(const std::string& name) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) {
    return Error(v1::REASON_CONFIG_INVALID,
                 "the credential " + name +
                     " is for a service that systemd started with LoadCredential; there is no "
                     "CREDENTIALS_DIRECTORY");
  }
  ASSIGN_OR_RETURN(std::string text, ReadPublicFile(std::string(directory) + "/" + name));
  return SecretBytes::TakeFrom(text);
}

absl::StatusOr<SecretBytes> ReadWhole(const SecretReference& reference) {
  switch (reference.kind) {
    case SecretReference::Kind::kNone:
      return SecretBytes();
    case SecretReference::Kind::kEnvironment:
      return FromEnvironment(reference.name);
    case SecretReference::Kind::kFile:
      return ReadSecretFile(reference.name);
    case SecretReference::Kind::kCredential:
      return FromCredential(reference.name);
  }
  return Error(v1::REASON_INTERNAL, "a secret of no kind");
}

}  // namespace

absl::StatusOr<SecretReference> ReadSecretReference(ConfigSection& section, std::string_view key) {
  if (!section.Has(key)) return SecretReference();
  absl::StatusOr<ConfigSection> reference = section.Section(key);
  if (!reference.ok()) return section.Invalid(key, kHow);
  ASSIGN_OR_RETURN(const std::string environment, reference->String("env", ""));
  ASSIGN_OR_RETURN(const std::string file, reference->Path("file", ""));
  ASSIGN_OR_RETURN(const std::string credential, reference->String("credential", ""));
  const int given = static_cast<int>(!environment.empty()) + static_cast<int>(!file.empty()) +
                    static_cast<int>(!credential.empty());
  if (given != 1 || credential.find('/') != std::string::npos) return section.Invalid(key, kHow);
  if (!environment.empty()) {
    return SecretReference{SecretReference::Kind::kEnvironment, environment};
  }
  if (!file.empty()) return SecretReference{SecretReference::Kind::kFile, file};
  return SecretReference{SecretReference::Kind::kCredential, credential};
}

absl::StatusOr<SecretBytes> ReadSecret(const SecretReference& reference) {
  ASSIGN_OR_RETURN(SecretBytes secret, ReadWhole(reference));
  const std::string_view text = secret.view();
  if (!text.empty() && text.back() == '\n') secret.Truncate(text.size() - 1);
  return secret;
}

}  // namespace waymark
