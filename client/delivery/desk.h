// What staff do about the local systems: look, let things be tried again, say what is there.
//
// Administrators keep the connections going and see every delivery, and of what was refused
// everything but its text. Caseworkers see and decide what is about referrals of their own units;
// the text of an item they see as long as they may open the referral. Thread-safe; what it is given
// outlives it.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/casework/staff.h"
#include "client/delivery/delivery.h"
#include "client/vault/vault.h"
#include "waymark/v1/node_local.pb.h"

namespace waymark::node {

// STAFF_NOT_ALLOWED: the role or the unit. FIELD_INVALID: an id that is none. NOT_FOUND: there is
// no such delivery, item or connector. Codes of commands.h beside. The vault's codes.
class LocalDesk {
 public:
  LocalDesk(const CaseworkContext& context, LocalDelivery& delivery)
      : context_(context), delivery_(delivery) {}

  absl::StatusOr<v1::ListDeliveriesResponse> List(const Actor& actor,
                                                  const v1::ListDeliveriesRequest& request) const;
  absl::StatusOr<v1::ReplayDeliveryResponse> Replay(const Actor& actor,
                                                    const v1::ReplayDeliveryRequest& request);
  absl::Status Resolve(const Actor& actor, const v1::ResolveDeliveryRequest& request);

  absl::StatusOr<v1::ListRefusedItemsResponse> ListItems(const Actor& actor) const;
  // As Intake::Retry.
  absl::Status RetryItem(const Actor& actor, const v1::RetryRefusedItemRequest& request);
  absl::Status DropItem(const Actor& actor, const v1::DropRefusedItemRequest& request);

 private:
  // The own unit that the referral is with; nullopt when the vault has no such referral.
  static absl::StatusOr<std::optional<UnitId>> UnitOf(const Reader& reader,
                                                      std::string_view referral_id);
  bool IsConfigured(std::string_view connector) const;
  // A system that the settings no longer name has no courier that would acknowledge its erasure.
  absl::Status AcknowledgeFor(const DeliveryId& id) const;
  absl::Status CheckDelivery(const Actor& actor, const DeliveryId& id) const;
  // Returns the item if the actor may decide about it.
  absl::StatusOr<local::v1::RefusedFeedItem> FindItem(const Actor& actor,
                                                      std::string_view id) const;
  absl::StatusOr<int> ReplayAll(const Actor& actor, const std::string& connector);
  absl::StatusOr<bool> MayOpen(const Actor& actor, const Reader& reader,
                               std::string_view referral_id) const;

  const CaseworkContext& context_;
  LocalDelivery& delivery_;
};

}  // namespace waymark::node
