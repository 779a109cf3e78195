#include "client/delivery/commands.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "base/status/status.h"

namespace waymark::node {

using local::v1::Delivery;
using local::v1::LOCAL_STATE_DEAD;

namespace {

std::string CureOf(const Delivery& delivery, bool configured) {
  if (!configured && !IsSettled(delivery)) {
    return "The settings name no such connector any more: name it again, or look in the system "
           "itself and resolve what is to be erased.";
  }
  switch (delivery.state()) {
    case local::v1::LOCAL_STATE_UNCERTAIN:
      return "Look in the local system for a record with this key, then resolve: it is there, or "
             "it "
             "is not.";
    case LOCAL_STATE_DEAD:
      if (delivery.task() == local::v1::LOCAL_TASK_ERASE) {
        return "Erase the record in the local system and resolve that it is not there; or say with "
               "'waymark retain' on which ground it is kept.";
      }
      return std::string(ReasonCure(delivery.reason()));
    case local::v1::LOCAL_STATE_WAITING:
      return IsInTrouble(delivery) ? std::string(ReasonCure(delivery.reason())) : std::string();
    default:
      return IsOutdated(delivery) ? "The referral has changed; change the record by hand." : "";
  }
}

int Rank(const Delivery& delivery) {
  switch (delivery.state()) {
    case local::v1::LOCAL_STATE_UNCERTAIN:
      return 0;
    case LOCAL_STATE_DEAD:
      return 1;
    case local::v1::LOCAL_STATE_WAITING:
      return IsInTrouble(delivery) ? 2 : 4;
    case local::v1::LOCAL_STATE_WRITING:
      return 3;
    default:
      return 5;
  }
}

absl::Status Change(Vault& vault, const DeliveryId& id,
                    absl::FunctionRef<absl::Status(Delivery&)> change) {
  return vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<Delivery> delivery, FindDelivery(t, id));
    if (!delivery.has_value()) {
      return Error(v1::REASON_NOT_FOUND, "there is no delivery " + id.hex());
    }
    RETURN_IF_ERROR(change(*delivery));
    return SaveDelivery(t, *delivery);
  });
}

}  // namespace

absl::StatusOr<std::vector<ShownDelivery>> ListDeliveries(const Vault& vault,
                                                          const std::vector<LocalTarget>& targets,
                                                          bool all) {
  std::vector<Delivery> open;
  std::vector<Delivery> settled;
  RETURN_IF_ERROR(vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(open, OpenDeliveries(reader));
    ASSIGN_OR_RETURN(settled, SettledDeliveries(reader));
    return absl::OkStatus();
  }));
  for (Delivery& delivery : settled) {
    const bool telling = IsOutdated(delivery) || delivery.state() == local::v1::LOCAL_STATE_KEPT;
    if (all || telling) open.push_back(std::move(delivery));
  }
  std::vector<ShownDelivery> shown;
  shown.reserve(open.size());
  for (Delivery& delivery : open) {
    const bool configured =
        std::any_of(targets.begin(), targets.end(),
                    [&](const LocalTarget& target) { return target.name == delivery.connector(); });
    const std::string cure = CureOf(delivery, configured);
    const bool outdated = IsOutdated(delivery);
    shown.push_back({.delivery = std::move(delivery), .cure = cure, .outdated = outdated});
  }
  std::stable_sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) {
    return Rank(a.delivery) < Rank(b.delivery);
  });
  return shown;
}

absl::Status ReplayDelivery(Vault& vault, Clock& clock, const DeliveryId& id) {
  return Change(vault, id, [&](Delivery& delivery) { return Replay(clock.Now(), delivery); });
}

absl::StatusOr<int> ReplayDead(Vault& vault, Clock& clock, std::string_view connector) {
  int replayed = 0;
  RETURN_IF_ERROR(vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::vector<Delivery> open, OpenDeliveries(t));
    for (Delivery& delivery : open) {
      const bool meant = connector.empty() || delivery.connector() == connector;
      if (!meant || delivery.state() != LOCAL_STATE_DEAD) continue;
      RETURN_IF_ERROR(Replay(clock.Now(), delivery));
      RETURN_IF_ERROR(SaveDelivery(t, delivery));
      ++replayed;
    }
    return absl::OkStatus();
  }));
  return replayed;
}

absl::Status ResolveDelivery(Vault& vault, Clock& clock, const DeliveryId& id, Sighting sighting) {
  return Change(vault, id,
                [&](Delivery& delivery) { return Resolve(sighting, clock.Now(), delivery); });
}

}  // namespace waymark::node
