#include "client/casework/context.h"

#include "client/casework/match.h"

namespace waymark::node {

ProviderFacts FactsOf(const DirectorySnapshot& directory, const UnitId& unit, uint32_t service_code,
                      const ServiceEntry* service) {
  ProviderFacts facts;
  facts.unit = unit;
  if (const MemberEntry* member = directory.MemberOf(unit)) {
    facts.organisation = member->id;
    facts.organisation_class = member->member.organisation_class();
    facts.policy_pack = member->member.policy_pack();
  }
  if (service == nullptr || service->unit != unit || service->service.withdrawn()) return facts;
  facts.offers_service = Offers(service->service, service_code);
  for (const v1::RequiredIdentity& required : service->service.required_identity()) {
    facts.required_identity.insert(required.field_no());
  }
  for (const v1::Condition& condition : service->service.conditions()) {
    facts.conditions.emplace(condition.condition_id(), condition.kind());
  }
  return facts;
}

std::string PackOf(const DirectorySnapshot& directory, const UnitId& unit) {
  const MemberEntry* member = directory.MemberOf(unit);
  return member == nullptr ? "" : member->member.policy_pack();
}

std::string HandleOf(const DirectorySnapshot& directory, const UnitId& unit) {
  const UnitEntry* entry = directory.FindUnit(unit);
  return entry == nullptr ? unit.hex() : entry->unit.handle();
}

bool IsOwnUnit(const CaseworkContext& context, const DirectorySnapshot& directory,
               const UnitId& unit) {
  const UnitEntry* entry = directory.FindUnit(unit);
  return entry != nullptr && entry->organisation == context.organisation;
}

}  // namespace waymark::node
