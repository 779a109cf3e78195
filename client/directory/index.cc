#include "client/directory/index.h"

#include <utility>

namespace waymark::node {
namespace {

// A checked statement has well-formed ids.
UnitId UnitOf(const std::string& bytes) { return UnitId::FromBytes(bytes).value_or(UnitId()); }

ServiceId ServiceOf(const std::string& bytes) {
  return ServiceId::FromBytes(bytes).value_or(ServiceId());
}

// Replaces an entry by a changed copy; snapshots keep the old one.
template <typename Key, typename Entry, typename Change>
void Update(std::map<Key, std::shared_ptr<const Entry>>& entries, const Key& id, Change change) {
  const auto found = entries.find(id);
  if (found == entries.end()) return;
  auto copy = std::make_shared<Entry>(*found->second);
  change(*copy);
  found->second = std::move(copy);
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
      return Update(current_.members_, statement.organisation,
                    [&](MemberEntry& entry) { entry.profile = content.profile(); });
    case v1::Statement::kUnitKeys:
      return Update(current_.units_, UnitOf(content.unit_keys().unit_id()), [&](UnitEntry& entry) {
        entry.keys.assign(content.unit_keys().keys().begin(), content.unit_keys().keys().end());
      });
    case v1::Statement::kService:
      return TakeService(statement);
    case v1::Statement::kCapacity:
      return Update(current_.services_, ServiceOf(content.capacity().service_id()),
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

  std::map<UnitId, std::shared_ptr<const UnitEntry>> old_units;
  const auto known = current_.members_.find(statement.organisation);
  if (known != current_.members_.end()) {
    if (!(known->second->identity_key == key)) changed_.insert(statement.organisation);
    entry->profile = known->second->profile;
    old_units = current_.units_;
    DropUnits(*known->second);
  }
  entry->key_changed = changed_.count(statement.organisation) > 0;

  for (const v1::Unit& unit : member.units()) {
    const UnitId id = UnitOf(unit.unit_id());
    auto unit_entry = std::make_shared<UnitEntry>(
        UnitEntry{.id = id, .organisation = statement.organisation, .unit = unit});
    const auto old = old_units.find(id);
    if (old != old_units.end()) unit_entry->keys = old->second->keys;
    current_.units_by_handle_[unit.handle()] = id;
    current_.units_[id] = std::move(unit_entry);
  }
  current_.members_by_handle_[member.handle()] = statement.organisation;
  current_.members_[statement.organisation] = std::move(entry);
}

void DirectoryIndex::DropUnits(const MemberEntry& member) {
  current_.members_by_handle_.erase(member.member.handle());
  for (const v1::Unit& unit : member.member.units()) {
    current_.units_by_handle_.erase(unit.handle());
    current_.units_.erase(UnitOf(unit.unit_id()));
  }
}

void DirectoryIndex::TakeService(const CheckedStatement& statement) {
  const v1::Service& service = statement.content.service();
  const ServiceId id = ServiceOf(service.service_id());
  auto entry = std::make_shared<ServiceEntry>(ServiceEntry{.id = id,
                                                           .unit = UnitOf(service.unit_id()),
                                                           .organisation = statement.organisation,
                                                           .service = service});
  const auto known = current_.services_.find(id);
  if (known != current_.services_.end()) {
    entry->capacity = known->second->capacity;
    current_.services_by_handle_.erase(known->second->service.handle());
    for (const v1::Condition& condition : known->second->service.conditions()) {
      current_.services_by_condition_.erase(condition.condition_id());
    }
  }
  current_.services_by_handle_[service.handle()] = id;
  for (const v1::Condition& condition : service.conditions()) {
    current_.services_by_condition_[condition.condition_id()] = id;
  }
  current_.services_[id] = std::move(entry);
}

void DirectoryIndex::SetChanged(const OrganisationId& organisation, bool changed) {
  if (changed) {
    changed_.insert(organisation);
  } else {
    changed_.erase(organisation);
  }
  Update(current_.members_, organisation, [&](MemberEntry& entry) { entry.key_changed = changed; });
}

std::shared_ptr<const DirectorySnapshot> DirectoryIndex::Snapshot() const {
  return std::make_shared<const DirectorySnapshot>(current_);
}

}  // namespace waymark::node
