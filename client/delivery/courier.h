// Brings what is due to one local system.
//
// An attempt is four steps: the record is mapped from the vault's present state; the delivery is
// marked as being written, durably, unless it has changed since; the connector is called; what came
// of it is noted, durably. A crash between any two of them loses nothing: what was marked is found
// by the next Recover. rules.h decides; this room only does it.
//
// A system that is out of reach is asked with one delivery at a time, with pauses. An erasure goes
// before everything else.
//
// Threads: for one thread, but for counters(), which is thread-safe. What the constructor is given
// outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "client/casework/context.h"
#include "client/delivery/health.h"
#include "client/delivery/ledger.h"
#include "client/delivery/outward.h"
#include "client/delivery/pace.h"
#include "client/delivery/rules.h"
#include "client/delivery/target.h"
#include "client/vault/vault.h"

namespace waymark::node {

struct DeliveryCounters {
  // As the last pass left them.
  int64_t waiting = 0;
  int64_t uncertain = 0;
  int64_t dead = 0;
  // Since the start.
  int64_t written = 0;
  int64_t erased = 0;
  int64_t failed = 0;
  // From the moment when a referral became the system's business to its first record there, of the
  // last of them since the start; nullopt when there was none.
  std::optional<absl::Duration> median_time_to_record;
  std::optional<absl::Duration> longest_time_to_record;
};

class Courier {
 public:
  Courier(const CaseworkContext& context, const LocalTarget& target, AlertPeople alert);

  // Works off what is due, until nothing is or `stop` says so; first of all it takes up what an
  // earlier run left. `ready` is asked before the connector is called: if it says no, what is due
  // stays as it is. Returns when the next is due that did not have to stay. An error is about the
  // vault: what was due is still there.
  absl::StatusOr<absl::Time> RunDue(
      const std::function<bool()>& stop = [] { return false; },
      const std::function<bool()>& ready = [] { return true; });

  // The next RunDue tries at once, whatever pause was agreed with the system.
  void EndPause() { paused_until_ = absl::InfinitePast(); }

  DeliveryCounters counters() const;

 private:
  // What an attempt has to do: a record, nothing for an erasure, or how it ended already.
  struct Prepared {
    Attempt attempt;
    std::string key;
    std::optional<std::string> json;
    std::optional<AttemptResult> result;
  };

  absl::Status RecoverAll();
  absl::StatusOr<std::vector<local::v1::Delivery>> OwnOpen() const;
  absl::Status Deliver(const DeliveryId& id);
  // nullopt: it is not due any more.
  absl::StatusOr<std::optional<Prepared>> Prepare(const DeliveryId& id);
  void Map(const OutwardView& view, Prepared& prepared);
  // False: it changed since it was prepared.
  absl::StatusOr<bool> Mark(const DeliveryId& id, const Prepared& prepared);
  AttemptResult Call(const Prepared& prepared);
  absl::Status Note(const DeliveryId& id, const Attempt& attempt, const AttemptResult& result);
  absl::StatusOr<local::v1::Delivery> Concluded(const Reader& reader, local::v1::Delivery delivery,
                                                const Attempt& attempt,
                                                const AttemptResult& result);
  void Count(const Attempt& attempt, const AttemptResult& result);
  // Acknowledges a withdrawal whose erasure is settled.
  absl::Status Acknowledge(const local::v1::Delivery& delivery);
  absl::Status ReportKept(Transaction& transaction, const local::v1::Delivery& delivery) const;
  void Judge(const std::vector<local::v1::Delivery>& open);

  const CaseworkContext& context_;
  const LocalTarget& target_;
  Health health_;

  bool recovered_ = false;
  absl::Time paused_until_ = absl::InfinitePast();

  mutable Mutex mu_;
  DeliveryCounters counters_ ABSL_GUARDED_BY(mu_);
  Pace time_to_record_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
