#include "server/routing/membership.h"

#include <utility>

namespace waymark::hub {

Membership::Membership(std::vector<MemberRecord> members) : members_(std::move(members)) {
  for (size_t i = 0; i < members_.size(); ++i) {
    by_organisation_.try_emplace(members_[i].organisation, i);
    for (const UnitId& unit : members_[i].units) by_unit_.try_emplace(unit, i);
  }
}

const MemberRecord* Membership::Find(const OrganisationId& organisation) const {
  const auto found = by_organisation_.find(organisation);
  return found == by_organisation_.end() ? nullptr : &members_[found->second];
}

const MemberRecord* Membership::OfUnit(const UnitId& unit) const {
  const auto found = by_unit_.find(unit);
  return found == by_unit_.end() ? nullptr : &members_[found->second];
}

}  // namespace waymark::hub
