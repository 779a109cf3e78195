// The end of a test program that no child and no thread can put off.
//
// Something that waits for a child, an answer or a lock may wait for ever when what it tests is
// broken. While a Watchdog lives, the process ends with kHung when nobody has said for `patience`
// that it goes on, and at once on SIGTERM and SIGINT, with 128 + the signal; without destructors or
// exit handlers, whatever its threads do. Its children die with it (tests/support/process.h).
//
// Threads: Beat may be called from any. One at a time; the signals are as before once it is gone.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "base/sync/sync.h"

namespace waymark::torture {

class Watchdog {
 public:
  static constexpr int kHung = 86;

  // Calls `last_words` with what was being done before the process ends as hung; they have
  // `patience` as well.
  Watchdog(absl::Duration patience, std::function<void(const std::string& doing)> last_words);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The process goes on; `doing` says with what.
  void Beat(const std::string& doing) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Watch();
  void End() ABSL_LOCKS_EXCLUDED(mu_);

  const absl::Duration patience_;
  const std::function<void(const std::string&)> last_words_;
  struct sigaction terminated_before_ = {};
  struct sigaction interrupted_before_ = {};

  Mutex mu_;
  CondVar changed_;
  std::string doing_ ABSL_GUARDED_BY(mu_) = "starting";
  int beats_ ABSL_GUARDED_BY(mu_) = 0;
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace waymark::torture
