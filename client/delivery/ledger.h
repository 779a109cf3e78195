// Deliveries in the vault: what is open is apart from what is settled, so that looking for work
// opens no old record. Codes as for Reader and Transaction. Thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/delivery.pb.h"

namespace waymark::node {

// One referral and one local system.
using DeliveryId = Id<struct DeliveryTag>;

// The delivery; nullopt when there is none.
absl::StatusOr<std::optional<local::v1::Delivery>> FindDelivery(const Reader& reader,
                                                                const DeliveryId& id);
absl::StatusOr<std::vector<local::v1::Delivery>> DeliveriesOf(const Reader& reader,
                                                              const ReferralId& referral);
absl::StatusOr<std::vector<local::v1::Delivery>> OpenDeliveries(const Reader& reader);
absl::StatusOr<std::vector<local::v1::Delivery>> SettledDeliveries(const Reader& reader);

absl::Status SaveDelivery(Transaction& transaction, const local::v1::Delivery& delivery);

}  // namespace waymark::node
