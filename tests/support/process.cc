#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/identity/files.h"
#include "base/status/status.h"
#include "tests/support/poll.h"

extern char** environ;

namespace waymark::testing {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The test's environment with `changes` in place of what has the same names.
std::vector<std::string> Environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    if (changes.count(text.substr(0, text.find('='))) == 0) entries.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    entries.push_back(std::string(name).append("=").append(value));
  }
  return entries;
}

}  // namespace

absl::Status Failed(const std::string& what) { return Error(v1::REASON_INTERNAL, what); }

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const Options& options) {
  // Everything is made before the fork: between fork and exec only system calls are safe.
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment = Environment(options.environment);
  const std::vector<char*> argv = Pointers(command);
  const std::vector<char*> envp = Pointers(environment);
  const int output =
      open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (output < 0) return Error(v1::REASON_FILE_UNUSABLE, "cannot open " + options.output);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execve(argv.front(), argv.data(), envp.data());
    _exit(127);
  }
  close(output);
  if (pid < 0) return Error(v1::REASON_FILE_UNUSABLE, "cannot start " + options.command.front());
  return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() { Kill(); }

void Process::Signal(int signal) {
  if (running()) kill(pid_, signal);
}

void Process::Kill() {
  Signal(SIGKILL);
  if (status_.has_value()) return;
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> Process::Poll() {
  int status = 0;
  if (!status_.has_value() && waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return status_;
}

std::optional<int> Process::Wait(absl::Duration within) {
  Eventually([&] { return Poll().has_value(); }, within);
  return Poll();
}

absl::Status RunToEnd(const Process::Options& options, int expected_status) {
  ASSIGN_OR_RETURN(const auto process, Process::Start(options));
  const std::optional<int> status = process->Wait(absl::Minutes(1));
  if (status == expected_status) return absl::OkStatus();
  const auto output = ReadPublicFile(options.output);
  return Error(v1::REASON_INTERNAL,
               options.command.front() +
                   (status ? " ended with " + std::to_string(*status) : " did not end") + ":\n" +
                   (output.ok() ? *output : ""));
}

}  // namespace waymark::testing
