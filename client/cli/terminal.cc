#include "client/cli/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/identity/files.h"
#include "base/status/status.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

// No echo while it lives.
class Silence {
 public:
  Silence() {
    silent_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!silent_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~Silence() {
    if (silent_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool silent_ = false;
};

absl::StatusOr<SecretBytes> FirstLine(std::istream& input) {
  std::string line;
  std::getline(input, line);
  if (line.empty()) return UsageError("the passphrase is empty");
  return SecretBytes::TakeFrom(line);
}

}  // namespace

bool IsInteractive() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

absl::StatusOr<SecretBytes> ReadPassphrase(const std::string& file, const std::string& prompt) {
  if (file == "-") return FirstLine(std::cin);
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
  std::cerr << prompt << ": " << std::flush;
  const Silence silence;
  auto typed = FirstLine(std::cin);
  std::cerr << "\n";
  return typed;
}

absl::Status AskForYes(const std::string& question) {
  std::cerr << question << " Type yes: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return absl::OkStatus();
  return Error(v1::REASON_PREVIEW_REQUIRED, "nothing was done, because the answer was not yes");
}

}  // namespace waymark::node
