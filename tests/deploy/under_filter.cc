// Runs a program as a systemd unit's filter of system calls would: under_filter PROGRAM ARG...
//
// WAYMARK_SYSCALLS names the calls that are allowed, with spaces between; any other fails with
// EPERM. Memory that can be written and executed is refused, as MemoryDenyWriteExecute= does.
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

// libseccomp's macros are literals of C99.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

namespace {

bool DenyExecutable(scmp_filter_ctx filter, int call) {
  constexpr scmp_datum_t kBoth = PROT_WRITE | PROT_EXEC;
  // A rule with a condition goes before the one that allows the call.
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
                          SCMP_A2_64(SCMP_CMP_MASKED_EQ, kBoth, kBoth)) == 0;
}

bool Allow(scmp_filter_ctx filter, const std::string& name) {
  const int call = seccomp_syscall_resolve_name(name.c_str());
  // Calls of other machines and other times are in systemd's lists too.
  if (call == __NR_SCMP_ERROR || call < 0) return true;
  if (call == SCMP_SYS(mmap) || call == SCMP_SYS(mprotect)) {
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0)) == 0 &&
           DenyExecutable(filter, call);
  }
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char* names = std::getenv("WAYMARK_SYSCALLS");
  if (argc < 2 || names == nullptr) return 2;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  bool added = filter != nullptr;
  std::istringstream words(names);
  for (std::string name; added && words >> name;) added = Allow(filter, name);
  if (!added || seccomp_load(filter) != 0) {
    std::cerr << "under_filter: the filter cannot be loaded\n";
    return 2;
  }
  execv(argv[1], argv + 1);
  std::cerr << "under_filter: " << argv[1] << " cannot be started\n";
  return 2;
}
