// Shuts itself in as waymark-jq does, then tries one thing: `sandbox_probe TRY PARENT_PID`. Ends
// with status 0 when the try went through; with SIGSYS when the sandbox held. "state" tells on
// standard output what is left of environment and descriptors. Built without sanitizers.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "client/mapping/sandbox/sandbox.h"

extern char** environ;

namespace waymark::jq {
namespace {

constexpr size_t kMemory = size_t{256} << 20;

// Before the door is shut, but after all else: what the program still has.
void TellState() {
  for (char** entry = environ; *entry != nullptr; ++entry) dprintf(STDOUT_FILENO, "%s\n", *entry);
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) dprintf(STDOUT_FILENO, "fd %d\n", fd);
  }
  for (const auto limit : {RLIMIT_AS, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_FSIZE}) {
    rlimit value = {};
    getrlimit(limit, &value);
    dprintf(STDOUT_FILENO, "limit %d %llu\n", static_cast<int>(limit),
            static_cast<unsigned long long>(value.rlim_max));
  }
}

void Map(int protection, int flags, int fd) {
  static_cast<void>(mmap(nullptr, 4096, protection, flags, fd, 0));
}

void Try(const std::string& what) {
  if (what == "nothing") return;
  if (what == "open") open("/etc/passwd", O_RDONLY);
  if (what == "openat") syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
  if (what == "create") open("/tmp/waymark-probe", O_WRONLY | O_CREAT, 0600);
  if (what == "socket") socket(AF_INET, SOCK_STREAM, 0);
  if (what == "connect") syscall(SYS_connect, 0, nullptr, 0);
  if (what == "execve") execl("/bin/true", "true", nullptr);
  if (what == "fork") fork();
  if (what == "vfork") syscall(SYS_clone3, nullptr, 0);
  if (what == "kill-parent") kill(getppid(), 0);
  if (what == "signal-self") syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
  if (what == "ptrace") ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (what == "executable") Map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (what == "map-file") Map(PROT_READ, MAP_PRIVATE, 0);
  if (what == "raise-limit") {
    const rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &more);
  }
  if (what == "read-other") {
    char byte;
    (void)!read(STDOUT_FILENO, &byte, 1);
  }
  if (what == "write-other") _exit(write(2, "x", 1) == -1 ? 0 : 1);
  // The same call by the number that another way into the kernel has for it.
  if (what == "other-abi") syscall(0x40000000 | SYS_getpid);
  if (what == "abort") abort();
}

int Main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string what = argv[1];
  if (Prepare(kMemory, static_cast<pid_t>(std::strtol(argv[2], nullptr, 10))) != nullptr) return 3;
  if (what == "state") {
    TellState();
    _exit(0);
  }
  if (Enter() != nullptr) return 3;
  Try(what);
  _exit(0);
}

}  // namespace
}  // namespace waymark::jq

int main(int argc, char** argv) { return waymark::jq::Main(argc, argv); }
