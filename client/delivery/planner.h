// Plans deliveries, in the transaction of the change that causes them.
//
// It knows the local systems by their settings alone and calls no connector. A referral becomes a
// system's business in the states that its settings name; from then on every change of what its
// mapping may see is one more generation of the same delivery. Sections that were erased for good
// plan the erasure everywhere, in systems that are no longer in the settings, too: those stay
// visible until somebody has looked. What the systems reported of the referral and nobody could act
// on goes at once.
//
// Thread-safe. What the constructor is given outlives it.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "base/time/clock.h"
#include "client/casework/local_copies.h"
#include "client/delivery/target.h"
#include "client/vault/vault.h"

namespace waymark::node {

class DeliveryPlanner final : public LocalCopies {
 public:
  // `planned` is called when something new was planned, inside the transaction: it must not wait.
  DeliveryPlanner(const std::vector<LocalTarget>& targets, Clock& clock,
                  std::function<void()> planned)
      : targets_(targets), clock_(clock), planned_(std::move(planned)) {}

  absl::Status NoteChange(Transaction& transaction, const local::v1::Referral& referral) override;
  absl::StatusOr<bool> Remain(const Reader& reader, const ReferralId& referral) const override;

  // Plans what the referrals in the vault mean, for systems that are new in the settings.
  absl::Status NoteAll(Transaction& transaction);

 private:
  absl::Status NoteErasure(Transaction& transaction, const local::v1::Referral& referral);
  absl::Status NoteFor(Transaction& transaction, const LocalTarget& target,
                       const local::v1::Referral& referral);

  const std::vector<LocalTarget>& targets_;
  Clock& clock_;
  const std::function<void()> planned_;
};

}  // namespace waymark::node
