// waymark-node for tests of real processes: the same program, with a clock that a test moves
// (WAYMARK_TEST_CLOCK), cheap passphrases and short intervals of maintenance. It can be made to
// die at one point: while the file that WAYMARK_TEST_KILL names exists, the next delivery that has
// reached the inbox deletes it and kills the process before the hub gets its acknowledgement. Never
// installed.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "client/program.h"
#include "tests/support/control_clock.h"

// For LeakSanitizer. A node that is stopped while gRPC 1.51 makes its first connection now and then
// leaves two certificates of OpenSSL behind; the stacks end in libcrypto and do not say whose. Here
// alone: OpenSSL's objects of our own rooms are looked after in the programs of their tests.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __lsan_default_suppressions() {
  return "leak:CRYPTO_zalloc\nleak:CRYPTO_strndup\n";
}

int main(int argc, char** argv) {
  waymark::node::ProgramOptions options;
  options.clock = &waymark::ControlClock::FromEnvironment();
  options.cost = {.n = 16, .r = 1, .p = 1};
  options.maintenance_interval = absl::Seconds(1);
  options.tls_refresh = absl::Seconds(1);
  options.jq_program = WAYMARK_JQ_PROGRAM;
  if (const char* path = std::getenv("WAYMARK_TEST_KILL"); path != nullptr) {
    options.on_stored = [file = std::string(path)] {
      std::error_code ignored;
      if (std::filesystem::remove(file, ignored)) std::raise(SIGKILL);
    };
  }
  return waymark::node::RunNodeProgram(argc, argv, options);
}
