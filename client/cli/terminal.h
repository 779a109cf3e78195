// What is asked of a person at the terminal.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/secret.h"

namespace waymark::node {

// Returns the passphrase: the first line of the file, of standard input for "-", or, without a
// file, what a person types without echo. FIELD_INVALID: there is none, or nobody to ask.
// FILE_UNUSABLE: others may read the file.
absl::StatusOr<SecretBytes> ReadPassphrase(const std::string& file, const std::string& prompt);

// Asks for "yes". PREVIEW_REQUIRED: any other answer.
absl::Status AskForYes(const std::string& question);

}  // namespace waymark::node
