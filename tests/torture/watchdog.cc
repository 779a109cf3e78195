#include "tests/torture/watchdog.h"

#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"

namespace waymark::torture {
namespace {

void EndBySignal(int signal) { _exit(128 + signal); }

}  // namespace

Watchdog::Watchdog(absl::Duration patience,
                   std::function<void(const std::string& doing)> last_words)
    : patience_(patience), last_words_(std::move(last_words)) {
  struct sigaction action = {};
  action.sa_handler = EndBySignal;
  sigaction(SIGTERM, &action, &terminated_before_);
  sigaction(SIGINT, &action, &interrupted_before_);
  thread_ = std::thread([this] { Watch(); });
}

Watchdog::~Watchdog() {
  {
    MutexLock lock(mu_);
    over_ = true;
    changed_.Signal();
  }
  thread_.join();
  sigaction(SIGTERM, &terminated_before_, nullptr);
  sigaction(SIGINT, &interrupted_before_, nullptr);
}

void Watchdog::Beat(const std::string& doing) {
  MutexLock lock(mu_);
  doing_ = doing;
  ++beats_;
}

void Watchdog::Watch() {
  mu_.Lock();
  int heard = beats_;
  absl::Time deadline = absl::Now() + patience_;
  while (!over_) {
    changed_.WaitFor(mu_, deadline - absl::Now());
    if (std::exchange(heard, beats_) != beats_) {
      deadline = absl::Now() + patience_;
    } else if (!over_ && absl::Now() >= deadline) {
      mu_.Unlock();
      End();
      mu_.Lock();
    }
  }
  mu_.Unlock();
}

void Watchdog::End() {
  std::string doing;
  {
    MutexLock lock(mu_);
    doing = doing_;
  }
  // Not joined: the last words may hang as well.
  std::thread([this, doing] {
    last_words_(doing);
    _exit(kHung);
  }).detach();
  MutexLock lock(mu_);
  const absl::Time deadline = absl::Now() + patience_;
  while (absl::Now() < deadline) changed_.WaitFor(mu_, deadline - absl::Now());
  _exit(kHung);
}

}  // namespace waymark::torture
