// The directory as it stood at one moment: what matching, sealing and checking read.
//
// A snapshot never changes; a reader that holds one sees members, units, services and capacity that
// belong together. Everything in it was signed by whom it is about and verified by the replica
// (replica.h). Pointers into a snapshot live as long as the snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "client/directory/shared_map.h"
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

// The place of a status in lists: room first, what nobody knows last (R68).
int CapacityRank(v1::CapacityStatus status);

class DirectorySnapshot {
 public:
  // The log's head that this state has reached; revision 0 before the first contact.
  const v1::DirectoryHead& head() const { return head_; }
  // The epoch of the hub's store that it was read in, 16 bytes; empty before the first contact.
  // Another one than before: the store was restored from a copy.
  const std::string& epoch() const { return epoch_; }

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
  // Those among them that offer `code`, also as a further one. Looks at no others.
  std::vector<const ServiceEntry*> OpenServices(absl::Time now, uint32_t code) const;

  // What holds at `now`: the published capacity, or status UNKNOWN without counts when there is
  // none or it is out of date. It ends with the longest lifetime of its unit at the latest; a
  // service at a redacted place has no numbers.
  static v1::Capacity CapacityAt(const ServiceEntry& service, absl::Time now);

  // Returns the key to seal to for this unit, whatever the standing of its organisation: a
  // withdrawal must reach a suspended member too. REASON_UNIT_UNKNOWN: no such unit.
  // REASON_KEY_UNKNOWN: it has not published a key. REASON_DIRECTORY_STALE: every key that we know
  // of has run out. REASON_KEY_CHANGED: nobody has confirmed the organisation's new identity key.
  absl::StatusOr<v1::SealingKey> KeyToSealTo(const UnitId& unit, absl::Time now) const;

 private:
  friend class DirectoryIndex;

  // Nodes' copies of the directory differ from one moment to the next by a handful of entries, so
  // the maps share their nodes and the entries with the snapshots before and after (shared_map.h).
  template <typename Entry>
  using Shared = std::shared_ptr<const Entry>;
  // A code and the handle of a service that offers it.
  using Offer = std::pair<uint32_t, std::string>;

  bool IsOpen(const ServiceEntry& service, absl::Time now) const;

  v1::DirectoryHead head_;
  std::string epoch_;
  SharedMap<OrganisationId, Shared<MemberEntry>> members_;
  SharedMap<UnitId, Shared<UnitEntry>> units_;
  SharedMap<ServiceId, Shared<ServiceEntry>> services_;
  SharedMap<std::string, OrganisationId> members_by_handle_;
  SharedMap<std::string, UnitId> units_by_handle_;
  SharedMap<std::string, ServiceId> services_by_handle_;
  SharedMap<std::string, ServiceId> services_by_condition_;
  SharedMap<Offer, ServiceId> services_by_code_;
};

}  // namespace waymark::node
