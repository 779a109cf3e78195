// The directory as it stood at one moment: what matching, sealing and checking read.
//
// A snapshot never changes; a reader that holds one sees members, units, services and capacity that
// belong together. Everything in it was signed by whom it is about and verified by the replica
// (replica.h). Pointers into a snapshot live as long as the snapshot.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

struct MemberEntry {
  OrganisationId id;
  v1::Member member;
  VerifyingKey identity_key;
  // Until when the registry vouches for it, and whether its identity key is another one than this
  // node knew: nothing may be sealed to its units until a person has compared and confirmed it.
  absl::Time valid_until;
  bool key_changed = false;
  // What the organisation states about itself, if anything.
  std::optional<v1::Profile> profile;
};

struct UnitEntry {
  UnitId id;
  OrganisationId organisation;
  v1::Unit unit;
  // The first is the one to seal to; empty while the unit has published none.
  std::vector<v1::SealingKey> keys;
};

struct ServiceEntry {
  ServiceId id;
  UnitId unit;
  OrganisationId organisation;
  v1::Service service;
  // As last published; see CapacityAt for what holds now.
  std::optional<v1::Capacity> capacity;
};

class DirectorySnapshot {
 public:
  // The log's head that this state has reached; revision 0 before the first contact.
  const v1::DirectoryHead& head() const { return head_; }

  // Each returns nullptr when there is none.
  const MemberEntry* FindMember(const OrganisationId& id) const;
  const MemberEntry* FindMember(std::string_view handle) const;
  const UnitEntry* FindUnit(const UnitId& id) const;
  const UnitEntry* FindUnit(std::string_view handle) const;
  const ServiceEntry* FindService(const ServiceId& id) const;
  const ServiceEntry* FindService(std::string_view handle) const;
  const v1::Condition* FindCondition(std::string_view condition_id) const;
  // The member that the unit belongs to.
  const MemberEntry* MemberOf(const UnitId& unit) const;

  // All of them, in order of handle.
  std::vector<const MemberEntry*> members() const;
  std::vector<const UnitEntry*> units() const;
  // Those of active, vouched-for members that are not withdrawn, in order of handle.
  std::vector<const ServiceEntry*> OpenServices(absl::Time now) const;

  // What holds at `now`: the published capacity, or status UNKNOWN without counts when there is
  // none or it is out of date.
  static v1::Capacity CapacityAt(const ServiceEntry& service, absl::Time now);

  // Returns the key to seal to for this unit, whatever the standing of its organisation: a
  // withdrawal must reach a suspended member too. REASON_UNIT_UNKNOWN: no such unit.
  // REASON_KEY_UNKNOWN: it has not published a key. REASON_DIRECTORY_STALE: every key that we know
  // of has run out. REASON_KEY_CHANGED: nobody has confirmed the organisation's new identity key.
  absl::StatusOr<v1::SealingKey> KeyToSealTo(const UnitId& unit, absl::Time now) const;

 private:
  friend class DirectoryIndex;

  v1::DirectoryHead head_;
  // Shared with the snapshots before and after, so that a change copies pointers and not entries.
  std::map<OrganisationId, std::shared_ptr<const MemberEntry>> members_;
  std::map<UnitId, std::shared_ptr<const UnitEntry>> units_;
  std::map<ServiceId, std::shared_ptr<const ServiceEntry>> services_;
  std::map<std::string, OrganisationId, std::less<>> members_by_handle_;
  std::map<std::string, UnitId, std::less<>> units_by_handle_;
  std::map<std::string, ServiceId, std::less<>> services_by_handle_;
  std::map<std::string, ServiceId, std::less<>> services_by_condition_;
};

}  // namespace waymark::node
