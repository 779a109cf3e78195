// The one place where submitted items become durable.
//
// Sessions hand over what a frame carried; a thread of the committer takes what has queued, asks
// the store for the state that it touches in one round trip, lets the rules decide item by item,
// commits all effects in one transaction with one fsync, and only then releases the answers. Group
// commit falls out of that shape: the busier the hub, the larger the batch. Where other processes
// commit into the same store in between, each would have smaller ones, at the same cost for each:
// then a batch that is smaller than the one before is waited for, a moment.
//
// Collaborators: server/rpc sessions submit; Rules (server/routing) decides; Store keeps; the
// listener (the dispatcher) learns of what was delivered. Threads: Submit from any thread;
// everything else runs on the committer's own thread, without a lock held. Lifetime: Shutdown
// before anything given to Create goes; the destructor calls it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "server/routing/limits.h"
#include "server/routing/membership.h"
#include "server/routing/submitted.h"
#include "server/session/fair_queue.h"
#include "server/session/latency.h"
#include "server/store/store.h"

namespace waymark::hub {

// One thing submitted: a message, a registration, or what the session could not read, with the
// reason that it is to be answered with in its place.
using SubmittedItem = std::variant<Submitted, v1::TokenRegistration, v1::Reason>;

// The items of one frame of one session, in order. Answered as a whole.
struct Work {
  // The organisation that the sender's certificate names.
  OrganisationId sender;
  std::vector<SubmittedItem> items;
  // Memory that `items` hold, counted against the queue's bound.
  size_t bytes = 0;
  // Called exactly once, on the committer's thread, with one reason for each item;
  // REASON_UNSPECIFIED means accepted and durable. Must not block.
  absl::AnyInvocable<void(std::span<const v1::Reason>)> done;
  // When it was submitted; the committer's own.
  std::chrono::steady_clock::time_point submitted = {};
};

// Learns of commits, in order. Called on the committer's thread; must not block.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  // `batch` is durable and every delivered item has its sequence. The listener may move from it.
  virtual void OnCommitted(std::span<Effects> batch) = 0;
};

// Where the committer's numbers go. Implementations are thread-safe and do not block.
class CommitterMetrics {
 public:
  virtual ~CommitterMetrics() = default;
  // One item was answered.
  virtual void OnItem(v1::Reason reason) = 0;
  // One batch of `items` in `bytes` was loaded, decided and committed (or failed) in `took`.
  virtual void OnBatch(size_t items, size_t bytes, absl::Duration took) = 0;
  // The store answered a batch: how long it loaded, and how long it wrote and synced what changed;
  // zero for what was not asked of it.
  virtual void OnStore(absl::Duration load, absl::Duration commit) {
    static_cast<void>(load);
    static_cast<void>(commit);
  }
  // The answers of a batch were released after so long, refusals included.
  virtual void OnConfirmed(const LatencyCounts& latencies) { static_cast<void>(latencies); }
  // The store refused a batch; nothing of it was kept.
  virtual void OnStoreError(const absl::Status& status) = 0;
  // A submission was refused because the queue was full.
  virtual void OnQueueFull() = 0;
};

class Committer {
 public:
  struct Bounds {
    // What may wait, of all members, of one, and beyond the first for members of whom nothing waits
    // (fair_queue.h); one submission beyond is taken while nothing waits.
    QueueLoad queue = {.items = 16384, .bytes = size_t{64} << 20};
    QueueLoad member = {.items = 4096, .bytes = size_t{16} << 20};
    QueueLoad reserve = {.items = 4096, .bytes = size_t{16} << 20};
    // What one transaction holds.
    size_t batch_items = 1024;
    size_t batch_bytes = size_t{8} << 20;
    // While other processes commit too: for how long is waited until as much has come as the batch
    // before had, as a part of what that one took, and at most.
    double patience = 0.25;
    absl::Duration longest_wait = absl::Milliseconds(5);
  };

  // Not owned; they outlive the committer.
  struct Collaborators {
    Store* store = nullptr;
    CommitListener* listener = nullptr;
    CommitterMetrics* metrics = nullptr;
    Clock* clock = nullptr;
    // Calls what it is given, which releases a batch: answers, then the listener. Whoever runs what
    // that posts may begin with it afterwards, so that what is for one session leaves together.
    std::function<void(absl::FunctionRef<void()>)> together =
        [](absl::FunctionRef<void()> release) { release(); };
  };

  // Starts the thread.
  static std::unique_ptr<Committer> Create(const Collaborators& collaborators, const Limits& limits,
                                           const Bounds& bounds);

  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Queues `work`; members are served in turn. On error `work.done` is never called:
  // QUOTA_EXCEEDED when the queue is full or the sender's part of it,
  // UNAVAILABLE after Shutdown has begun. When the store refuses a batch, every item of it is
  // answered with QUOTA_EXCEEDED (the disk is full) or UNAVAILABLE and nothing of it was kept.
  absl::Status Submit(Work work);

  // Replaces the membership that later batches are decided on; until the first call nobody is a
  // member. Shared because a batch that is being decided keeps the one it began with.
  void SetMembership(std::shared_ptr<const Membership> membership);

  // Another process has committed something to the same store.
  void OnPeerCommitted();

  // What waits for the committer's thread.
  QueueLoad queued();

  // Takes no more, answers everything that was taken, and ends the thread. Idempotent.
  void Shutdown();

 private:
  struct Batch {
    std::vector<Work> works;
    std::shared_ptr<const Membership> membership;
    size_t items = 0;
    size_t bytes = 0;
  };

  Committer(const Collaborators& collaborators, const Limits& limits, const Bounds& bounds);

  void Run();
  // Waits for work and takes up to a batch of it; empty once drained after Shutdown.
  Batch TakeBatch();
  // Waits for more, if that is worth it.
  void Gather() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Process(Batch batch);
  // Answers every item, and tells the listener what was committed.
  void Release(Batch& batch, std::span<const v1::Reason> reasons, std::span<Effects> committed);
  // Decides on every item and makes the accepted ones durable, filling `reasons` and `effects`.
  absl::Status Commit(const Batch& batch, std::vector<v1::Reason>& reasons,
                      std::vector<Effects>& effects);
  // The same, once, on what is stored under `keys`: CONFLICT when another hub changed what was
  // loaded, or what was assumed is not so or was not put to the test.
  absl::Status TryCommit(const Batch& batch, const StateKeys& keys,
                         std::vector<v1::Reason>& reasons, std::vector<Effects>& effects);

  const Collaborators with_;
  const Limits limits_;
  const Bounds bounds_;

  Mutex mu_;
  CondVar changed_;
  FairQueue<Work> queue_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const Membership> membership_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // How many items have to wait for the thread to be woken.
  size_t wanted_ ABSL_GUARDED_BY(mu_) = 1;
  // Whether another process has committed since the latest batch was taken.
  bool peer_committed_ ABSL_GUARDED_BY(mu_) = false;

  // The latest batch: its items, and how long it took. The thread's own.
  size_t last_items_ = 0;
  absl::Duration last_took_;

  std::thread thread_;
};

}  // namespace waymark::hub
