// A clock that tests of real processes move: real time plus an offset that stands in a file.
//
// The file holds seconds, "+86400" or "-60", relative to real time, or "@1800000000", the time of
// day at the moment this clock first read that very text; from there it goes on at the pace of real
// time. An absent or empty file means real time. It is looked at again on every Now(). Thread-safe.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"

namespace waymark {

class ControlClock final : public Clock {
 public:
  explicit ControlClock(std::string path) : path_(std::move(path)) {}

  // The clock that the environment variable WAYMARK_TEST_CLOCK names, or the machine's. Never
  // destroyed.
  static Clock& FromEnvironment();

  absl::Time Now() override;

 private:
  const std::string path_;
  Mutex mu_;
  std::string text_ ABSL_GUARDED_BY(mu_);
  absl::Duration offset_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark
