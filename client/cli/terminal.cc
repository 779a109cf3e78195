#include "client/cli/terminal.h"

#include <algorithm>
#include <iostream>

#include "base/identity/files.h"
#include "base/program/terminal.h"
#include "base/status/status.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

absl::StatusOr<SecretBytes> NotEmpty(SecretBytes passphrase) {
  if (passphrase.empty()) return UsageError("the passphrase is empty");
  return passphrase;
}

}  // namespace

absl::StatusOr<SecretBytes> ReadPassphrase(const std::string& file, const std::string& prompt) {
  if (file == "-") {
    std::string line;
    std::getline(std::cin, line);
    return NotEmpty(SecretBytes::TakeFrom(line));
  }
  if (!file.empty()) {
    ASSIGN_OR_RETURN(SecretBytes content, ReadSecretFile(file));
    content.Truncate(std::min(content.view().find('\n'), content.size()));
    if (content.empty()) {
      return UsageError("the first line of " + file + " is empty");
    }
    return content;
  }
  if (!IsInteractive()) {
    return UsageError("there is no terminal to ask for the passphrase: give --passphrase-file");
  }
  return NotEmpty(AskHidden(prompt));
}

absl::Status AskForYes(const std::string& question) {
  std::cerr << question << " Type yes: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return absl::OkStatus();
  return Error(v1::REASON_PREVIEW_REQUIRED, "nothing was done, because the answer was not yes");
}

}  // namespace waymark::node
