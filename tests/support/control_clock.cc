#include "tests/support/control_clock.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"

namespace waymark {
namespace {

// Ends the process for a text that is no time: a test that set it would otherwise run at another
// time.
absl::Duration OffsetOf(const std::string& text) {
  if (text.empty()) return absl::ZeroDuration();
  const bool absolute = text.front() == '@';
  const bool sign = text.front() == '+';
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(text.substr(absolute || sign ? 1 : 0), &seconds)) {
    std::cerr << "WAYMARK_TEST_CLOCK: not a time\n";
    std::abort();
  }
  return absolute ? absl::FromUnixSeconds(seconds) - absl::Now() : absl::Seconds(seconds);
}

}  // namespace

Clock& ControlClock::FromEnvironment() {
  static Clock& clock = [&]() -> Clock& {
    const char* path = std::getenv("WAYMARK_TEST_CLOCK");
    if (path == nullptr) return SystemClock();
    return *new ControlClock(path);
  }();
  return clock;
}

absl::Time ControlClock::Now() {
  std::string text;
  std::ifstream(path_) >> text;
  MutexLock lock(mu_);
  if (text != text_) {
    offset_ = OffsetOf(text);
    text_ = text;
  }
  return absl::Now() + offset_;
}

}  // namespace waymark
