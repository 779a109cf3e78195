// Files that hold keys: written whole or not at all, readable by their owner alone.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/secret.h"

namespace waymark {

// Writes `secret` to `path` with mode 0600: a new file beside it is filled, synced and renamed over
// it, and the folder is synced, so a crash leaves the old file or the new one.
// REASON_FILE_UNUSABLE: the folder does not exist or cannot be written.
absl::Status WriteSecretFile(const std::string& path, const SecretBytes& secret);

// The same for what everyone may read (certificates): mode 0644.
absl::Status WritePublicFile(const std::string& path, std::string_view content);

// Reads a file that only its owner may open. REASON_FILE_UNUSABLE: it does not exist, is larger
// than 1 MiB, or group or others have any access to it.
absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path);

// Reads a file that anyone may open. REASON_FILE_UNUSABLE: it does not exist or is larger than 1
// MiB.
absl::StatusOr<std::string> ReadPublicFile(const std::string& path);

}  // namespace waymark
