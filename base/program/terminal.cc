#include "base/program/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>

namespace waymark {
namespace {

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// The terminal as it was. Of the process, because that is what a signal handler can reach; set
// before the handlers and constant while they are there.
termios shown;

void RestoreAndEnd(int signal) {
  tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  // Not SA_RESETHAND, which ThreadSanitizer takes for a signal that is ignored from then on.
  struct sigaction ending = {};
  ending.sa_handler = SIG_DFL;
  sigaction(signal, &ending, nullptr);
  raise(signal);
}

// No echo while it lives, nor after a signal that ends the program.
class Silence {
 public:
  Silence() {
    silent_ = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (!silent_) return;
    struct sigaction handler = {};
    handler.sa_handler = RestoreAndEnd;
    for (size_t i = 0; i < kEnding.size(); ++i) {
      sigaction(kEnding[i], &handler, &before_[i]);
      // A signal that ends nothing, as SIGHUP under nohup.
      if (before_[i].sa_handler == SIG_IGN) sigaction(kEnding[i], &before_[i], nullptr);
    }
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Silence() {
    if (!silent_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    for (size_t i = 0; i < kEnding.size(); ++i) sigaction(kEnding[i], &before_[i], nullptr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  std::array<struct sigaction, kEnding.size()> before_ = {};
  bool silent_ = false;
};

}  // namespace

bool IsInteractive() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

SecretBytes AskHidden(const std::string& prompt) {
  std::string typed;
  {
    const Silence silence;
    std::cerr << prompt << ": " << std::flush;
    std::getline(std::cin, typed);
  }
  std::cerr << "\n";
  return SecretBytes::TakeFrom(typed);
}

}  // namespace waymark
