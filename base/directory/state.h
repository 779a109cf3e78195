// The directory as its statements make it: who may say what about whom.
//
// Hub and nodes hold the same class, so that what the hub accepts is exactly what a node accepts.
// Check verifies one statement against everything applied so far; Apply takes it in. Not
// thread-safe; const methods are safe together.
//
// A member's last statement stays in force after its validity: a lapsed registry must not cut
// people off from their referrals. How old a statement may be before someone acts on it is the
// reader's rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "waymark/v1/directory.pb.h"

namespace waymark {

// A statement that Check accepted.
struct CheckedStatement {
  v1::Statement content;
  v1::SignedStatement signed_statement;
  std::string subject;
  std::string digest;
  OrganisationId organisation;
  // True when exactly these bytes are in force already: applying it changes nothing.
  bool repeated = false;
};

class DirectoryState {
 public:
  struct Member {
    v1::Member member;
    VerifyingKey identity_key;
  };
  // What the rules ask about a service; the rest of it is the reader's.
  struct Service {
    OrganisationId organisation;
    std::string handle;
    bool redacted = false;
  };

  DirectoryState(NetworkId network, VerifyingKey registry_key);

  // Returns what `signed_statement` says if it may be published at `now`. The codes of
  // ParseStatement; REASON_STATEMENT_INVALID: signature, network, validity, a version that is not
  // greater than the one in force, a handle, unit or service of another organisation, or numbers
  // about a redacted location; REASON_MEMBER_UNKNOWN: its organisation is no member;
  // REASON_MEMBER_SUSPENDED: it is suspended and speaks; REASON_UNIT_NOT_OWN: its unit or service
  // is not its own.
  absl::StatusOr<CheckedStatement> Check(const v1::SignedStatement& signed_statement,
                                         absl::Time now) const;

  // Reads a statement that Check accepted once and that was kept since, in any order of subjects.
  // Only the codes of ParseStatement.
  static absl::StatusOr<CheckedStatement> ReadStored(const v1::SignedStatement& signed_statement);

  // Takes in what Check returned on this very state, or ReadStored.
  void Apply(const CheckedStatement& statement);

  // In order of organisation id.
  const std::map<OrganisationId, Member>& members() const { return members_; }
  const std::map<ServiceId, Service>& services() const { return services_; }
  const std::map<UnitId, OrganisationId>& units() const { return units_; }

  // nullptr when there is none.
  const Member* FindMember(const OrganisationId& organisation) const;

 private:
  struct Newest {
    uint64_t version;
    std::string digest;
  };

  absl::Status CheckSpeaker(const CheckedStatement& statement) const;
  absl::Status CheckMember(const OrganisationId& organisation, const v1::Member& member) const;
  absl::Status CheckOwn(const OrganisationId& organisation, const v1::Statement& statement) const;
  absl::Status CheckService(const OrganisationId& organisation, const v1::Service& service) const;
  absl::Status CheckCapacity(const OrganisationId& organisation,
                             const v1::Capacity& capacity) const;
  void ApplyMember(const OrganisationId& organisation, const v1::Member& member);
  void ApplyService(const OrganisationId& organisation, const v1::Service& service);

  const NetworkId network_;
  const VerifyingKey registry_key_;
  std::map<std::string, Newest> newest_;
  std::map<OrganisationId, Member> members_;
  std::map<UnitId, OrganisationId> units_;
  std::map<ServiceId, Service> services_;
  // Who has a handle, so that checking one statement does not look at all others.
  std::map<std::string, OrganisationId> members_by_handle_;
  std::map<std::string, ServiceId> services_by_handle_;
};

}  // namespace waymark
