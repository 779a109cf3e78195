// What a set of services offers: the sums behind the coverage report (coverage.h).
//
// Values; a Supply belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/directory/snapshot.h"
#include "waymark/v1/coverage.pb.h"

namespace waymark::node {

// An open service with what holds of it now, worked out once: a remote one is added to the sums of
// every area. Points into the snapshot.
struct Offering {
  Offering(const DirectorySnapshot& directory, const ServiceEntry& entry, absl::Time now);

  bool Serves(const std::string& area) const { return areas.count(area) > 0; }

  // nullptr when its member published none.
  const v1::Profile* profile;
  v1::Capacity capacity;
  bool redacted;
  bool remote;
  // Primary and further codes.
  std::set<uint32_t> codes;
  // Areas that it serves on the spot.
  std::set<std::string> areas;
  // Its languages, and whether staff speak them.
  std::map<std::string, bool> languages;
  // Kinds of conditions that it always sets.
  std::set<v1::ConditionKind> required;
  // What it does not exclude.
  std::set<v1::ServiceNeed> needs;
};

// `part` of `whole` in percent, rounded; `whole` is not 0.
uint32_t PercentOf(uint64_t part, uint64_t whole);

class Supply {
 public:
  void Add(const Offering& offering);

  // Whether there is no service at all, not even a redacted one.
  bool empty() const { return empty_; }
  // How many services are counted.
  uint32_t services() const { return count_.services(); }
  // The best that redacted services say; UNSPECIFIED when there are none.
  v1::CapacityStatus redacted() const { return redacted_; }

  // The counts with their shares.
  v1::SupplyCount Count() const;
  // In order of tag.
  std::vector<v1::LanguageSupply> Languages() const;
  // In order of kind.
  std::vector<v1::ConditionSupply> Conditions() const;
  // Those of `languages` that no service has.
  std::vector<std::string> MissingLanguages(const std::set<std::string>& languages) const;
  // What every service excludes.
  std::vector<v1::ServiceNeed> MissingNeeds() const;

 private:
  void AddToCount(const v1::Capacity& capacity);

  bool empty_ = true;
  v1::SupplyCount count_;
  v1::CapacityStatus redacted_ = v1::CAPACITY_STATUS_UNSPECIFIED;
  std::map<std::string, v1::LanguageSupply> languages_;
  std::map<v1::ConditionKind, uint32_t> conditions_;
  // Of redacted services too: help that is there is no gap.
  std::set<std::string> spoken_;
  std::set<v1::ServiceNeed> needs_;
};

}  // namespace waymark::node
