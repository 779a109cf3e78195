// The command line of waymark-hub: serve, init, doctor, inspect, --version, and those of
// store_commands.h.
#pragma once

#include "base/time/clock.h"
#include "server/rpc/frames.h"

namespace waymark::hub {

// What the test binary replaces; production passes the machine's clock and no recorder.
struct ProgramOptions {
  Clock* clock = nullptr;
  FrameRecorder frame_recorder;
};

// Runs the program and returns its exit status: 0 done, 1 failed, 2 wrong use;
// doctor: 0 all is fine, 1 warnings, 2 errors.
int RunHubProgram(int argc, char** argv, const ProgramOptions& options);

}  // namespace waymark::hub
