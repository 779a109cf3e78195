// Who the members are at one moment, and which unit belongs to whom.
//
// Built from the newest member statements and replaced as a whole when one changes. Immutable;
// thread-safe.
#pragma once

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids/ids.h"
#include "server/store/records.h"

namespace waymark::hub {

class Membership {
 public:
  Membership() = default;
  // If two members claim one unit, the first in `members` has it.
  explicit Membership(std::vector<MemberRecord> members);

  // Returns the member, nullptr if there is none.
  const MemberRecord* Find(const OrganisationId& organisation) const;
  // Returns the member that the unit belongs to, nullptr if there is none.
  const MemberRecord* OfUnit(const UnitId& unit) const;

  const std::vector<MemberRecord>& members() const { return members_; }

 private:
  std::vector<MemberRecord> members_;
  // Indices into `members_`, so that copies stay valid.
  absl::flat_hash_map<OrganisationId, size_t> by_organisation_;
  absl::flat_hash_map<UnitId, size_t> by_unit_;
};

}  // namespace waymark::hub
