#include "server/rpc/strand.h"

#include <utility>

#include "base/log/log.h"

namespace waymark::hub {

void Strand::Run(absl::AnyInvocable<void()> task) {
  if (Enqueue(std::move(task))) Drain();
}

void Strand::Post(absl::AnyInvocable<void()> task) {
  if (!Enqueue(std::move(task))) return;
  // While the hub stops the pool may take no more: the caller's thread then does the work itself.
  if (!pool_->Post([self = shared_from_this()] { self->Drain(); })) Drain();
}

bool Strand::Enqueue(absl::AnyInvocable<void()> task) {
  MutexLock lock(mu_);
  queue_.push_back(std::move(task));
  return !std::exchange(busy_, true);
}

void Strand::Drain() {
  const std::shared_ptr<Strand> keep = shared_from_this();
  int ran = 0;
  while (true) {
    absl::AnyInvocable<void()> task;
    {
      MutexLock lock(mu_);
      if (!queue_.empty() && ran < kTasksBeforeAfter) {
        task = std::move(queue_.front());
        queue_.pop_front();
      } else if (ran == 0) {
        busy_ = false;
        return;
      }
    }
    if (task) {
      Execute(task);
      ++ran;
    } else {
      if (after_) Execute(after_);
      ran = 0;
    }
  }
}

void Strand::Execute(absl::AnyInvocable<void()>& task) {
  try {
    task();
  } catch (...) {
    Log(LogLevel::kError, "stream_task_threw");
    if (on_exception_) on_exception_();
  }
}

}  // namespace waymark::hub
