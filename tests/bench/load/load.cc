#include "tests/bench/load/load.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/bench/load/nanos.h"

namespace waymark::bench {
namespace {

constexpr uint8_t kConfirmed = 1;
constexpr uint8_t kDelivered = 2;
constexpr uint8_t kThrough = kConfirmed | kDelivered;
// Open loop: its time has come; the one before it has come through.
constexpr uint8_t kDue = 4;
constexpr uint8_t kFree = 8;
constexpr uint8_t kMayStart = kDue | kFree;

// Marks the tag of a registration.
constexpr uint64_t kRegistration = uint64_t{1} << 63;
// How many referrals of an open loop take turns.
constexpr size_t kTurns = 2048;

constexpr int64_t kTick = 5'000'000;
constexpr int64_t kEndLimit = 60'000'000'000;

}  // namespace

std::string LoadPlan::Name() const {
  return rate > 0 ? absl::StrCat(rate, " a second") : absl::StrCat(in_flight, " in flight");
}

Load::Load(const LoadPlan& plan, const std::vector<PreparedReferral>& referrals)
    : plan_(plan), referrals_(referrals), measure_from_(kNever), measure_to_(kNever) {
  std::vector<size_t> steps;
  for (size_t r = 0; r < referrals.size(); ++r) {
    const auto& messages = referrals[r].messages;
    first_.push_back(messages_.size());
    steps.push_back(messages.size());
    for (size_t step = 0; step < messages.size(); ++step) {
      auto progress = std::make_unique<Progress>();
      progress->message = &messages[step];
      progress->id = messages[step].id.bytes();
      progress->referral = static_cast<uint32_t>(r);
      progress->first = step == 0;
      progress->last = step + 1 == messages.size();
      by_id_.emplace(messages[step].id, messages_.size());
      messages_.push_back(std::move(progress));
    }
  }
  if (plan_.rate > 0) order_ = TakeTurns(steps, kTurns);
}

// What the nodes tell
// ------------------------------------------------------------------------------

bool Load::Complete(Progress& progress, uint8_t flag, uint8_t all) {
  const uint8_t before = progress.flags.fetch_or(flag, std::memory_order_acq_rel);
  return (before & all) != all && ((before | flag) & all) == all;
}

bool Load::Counts(int64_t intended) const {
  return intended >= measure_from_.load(std::memory_order_relaxed) &&
         intended < measure_to_.load(std::memory_order_relaxed);
}

void Load::OnConfirmed(size_t node, uint64_t tag) {
  if ((tag & kRegistration) != 0) {
    ++registered_;
    return;
  }
  Progress& progress = *messages_[tag];
  const int64_t intended = progress.intended.load(std::memory_order_relaxed);
  if (Counts(intended)) {
    books_[node]->confirmed.Record(static_cast<uint64_t>(std::max<int64_t>(Nanos() - intended, 0)));
  }
  ++confirmed_;
  if (Complete(progress, kConfirmed, kThrough)) OnDone(tag);
}

void Load::OnDelivered(size_t node, const v1::Message& message) {
  const auto id = IdInHeader(message.header());
  const auto found = id ? by_id_.find(*id) : by_id_.end();
  if (found == by_id_.end()) return Fail("a message was delivered that nobody submitted");
  Progress& progress = *messages_[found->second];
  if ((progress.flags.load(std::memory_order_acquire) & kDelivered) != 0) {
    ++duplicates_;
    return;
  }
  const int64_t intended = progress.intended.load(std::memory_order_relaxed);
  if (Counts(intended)) {
    books_[node]->delivered.Record(static_cast<uint64_t>(std::max<int64_t>(Nanos() - intended, 0)));
  }
  ++delivered_;
  if (Complete(progress, kDelivered, kThrough)) OnDone(found->second);
}

void Load::OnRefused(size_t node, uint64_t tag, v1::Reason reason) {
  static_cast<void>(node);
  Fail("refused: " + std::string(ReasonName(reason)));
  if ((tag & kRegistration) != 0) return;
  // Its referral ends here.
  if (plan_.rate <= 0 && !stopping_) TakeLane();
  --under_way_;
}

void Load::OnBroken(size_t node, const std::string& what) {
  static_cast<void>(node);
  Fail(what);
}

void Load::Fail(const std::string& what) {
  MutexLock lock(mu_);
  ++failures_[what];
}

void Load::OnDone(Index index) {
  Progress& progress = *messages_[index];
  if (!stopping_) {
    if (plan_.rate > 0) {
      if (!progress.last && Complete(*messages_[index + 1], kFree, kMayStart)) {
        Start(index + 1, messages_[index + 1]->intended.load(std::memory_order_relaxed));
      }
    } else if (progress.last) {
      TakeLane();
    } else {
      Start(index + 1, Nanos());
    }
  }
  ++done_;
  // Last: at 0 nothing of this loop runs any more.
  --under_way_;
}

// Starting
// -----------------------------------------------------------------------------------------

void Load::TakeLane() {
  const size_t referral = next_referral_++;
  if (referral >= referrals_.size()) {
    dry_ = true;
    return;
  }
  Start(first_[referral], Nanos());
}

void Load::Start(Index index, int64_t intended) {
  Progress& progress = *messages_[index];
  progress.intended.store(intended, std::memory_order_relaxed);
  ++under_way_;
  ++started_;
  SimulatedNode& sender = *(*nodes_)[progress.message->sender];
  const Entry message = {&progress.message->item, &progress.id, index};
  if (!progress.first) return sender.Submit(&message, 1);
  const PreparedReferral& referral = referrals_[progress.referral];
  const Entry both[] = {
      {&referral.registration, &referral.token_hash, kRegistration | progress.referral}, message};
  sender.Submit(both, std::size(both));
}

void Load::StartDue(int64_t now) {
  for (; next_slot_ < order_.size(); ++next_slot_) {
    const int64_t due = began_ + StartOf(next_slot_, plan_.rate);
    if (due > now) return;
    const Slot& slot = order_[next_slot_];
    const Index index = first_[slot.referral] + slot.step;
    Progress& progress = *messages_[index];
    progress.intended.store(due, std::memory_order_relaxed);
    if (progress.first) progress.flags.fetch_or(kFree, std::memory_order_acq_rel);
    if (Complete(progress, kDue, kMayStart)) Start(index, due);
  }
  dry_ = true;
}

// Passing time
// -------------------------------------------------------------------------------------

void Load::PassUntil(int64_t end) {
  int64_t tick = 0;
  while (!dry_) {
    const int64_t now = Nanos();
    if (now >= end) return;
    if (now >= tick) {
      for (const auto& node : *nodes_) node->Tick(absl::Now());
      tick = now + kTick;
    }
    if (plan_.rate > 0) StartDue(now);
    const int64_t next_start = plan_.rate > 0 ? began_ + StartOf(next_slot_, plan_.rate) : kNever;
    SleepUntil(std::min({end, tick, next_start}));
  }
}

void Load::AwaitEnd() {
  stopping_ = true;
  const int64_t limit = Nanos() + kEndLimit;
  const auto idle = [this] {
    return under_way_ == 0 && std::all_of(nodes_->begin(), nodes_->end(),
                                          [](const auto& node) { return node->idle(); });
  };
  while (!idle() && Nanos() < limit) {
    for (const auto& node : *nodes_) node->Tick(absl::Now());
    SleepUntil(Nanos() + kTick);
  }
  for (uint64_t left = under_way_; left > 0; --left) {
    Fail("a message was not confirmed and delivered within a minute");
  }
}

SimulatedNode::Counts Load::CountAll() const {
  SimulatedNode::Counts all;
  for (const auto& node : *nodes_) {
    const SimulatedNode::Counts counts = node->counts();
    all.streams += counts.streams;
    all.frames_sent += counts.frames_sent;
    all.frames_received += counts.frames_received;
    all.repeats += counts.repeats;
  }
  return all;
}

absl::StatusOr<Load::Sample> Load::Look(Meter& meter) {
  Sample sample;
  ASSIGN_OR_RETURN(sample.servers, LookAtServers(meter.servers));
  ASSIGN_OR_RETURN(sample.own, LookAt(getpid()));
  ASSIGN_OR_RETURN(sample.machine, LookAtMachine());
  sample.commits = meter.commits();
  sample.counts = CountAll();
  sample.done = done_;
  sample.at = Nanos();
  return sample;
}

absl::StatusOr<LoadResult> Load::Run(const std::vector<std::unique_ptr<SimulatedNode>>& nodes,
                                     Meter& meter) {
  nodes_ = &nodes;
  for (size_t i = 0; i < nodes.size(); ++i) books_.push_back(std::make_unique<Book>());
  LoadResult result;
  result.name = plan_.Name();
  ASSIGN_OR_RETURN(const ServersUse before, LookAtServers(meter.servers));
  result.hub_before = before.hubs;
  const uint64_t repeats = CountAll().repeats;

  began_ = Nanos();
  if (plan_.rate <= 0) {
    for (size_t i = 0; i < plan_.in_flight; ++i) TakeLane();
  }
  PassUntil(began_ + absl::ToInt64Nanoseconds(plan_.warmup));
  ASSIGN_OR_RETURN(const Sample begin, Look(meter));
  measure_from_ = begin.at;
  PassUntil(begin.at + absl::ToInt64Nanoseconds(plan_.measured));
  measure_to_ = Nanos();
  ASSIGN_OR_RETURN(const Sample end, Look(meter));
  AwaitEnd();

  Fill(begin, end, result);
  ASSIGN_OR_RETURN(const ServersUse after, LookAtServers(meter.servers));
  result.hub_after = after.hubs;
  result.repeats = CountAll().repeats - repeats;
  return result;
}

void Load::Fill(const Sample& begin, const Sample& end, LoadResult& result) {
  result.seconds = static_cast<double>(end.at - begin.at) / kNanosASecond;
  result.messages = end.done - begin.done;
  for (const auto& book : books_) {
    result.confirmed.Merge(book->confirmed);
    result.delivered.Merge(book->delivered);
  }
  result.hub_cpu_seconds = end.servers.cpu_seconds() - begin.servers.cpu_seconds();
  result.database_cpu_seconds =
      end.servers.database_cpu_seconds - begin.servers.database_cpu_seconds;
  result.own_cpu_seconds = end.own.cpu_seconds - begin.own.cpu_seconds;
  result.hub_context_switches =
      end.servers.hubs.context_switches - begin.servers.hubs.context_switches;
  result.frames_sent = end.counts.frames_sent - begin.counts.frames_sent;
  result.frames_received = end.counts.frames_received - begin.counts.frames_received;
  result.hub_commits = end.commits - begin.commits;
  const auto all = static_cast<double>(std::max<uint64_t>(end.machine.all - begin.machine.all, 1));
  result.machine_busy = static_cast<double>(end.machine.busy - begin.machine.busy) / all;
  result.machine_stolen = static_cast<double>(end.machine.stolen - begin.machine.stolen) / all;
  result.started = started_;
  result.total_confirmed = confirmed_;
  result.total_delivered = delivered_;
  result.duplicates = duplicates_;
  result.registered = registered_;
  MutexLock lock(mu_);
  result.failures = failures_;
}

}  // namespace waymark::bench
