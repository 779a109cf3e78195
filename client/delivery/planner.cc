#include "client/delivery/planner.h"

#include <optional>
#include <string>

#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/delivery/ledger.h"
#include "client/delivery/outward.h"
#include "client/delivery/rules.h"

namespace waymark::node {

using local::v1::Delivery;

absl::Status DeliveryPlanner::NoteChange(Transaction& transaction,
                                         const local::v1::Referral& referral) {
  if (referral.originated()) return absl::OkStatus();
  if (referral.erased_at_ms() != 0) return NoteErasure(transaction, referral);
  for (const LocalTarget& target : targets_) {
    RETURN_IF_ERROR(NoteFor(transaction, target, referral));
  }
  return absl::OkStatus();
}

absl::Status DeliveryPlanner::NoteErasure(Transaction& transaction,
                                          const local::v1::Referral& referral) {
  const ReferralId id = *ReferralId::FromBytes(referral.referral_id());
  const bool ground_known = referral.retention_ground() != v1::RETENTION_GROUND_UNSPECIFIED;
  ASSIGN_OR_RETURN(const auto reported, transaction.List(DocumentKind::kRefusedItem, id));
  for (const Document& item : reported) {
    RETURN_IF_ERROR(transaction.Delete(DocumentKind::kRefusedItem, item.id));
  }
  ASSIGN_OR_RETURN(const std::vector<Delivery> deliveries, DeliveriesOf(transaction, id));
  for (const Delivery& before : deliveries) {
    Delivery delivery = before;
    PlanErasure(ground_known, clock_.Now(), delivery);
    if (delivery.SerializeAsString() == before.SerializeAsString()) continue;
    RETURN_IF_ERROR(SaveDelivery(transaction, delivery));
    planned_();
  }
  return absl::OkStatus();
}

absl::Status DeliveryPlanner::NoteFor(Transaction& transaction, const LocalTarget& target,
                                      const local::v1::Referral& referral) {
  if (!target.outward.has_value()) return absl::OkStatus();
  const UnitId unit = *UnitId::FromBytes(referral.own_unit());
  if (!target.units.empty() && !target.units.contains(unit)) return absl::OkStatus();
  const auto state = StateOf(referral);
  if (!state.has_value()) return absl::OkStatus();
  Delivery delivery = NewDelivery(*ReferralId::FromBytes(referral.referral_id()), target.name);
  ASSIGN_OR_RETURN(const std::optional<Delivery> known,
                   FindDelivery(transaction, *DeliveryId::FromBytes(delivery.delivery_id())));
  if (!known.has_value() && !target.states.contains(*state)) return absl::OkStatus();
  if (known.has_value()) delivery = *known;
  const int64_t before = delivery.generation();
  PlanPut(FingerprintOf(referral), target.connector->keyed(), clock_.Now(), delivery);
  if (delivery.generation() == before) return absl::OkStatus();
  RETURN_IF_ERROR(SaveDelivery(transaction, delivery));
  planned_();
  return absl::OkStatus();
}

absl::StatusOr<bool> DeliveryPlanner::Remain(const Reader& reader,
                                             const ReferralId& referral) const {
  ASSIGN_OR_RETURN(const std::vector<Delivery> deliveries, DeliveriesOf(reader, referral));
  for (const Delivery& delivery : deliveries) {
    if (MayRemain(delivery)) return true;
  }
  return false;
}

absl::Status DeliveryPlanner::NoteAll(Transaction& transaction) {
  ASSIGN_OR_RETURN(const auto referrals, LoadReferrals(transaction));
  for (const local::v1::Referral& referral : referrals) {
    RETURN_IF_ERROR(NoteChange(transaction, referral));
  }
  return absl::OkStatus();
}

}  // namespace waymark::node
