// What a person does about deliveries: look, let them be tried again, say what is there.
//
// Whoever calls has checked that the person may. Nothing that is shown holds a value of a referral.
// Thread-safe; the couriers are to be woken afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time/clock.h"
#include "client/delivery/ledger.h"
#include "client/delivery/rules.h"
#include "client/delivery/target.h"
#include "client/vault/vault.h"

namespace waymark::node {

// A delivery as people see it.
struct ShownDelivery {
  local::v1::Delivery delivery;
  // What to do about it; empty when there is nothing.
  std::string cure;
  // The referral has changed since, and the system has no key to change the record by.
  bool outdated = false;
};

// Those that are open, or that have something to say; `all`: the others, too. Worst first.
absl::StatusOr<std::vector<ShownDelivery>> ListDeliveries(const Vault& vault,
                                                          const std::vector<LocalTarget>& targets,
                                                          bool all);

// Tries one again at once. NOT_FOUND; STATE_FORBIDS as Replay in rules.h.
absl::Status ReplayDelivery(Vault& vault, Clock& clock, const DeliveryId& id);

// Tries all dead ones of the connector again, or of every connector if it is empty. Returns how
// many.
absl::StatusOr<int> ReplayDead(Vault& vault, Clock& clock, std::string_view connector);

// Says whether the record is there. NOT_FOUND; STATE_FORBIDS as Resolve in rules.h.
absl::Status ResolveDelivery(Vault& vault, Clock& clock, const DeliveryId& id, Sighting sighting);

}  // namespace waymark::node
