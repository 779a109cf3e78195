#include "client/connectors/command/run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/file/descriptor.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/result.h"
#include "client/process/spawn.h"

namespace waymark::node {
namespace {

absl::Status NoDescriptor() { return SystemUnavailable("there is no descriptor left"); }

// A file in memory that holds `input`, to be read from its beginning; none when there is no room.
FileDescriptor InputFile(std::string_view input) {
  FileDescriptor file(memfd_create("input", MFD_CLOEXEC));
  if (!file.ok() || !WriteAll(file.get(), input)) return FileDescriptor(-1);
  lseek(file.get(), 0, SEEK_SET);
  return file;
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
  const FileDescriptor input_file = InputFile(input);
  int ends[2];
  if (!input_file.ok() || pipe2(ends, O_CLOEXEC) != 0) return NoDescriptor();
  const FileDescriptor output(ends[0]);
  FileDescriptor far_end(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const auto [pid, error] = Spawn({.command = command,
                                   .environment = environment,
                                   .input = input_file.get(),
                                   .output = far_end.get(),
                                   .folder = "/",
                                   .own_group = true});
  far_end.Close();
  if (error != 0) {
    const std::string detail = "the command cannot be run: " + command.front();
    return error == EAGAIN || error == ENOMEM ? SystemUnavailable(detail) : SystemRefused(detail);
  }
  // Debian 12 declares pidfd_open for C alone.
  const FileDescriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  CommandRun run;
  // Without a descriptor nobody could tell when it ends.
  run.end = process.ok() ? Await(process.get(), output.get(), max_output, deadline, run.output)
                         : CommandRun::End::kTimedOut;
  // It and what it left behind. Not yet reaped, it keeps its number, and so does its group.
  kill(-pid, SIGKILL);
  const int status = Reap(pid);
  if (run.end != CommandRun::End::kExited) return run;
  run.end = WIFEXITED(status) ? CommandRun::End::kExited : CommandRun::End::kKilled;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return run;
}

}  // namespace waymark::node
