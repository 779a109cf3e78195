#include "client/delivery/delivery.h"

#include <algorithm>

#include "base/log/log.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

// The longest sleep: clocks may be set, and nothing waits for a nudge alone.
constexpr absl::Duration kLookAgain = absl::Minutes(1);

}  // namespace

LocalSystem::LocalSystem(const CaseworkContext& context, const LocalTarget& target,
                         PublishRoom publish, const AlertPeople& alert)
    : target_(target),
      clock_(context.clock),
      opening_(context, target, alert),
      courier_(context, target, alert),
      intake_(context, target, std::move(publish), alert) {}

LocalSystem::~LocalSystem() { Stop(); }

void LocalSystem::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LocalSystem::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.SignalAll();
  if (thread_.joinable()) thread_.join();
}

void LocalSystem::Nudge(bool at_once) {
  {
    MutexLock lock(mu_);
    nudged_ = true;
    at_once_ = at_once_ || at_once;
  }
  changed_.SignalAll();
}

bool LocalSystem::stopping() const {
  MutexLock lock(mu_);
  return stopping_;
}

bool LocalSystem::Rest(absl::Time next) {
  const absl::Duration left = std::clamp(next - clock_.Now(), absl::ZeroDuration(), kLookAgain);
  MutexLock lock(mu_);
  if (!stopping_ && !nudged_ && left > absl::ZeroDuration()) changed_.WaitFor(mu_, left);
  nudged_ = false;
  if (std::exchange(at_once_, false)) {
    courier_.EndPause();
    opening_.EndPause();
  }
  return !stopping_;
}

void LocalSystem::Run() {
  const auto stop = [this] { return stopping(); };
  const auto ready = [this] { return opening_.Try(); };
  const auto refused = [this] { return opening_.next() != absl::InfiniteFuture(); };
  absl::Time next_read = absl::InfinitePast();
  absl::Time next = absl::InfinitePast();
  while (Rest(std::min(next, refused() ? opening_.next() : next_read))) {
    if (refused()) ready();
    const absl::StatusOr<absl::Time> due = courier_.RunDue(stop, ready);
    absl::Status status = due.status();
    next = due.ok() ? *due : clock_.Now() + kLookAgain;
    if (status.ok() && clock_.Now() >= next_read && ready()) {
      status = intake_.ReadFeeds(stop);
      next_read = clock_.Now() + target_.poll;
    }
    if (!status.ok()) {
      Log(LogLevel::kError, "local_system_work_failed",
          {{"connector", target_.name}, {"reason", status}});
    }
  }
}

LocalDelivery::LocalDelivery(std::vector<LocalTarget> targets, Clock& clock)
    : targets_(std::move(targets)), planner_(targets_, clock, [this] { NudgeAll(false); }) {}

LocalDelivery::~LocalDelivery() { Stop(); }

absl::Status LocalDelivery::Start(const CaseworkContext& context, const PublishRoom& publish,
                                  const AlertPeople& alert) {
  RETURN_IF_ERROR(context.vault.Write([&](Transaction& t) { return planner_.NoteAll(t); }));
  std::vector<std::unique_ptr<LocalSystem>> systems;
  systems.reserve(targets_.size());
  for (const LocalTarget& target : targets_) {
    systems.push_back(std::make_unique<LocalSystem>(context, target, publish, alert));
  }
  {
    MutexLock lock(mu_);
    systems_ = std::move(systems);
  }
  for (LocalSystem* system : Systems()) system->Start();
  return absl::OkStatus();
}

void LocalDelivery::Stop() {
  // Not under the lock: a thread that ends may still plan, and nudge.
  for (LocalSystem* system : Systems()) system->Stop();
}

void LocalDelivery::Nudge() { NudgeAll(true); }

void LocalDelivery::NudgeAll(bool at_once) {
  for (LocalSystem* system : Systems()) system->Nudge(at_once);
}

std::vector<LocalSystem*> LocalDelivery::Systems() const {
  MutexLock lock(mu_);
  std::vector<LocalSystem*> systems;
  systems.reserve(systems_.size());
  for (const auto& system : systems_) systems.push_back(system.get());
  return systems;
}

absl::Status LocalDelivery::Retry(std::string_view connector, const ItemId& id) {
  for (LocalSystem* system : Systems()) {
    if (system->name() == connector) return system->Retry(id);
  }
  return Error(v1::REASON_NOT_FOUND,
               "the settings name no connector '" + std::string(connector) + "'");
}

std::vector<std::pair<std::string, DeliveryCounters>> LocalDelivery::Counters() const {
  std::vector<std::pair<std::string, DeliveryCounters>> counters;
  for (const LocalSystem* system : Systems()) {
    counters.emplace_back(system->name(), system->counters());
  }
  return counters;
}

}  // namespace waymark::node
