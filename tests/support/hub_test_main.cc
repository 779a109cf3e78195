// waymark-hub for tests of real processes: the same program, with a clock that a test moves
// (WAYMARK_TEST_CLOCK) and a record of everything received after TLS (WAYMARK_TEST_RECORD: a file
// to which each frame is appended, its length first as 8 bytes, most significant first). Never
// installed.

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "base/sync/sync.h"
#include "server/program.h"
#include "tests/support/control_clock.h"

namespace waymark::hub {
namespace {

class Recorder {
 public:
  explicit Recorder(const std::string& path) : file_(path, std::ios::binary | std::ios::app) {}

  void Record(std::string_view frame) {
    MutexLock lock(mu_);
    for (int shift = 56; shift >= 0; shift -= 8) {
      file_.put(static_cast<char>((frame.size() >> shift) & 0xff));
    }
    file_.write(frame.data(), static_cast<std::streamsize>(frame.size()));
    file_.flush();
  }

 private:
  Mutex mu_;
  std::ofstream file_ ABSL_GUARDED_BY(mu_);
};

}  // namespace
}  // namespace waymark::hub

int main(int argc, char** argv) {
  waymark::hub::ProgramOptions options;
  options.clock = &waymark::ControlClock::FromEnvironment();
  if (const char* path = std::getenv("WAYMARK_TEST_RECORD"); path != nullptr) {
    // Shared because a FrameRecorder is copied.
    auto recorder = std::make_shared<waymark::hub::Recorder>(path);
    options.frame_recorder = [recorder](std::string_view frame) { recorder->Record(frame); };
  }
  return waymark::hub::RunHubProgram(argc, argv, options);
}
