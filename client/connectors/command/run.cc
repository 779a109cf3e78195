#include "client/connectors/command/run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

absl::Status NoDescriptor() { return SystemUnavailable("there is no descriptor left"); }

// A file in memory that holds `input`, to be read from its beginning; -1 when there is none.
int InputFile(std::string_view input) {
  const int file = memfd_create("input", MFD_CLOEXEC);
  if (file < 0) return -1;
  size_t written = 0;
  while (written < input.size()) {
    const ssize_t count = write(file, input.data() + written, input.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      close(file);
      return -1;
    }
  }
  lseek(file, 0, SEEK_SET);
  return file;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

int Spawn(std::vector<std::string> command, std::vector<std::string> environment, int input,
          int output, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  if (const int error = posix_spawn_file_actions_init(&actions); error != 0) return error;
  const absl::Cleanup destroy = [&] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&actions, "/");

  // A process group of its own, and nothing of the node's handling of signals.
  posix_spawnattr_t attributes;
  if (const int error = posix_spawnattr_init(&attributes); error != 0) return error;
  const absl::Cleanup destroy_attributes = [&] { posix_spawnattr_destroy(&attributes); };
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const std::vector<char*> argv = Pointers(command);
  const std::vector<char*> envp = Pointers(environment);
  return posix_spawn(&pid, argv.front(), &actions, &attributes, argv.data(), envp.data());
}

// Reads what is there. False: it is more than `max_output`.
bool Drain(int output, size_t max_output, bool& open, std::string& text) {
  char buffer[16384];
  while (true) {
    const ssize_t count = read(output, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      open = count < 0 && errno == EAGAIN;
      return true;
    }
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > max_output) return false;
  }
}

// Waits until the program has ended or must be.
CommandRun::End Await(int process, int output, size_t max_output, absl::Time deadline,
                      std::string& text) {
  bool open = true;
  while (true) {
    const absl::Duration left = deadline - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return CommandRun::End::kTimedOut;
    pollfd ready[] = {{.fd = process, .events = POLLIN, .revents = 0},
                      {.fd = open ? output : -1, .events = POLLIN, .revents = 0}};
    if (poll(ready, 2, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) < 0) continue;
    if (!Drain(output, max_output, open, text)) return CommandRun::End::kTooLarge;
    if (ready[0].revents != 0) {
      // What it wrote between the two looks.
      if (!Drain(output, max_output, open, text)) return CommandRun::End::kTooLarge;
      return CommandRun::End::kExited;
    }
  }
}

}  // namespace

absl::StatusOr<CommandRun> RunCommand(const std::vector<std::string>& command,
                                      const std::vector<std::string>& environment,
                                      std::string_view input, size_t max_output,
                                      absl::Time deadline) {
  const Descriptor input_file(InputFile(input));
  int ends[2];
  if (input_file.get() < 0 || pipe2(ends, O_CLOEXEC) != 0) return NoDescriptor();
  const Descriptor output(ends[0]);
  Descriptor far_end(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  const int error = Spawn(command, environment, input_file.get(), far_end.get(), pid);
  far_end.Close();
  if (error != 0) {
    const std::string detail = "the command cannot be run: " + command.front();
    return error == EAGAIN || error == ENOMEM ? SystemUnavailable(detail) : SystemRefused(detail);
  }
  // Debian 12 declares pidfd_open for C alone.
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  CommandRun run;
  // Without a descriptor nobody could tell when it ends.
  run.end = process.get() < 0
                ? CommandRun::End::kTimedOut
                : Await(process.get(), output.get(), max_output, deadline, run.output);
  // It and what it left behind. Not yet reaped, it keeps its number, and so does its group.
  kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (run.end != CommandRun::End::kExited) return run;
  run.end = WIFEXITED(status) ? CommandRun::End::kExited : CommandRun::End::kKilled;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return run;
}

}  // namespace waymark::node
