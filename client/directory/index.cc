#include "client/directory/index.h"

#include <map>
#include <utility>
#include <vector>

namespace waymark::node {
namespace {

// A checked statement has well-formed ids.
UnitId UnitOf(const std::string& bytes) { return UnitId::FromBytes(bytes).value_or(UnitId()); }

ServiceId ServiceOf(const std::string& bytes) {
  return ServiceId::FromBytes(bytes).value_or(ServiceId());
}

// Replaces an entry by a changed copy; snapshots keep the old one.
template <typename Key, typename Entry, typename Change>
void Update(SharedMapWriter<Key, std::shared_ptr<const Entry>>& entries, const Key& id,
            Change change) {
  const std::shared_ptr<const Entry>* found = entries.Find(id);
  if (found == nullptr) return;
  auto copy = std::make_shared<Entry>(**found);
  change(*copy);
  entries.Put(id, std::move(copy));
}

}  // namespace

DirectoryIndex::DirectoryIndex(NetworkId network, VerifyingKey registry_key)
    : state_(network, std::move(registry_key)) {}

void DirectoryIndex::Take(const CheckedStatement& statement) {
  state_.Apply(statement);
  const v1::Statement& content = statement.content;
  switch (content.content_case()) {
    case v1::Statement::kMember:
      return TakeMember(statement);
    case v1::Statement::kProfile:
      return Update(members_, statement.organisation,
                    [&](MemberEntry& entry) { entry.profile = content.profile(); });
    case v1::Statement::kUnitKeys:
      return Update(units_, UnitOf(content.unit_keys().unit_id()), [&](UnitEntry& entry) {
        entry.keys.assign(content.unit_keys().keys().begin(), content.unit_keys().keys().end());
      });
    case v1::Statement::kService:
      return TakeService(statement);
    case v1::Statement::kCapacity:
      return Update(services_, ServiceOf(content.capacity().service_id()),
                    [&](ServiceEntry& entry) { entry.capacity = content.capacity(); });
    case v1::Statement::CONTENT_NOT_SET:
      return;
  }
}

void DirectoryIndex::TakeMember(const CheckedStatement& statement) {
  const v1::Member& member = statement.content.member();
  const VerifyingKey& key = state_.FindMember(statement.organisation)->identity_key;
  auto entry = std::make_shared<MemberEntry>(MemberEntry{
      .id = statement.organisation,
      .member = member,
      .identity_key = key,
      .valid_until = absl::FromUnixSeconds(statement.content.valid_until_minute() * 60),
  });

  // The sealing keys of units that stay.
  std::map<UnitId, std::vector<v1::SealingKey>> old_keys;
  if (const auto* known = members_.Find(statement.organisation)) {
    const std::shared_ptr<const MemberEntry> before = *known;
    if (!(before->identity_key == key)) changed_.insert(statement.organisation);
    entry->profile = before->profile;
    for (const v1::Unit& unit : before->member.units()) {
      const auto* old = units_.Find(UnitOf(unit.unit_id()));
      if (old != nullptr) old_keys[(*old)->id] = (*old)->keys;
    }
    DropUnits(*before);
  }
  entry->key_changed = changed_.count(statement.organisation) > 0;

  for (const v1::Unit& unit : member.units()) {
    const UnitId id = UnitOf(unit.unit_id());
    auto unit_entry = std::make_shared<UnitEntry>(
        UnitEntry{.id = id, .organisation = statement.organisation, .unit = unit});
    const auto old = old_keys.find(id);
    if (old != old_keys.end()) unit_entry->keys = std::move(old->second);
    units_by_handle_.Put(unit.handle(), id);
    units_.Put(id, std::move(unit_entry));
  }
  members_by_handle_.Put(member.handle(), statement.organisation);
  members_.Put(statement.organisation, std::move(entry));
}

void DirectoryIndex::DropUnits(const MemberEntry& member) {
  members_by_handle_.Erase(member.member.handle());
  for (const v1::Unit& unit : member.member.units()) {
    units_by_handle_.Erase(unit.handle());
    units_.Erase(UnitOf(unit.unit_id()));
  }
}

void DirectoryIndex::TakeService(const CheckedStatement& statement) {
  const v1::Service& service = statement.content.service();
  const ServiceId id = ServiceOf(service.service_id());
  auto entry = std::make_shared<ServiceEntry>(ServiceEntry{.id = id,
                                                           .unit = UnitOf(service.unit_id()),
                                                           .organisation = statement.organisation,
                                                           .service = service});
  if (const auto* known = services_.Find(id)) {
    entry->capacity = (*known)->capacity;
    DropNames((*known)->service);
  }
  services_by_handle_.Put(service.handle(), id);
  for (const v1::Condition& condition : service.conditions()) {
    services_by_condition_.Put(condition.condition_id(), id);
  }
  services_by_code_.Put(Offer(service.code(), service.handle()), id);
  for (const uint32_t code : service.secondary_codes()) {
    services_by_code_.Put(Offer(code, service.handle()), id);
  }
  services_.Put(id, std::move(entry));
}

void DirectoryIndex::DropNames(const v1::Service& service) {
  services_by_handle_.Erase(service.handle());
  for (const v1::Condition& condition : service.conditions()) {
    services_by_condition_.Erase(condition.condition_id());
  }
  services_by_code_.Erase(Offer(service.code(), service.handle()));
  for (const uint32_t code : service.secondary_codes()) {
    services_by_code_.Erase(Offer(code, service.handle()));
  }
}

void DirectoryIndex::SetChanged(const OrganisationId& organisation, bool changed) {
  if (changed) {
    changed_.insert(organisation);
  } else {
    changed_.erase(organisation);
  }
  Update(members_, organisation, [&](MemberEntry& entry) { entry.key_changed = changed; });
}

std::shared_ptr<const DirectorySnapshot> DirectoryIndex::Snapshot() {
  auto snapshot = std::make_shared<DirectorySnapshot>();
  snapshot->head_ = head_;
  snapshot->epoch_ = epoch_;
  snapshot->members_ = members_.Share();
  snapshot->units_ = units_.Share();
  snapshot->services_ = services_.Share();
  snapshot->members_by_handle_ = members_by_handle_.Share();
  snapshot->units_by_handle_ = units_by_handle_.Share();
  snapshot->services_by_handle_ = services_by_handle_.Share();
  snapshot->services_by_condition_ = services_by_condition_.Share();
  snapshot->services_by_code_ = services_by_code_.Share();
  return snapshot;
}

size_t DirectoryIndex::copied() const {
  return members_.copied() + units_.copied() + services_.copied() + members_by_handle_.copied() +
         units_by_handle_.copied() + services_by_handle_.copied() +
         services_by_condition_.copied() + services_by_code_.copied();
}

}  // namespace waymark::node
