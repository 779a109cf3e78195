#include "client/directory/room.h"

#include <algorithm>

#include "base/directory/room.h"
#include "base/directory/statement.h"
#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/directory/own_statements.h"
#include "client/vault/typed.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {
namespace {

bool IsTaken(NodeState state) {
  return state == NodeState::kAccepted || state == NodeState::kScheduled ||
         state == NodeState::kStarted || state == NodeState::kOngoing;
}

absl::Time AcceptedAt(const local::v1::Referral& referral) {
  for (const local::v1::Event& event : referral.events()) {
    if (event.kind() == v1::KIND_ACCEPT) return absl::FromUnixMillis(event.at_ms());
  }
  return absl::FromUnixMillis(referral.state_since_ms());
}

// Whether the referral has places at `now` that were not counted when `said` was.
bool Holds(const local::v1::Referral& referral, const v1::Capacity& said, absl::Time now) {
  if (referral.originated() || referral.service_id() != said.service_id()) return false;
  const auto state = NodeStateFromName(referral.state());
  if (!state) return false;
  if (*state == NodeState::kOffered) return now < absl::FromUnixMillis(referral.state_until_ms());
  return IsTaken(*state) &&
         FloorMinute(AcceptedAt(referral)) >= absl::FromUnixSeconds(said.updated_minute() * 60);
}

// Of the places that were counted, those that are still free.
absl::StatusOr<uint32_t> Free(const Reader& reader, const v1::Capacity& said, absl::Time now) {
  ASSIGN_OR_RETURN(const auto referrals,
                   ParseAll<local::v1::Referral>(reader.List(DocumentKind::kReferral)));
  uint32_t free = said.available();
  for (const auto& [unused, referral] : referrals) {
    if (Holds(referral, said, now)) free -= std::min(free, referral.held_places());
  }
  return free;
}

// What was last said of the room, with what was counted; nullopt for nothing.
absl::StatusOr<std::optional<v1::Capacity>> SaidRoom(const Reader& reader,
                                                     const std::string& service_id) {
  v1::Statement named;
  named.mutable_capacity()->set_service_id(service_id);
  ASSIGN_OR_RETURN(const local::v1::OwnStatement own, ReadOwn(reader, SubjectOf(named)));
  if (!own.has_room()) return std::optional<v1::Capacity>();
  return std::optional<v1::Capacity>(own.room());
}

}  // namespace

absl::StatusOr<v1::Capacity> RoomToTell(const Reader& reader, const v1::Capacity& said,
                                        const v1::Service& service, absl::Time now) {
  v1::Capacity told = said;
  if (said.has_available()) {
    ASSIGN_OR_RETURN(const uint32_t free, Free(reader, said, now));
    told.set_available(free);
    if (free == 0 && said.status() == v1::CAPACITY_STATUS_HAS_CAPACITY) {
      told.set_status(v1::CAPACITY_STATUS_NO_CAPACITY);
    }
  }
  if (service.location_kind() == v1::LOCATION_KIND_REDACTED) {
    told.clear_available();
    told.clear_maximum();
  }
  return told;
}

absl::StatusOr<v1::Capacity> RoomAt(const Reader& reader, const ServiceEntry& service,
                                    absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<v1::Capacity> said, SaidRoom(reader, service.id.bytes()));
  if (!said.has_value()) return DirectorySnapshot::CapacityAt(service, now);
  ServiceEntry told = service;
  ASSIGN_OR_RETURN(told.capacity, RoomToTell(reader, *said, service.service, now));
  return DirectorySnapshot::CapacityAt(told, now);
}

absl::StatusOr<std::optional<uint32_t>> FreePlaces(const Reader& reader,
                                                   const std::string& service_id, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<v1::Capacity> said, SaidRoom(reader, service_id));
  ASSIGN_OR_RETURN(const std::optional<v1::Service> service, OwnService(reader, service_id));
  if (!said.has_value() || !said->has_available() || !service.has_value() ||
      RoomEndOf(*said, service->capacity_unit()) <= now) {
    return std::optional<uint32_t>();
  }
  ASSIGN_OR_RETURN(const uint32_t free, Free(reader, *said, now));
  return std::optional<uint32_t>(free);
}

}  // namespace waymark::node
