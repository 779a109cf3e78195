#include "base/program/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>

namespace waymark {
namespace {

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Of the process, because that is what a signal handler can reach: the signal that came, and where
// the handler writes a byte to wake whoever waits, whichever thread it runs on.
volatile std::sig_atomic_t noted = 0;
volatile std::sig_atomic_t wake = -1;

void Note(int signal) {
  const int before = errno;
  noted = signal;
  // Full means that a byte is there already.
  [[maybe_unused]] const ssize_t written = write(wake, "", 1);
  errno = before;
}

// No echo while it lives. A signal that would end the program meanwhile ends it afterwards, when
// the terminal shows again what is typed.
class Silence {
 public:
  Silence() {
    silent_ =
        tcgetattr(STDIN_FILENO, &shown_) == 0 && pipe2(woken_.data(), O_CLOEXEC | O_NONBLOCK) == 0;
    if (!silent_) return;
    noted = 0;
    wake = woken_[1];
    struct sigaction handler = {};
    handler.sa_handler = Note;
    for (size_t i = 0; i < kEnding.size(); ++i) {
      sigaction(kEnding[i], &handler, &before_[i]);
      // A signal that ends nothing, as SIGHUP under nohup.
      if (before_[i].sa_handler == SIG_IGN) sigaction(kEnding[i], &before_[i], nullptr);
    }
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Silence() {
    if (!silent_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
    for (size_t i = 0; i < kEnding.size(); ++i) sigaction(kEnding[i], &before_[i], nullptr);
    for (const int end : woken_) close(end);
    if (noted != 0) raise(noted);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  // Waits for something to read; false when a signal came instead.
  bool Await() const {
    while (noted == 0) {
      std::array<pollfd, 2> sources = {{{STDIN_FILENO, POLLIN, 0}, {woken_[0], POLLIN, 0}}};
      if (poll(sources.data(), silent_ ? 2 : 1, -1) > 0 && sources[1].revents == 0) return true;
    }
    return false;
  }

 private:
  std::array<struct sigaction, kEnding.size()> before_ = {};
  std::array<int, 2> woken_ = {-1, -1};
  termios shown_ = {};
  bool silent_ = false;
};

// What a terminal hands over at once (MAX_CANON is less).
constexpr size_t kLongestLine = 4096;

// Up to the end of the line or of the input; not through a stream, which would not notice a signal
// and keeps a copy.
SecretBytes ReadLine(const Silence& silence) {
  SecretBytes line(kLongestLine);
  size_t length = 0;
  while (length < line.size() && silence.Await()) {
    const ssize_t count = read(STDIN_FILENO, line.data() + length, line.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    length += static_cast<size_t>(count);
    if (line.data()[length - 1] != '\n') continue;
    --length;
    break;
  }
  line.Truncate(length);
  return line;
}

}  // namespace

bool IsInteractive() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

SecretBytes AskHidden(const std::string& prompt) {
  SecretBytes typed;
  {
    const Silence silence;
    std::cerr << prompt << ": " << std::flush;
    typed = ReadLine(silence);
  }
  std::cerr << "\n";
  return typed;
}

}  // namespace waymark
