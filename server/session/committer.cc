#include "server/session/committer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status/status.h"
#include "server/consent/registration.h"
#include "server/routing/decide.h"
#include "server/routing/working_state.h"

namespace waymark::hub {
namespace {

// How often a batch is decided anew because other hubs changed what it rests on. Each time one of
// them got on.
constexpr int kMaxDecisions = 10;

// How the committer treats each kind of item.
template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

StateKeys KeysOf(const std::vector<Work>& works) {
  StateKeys keys;
  for (const Work& work : works) {
    for (const SubmittedItem& item : work.items) {
      std::visit(Overloaded{[&](const Submitted& message) { AddKeys(message, keys); },
                            [&](const v1::TokenRegistration& token) { AddKeys(token, keys); },
                            [](v1::Reason) {}},
                 item);
    }
  }
  return keys;
}

Decision DecideItem(const WorkingState& state, const OrganisationId& sender,
                    const SubmittedItem& item, absl::Time now, const Limits& limits) {
  return std::visit(
      Overloaded{[&](const Submitted& message) { return Decide(state, message, now, limits); },
                 [&](const v1::TokenRegistration& token) {
                   return DecideRegistration(state, sender, token, now, limits);
                 },
                 [](v1::Reason reason) { return Decision{.reason = reason}; }},
      item);
}

// Counts the items of an answered frame; what could not be read has no kind.
void CountItems(const Work& work, LatencyCounts::Frame frame) {
  for (const SubmittedItem& item : work.items) {
    std::visit(Overloaded{[&](const Submitted& message) { frame.Add(message.header.kind()); },
                          [&](const v1::TokenRegistration&) { frame.Add(v1::KIND_UNSPECIFIED); },
                          [](v1::Reason) {}},
               item);
  }
}

bool ChangesSomething(const Effects& effects) {
  return !effects.put_tokens.empty() || !effects.put_referrals.empty() ||
         !effects.put_seen.empty() || !effects.drop.empty() || !effects.deliver.empty() ||
         !effects.log.empty();
}

}  // namespace

std::unique_ptr<Committer> Committer::Create(const Collaborators& collaborators,
                                             const Limits& limits, const Bounds& bounds) {
  auto committer = std::unique_ptr<Committer>(new Committer(collaborators, limits, bounds));
  committer->thread_ = std::thread([self = committer.get()] { self->Run(); });
  return committer;
}

Committer::Committer(const Collaborators& collaborators, const Limits& limits, const Bounds& bounds)
    : with_(collaborators),
      limits_(limits),
      bounds_(bounds),
      queue_({.total = bounds.queue, .member = bounds.member, .reserve = bounds.reserve}),
      membership_(std::make_shared<const Membership>()) {}

Committer::~Committer() { Shutdown(); }

absl::Status Committer::Submit(Work work) {
  work.submitted = std::chrono::steady_clock::now();
  {
    MutexLock lock(mu_);
    if (stopping_) return Error(v1::REASON_UNAVAILABLE, "the hub is stopping");
    if (queue_.Push(work.sender, {work.items.size(), work.bytes}, work)) {
      if (queue_.load().items >= wanted_) changed_.Signal();
      return absl::OkStatus();
    }
  }
  with_.metrics->OnQueueFull();
  return Error(v1::REASON_QUOTA_EXCEEDED, "the hub has more work than it can queue");
}

void Committer::SetMembership(std::shared_ptr<const Membership> membership) {
  MutexLock lock(mu_);
  membership_ = std::move(membership);
}

void Committer::OnPeerCommitted() {
  MutexLock lock(mu_);
  peer_committed_ = true;
}

QueueLoad Committer::queued() {
  MutexLock lock(mu_);
  return queue_.load();
}

void Committer::Shutdown() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void Committer::Run() {
  while (true) {
    Batch batch = TakeBatch();
    if (batch.works.empty()) return;
    Process(std::move(batch));
  }
}

Committer::Batch Committer::TakeBatch() {
  Batch batch;
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) changed_.Wait(mu_);
  if (std::exchange(peer_committed_, false)) Gather();
  while (!queue_.empty()) {
    const size_t items = batch.items + queue_.next_load().items;
    const size_t bytes = batch.bytes + queue_.next_load().bytes;
    const bool fits = items <= bounds_.batch_items && bytes <= bounds_.batch_bytes;
    if (!fits && !batch.works.empty()) break;
    batch.items = items;
    batch.bytes = bytes;
    batch.works.push_back(queue_.Pop());
  }
  batch.membership = membership_;
  return batch;
}

