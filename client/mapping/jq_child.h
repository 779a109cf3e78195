// One waymark-jq process: started, asked, and ended with its owner. Internal to client/mapping.
//
// A JqChild belongs to the thread that started it: the kernel kills the process when that thread
// ends. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace waymark::node {

// How a request to the child ended. After anything but kAnswered the child is gone.
struct JqExchange {
  enum class End { kAnswered, kTimedOut, kTooLarge, kDied };
  End end = End::kDied;
  // The body of the response.
  std::string body;
  // As waitpid reports it, when it died by itself.
  int wait_status = 0;
};

class JqChild {
 public:
  // Starts the program with an empty environment and one socket. MAPPING_UNAVAILABLE: there is no
  // process or descriptor to be had; a program that cannot be run dies at its first request.
  static absl::StatusOr<std::unique_ptr<JqChild>> Start(const std::string& program,
                                                        size_t memory_bytes);

  // Kills the process if it still runs, and waits for it.
  ~JqChild();
  JqChild(const JqChild&) = delete;
  JqChild& operator=(const JqChild&) = delete;

  pid_t pid() const { return pid_; }
  // Whether it is there for another request.
  bool running();

  // Sends a frame and waits for the response, whose body may have `max_body` bytes, until
  // `deadline` on SteadyClock. Also bounds the processor time, should this process be stopped.
  JqExchange Ask(const std::string& frame, size_t max_body, absl::Time deadline);

 private:
  enum class Io { kDone, kTimedOut, kClosed };

  JqChild(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

  void LimitProcessorTime(absl::Duration left) const;
  Io Send(const std::string& frame, absl::Time deadline) const;
  Io Receive(char* buffer, size_t size, absl::Time deadline) const;
  bool WaitFor(short event, absl::Time deadline) const;
  // Kills and reaps; returns how it ended.
  int End();

  const pid_t pid_;
  const int socket_;
  // Once reaped, when the pid may belong to anybody.
  bool reaped_ = false;
  int wait_status_ = 0;
};

}  // namespace waymark::node
