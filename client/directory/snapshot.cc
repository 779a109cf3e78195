#include "client/directory/snapshot.h"

#include "base/directory/room.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

absl::Time Minute(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

template <typename Key, typename Entry>
const Entry* Find(const SharedMap<Key, std::shared_ptr<const Entry>>& entries, const Key& id) {
  const std::shared_ptr<const Entry>* found = entries.Find(id);
  return found == nullptr ? nullptr : found->get();
}

template <typename Key, typename Entry>
const Entry* FindByName(const SharedMap<Key, std::shared_ptr<const Entry>>& entries,
                        const SharedMap<std::string, Key>& names, std::string_view name) {
  const Key* id = names.Find(name);
  return id == nullptr ? nullptr : Find(entries, *id);
}

template <typename Key, typename Entry>
std::vector<const Entry*> AllByName(const SharedMap<Key, std::shared_ptr<const Entry>>& entries,
                                    const SharedMap<std::string, Key>& names) {
  std::vector<const Entry*> all;
  all.reserve(names.size());
  names.ForEach([&](const std::string&, const Key& id) { all.push_back(Find(entries, id)); });
  return all;
}

}  // namespace

int CapacityRank(v1::CapacityStatus status) {
  switch (status) {
    case v1::CAPACITY_STATUS_HAS_CAPACITY:
      return 0;
    case v1::CAPACITY_STATUS_ASSESSMENT_REQUIRED:
      return 1;
    case v1::CAPACITY_STATUS_WAITLIST:
      return 2;
    case v1::CAPACITY_STATUS_NO_CAPACITY:
      return 3;
    default:
      return 4;
  }
}

const MemberEntry* DirectorySnapshot::FindMember(const OrganisationId& id) const {
  return Find(members_, id);
}

const MemberEntry* DirectorySnapshot::FindMember(std::string_view handle) const {
  return FindByName(members_, members_by_handle_, handle);
}

const UnitEntry* DirectorySnapshot::FindUnit(const UnitId& id) const { return Find(units_, id); }

const UnitEntry* DirectorySnapshot::FindUnit(std::string_view handle) const {
  return FindByName(units_, units_by_handle_, handle);
}

const ServiceEntry* DirectorySnapshot::FindService(const ServiceId& id) const {
  return Find(services_, id);
}

const ServiceEntry* DirectorySnapshot::FindService(std::string_view handle) const {
  return FindByName(services_, services_by_handle_, handle);
}

const v1::Condition* DirectorySnapshot::FindCondition(std::string_view condition_id) const {
  const ServiceEntry* service = FindByName(services_, services_by_condition_, condition_id);
  if (service == nullptr) return nullptr;
  for (const v1::Condition& condition : service->service.conditions()) {
    if (condition.condition_id() == condition_id) return &condition;
  }
  return nullptr;
}

const MemberEntry* DirectorySnapshot::MemberOf(const UnitId& unit) const {
  const UnitEntry* entry = FindUnit(unit);
  return entry == nullptr ? nullptr : FindMember(entry->organisation);
}

std::vector<const MemberEntry*> DirectorySnapshot::members() const {
  return AllByName(members_, members_by_handle_);
}

std::vector<const UnitEntry*> DirectorySnapshot::units() const {
  return AllByName(units_, units_by_handle_);
}

bool DirectorySnapshot::IsOpen(const ServiceEntry& service, absl::Time now) const {
  const MemberEntry* member = FindMember(service.organisation);
  const bool offered = !service.service.withdrawn() && FindUnit(service.unit) != nullptr;
  return offered && member != nullptr && member->member.status() == v1::MEMBER_STATUS_ACTIVE &&
         now < member->valid_until;
}

std::vector<const ServiceEntry*> DirectorySnapshot::OpenServices(absl::Time now) const {
  std::vector<const ServiceEntry*> open = AllByName(services_, services_by_handle_);
  std::erase_if(open, [&](const ServiceEntry* service) { return !IsOpen(*service, now); });
  return open;
}

std::vector<const ServiceEntry*> DirectorySnapshot::OpenServices(absl::Time now,
                                                                 uint32_t code) const {
  std::vector<const ServiceEntry*> open;
  services_by_code_.ForEachFrom(Offer(code, ""), [&](const Offer& offer, const ServiceId& id) {
    if (offer.first != code) return false;
    const ServiceEntry* service = Find(services_, id);
    if (IsOpen(*service, now)) open.push_back(service);
    return true;
  });
  return open;
}

v1::Capacity DirectorySnapshot::CapacityAt(const ServiceEntry& service, absl::Time now) {
  v1::Capacity room;
  room.set_service_id(service.id.bytes());
  room.set_status(v1::CAPACITY_STATUS_UNKNOWN);
  if (!service.capacity.has_value()) return room;
  const absl::Time end = RoomEndOf(*service.capacity, service.service.capacity_unit());
  if (now < end) {
    room = *service.capacity;
    // What was said before the place was redacted may still be about.
    if (service.service.location_kind() == v1::LOCATION_KIND_REDACTED) {
      room.clear_available();
      room.clear_maximum();
    }
  }
  room.set_updated_minute(service.capacity->updated_minute());
  room.set_valid_until_minute(absl::ToUnixSeconds(end) / 60);
  return room;
}

absl::StatusOr<v1::SealingKey> DirectorySnapshot::KeyToSealTo(const UnitId& unit,
                                                              absl::Time now) const {
  const UnitEntry* entry = FindUnit(unit);
  const MemberEntry* member = MemberOf(unit);
  if (entry == nullptr || member == nullptr) {
    return Error(v1::REASON_UNIT_UNKNOWN, "unit " + unit.hex());
  }
  const std::string name = "unit " + entry->unit.handle();
  if (member->key_changed) return Error(v1::REASON_KEY_CHANGED, name);
  if (entry->keys.empty()) return Error(v1::REASON_KEY_UNKNOWN, name + " has published no key");
  for (const v1::SealingKey& key : entry->keys) {
    if (now < Minute(key.seal_until_minute())) return key;
  }
  return Error(v1::REASON_DIRECTORY_STALE, "every known key of " + name + " has run out");
}

}  // namespace waymark::node
