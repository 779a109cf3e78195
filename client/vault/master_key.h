// The secret that opens a vault. It never lies in the data folder.
//
// It comes from one of three places: a key file elsewhere (another disk, a hardware-backed mount),
// a systemd credential, or a passphrase that a person types at start. Whatever it is, the vault's
// own salt turns it into the vault's master key, so one secret used for two vaults makes two keys.
// Immutable; moves, does not copy.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/password.h"
#include "base/crypto/secret.h"
#include "base/random/random.h"

namespace waymark::node {

class MasterKey {
 public:
  // Writes a new key file of 64 hexadecimal digits with mode 0600. REASON_EXISTS: the file is there
  // already and stays as it is. REASON_FILE_UNUSABLE: the folder cannot be written.
  static absl::Status CreateFile(const std::string& path, Random& random);

  // Reads a key file: 64 hexadecimal digits and perhaps a newline. REASON_FILE_UNUSABLE: it does
  // not exist, is not such a file, or others than its owner may read it.
  static absl::StatusOr<MasterKey> FromFile(const std::string& path);

  // Reads the credential `name` from systemd's credentials directory, in the format of a key file.
  // systemd guards the directory itself, so the file's mode is not looked at.
  // REASON_FILE_UNUSABLE: it does not exist or is not such a file.
  static absl::StatusOr<MasterKey> FromCredential(const std::string& directory,
                                                  const std::string& name);

  // Derives the key by scrypt when a vault is opened. REASON_FIELD_INVALID: fewer than 12 bytes.
  static absl::StatusOr<MasterKey> FromPassphrase(SecretBytes passphrase);

  // Returns the 32-byte key for the vault with this salt (kPassphraseSaltSize bytes); `cost` counts
  // for a passphrase only. Slow for a passphrase. REASON_FIELD_INVALID: as DeriveFromPassphrase.
  absl::StatusOr<SecretBytes> Derive(std::string_view salt, const ScryptCost& cost) const;

 private:
  enum class Form { kKey, kPassphrase };

  MasterKey(Form form, SecretBytes secret) : form_(form), secret_(std::move(secret)) {}

  Form form_;
  SecretBytes secret_;
};

}  // namespace waymark::node
