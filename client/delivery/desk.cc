#include "client/delivery/desk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/schema/date.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/casework/local_copies.h"
#include "client/casework/referral.h"
#include "client/delivery/commands.h"
#include "client/delivery/outward.h"
#include "client/vault/typed.h"

namespace waymark::node {

using local::v1::Delivery;
using local::v1::RefusedFeedItem;

namespace {

absl::Status RequireDeskStaff(const Actor& actor) {
  return actor.RequireAdministrator().ok() ? absl::OkStatus() : actor.RequireAnyCaseworker();
}

bool MayDecide(const Actor& actor, const std::optional<UnitId>& unit) {
  if (actor.RequireAdministrator().ok()) return true;
  return unit.has_value() && actor.RequireCaseworker(*unit).ok();
}

absl::Status NotTheirs() {
  return Error(v1::REASON_STAFF_NOT_ALLOWED,
               "this needs an administrator, or a caseworker of the unit whose referral it is");
}

// The states and tasks have the same numbers on both sides; a test holds that.
v1::LocalDelivery ToShown(const ShownDelivery& shown) {
  const Delivery& delivery = shown.delivery;
  v1::LocalDelivery out;
  out.set_delivery_id(delivery.delivery_id());
  out.set_referral_id(delivery.referral_id());
  out.set_connector(delivery.connector());
  out.set_key(KeyOf(delivery));
  out.set_task(static_cast<v1::LocalDeliveryTask>(delivery.task()));
  out.set_state(static_cast<v1::LocalDeliveryState>(delivery.state()));
  out.set_attempts(delivery.attempts());
  if (delivery.failing_since_ms() != 0) {
    SetTime(*out.mutable_failing_since(), FromMillis(delivery.failing_since_ms()));
  }
  if (delivery.state() == local::v1::LOCAL_STATE_WAITING) {
    SetTime(*out.mutable_next_attempt(), FromMillis(delivery.next_attempt_ms()));
  }
  out.set_reason(delivery.reason());
  out.set_detail(delivery.detail());
  out.set_cure(shown.cure);
  out.set_outdated(shown.outdated);
  SetTime(*out.mutable_changed_at(), FromMillis(delivery.changed_at_ms()));
  return out;
}

v1::LocalItem ToShown(const RefusedFeedItem& item) {
  v1::LocalItem out;
  out.set_item_id(item.item_id());
  out.set_connector(item.connector());
  out.set_capacity(item.capacity());
  out.set_referral_id(item.referral_id());
  for (const local::v1::ItemFinding& finding : item.findings()) {
    v1::LocalItemFinding& shown = *out.add_findings();
    shown.set_reason(finding.reason());
    shown.set_field(finding.field());
    shown.set_text(finding.text());
  }
  SetTime(*out.mutable_tried_at(), FromMillis(item.at_ms()));
  return out;
}

}  // namespace

absl::StatusOr<std::optional<UnitId>> LocalDesk::UnitOf(const Reader& reader,
                                                        std::string_view referral_id) {
  const auto id = ReferralId::FromBytes(referral_id);
  if (!id) return std::optional<UnitId>();
  const auto referral = LoadReferral(reader, *id);
  if (referral.ok()) return UnitId::FromBytes(referral->own_unit());
  if (ReasonOf(referral.status()) == v1::REASON_DATA_CORRUPT) return referral.status();
  return std::optional<UnitId>();
}

absl::StatusOr<v1::ListDeliveriesResponse> LocalDesk::List(
    const Actor& actor, const v1::ListDeliveriesRequest& request) const {
  RETURN_IF_ERROR(RequireDeskStaff(actor));
  ASSIGN_OR_RETURN(const std::vector<ShownDelivery> deliveries,
                   ListDeliveries(context_.vault, delivery_.targets(), request.all()));
  v1::ListDeliveriesResponse response;
  const absl::Status read = context_.vault.Read([&](const Reader& reader) -> absl::Status {
    for (const ShownDelivery& shown : deliveries) {
      ASSIGN_OR_RETURN(const auto unit, UnitOf(reader, shown.delivery.referral_id()));
      if (MayDecide(actor, unit)) *response.add_deliveries() = ToShown(shown);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(read);
  return response;
}

absl::Status LocalDesk::CheckDelivery(const Actor& actor, const DeliveryId& id) const {
  return context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<Delivery> delivery, FindDelivery(reader, id));
    if (!delivery.has_value()) {
      return Error(v1::REASON_NOT_FOUND,
                   "there is no such delivery; 'waymark local list --all' lists them");
    }
    ASSIGN_OR_RETURN(const auto unit, UnitOf(reader, delivery->referral_id()));
    return MayDecide(actor, unit) ? absl::OkStatus() : NotTheirs();
  });
}

bool LocalDesk::IsConfigured(std::string_view connector) const {
  const std::vector<LocalTarget>& targets = delivery_.targets();
  return std::any_of(targets.begin(), targets.end(),
                     [&](const LocalTarget& target) { return target.name == connector; });
}

absl::Status LocalDesk::AcknowledgeFor(const DeliveryId& id) const {
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<Delivery> delivery, FindDelivery(t, id));
    if (!delivery.has_value() || IsConfigured(delivery->connector())) return absl::OkStatus();
    if (!delivery->acknowledgement_owed() || MayRemain(*delivery)) return absl::OkStatus();
    RETURN_IF_ERROR(AcknowledgeWhenErased(context_, t, *directory,
                                          *ReferralId::FromBytes(delivery->referral_id())));
    delivery->set_acknowledgement_owed(false);
    return SaveDelivery(t, *delivery);
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

absl::StatusOr<int> LocalDesk::ReplayAll(const Actor& actor, const std::string& connector) {
  RETURN_IF_ERROR(actor.RequireAdministrator());
  if (!connector.empty() && !IsConfigured(connector)) {
    const auto name = [](std::string* out, const LocalTarget& target) { out->append(target.name); };
    return Error(v1::REASON_NOT_FOUND,
                 "the settings name no connector '" + connector +
                     "'; there are: " + absl::StrJoin(delivery_.targets(), ", ", name));
  }
  return ReplayDead(context_.vault, context_.clock, connector);
}

absl::StatusOr<v1::ReplayDeliveryResponse> LocalDesk::Replay(
    const Actor& actor, const v1::ReplayDeliveryRequest& request) {
  RETURN_IF_ERROR(RequireDeskStaff(actor));
  v1::ReplayDeliveryResponse response;
  if (request.delivery_id().empty()) {
    ASSIGN_OR_RETURN(const int replayed, ReplayAll(actor, request.connector()));
    response.set_replayed(static_cast<uint32_t>(replayed));
  } else {
    const auto id = DeliveryId::FromBytes(request.delivery_id());
    if (!id) return InvalidField("delivery_id is not 16 bytes");
    RETURN_IF_ERROR(CheckDelivery(actor, *id));
    RETURN_IF_ERROR(ReplayDelivery(context_.vault, context_.clock, *id));
    response.set_replayed(1);
  }
  delivery_.Nudge();
  return response;
}

absl::Status LocalDesk::Resolve(const Actor& actor, const v1::ResolveDeliveryRequest& request) {
  RETURN_IF_ERROR(RequireDeskStaff(actor));
  const auto id = DeliveryId::FromBytes(request.delivery_id());
  if (!id) return InvalidField("delivery_id is not 16 bytes");
  const bool there = request.sighting() == v1::LOCAL_SIGHTING_THERE;
  if (!there && request.sighting() != v1::LOCAL_SIGHTING_NOT_THERE) {
    return Error(v1::REASON_ENUM_UNKNOWN, "sighting says neither that it is there nor that not");
  }
  RETURN_IF_ERROR(CheckDelivery(actor, *id));
  RETURN_IF_ERROR(ResolveDelivery(context_.vault, context_.clock, *id,
                                  there ? Sighting::kThere : Sighting::kNotThere));
  delivery_.Nudge();
  return AcknowledgeFor(*id);
}

absl::StatusOr<bool> LocalDesk::MayOpen(const Actor& actor, const Reader& reader,
                                        std::string_view referral_id) const {
  ASSIGN_OR_RETURN(const auto unit, UnitOf(reader, referral_id));
  if (!unit.has_value() || !actor.RequireCaseworker(*unit).ok()) return false;
  ASSIGN_OR_RETURN(const OutwardView view,
                   ViewOf(context_, reader, *ReferralId::FromBytes(referral_id)));
  return !view.locked;
}

absl::StatusOr<v1::ListRefusedItemsResponse> LocalDesk::ListItems(const Actor& actor) const {
  RETURN_IF_ERROR(RequireDeskStaff(actor));
  ASSIGN_OR_RETURN(const std::vector<RefusedFeedItem> items, ListRefusedItems(context_.vault));
  v1::ListRefusedItemsResponse response;
  const absl::Status read = context_.vault.Read([&](const Reader& reader) -> absl::Status {
    for (const RefusedFeedItem& item : items) {
      ASSIGN_OR_RETURN(const auto unit, UnitOf(reader, item.referral_id()));
      if (!MayDecide(actor, unit)) continue;
      v1::LocalItem& shown = *response.add_items();
      shown = ToShown(item);
      ASSIGN_OR_RETURN(const bool open, MayOpen(actor, reader, item.referral_id()));
      if (open) shown.set_text(item.item());
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(read);
  return response;
}

absl::StatusOr<RefusedFeedItem> LocalDesk::FindItem(const Actor& actor,
                                                    std::string_view item_id) const {
  RETURN_IF_ERROR(RequireDeskStaff(actor));
  const auto id = ItemId::FromBytes(item_id);
  if (!id) return InvalidField("item_id is not 16 bytes");
  RefusedFeedItem item;
  const absl::Status read = context_.vault.Read([&](const Reader& reader) -> absl::Status {
    auto found = GetAs<RefusedFeedItem>(reader, DocumentKind::kRefusedItem, *id);
    if (ReasonOf(found.status()) == v1::REASON_NOT_FOUND) {
      return Error(v1::REASON_NOT_FOUND, "there is no such item; 'waymark local items' lists them");
    }
    ASSIGN_OR_RETURN(item, std::move(found));
    ASSIGN_OR_RETURN(const auto unit, UnitOf(reader, item.referral_id()));
    return MayDecide(actor, unit) ? absl::OkStatus() : NotTheirs();
  });
  RETURN_IF_ERROR(read);
  return item;
}

absl::Status LocalDesk::RetryItem(const Actor& actor, const v1::RetryRefusedItemRequest& request) {
  ASSIGN_OR_RETURN(const RefusedFeedItem item, FindItem(actor, request.item_id()));
  return delivery_.Retry(item.connector(), *ItemId::FromBytes(item.item_id()));
}

absl::Status LocalDesk::DropItem(const Actor& actor, const v1::DropRefusedItemRequest& request) {
  ASSIGN_OR_RETURN(const RefusedFeedItem item, FindItem(actor, request.item_id()));
  return DropRefusedItem(context_.vault, *ItemId::FromBytes(item.item_id()));
}

}  // namespace waymark::node