void Committer::Gather() {
  const absl::Time until =
      SteadyClock().Now() + std::min(bounds_.patience * last_took_, bounds_.longest_wait);
  wanted_ = last_items_;
  while (queue_.load().items < wanted_ && !stopping_) {
    const absl::Duration left = until - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mu_, left);
  }
  wanted_ = 1;
}

void Committer::Process(Batch batch) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<v1::Reason> reasons;
  std::vector<Effects> effects;
  const absl::Status status = Commit(batch, reasons, effects);
  if (!status.ok()) {
    // Also for what the rules refused: they judged on a state that has not come about.
    const bool full = ReasonOf(status) == v1::REASON_QUOTA_EXCEEDED;
    reasons.assign(batch.items, full ? v1::REASON_QUOTA_EXCEEDED : v1::REASON_UNAVAILABLE);
    with_.metrics->OnStoreError(status);
  }
  last_items_ = batch.items;
  last_took_ = absl::FromChrono(std::chrono::steady_clock::now() - begin);
  with_.metrics->OnBatch(batch.items, batch.bytes, last_took_);
  for (const v1::Reason reason : reasons) with_.metrics->OnItem(reason);

  with_.together(
      [&] { Release(batch, reasons, status.ok() ? std::span(effects) : std::span<Effects>()); });
}

void Committer::Release(Batch& batch, std::span<const v1::Reason> reasons,
                        std::span<Effects> committed) {
  size_t answered = 0;
  for (Work& work : batch.works) {
    work.done(reasons.subspan(answered, work.items.size()));
    answered += work.items.size();
  }
  LatencyCounts latencies;
  const auto released = std::chrono::steady_clock::now();
  for (const Work& work : batch.works) {
    CountItems(work, {latencies, absl::FromChrono(released - work.submitted)});
  }
  with_.metrics->OnConfirmed(latencies);
  if (!committed.empty()) with_.listener->OnCommitted(committed);
}

absl::Status Committer::Commit(const Batch& batch, std::vector<v1::Reason>& reasons,
                               std::vector<Effects>& effects) {
  StateKeys keys = KeysOf(batch.works);
  keys.may_assume = true;
  for (int decisions = 1;; ++decisions) {
    reasons.clear();
    effects.clear();
    absl::Status committed = TryCommit(batch, keys, reasons, effects);
    if (ReasonOf(committed) != v1::REASON_CONFLICT || decisions == kMaxDecisions) return committed;
    keys.may_assume = false;
  }
}

absl::Status Committer::TryCommit(const Batch& batch, const StateKeys& keys,
                                  std::vector<v1::Reason>& reasons, std::vector<Effects>& effects) {
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(LoadedState loaded, with_.store->Load(keys));
  const bool assumed = loaded.assumed;
  const absl::Duration load = absl::FromChrono(std::chrono::steady_clock::now() - begin);
  WorkingState state(*batch.membership, std::move(loaded), with_.store->restored_at());
  const absl::Time now = with_.clock->Now();
  for (const Work& work : batch.works) {
    for (const SubmittedItem& item : work.items) {
      Decision decision = DecideItem(state, work.sender, item, now, limits_);
      reasons.push_back(decision.reason);
      if (!ChangesSomething(decision.effects)) continue;
      state.Apply(decision.effects);
      effects.push_back(std::move(decision.effects));
    }
  }
  if (effects.empty() && assumed) {
    return Error(v1::REASON_CONFLICT, "what was assumed is not put to the test");
  }
  const auto decided = std::chrono::steady_clock::now();
  absl::Status committed = effects.empty() ? absl::OkStatus() : with_.store->Commit(effects);
  with_.metrics->OnStore(load, effects.empty()
                                   ? absl::ZeroDuration()
                                   : absl::FromChrono(std::chrono::steady_clock::now() - decided));
  return committed;
}

}  // namespace waymark::hub
