// One task at a time, in order, for one stream.
//
// Run executes on the calling thread when the strand is idle, which keeps the way of a frame short;
// Post always leaves the caller and uses the pool, for callers that must not be held up, such as
// the committer. Whoever finds the strand busy only queues. What must follow tasks but need not
// follow each of them, such as writing what they left, is done once no task waits (set_after).
// Threads: any. Lifetime: shared by its users; a queued task keeps the strand alive.
#pragma once

#include <deque>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "base/sync/sync.h"
#include "server/rpc/worker_pool.h"
#include "server/session/session.h"

namespace waymark::hub {

class Strand final : public SessionStrand, public std::enable_shared_from_this<Strand> {
 public:
  // `pool` outlives the strand's last task.
  static std::shared_ptr<Strand> Create(WorkerPool* pool) {
    return std::shared_ptr<Strand>(new Strand(pool));
  }

  // What to do in the place of a task that threw; set before the first task.
  void set_on_exception(absl::AnyInvocable<void()> handler) { on_exception_ = std::move(handler); }

  // What to do once the tasks that wait have run, and after so many at the latest; like a task. Set
  // before the first task.
  static constexpr int kTasksBeforeAfter = 64;
  void set_after(absl::AnyInvocable<void()> after) { after_ = std::move(after); }

  void Run(absl::AnyInvocable<void()> task);
  void Post(absl::AnyInvocable<void()> task) override;

 private:
  explicit Strand(WorkerPool* pool) : pool_(pool) {}

  // Queues; returns whether the caller must see to it that Drain runs.
  bool Enqueue(absl::AnyInvocable<void()> task);
  void Drain();
  void Execute(absl::AnyInvocable<void()>& task);

  WorkerPool* const pool_;
  absl::AnyInvocable<void()> on_exception_;
  absl::AnyInvocable<void()> after_;

  Mutex mu_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool busy_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace waymark::hub
