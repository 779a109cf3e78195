#include "client/node_worker.h"

#include <iterator>
#include <vector>

#include "base/log/log.h"
#include "base/status/status.h"
#include "base/time/clock.h"

namespace waymark::node {
namespace {

constexpr absl::Duration kToleratedSkew = absl::Minutes(1);

}  // namespace

NodeWorker::NodeWorker(Vault& vault, Receiver& receiver, Upkeep& upkeep, NodeAlerts& alerts,
                       std::function<bool()> directory_known, std::function<void()> connected,
                       std::function<void()> on_stored, absl::Duration tick)
    : vault_(vault),
      receiver_(receiver),
      upkeep_(upkeep),
      alerts_(alerts),
      directory_known_(std::move(directory_known)),
      connected_(std::move(connected)),
      on_stored_(std::move(on_stored)),
      tick_(tick) {}

NodeWorker::~NodeWorker() { Stop(); }

absl::Status NodeWorker::Start() {
  std::vector<RefusedItem> refused;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(refused, reader.RefusedOutbox());
    return absl::OkStatus();
  }));
  for (const RefusedItem& item : refused) OnOutcome(item.item_id, item.reason);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void NodeWorker::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.SignalAll();
  if (thread_.joinable()) thread_.join();
}

void NodeWorker::Nudge() {
  {
    MutexLock lock(mu_);
    nudged_ = true;
  }
  changed_.SignalAll();
}

void NodeWorker::OnInbox() {
  if (on_stored_) on_stored_();
  Nudge();
}

void NodeWorker::OnOutcome(std::string_view item_id, v1::Reason reason) {
  {
    MutexLock lock(mu_);
    news_.outcomes.emplace_back(std::string(item_id), reason);
  }
  Nudge();
}

void NodeWorker::OnPeerOffline(const MessageId& message) {
  {
    MutexLock lock(mu_);
    news_.offline.push_back(message);
  }
  Nudge();
}

void NodeWorker::OnState(const LinkState& state) {
  const v1::Reason reason = ReasonOf(state.error);
  if (state.connected == was_connected_ && reason == last_reason_) return;
  was_connected_ = state.connected;
  last_reason_ = reason;
  if (!state.connected) {
    Log(LogLevel::kInfo, "hub_disconnected", {{"reason", state.error}});
    return;
  }
  Log(LogLevel::kInfo, "hub_connected", {{"restricted", state.restricted}});
  connected_();
  if (absl::AbsDuration(state.clock_skew) > kToleratedSkew) {
    alerts_.Raise(v1::REASON_TIME_INVALID,
                  "The clock of this machine and that of the hub are more than a minute apart: set "
                  "the clock.");
  }
}

void NodeWorker::Run() {
  absl::Time next_tick = absl::InfinitePast();
  while (true) {
    News news;
    {
      MutexLock lock(mu_);
      if (!stopping_ && !nudged_) changed_.WaitFor(mu_, tick_);
      if (stopping_) return;
      nudged_ = false;
      std::swap(news, news_);
    }
    absl::Status status = WorkOff(news);
    if (status.ok() && directory_known_()) status = WorkInbox();
    if (status.ok() && SteadyClock().Now() >= next_tick) {
      status = upkeep_.Tick();
      next_tick = SteadyClock().Now() + tick_;
    }
    if (status.ok()) continue;
    Log(LogLevel::kError, "work_failed", {{"reason", status}});
    alerts_.Raise(ReasonOf(status), "The vault cannot be read or written; arrived messages wait.");
    MutexLock lock(mu_);
    news_.outcomes.insert(news_.outcomes.begin(), news.outcomes.begin(), news.outcomes.end());
    news_.offline.insert(news_.offline.begin(), news.offline.begin(), news.offline.end());
  }
}

absl::Status NodeWorker::WorkOff(News& news) {
  while (!news.outcomes.empty()) {
    const auto& [item_id, reason] = news.outcomes.front();
    RETURN_IF_ERROR(upkeep_.OnOutcome(item_id, reason));
    NoteOutcome(reason);
    news.outcomes.pop_front();
  }
  while (!news.offline.empty()) {
    RETURN_IF_ERROR(upkeep_.OnPeerOffline(news.offline.front()));
    news.offline.pop_front();
  }
  return absl::OkStatus();
}

void NodeWorker::NoteOutcome(v1::Reason reason) {
  if (reason == v1::REASON_UNSPECIFIED) return;
  Log(LogLevel::kWarning, "message_not_taken", {{"reason", ReasonName(reason)}});
  alerts_.Raise(reason, "The hub did not take a message of this node (" +
                            std::string(ReasonName(reason)) + "). " +
                            std::string(ReasonCure(reason)));
}

absl::Status NodeWorker::WorkInbox() {
  return receiver_
      .ProcessInbox([this](const absl::Status& verdict) {
        const v1::Reason reason = ReasonOf(verdict);
        Log(LogLevel::kWarning, "message_refused", {{"reason", verdict}});
        if (reason == v1::REASON_REPLAYED) return;
        alerts_.Raise(
            reason, "A message was refused on arrival (" + std::string(ReasonName(reason)) + ").");
      })
      .status();
}

}  // namespace waymark::node
