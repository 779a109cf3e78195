#include "server/rpc/worker_pool.h"

#include <algorithm>
#include <utility>

#include "base/log/log.h"

namespace waymark::hub {

namespace {

// What this thread posts together, and to which pool; null while it does not.
struct Gathered {
  const WorkerPool* pool;
  std::deque<absl::AnyInvocable<void()>> tasks;
};
thread_local Gathered* gathered = nullptr;

void RunTask(absl::AnyInvocable<void()>& task) {
  try {
    std::move(task)();
  } catch (...) {
    Log(LogLevel::kError, "task_threw");
  }
}

}  // namespace

WorkerPool::WorkerPool(int threads, size_t max_queued) : max_queued_(max_queued) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() { Shutdown(); }

bool WorkerPool::Post(absl::AnyInvocable<void()> task) {
  if (gathered != nullptr && gathered->pool == this) {
    gathered->tasks.push_back(std::move(task));
    return true;
  }
  {
    MutexLock lock(mu_);
    if (stopping_ || queue_.size() >= max_queued_) return false;
    queue_.push_back(std::move(task));
  }
  changed_.Signal();
  return true;
}

void WorkerPool::PostTogether(absl::FunctionRef<void()> poster) {
  Gathered together = {this, {}};
  gathered = &together;
  poster();
  gathered = nullptr;
  Enqueue(together.tasks);
  // There is no room, or no pool any more.
  for (auto& task : together.tasks) RunTask(task);
}

void WorkerPool::Enqueue(std::deque<absl::AnyInvocable<void()>>& tasks) {
  size_t taken = 0;
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    for (; !tasks.empty() && queue_.size() < max_queued_; ++taken) {
      queue_.push_back(std::move(tasks.front()));
      tasks.pop_front();
    }
  }
  for (size_t woken = 0; woken < std::min(taken, threads_.size()); ++woken) changed_.Signal();
}

void WorkerPool::Shutdown() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.SignalAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::Run() {
  while (true) {
    absl::AnyInvocable<void()> task;
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) changed_.Wait(mu_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    RunTask(task);
  }
}

}  // namespace waymark::hub
