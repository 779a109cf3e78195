// Who works with the node: logins, short-lived sessions, roles and units.
//
// Collaborators: the vault keeps staff; the API asks Authenticate for every call and the use cases
// ask the Actor what it may do. Sessions live in memory only, so a restart ends them all.
// Thread-safe; outlives the API.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/password.h"
#include "base/crypto/secret.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "client/vault/vault.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// The staff member behind a call.
struct Actor {
  std::string name;
  v1::StaffRole role = v1::STAFF_ROLE_UNSPECIFIED;
  std::vector<UnitId> units;

  bool WorksFor(const UnitId& unit) const;

  // OK for a caseworker of the unit; STAFF_NOT_ALLOWED otherwise.
  absl::Status RequireCaseworker(const UnitId& unit) const;
  // OK for a caseworker of any unit.
  absl::Status RequireAnyCaseworker() const;
  // OK for a caseworker of the unit, or for its logistics staff.
  absl::Status RequireMember(const UnitId& unit) const;
  // OK for an administrator.
  absl::Status RequireAdministrator() const;
};

// How long a login lasts.
inline constexpr absl::Duration kLoginLifetime = absl::Hours(10);

class StaffRegister {
 public:
  // All outlive the register.
  StaffRegister(Vault& vault, Clock& clock, Random& random, ScryptCost cost = {});

  // Adds or changes a member; a new passphrase ends the sessions of the member. FIELD_INVALID: name
  // or passphrase against node_administration.proto, a new member without a passphrase, a
  // caseworker without a unit; STATE_FORBIDS: nobody else is an administrator, and this member
  // would be none any more.
  absl::Status Put(const v1::PutStaffRequest& request);

  // Everyone, by name.
  absl::StatusOr<std::vector<v1::StaffMember>> List();

  // Removes the member and ends their sessions. NOT_FOUND: nobody has this name; STATE_FORBIDS: it
  // is the last administrator.
  absl::Status Remove(const std::string& name);

  // Opens a session. STAFF_NOT_ALLOWED: wrong name or passphrase, in the same words;
  // QUOTA_EXCEEDED: too many wrong attempts for this name within a minute. Slow by design.
  absl::StatusOr<v1::LoginResponse> Login(const std::string& name, SecretBytes passphrase);

  // Ends the session of the token. STAFF_NOT_ALLOWED: there is none.
  absl::Status Logout(std::string_view token);

  // Returns who holds the token. STAFF_NOT_ALLOWED: nobody, or no longer.
  absl::StatusOr<Actor> Authenticate(std::string_view token);

  // Whether there is any member: a new node lets its first administrator in through this.
  absl::StatusOr<bool> IsEmpty();

 private:
  struct Session {
    std::string name;
    absl::Time expires_at;
  };
  struct Attempts {
    int failed = 0;
    absl::Time window_ends;
  };

  void EndSessions(const std::string& name);
  absl::Status CheckAttempts(const std::string& name);
  void CountFailure(const std::string& name);

  Vault& vault_;
  Clock& clock_;
  Random& random_;
  const ScryptCost cost_;

  Mutex mu_;
  // By the hash of the token, so that a dump of memory yields no usable token.
  std::map<std::string, Session> sessions_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Attempts> attempts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
