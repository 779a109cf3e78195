// All the local systems of a node: what is planned for them, brought to them and read from them.
//
//   LocalDelivery delivery(std::move(targets), clock);
//   context.local_copies = &delivery.planner();
//   RETURN_IF_ERROR(delivery.Start(context, publish, alert));
//
// Each system has a thread of its own, as its mappings have a runner of their own, so that one that
// hangs holds up no other. Threads: public
// methods are thread-safe, but for Start and Stop. What it is given outlives it; it outlives the
// use cases, which call the planner.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "client/casework/context.h"
#include "client/delivery/courier.h"
#include "client/delivery/intake.h"
#include "client/delivery/opening.h"
#include "client/delivery/planner.h"
#include "client/delivery/target.h"

namespace waymark::node {

// The thread of one local system.
class LocalSystem {
 public:
  LocalSystem(const CaseworkContext& context, const LocalTarget& target, PublishRoom publish,
              const AlertPeople& alert);
  // Stops.
  ~LocalSystem();

  void Start();
  // Ends after the call of the connector at hand. Idempotent.
  void Stop();
  // There may be something to do. `at_once`: whatever pause was agreed with the system.
  void Nudge(bool at_once);
  // As Intake::Retry.
  absl::Status Retry(const ItemId& id) { return intake_.Retry(id); }

  const std::string& name() const { return target_.name; }
  DeliveryCounters counters() const { return courier_.counters(); }

 private:
  void Run();
  // Waits until `next`, a nudge or the end; false at the end.
  bool Rest(absl::Time next);
  bool stopping() const;

  const LocalTarget& target_;
  Clock& clock_;
  // Used by the thread alone, but for what they say is thread-safe.
  Opening opening_;
  Courier courier_;
  Intake intake_;

  mutable Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool nudged_ ABSL_GUARDED_BY(mu_) = false;
  bool at_once_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

class LocalDelivery {
 public:
  LocalDelivery(std::vector<LocalTarget> targets, Clock& clock);
  // Stops.
  ~LocalDelivery();

  LocalCopies& planner() { return planner_; }
  const std::vector<LocalTarget>& targets() const { return targets_; }

  // Plans what is missing for the systems in the settings, and begins. The vault's codes.
  absl::Status Start(const CaseworkContext& context, const PublishRoom& publish,
                     const AlertPeople& alert);
  void Stop();
  // After a person's command: everything that is due is tried now.
  void Nudge();
  // Tries an item again that the connector's system reported. NOT_FOUND: there is no such
  // connector. Else as Intake::Retry.
  absl::Status Retry(std::string_view connector, const ItemId& id);
  // By connector.
  std::vector<std::pair<std::string, DeliveryCounters>> Counters() const;

 private:
  void NudgeAll(bool at_once);
  // They are made by Start and stay until the end.
  std::vector<LocalSystem*> Systems() const;

  const std::vector<LocalTarget> targets_;
  DeliveryPlanner planner_;
  mutable Mutex mu_;
  std::vector<std::unique_ptr<LocalSystem>> systems_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
