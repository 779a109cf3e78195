// A child process of a test: started, signalled and, whatever happens, ended with its owner.
//
// A Process ends exactly the child that it started, never anything by name; a child also dies with
// the thread that started it, so that a test that is itself killed leaves nothing behind. What the
// child writes to standard output and standard error is appended to a file. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace waymark::testing {

// How long a program of ours may take to be ready, under the slowest sanitizer on a busy machine.
constexpr absl::Duration kStartLimit = absl::Seconds(60);

// Returns the error of a network of processes that does not do what a test needs of it.
absl::Status Failed(const std::string& what);

class Process {
 public:
  struct Options {
    // The program's path, then its arguments.
    std::vector<std::string> command;
    // Added to the test's own environment.
    std::map<std::string, std::string> environment;
    // Where the output goes.
    std::string output;
  };

  // Starts the child. REASON_FILE_UNUSABLE: the output cannot be opened or there is no process to
  // be had; a program that cannot be run ends with exit status 127.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const Options& options);

  // Kills the child if it still runs, and waits for it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Its own, for another process of the test to signal, as long as nobody has waited for it here.
  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // SIGKILL, and waits for the end: what a power cut leaves.
  void Kill();

  bool running() { return !Poll().has_value(); }
  // Waits for the end. Returns the exit status, 128 + n for an end by signal n, or nullopt when it
  // still runs after `within`.
  std::optional<int> Wait(absl::Duration within);

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  std::optional<int> Poll();

  const pid_t pid_;
  // Once reaped, when the pid may belong to anybody.
  std::optional<int> status_;
};

// Runs a child to its end, which must come within a minute and have this exit status.
// REASON_INTERNAL: anything else; the message holds what the child wrote.
absl::Status RunToEnd(const Process::Options& options, int expected_status = 0);

}  // namespace waymark::testing
