#include "client/insight/supply.h"

#include <algorithm>
#include <iterator>

namespace waymark::node {
namespace {

constexpr uint32_t kAdultAge = 18;
constexpr uint32_t kOlderAge = 60;

bool Takes(const v1::Populations& populations, v1::Gender gender) {
  const auto& genders = populations.genders();
  return genders.empty() || std::find(genders.begin(), genders.end(), gender) != genders.end();
}

// What the service does not exclude.
std::set<v1::ServiceNeed> NeedsMetBy(const v1::Service& service) {
  const v1::Populations& populations = service.populations();
  std::set<v1::ServiceNeed> needs;
  const auto add = [&needs](v1::ServiceNeed need, bool met) {
    if (met) needs.insert(need);
  };
  add(v1::SERVICE_NEED_WITH_CHILDREN, !populations.has_children() || populations.children());
  add(v1::SERVICE_NEED_FEMALE, Takes(populations, v1::GENDER_FEMALE));
  add(v1::SERVICE_NEED_MALE, Takes(populations, v1::GENDER_MALE));
  add(v1::SERVICE_NEED_ANOTHER_GENDER, Takes(populations, v1::GENDER_ANOTHER));
  add(v1::SERVICE_NEED_UNDER_18, populations.minimum_age() < kAdultAge);
  add(v1::SERVICE_NEED_FROM_60,
      !populations.has_maximum_age() || populations.maximum_age() >= kOlderAge);
  add(v1::SERVICE_NEED_STEP_FREE, service.step_free() || service.remote_delivery());
  return needs;
}

const v1::Profile* ProfileOf(const DirectorySnapshot& directory, const ServiceEntry& entry) {
  const MemberEntry* member = directory.FindMember(entry.organisation);
  return member != nullptr && member->profile.has_value() ? &*member->profile : nullptr;
}

}  // namespace

uint32_t PercentOf(uint64_t part, uint64_t whole) {
  return static_cast<uint32_t>((part * 100 + whole / 2) / whole);
}

Offering::Offering(const DirectorySnapshot& directory, const ServiceEntry& entry, absl::Time now)
    : profile(ProfileOf(directory, entry)),
      capacity(DirectorySnapshot::CapacityAt(entry, now)),
      redacted(entry.service.location_kind() == v1::LOCATION_KIND_REDACTED),
      remote(entry.service.remote_delivery()),
      codes(entry.service.secondary_codes().begin(), entry.service.secondary_codes().end()),
      areas(entry.service.service_areas().begin(), entry.service.service_areas().end()),
      needs(NeedsMetBy(entry.service)) {
  codes.insert(entry.service.code());
  for (const v1::ServiceLanguage& language : entry.service.languages()) {
    languages[language.tag()] |= language.spoken_by_staff();
  }
  for (const v1::Condition& condition : entry.service.conditions()) {
    if (condition.strength() == v1::CONDITION_STRENGTH_REQUIRED) required.insert(condition.kind());
  }
}

void Supply::Add(const Offering& offering) {
  empty_ = false;
  needs_.insert(offering.needs.begin(), offering.needs.end());
  for (const auto& [tag, by_staff] : offering.languages) spoken_.insert(tag);
  if (offering.redacted) {
    const v1::CapacityStatus status = offering.capacity.status();
    if (redacted_ == v1::CAPACITY_STATUS_UNSPECIFIED ||
        CapacityRank(status) < CapacityRank(redacted_)) {
      redacted_ = status;
    }
    return;
  }

  AddToCount(offering.capacity);
  for (const auto& [tag, by_staff] : offering.languages) {
    v1::LanguageSupply& language = languages_[tag];
    language.set_tag(tag);
    by_staff ? language.set_by_staff(language.by_staff() + 1)
             : language.set_by_interpreter(language.by_interpreter() + 1);
  }
  for (const v1::ConditionKind kind : offering.required) ++conditions_[kind];
}

void Supply::AddToCount(const v1::Capacity& capacity) {
  count_.set_services(count_.services() + 1);
  switch (capacity.status()) {
    case v1::CAPACITY_STATUS_HAS_CAPACITY:
      count_.set_has_capacity(count_.has_capacity() + 1);
      break;
    case v1::CAPACITY_STATUS_WAITLIST:
      count_.set_waitlist(count_.waitlist() + 1);
      break;
    case v1::CAPACITY_STATUS_ASSESSMENT_REQUIRED:
      count_.set_assessment_required(count_.assessment_required() + 1);
      break;
    case v1::CAPACITY_STATUS_NO_CAPACITY:
      count_.set_no_capacity(count_.no_capacity() + 1);
      break;
    default:
      count_.set_unknown(count_.unknown() + 1);
  }
  // Out of date, it has neither number.
  if (capacity.has_available() && capacity.has_maximum()) {
    count_.set_available(count_.available() + capacity.available());
    count_.set_maximum(count_.maximum() + capacity.maximum());
  }
}

v1::SupplyCount Supply::Count() const {
  v1::SupplyCount count = count_;
  if (count.maximum() > 0) {
    count.set_utilisation_percent(PercentOf(count.maximum() - count.available(), count.maximum()));
  }
  if (count.services() > 0) {
    count.set_fresh_percent(PercentOf(count.services() - count.unknown(), count.services()));
  }
  return count;
}

std::vector<v1::LanguageSupply> Supply::Languages() const {
  std::vector<v1::LanguageSupply> languages;
  for (const auto& [tag, language] : languages_) languages.push_back(language);
  return languages;
}

std::vector<v1::ConditionSupply> Supply::Conditions() const {
  std::vector<v1::ConditionSupply> conditions;
  for (const auto& [kind, services] : conditions_) {
    v1::ConditionSupply& condition = conditions.emplace_back();
    condition.set_kind(kind);
    condition.set_services(services);
    condition.set_percent(PercentOf(services, count_.services()));
  }
  return conditions;
}

std::vector<std::string> Supply::MissingLanguages(const std::set<std::string>& languages) const {
  std::vector<std::string> missing;
  std::set_difference(languages.begin(), languages.end(), spoken_.begin(), spoken_.end(),
                      std::back_inserter(missing));
  return missing;
}

std::vector<v1::ServiceNeed> Supply::MissingNeeds() const {
  std::vector<v1::ServiceNeed> missing;
  for (int number = v1::ServiceNeed_MIN + 1; number <= v1::ServiceNeed_MAX; ++number) {
    const auto need = static_cast<v1::ServiceNeed>(number);
    if (needs_.count(need) == 0) missing.push_back(need);
  }
  return missing;
}

}  // namespace waymark::node
