// waymark-node for tests of real processes: the same program, with a clock that a test moves
// (WAYMARK_TEST_CLOCK), cheap passphrases and a short interval of maintenance. Never installed.

#include "client/program.h"
#include "tests/support/control_clock.h"

int main(int argc, char** argv) {
  waymark::node::ProgramOptions options;
  options.clock = &waymark::ControlClock::FromEnvironment();
  options.cost = {.n = 16, .r = 1, .p = 1};
  options.maintenance_interval = absl::Seconds(1);
  return waymark::node::RunNodeProgram(argc, argv, options);
}
