#include "client/mapping/jq_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/mapping/sandbox/protocol.h"
#include "client/process/spawn.h"

namespace waymark::node {

absl::StatusOr<std::unique_ptr<JqChild>> JqChild::Start(const std::string& program,
                                                        size_t memory_bytes) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return Error(v1::REASON_MAPPING_UNAVAILABLE, "there is no descriptor left for " + program);
  }
  // Standard input and output are the socket.
  const auto [pid, error] =
      Spawn({.command = {program, std::to_string(memory_bytes), std::to_string(getpid())},
             .input = sockets[1],
             .output = sockets[1]});
  close(sockets[1]);
  if (error != 0) {
    close(sockets[0]);
    return Error(v1::REASON_MAPPING_UNAVAILABLE, "cannot start " + program);
  }
  return std::unique_ptr<JqChild>(new JqChild(pid, sockets[0]));
}

JqChild::~JqChild() {
  End();
  close(socket_);
}

bool JqChild::running() {
  if (!reaped_ && waitpid(pid_, &wait_status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

int JqChild::End() {
  if (reaped_) return wait_status_;
  kill(pid_, SIGKILL);
  wait_status_ = Reap(pid_);
  reaped_ = true;
  return wait_status_;
}

void JqChild::LimitProcessorTime(absl::Duration left) const {
  clockid_t clock = 0;
  timespec used = {};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return;
  rlimit limit = {};
  if (prlimit(pid_, RLIMIT_CPU, nullptr, &limit) != 0) return;
  // Whole seconds only; the deadline is the finer limit.
  constexpr rlim_t kSlackSeconds = 2;
  limit.rlim_cur = static_cast<rlim_t>(used.tv_sec) +
                   static_cast<rlim_t>(absl::ToInt64Seconds(left)) + kSlackSeconds;
  prlimit(pid_, RLIMIT_CPU, &limit, nullptr);
}

bool JqChild::WaitFor(short event, absl::Time deadline) const {
  while (true) {
    const absl::Duration left = deadline - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd ready = {.fd = socket_, .events = event, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

JqChild::Io JqChild::Send(const std::string& frame, absl::Time deadline) const {
  size_t sent = 0;
  while (sent < frame.size()) {
    const ssize_t count =
        send(socket_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      if (!WaitFor(POLLOUT, deadline)) return Io::kTimedOut;
    } else if (errno != EINTR) {
      return Io::kClosed;
    }
  }
  return Io::kDone;
}

JqChild::Io JqChild::Receive(char* buffer, size_t size, absl::Time deadline) const {
  while (size > 0) {
    if (!WaitFor(POLLIN, deadline)) return Io::kTimedOut;
    const ssize_t count = recv(socket_, buffer, size, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return Io::kClosed;
    if (count < 0) continue;
    buffer += count;
    size -= static_cast<size_t>(count);
  }
  return Io::kDone;
}

JqExchange JqChild::Ask(const std::string& frame, size_t max_body, absl::Time deadline) {
  LimitProcessorTime(deadline - SteadyClock().Now());
  JqExchange exchange;
  Io io = Send(frame, deadline);
  // A child that died while it was being told may still have said why.
  char length[jq::kLengthSize];
  if (io != Io::kTimedOut) io = Receive(length, sizeof(length), deadline);
  if (io == Io::kDone) {
    const size_t size = jq::BodySize(length);
    if (size > max_body) {
      End();
      exchange.end = JqExchange::End::kTooLarge;
      return exchange;
    }
    exchange.body.resize(size);
    io = Receive(exchange.body.data(), size, deadline);
  }
  switch (io) {
    case Io::kDone:
      exchange.end = JqExchange::End::kAnswered;
      break;
    case Io::kTimedOut:
      End();
      exchange.end = JqExchange::End::kTimedOut;
      break;
    case Io::kClosed:
      // It is dying: its own end counts, not ours.
      wait_status_ = Reap(pid_);
      reaped_ = true;
      exchange.end = JqExchange::End::kDied;
      exchange.wait_status = wait_status_;
      break;
  }
  return exchange;
}

}  // namespace waymark::node
