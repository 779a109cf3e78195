// The directory under construction: takes in checked statements, gives out snapshots.
//
// Who may say what is decided by DirectoryState, which the hub uses too; this adds what readers
// look up. Not thread-safe; snapshots are.
#pragma once

#include <memory>
#include <set>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/state.h"
#include "base/ids/ids.h"
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
  void SetHead(const v1::DirectoryHead& head) { current_.head_ = head; }

  // Members whose identity key is not the one that was known before.
  const std::set<OrganisationId>& changed() const { return changed_; }
  void SetChanged(const OrganisationId& organisation, bool changed);

  // A copy of the present state.
  std::shared_ptr<const DirectorySnapshot> Snapshot() const;

 private:
  void TakeMember(const CheckedStatement& statement);
  void TakeService(const CheckedStatement& statement);
  void DropUnits(const MemberEntry& member);

  DirectoryState state_;
  DirectorySnapshot current_;
  std::set<OrganisationId> changed_;
};

}  // namespace waymark::node
