#include "base/program/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace waymark {
namespace {

constexpr char kTyped[] = "correct horse battery";
constexpr char kPrompt[] = "Passphrase: ";

// A program at a terminal of its own that asks, and says by how it exits whether it got kTyped.
class Asking {
 public:
  Asking() {
    child_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (child_ == 0) _exit(IsInteractive() && AskHidden("Passphrase").view() == kTyped ? 0 : 1);
    // The child's end, so that the terminal outlives the child.
    kept_ = open(ptsname(terminal_), O_RDWR | O_NOCTTY);
  }
  ~Asking() {
    close(kept_);
    close(terminal_);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  bool started() const { return child_ > 0; }

  // What the terminal shows until `text` stands there.
  std::string ShownUntil(const std::string& text) {
    std::string shown;
    char byte = 0;
    while (shown.find(text) == std::string::npos && read(terminal_, &byte, 1) == 1) shown += byte;
    return shown;
  }

  void Type(const std::string& keys) const {
    EXPECT_EQ(write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  bool Echoes() const {
    termios now = {};
    EXPECT_EQ(tcgetattr(terminal_, &now), 0);
    return (now.c_lflag & ECHO) != 0;
  }

  int Await() const {
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    return status;
  }

 private:
  int terminal_ = -1;
  int kept_ = -1;
  pid_t child_ = -1;
};

TEST(TerminalTest, ReturnsWhatIsTypedAndDoesNotShowIt) {
  Asking asking;
  ASSERT_TRUE(asking.started());
  asking.ShownUntil(kPrompt);
  EXPECT_FALSE(asking.Echoes());
  asking.Type(std::string(kTyped) + "\n");
  EXPECT_EQ(asking.ShownUntil("\n").find(kTyped), std::string::npos);
  EXPECT_EQ(asking.Await(), 0);
  EXPECT_TRUE(asking.Echoes());
}

TEST(TerminalTest, ControlCEndsTheProgramAndGivesTheEchoBack) {
  Asking asking;
  ASSERT_TRUE(asking.started());
  asking.ShownUntil(kPrompt);
  EXPECT_FALSE(asking.Echoes());
  asking.Type("\x03");
  const int status = asking.Await();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  EXPECT_TRUE(asking.Echoes());
}

}  // namespace
}  // namespace waymark
