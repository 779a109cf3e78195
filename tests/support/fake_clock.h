// A clock that stands still until a test moves it. Thread-safe.
#pragma once

#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"

namespace waymark {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now) : now_(now) {}

  absl::Time Now() override {
    MutexLock lock(mu_);
    return now_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(mu_);
    now_ += by;
  }

 private:
  Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark
