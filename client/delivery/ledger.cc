#include "client/delivery/ledger.h"

#include <utility>

#include "base/status/status.h"
#include "client/delivery/rules.h"
#include "client/vault/typed.h"

namespace waymark::node {

using local::v1::Delivery;

namespace {

absl::StatusOr<std::vector<Delivery>> Parse(absl::StatusOr<std::vector<Document>> documents) {
  ASSIGN_OR_RETURN(auto found, ParseAll<Delivery>(std::move(documents)));
  std::vector<Delivery> deliveries;
  deliveries.reserve(found.size());
  for (auto& [unused, delivery] : found) deliveries.push_back(std::move(delivery));
  return deliveries;
}

}  // namespace

absl::StatusOr<std::optional<Delivery>> FindDelivery(const Reader& reader, const DeliveryId& id) {
  for (const DocumentKind kind : {DocumentKind::kDelivery, DocumentKind::kSettledDelivery}) {
    auto delivery = GetAs<Delivery>(reader, kind, id);
    if (delivery.ok()) return std::optional(*std::move(delivery));
    if (ReasonOf(delivery.status()) != v1::REASON_NOT_FOUND) return delivery.status();
  }
  return std::optional<Delivery>();
}

absl::StatusOr<std::vector<Delivery>> DeliveriesOf(const Reader& reader,
                                                   const ReferralId& referral) {
  ASSIGN_OR_RETURN(std::vector<Delivery> all,
                   Parse(reader.List(DocumentKind::kDelivery, referral)));
  ASSIGN_OR_RETURN(std::vector<Delivery> settled,
                   Parse(reader.List(DocumentKind::kSettledDelivery, referral)));
  for (Delivery& delivery : settled) all.push_back(std::move(delivery));
  return all;
}

absl::StatusOr<std::vector<Delivery>> OpenDeliveries(const Reader& reader) {
  return Parse(reader.List(DocumentKind::kDelivery));
}

absl::StatusOr<std::vector<Delivery>> SettledDeliveries(const Reader& reader) {
  return Parse(reader.List(DocumentKind::kSettledDelivery));
}

absl::Status SaveDelivery(Transaction& transaction, const Delivery& delivery) {
  const auto id = DeliveryId::FromBytes(delivery.delivery_id());
  const auto referral = ReferralId::FromBytes(delivery.referral_id());
  if (!id || !referral) return Error(v1::REASON_INTERNAL, "a delivery without its ids");
  const bool settled = IsSettled(delivery);
  const DocumentKind open_kind = DocumentKind::kDelivery;
  const DocumentKind settled_kind = DocumentKind::kSettledDelivery;
  RETURN_IF_ERROR(transaction.Delete(settled ? open_kind : settled_kind, *id));
  return PutMessage(transaction, settled ? settled_kind : open_kind, *id, *referral, delivery);
}

}  // namespace waymark::node
