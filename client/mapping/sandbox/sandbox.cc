#include "client/mapping/sandbox/sandbox.h"

#include <malloc.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>

// libseccomp's macros are literals of C99.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

namespace waymark::jq {
namespace {

// Deep recursion ends here rather than eat up the address space.
constexpr rlim_t kStackBytes = rlim_t{8} << 20;

bool Limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit = {.rlim_cur = value, .rlim_max = value};
  return setrlimit(resource, &limit) == 0;
}

// Allows the call when all the comparisons hold.
template <typename... Comparisons>
bool Allow(scmp_filter_ctx filter, int call, Comparisons... comparisons) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, sizeof...(comparisons), comparisons...) ==
         0;
}

bool AddRules(scmp_filter_ctx filter) {
  const auto not_executable = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  const auto self = static_cast<scmp_datum_t>(getpid());
  return Allow(filter, SCMP_SYS(read), SCMP_A0_64(SCMP_CMP_EQ, STDIN_FILENO)) &&
         Allow(filter, SCMP_SYS(write), SCMP_A0_64(SCMP_CMP_EQ, STDOUT_FILENO)) &&
         // What libraries say on standard error goes nowhere.
         seccomp_rule_add(filter, SCMP_ACT_ERRNO(EBADF), SCMP_SYS(write), 1,
                          SCMP_A0_64(SCMP_CMP_GT, STDOUT_FILENO)) == 0 &&
         Allow(filter, SCMP_SYS(brk)) && Allow(filter, SCMP_SYS(munmap)) &&
         Allow(filter, SCMP_SYS(mremap)) && Allow(filter, SCMP_SYS(madvise)) &&
         Allow(filter, SCMP_SYS(mprotect), not_executable) &&
         Allow(filter, SCMP_SYS(mmap), not_executable,
               SCMP_A3_64(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)) &&
         // An uncontended lock of the C library may still ask the kernel.
         Allow(filter, SCMP_SYS(futex)) &&
         // The seed of libjq's hash tables.
         Allow(filter, SCMP_SYS(getrandom)) &&
         // abort().
         Allow(filter, SCMP_SYS(rt_sigprocmask)) && Allow(filter, SCMP_SYS(gettid)) &&
         Allow(filter, SCMP_SYS(getpid)) &&
         Allow(filter, SCMP_SYS(tgkill), SCMP_A0_64(SCMP_CMP_EQ, self),
               SCMP_A2_64(SCMP_CMP_EQ, SIGABRT)) &&
         Allow(filter, SCMP_SYS(exit)) && Allow(filter, SCMP_SYS(exit_group));
}

}  // namespace

const char* Prepare(size_t memory_bytes, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return "prctl(PR_SET_PDEATHSIG)";
  if (getppid() != parent) return "the parent is gone";
  if (close_range(STDOUT_FILENO + 1, UINT_MAX, 0) != 0) return "close_range";
  // The C library must not look for the zone later on.
  if (clearenv() != 0 || setenv("TZ", "UTC0", 1) != 0) return "clearenv";
  tzset();
  // One arena: with a second one the C library would count the processors.
  if (mallopt(M_ARENA_MAX, 1) != 1) return "mallopt";
  if (!Limit(RLIMIT_AS, memory_bytes)) return "setrlimit(RLIMIT_AS)";
  if (!Limit(RLIMIT_STACK, kStackBytes)) return "setrlimit(RLIMIT_STACK)";
  if (!Limit(RLIMIT_NOFILE, 0)) return "setrlimit(RLIMIT_NOFILE)";
  if (!Limit(RLIMIT_FSIZE, 0)) return "setrlimit(RLIMIT_FSIZE)";
  if (!Limit(RLIMIT_CORE, 0)) return "setrlimit(RLIMIT_CORE)";
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return "prctl(PR_SET_DUMPABLE)";
  return nullptr;
}

const char* Enter() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "prctl(PR_SET_NO_NEW_PRIVS)";
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return "seccomp_init";
  const bool loaded = AddRules(filter) && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded ? nullptr : "seccomp_load";
}

}  // namespace waymark::jq
