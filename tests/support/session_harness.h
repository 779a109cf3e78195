// What stands behind a session under test: the real committer, dispatcher and rules over a store of
// the test's, and a strand that the test's own thread turns.
//
// Collaborators: tests/server/routing/test_network.h (who is a member). Threads: SessionHarness
// belongs to one; the committer and the dispatcher have theirs. Lifetime: the store outlives it, it
// outlives its sessions.
#pragma once

#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/sync/sync.h"
#include "server/session/session.h"
#include "tests/server/routing/test_network.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace waymark::hub {

class NoMetrics final : public CommitterMetrics, public DispatcherMetrics {
 public:
  void OnItem(v1::Reason) override {}
  void OnBatch(size_t, size_t, absl::Duration) override {}
  void OnStoreError(const absl::Status&) override {}
  void OnQueueFull() override {}
  void OnDelivered(size_t, size_t) override {}
  void OnAttachments(size_t) override {}
  void OnPageRead() override {}
};

// A strand whose tasks run when RunNext is called, on the caller's thread.
class ManualStrand final : public SessionStrand {
 public:
  void Post(absl::AnyInvocable<void()> task) override {
    MutexLock lock(mu_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    changed_.SignalAll();
  }

  // Waits for a task and runs it.
  void RunNext() { Next()(); }

  // Drops what has not run and what comes: tasks hold on to their session, and it to the strand.
  void Close() {
    std::deque<absl::AnyInvocable<void()>> dropped;
    MutexLock lock(mu_);
    closed_ = true;
    tasks_.swap(dropped);
  }

  // Runs tasks as they come until `done` is true.
  template <typename Done>
  void RunUntil(Done done) {
    while (!done()) RunNext();
  }

 private:
  absl::AnyInvocable<void()> Next() {
    MutexLock lock(mu_);
    while (tasks_.empty()) changed_.Wait(mu_);
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  Mutex mu_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mu_);
};

// Begins with the members of TestMembers.
class SessionHarness {
 public:
  explicit SessionHarness(Store* store)
      : SessionHarness(store, Limits::From(Catalogue::Default()).traffic) {}
  SessionHarness(Store* store, const TrafficLimits& traffic)
      : store_(store), quotas_(traffic), gate_(traffic, &random_) {
    dispatcher_ = Dispatcher::Create(store_, &clock_, &metrics_);
    committer_ = Committer::Create(
        {.store = store_, .listener = dispatcher_.get(), .metrics = &metrics_, .clock = &clock_},
        network_.limits, {});
    SetMembers(TestMembers());
  }
  ~SessionHarness() {
    committer_->Shutdown();
    dispatcher_->Shutdown();
  }
  SessionHarness(const SessionHarness&) = delete;
  SessionHarness& operator=(const SessionHarness&) = delete;

  void SetMembers(std::vector<MemberRecord> members) {
    membership_ = std::make_shared<const Membership>(std::move(members));
    committer_->SetMembership(membership_);
  }

  // A stream of this member; `output` outlives the session. Shared, as a session demands: its tasks
  // hold on to it and to the strand.
  std::shared_ptr<Session> Connect(std::string_view handle, const Session::Options& options,
                                   SessionOutput* output, std::shared_ptr<SessionStrand> strand) {
    return std::make_shared<Session>(
        Organisation(handle),
        Session::Collaborators{.committer = committer_.get(),
                               .dispatcher = dispatcher_.get(),
                               .quotas = &quotas_,
                               .gate = &gate_,
                               .clock = &clock_,
                               .membership = [this] { return membership_; },
                               .epoch = store_->epoch()},
        options, output, std::move(strand));
  }

  TestNetwork& network() { return network_; }
  FakeClock& clock() { return clock_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  Committer& committer() { return *committer_; }

 private:
  Store* const store_;
  TestNetwork network_;
  FakeClock clock_{network_.now};
  NoMetrics metrics_;
  SeededRandom random_{20261126};
  Quotas quotas_;
  HelloGate gate_;
  std::shared_ptr<const Membership> membership_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Committer> committer_;
};

}  // namespace waymark::hub
