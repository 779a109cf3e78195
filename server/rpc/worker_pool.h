// Threads that may block, for what a gRPC reaction must not do.
//
// The hub has two: one thread as the desk, on which directory and registry live without locks, and
// two that run the strands of sessions. Threads: Post from any thread. Lifetime: Shutdown before
// what the tasks use goes; the destructor calls it.
#pragma once

#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "base/sync/sync.h"

namespace waymark::hub {

class WorkerPool {
 public:
  // Starts `threads` threads; at most `max_queued` tasks wait.
  WorkerPool(int threads, size_t max_queued);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `task` once, after those posted before have begun. Returns false, and drops the task, when
  // the queue is full or Shutdown has begun. An exception from a task is logged and goes no
  // further.
  bool Post(absl::AnyInvocable<void()> task);

  // Runs `poster` at once. What it posts here, from this thread, begins when it has returned, so
  // that the threads wake up once for all of it; what there is no room for runs on this thread.
  // Not within itself.
  void PostTogether(absl::FunctionRef<void()> poster);

  // Takes no more, runs what was taken, joins. Idempotent; not from a task.
  void Shutdown();

 private:
  void Run();
  // Queues as many of `tasks` as there is room for, and takes those from it.
  void Enqueue(std::deque<absl::AnyInvocable<void()>>& tasks) ABSL_LOCKS_EXCLUDED(mu_);

  const size_t max_queued_;
  Mutex mu_;
  CondVar changed_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace waymark::hub
