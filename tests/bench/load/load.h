// One loop of the load: referrals go their way through the hub, and what happens is counted.
//
// A message is under way from its submission until it is confirmed to its sender and delivered to
// its recipient, whose node acknowledges it in the same moment; then the next of its referral
// follows. Closed loop: so many referrals are under way, each with one message. Open loop: messages
// start when it is their time, at the latest when the one before them has come through
// (schedule.h). The token of a referral is registered in the frame of its first message; its
// registration is done and not counted.
//
// Collaborators: SimulatedNode, ProcessMeter. Threads: Run on one; the listener's calls from
// gRPC's. Lifetime: nodes and referrals outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/prepared.h"
#include "tests/bench/load/process_meter.h"
#include "tests/bench/load/schedule.h"
#include "tests/bench/load/simulated_node.h"

namespace waymark::bench {

// What one loop does.
struct LoadPlan {
  // Messages under way, or with a rate above 0 how many start in a second.
  size_t in_flight = 64;
  double rate = 0;
  absl::Duration warmup;
  absl::Duration measured;

  // For example "64 in flight".
  std::string Name() const;
};

struct LoadResult {
  std::string name;
  // The time that was measured, and what came through in it: confirmed, delivered, acknowledged.
  double seconds = 0;
  uint64_t messages = 0;
  // Nanoseconds from the (intended) start, of the messages that were to start in that time.
  Histogram confirmed;
  Histogram delivered;
  // In that time; the hub's with its database's, which is told by itself too.
  double hub_cpu_seconds = 0;
  double database_cpu_seconds = 0;
  double own_cpu_seconds = 0;
  uint64_t hub_context_switches = 0;
  uint64_t frames_sent = 0;
  uint64_t frames_received = 0;
  uint64_t hub_commits = 0;
  // Of all the machine's processors, by whomever; taken by a hypervisor.
  double machine_busy = 0;
  double machine_stolen = 0;
  // The hub's memory before, at the end, and at most so far; without a database.
  ProcessUse hub_before;
  ProcessUse hub_after;
  // Of the whole loop, warm-up and end included.
  uint64_t started = 0;
  uint64_t total_confirmed = 0;
  uint64_t total_delivered = 0;
  uint64_t duplicates = 0;
  uint64_t registered = 0;
  uint64_t repeats = 0;
  // What went wrong, and how often; empty if nothing did.
  std::map<std::string, uint64_t> failures;

  double Rate() const { return seconds > 0 ? static_cast<double>(messages) / seconds : 0; }
  // `amount` for a thousand messages.
  double PerThousand(double amount) const {
    constexpr double kThousand = 1000;
    return messages > 0 ? amount * kThousand / static_cast<double>(messages) : 0;
  }
};

class Load final : public NodeListener {
 public:
  // What is measured of the hub, by whoever knows its processes.
  struct Meter {
    Servers servers;
    // Transactions that it has committed.
    absl::AnyInvocable<uint64_t()> commits;
  };

  Load(const LoadPlan& plan, const std::vector<PreparedReferral>& referrals);

  // Runs the loop to its end, on nodes whose listener this is and which are connected. The process
  // meter's errors.
  absl::StatusOr<LoadResult> Run(const std::vector<std::unique_ptr<SimulatedNode>>& nodes,
                                 Meter& meter);

  void OnConfirmed(size_t node, uint64_t tag) override;
  void OnRefused(size_t node, uint64_t tag, v1::Reason reason) override;
  void OnDelivered(size_t node, const v1::Message& message) override;
  void OnBroken(size_t node, const std::string& what) override;

 private:
  // A message's place in `messages_`, which is its tag too.
  using Index = uint64_t;

  struct Progress {
    const PreparedMessage* message = nullptr;
    std::string id;
    uint32_t referral = 0;
    bool first = false;
    bool last = false;
    std::atomic<int64_t> intended = 0;
    std::atomic<uint8_t> flags = 0;
  };

  // What one node's stream tells; written by it alone.
  struct Book {
    Histogram confirmed;
    Histogram delivered;
  };

  // A moment of everything that is counted.
  struct Sample {
    int64_t at = 0;
    uint64_t done = 0;
    ServersUse servers;
    ProcessUse own;
    MachineUse machine;
    SimulatedNode::Counts counts;
    uint64_t commits = 0;
  };

  absl::StatusOr<Sample> Look(Meter& meter);
  SimulatedNode::Counts CountAll() const;
  // Sets the flag; whether it was the one that had not been set of `all`.
  static bool Complete(Progress& progress, uint8_t flag, uint8_t all);
  void Start(Index index, int64_t intended);
  // The next referral of a closed loop, if there is one.
  void TakeLane();
  void OnDone(Index index);
  bool Counts(int64_t intended) const;
  void Fail(const std::string& what);

  // The main thread's: lets the time pass, starting what is due.
  void PassUntil(int64_t end);
  void StartDue(int64_t now);
  void AwaitEnd();
  void Fill(const Sample& begin, const Sample& end, LoadResult& result);

  const LoadPlan plan_;
  const std::vector<PreparedReferral>& referrals_;
  const std::vector<std::unique_ptr<SimulatedNode>>* nodes_ = nullptr;
  std::vector<std::unique_ptr<Progress>> messages_;
  // Of each referral's first message.
  std::vector<Index> first_;
  absl::flat_hash_map<MessageId, Index> by_id_;
  std::vector<std::unique_ptr<Book>> books_;

  // Open loop.
  std::vector<Slot> order_;
  size_t next_slot_ = 0;
  int64_t began_ = 0;

  std::atomic<size_t> next_referral_ = 0;
  // There was no referral left to start.
  std::atomic<bool> dry_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> measure_from_;
  std::atomic<int64_t> measure_to_;
  std::atomic<uint64_t> started_ = 0;
  std::atomic<uint64_t> under_way_ = 0;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> confirmed_ = 0;
  std::atomic<uint64_t> delivered_ = 0;
  std::atomic<uint64_t> duplicates_ = 0;
  std::atomic<uint64_t> registered_ = 0;

  Mutex mu_;
  std::map<std::string, uint64_t> failures_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::bench
