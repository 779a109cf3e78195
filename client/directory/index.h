// The directory under construction: takes in checked statements, gives out snapshots.
//
// Who may say what is decided by DirectoryState, which the hub uses too; this adds what readers
// look up. Not thread-safe; snapshots are.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/state.h"
#include "base/ids/ids.h"
#include "client/directory/shared_map.h"
#include "client/directory/snapshot.h"

namespace waymark::node {

class DirectoryIndex {
 public:
  DirectoryIndex(NetworkId network, VerifyingKey registry_key);

  // See DirectoryState::Check.
  absl::StatusOr<CheckedStatement> Check(const v1::SignedStatement& statement,
                                         absl::Time now) const {
    return state_.Check(statement, now);
  }

  // Takes in what Check accepted, or what was read back from the vault.
  void Take(const CheckedStatement& statement);
  void SetHead(const v1::DirectoryHead& head) { head_ = head; }
  void SetEpoch(const std::string& epoch) { epoch_ = epoch; }

  // Members whose identity key is not the one that was known before.
  const std::set<OrganisationId>& changed() const { return changed_; }
  void SetChanged(const OrganisationId& organisation, bool changed);

  // The present state. Costs the same whatever its size; so does taking in a statement after it,
  // but for a factor of log(size).
  std::shared_ptr<const DirectorySnapshot> Snapshot();

  // How many nodes of the maps were copied so far, because a snapshot has them too.
  size_t copied() const;

 private:
  using Offer = DirectorySnapshot::Offer;

  void TakeMember(const CheckedStatement& statement);
  void TakeService(const CheckedStatement& statement);
  void DropUnits(const MemberEntry& member);
  void DropNames(const v1::Service& service);

  DirectoryState state_;
  v1::DirectoryHead head_;
  std::string epoch_;
  // Named and keyed as in the snapshot.
  SharedMapWriter<OrganisationId, std::shared_ptr<const MemberEntry>> members_;
  SharedMapWriter<UnitId, std::shared_ptr<const UnitEntry>> units_;
  SharedMapWriter<ServiceId, std::shared_ptr<const ServiceEntry>> services_;
  SharedMapWriter<std::string, OrganisationId> members_by_handle_;
  SharedMapWriter<std::string, UnitId> units_by_handle_;
  SharedMapWriter<std::string, ServiceId> services_by_handle_;
  SharedMapWriter<std::string, ServiceId> services_by_condition_;
  SharedMapWriter<Offer, ServiceId> services_by_code_;
  std::set<OrganisationId> changed_;
};

}  // namespace waymark::node
