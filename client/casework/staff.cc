#include "client/casework/staff.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/vault/typed.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {
namespace {

constexpr size_t kTokenBytes = 32;
constexpr size_t kShortestPassphrase = 12;
constexpr size_t kLongestName = 40;
constexpr int kAttemptsPerWindow = 5;
constexpr absl::Duration kAttemptWindow = absl::Minutes(1);
constexpr std::string_view kTokenLabel = "waymark/v1/staff-token";
constexpr std::string_view kNameLabel = "waymark/v1/staff-name";

using StaffId = Id<struct StaffTag>;

// Documents have ids; a name's hash serves, so that no name stands in clear.
DocumentId IdOf(const std::string& name) {
  const std::string hash = Sha256(kNameLabel, {name});
  return *StaffId::FromBytes(std::string_view(hash).substr(0, StaffId::kSize));
}

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

absl::Status NotAllowed(std::string_view detail) {
  return Error(v1::REASON_STAFF_NOT_ALLOWED, detail);
}

absl::StatusOr<std::vector<local::v1::Staff>> AllStaff(const Reader& reader) {
  ASSIGN_OR_RETURN(auto stored, ParseAll<local::v1::Staff>(reader.List(DocumentKind::kStaff)));
  std::vector<local::v1::Staff> staff;
  staff.reserve(stored.size());
  for (auto& [id, member] : stored) staff.push_back(std::move(member));
  std::sort(staff.begin(), staff.end(),
            [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return staff;
}

// Without an administrator nobody could let staff in any more.
absl::Status CheckNotLastAdministrator(const Reader& reader, const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<local::v1::Staff> staff, AllStaff(reader));
  bool administers = false;
  for (const local::v1::Staff& member : staff) {
    if (member.role() != v1::STAFF_ROLE_ADMINISTRATOR) continue;
    if (member.name() != name) return absl::OkStatus();
    administers = true;
  }
  if (!administers) return absl::OkStatus();
  return Error(v1::REASON_STATE_FORBIDS,
               "'" + name + "' is the last administrator; make another one first");
}

}  // namespace

bool Actor::WorksFor(const UnitId& unit) const {
  return std::find(units.begin(), units.end(), unit) != units.end();
}

absl::Status Actor::RequireCaseworker(const UnitId& unit) const {
  if (role == v1::STAFF_ROLE_CASEWORKER && WorksFor(unit)) return absl::OkStatus();
  return NotAllowed("this needs a caseworker of the unit");
}

absl::Status Actor::RequireAnyCaseworker() const {
  if (role == v1::STAFF_ROLE_CASEWORKER) return absl::OkStatus();
  return NotAllowed("this needs a caseworker");
}

absl::Status Actor::RequireMember(const UnitId& unit) const {
  if (role != v1::STAFF_ROLE_ADMINISTRATOR && WorksFor(unit)) return absl::OkStatus();
  return NotAllowed("this needs staff of the unit");
}

absl::Status Actor::RequireAdministrator() const {
  if (role == v1::STAFF_ROLE_ADMINISTRATOR) return absl::OkStatus();
  return NotAllowed("this needs an administrator");
}

StaffRegister::StaffRegister(Vault& vault, Clock& clock, Random& random, ScryptCost cost)
    : vault_(vault), clock_(clock), random_(random), cost_(cost) {}

absl::Status StaffRegister::Put(const v1::PutStaffRequest& request) {
  if (!IsName(request.name())) {
    return Error(v1::REASON_FIELD_INVALID,
                 "a staff name has 1 to 40 of the characters a-z, 0-9, '.', '_' and '-'");
  }
  if (request.role() == v1::STAFF_ROLE_UNSPECIFIED || !v1::StaffRole_IsValid(request.role())) {
    return Error(v1::REASON_ENUM_UNKNOWN, "the staff role is not one of node_administration.proto");
  }
  if (request.role() != v1::STAFF_ROLE_ADMINISTRATOR && request.unit_ids().empty()) {
    return Error(v1::REASON_FIELD_INVALID, "a caseworker or logistics member needs a unit");
  }
  if (!request.passphrase().empty() && request.passphrase().size() < kShortestPassphrase) {
    return Error(v1::REASON_FIELD_INVALID, "a passphrase has at least 12 characters");
  }
  local::v1::Staff staff;
  staff.set_name(request.name());
  staff.set_role(request.role());
  for (const std::string& unit : request.unit_ids()) {
    if (!UnitId::FromBytes(unit)) {
      return Error(v1::REASON_FIELD_INVALID, "a unit id of the staff member is not 16 bytes");
    }
    staff.add_unit_ids(unit);
  }
  if (!request.passphrase().empty()) {
    ASSIGN_OR_RETURN(
        *staff.mutable_passphrase_hash(),
        MakePassphraseVerifier(SecretBytes::CopyOf(request.passphrase()), cost_, random_));
  }
  const DocumentId id = IdOf(request.name());
  RETURN_IF_ERROR(vault_.Write([&](Transaction& t) -> absl::Status {
    if (staff.role() != v1::STAFF_ROLE_ADMINISTRATOR) {
      RETURN_IF_ERROR(CheckNotLastAdministrator(t, staff.name()));
    }
    if (staff.passphrase_hash().empty()) {
      auto before = GetAs<local::v1::Staff>(t, DocumentKind::kStaff, id);
      if (!before.ok()) {
        return Error(v1::REASON_FIELD_INVALID, "a new staff member needs a passphrase");
      }
      staff.set_passphrase_hash(before->passphrase_hash());
    }
    return PutMessage(t, DocumentKind::kStaff, id, DocumentId(), staff);
  }));
  if (!request.passphrase().empty()) EndSessions(request.name());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::StaffMember>> StaffRegister::List() {
  std::vector<v1::StaffMember> members;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<local::v1::Staff> staff, AllStaff(reader));
    for (const local::v1::Staff& stored : staff) {
      v1::StaffMember& member = members.emplace_back();
      member.set_name(stored.name());
      member.set_role(stored.role());
      *member.mutable_unit_ids() = stored.unit_ids();
    }
    return absl::OkStatus();
  }));
  return members;
}

absl::Status StaffRegister::Remove(const std::string& name) {
  const DocumentId id = IdOf(name);
  RETURN_IF_ERROR(vault_.Write([&](Transaction& t) -> absl::Status {
    const absl::Status known = t.Get(DocumentKind::kStaff, id).status();
    if (ReasonOf(known) == v1::REASON_NOT_FOUND) {
      return Error(v1::REASON_NOT_FOUND,
                   "no staff member is called '" + name + "'; 'waymark staff list' lists them");
    }
    RETURN_IF_ERROR(known);
    RETURN_IF_ERROR(CheckNotLastAdministrator(t, name));
    return t.Delete(DocumentKind::kStaff, id);
  }));
  EndSessions(name);
  return absl::OkStatus();
}

absl::StatusOr<v1::LoginResponse> StaffRegister::Login(const std::string& name,
                                                       SecretBytes passphrase) {
  RETURN_IF_ERROR(CheckAttempts(name));
  local::v1::Staff staff;
  const absl::Status found = vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(staff, GetAs<local::v1::Staff>(reader, DocumentKind::kStaff, IdOf(name)));
    return absl::OkStatus();
  });
  if (!found.ok() && ReasonOf(found) != v1::REASON_NOT_FOUND) return found;
  // An unknown name costs as much time as a wrong passphrase.
  if (!found.ok()) {
    ASSIGN_OR_RETURN(const std::string unused, MakePassphraseVerifier(passphrase, cost_, random_));
  }
  if (!found.ok() || !CheckPassphrase(passphrase, staff.passphrase_hash()).ok()) {
    CountFailure(name);
    return NotAllowed("the name or the passphrase is wrong");
  }
  const std::string secret = random_.Bytes(kTokenBytes);
  v1::LoginResponse response;
  response.set_token(absl::WebSafeBase64Escape(secret));
  response.set_role(staff.role());
  const absl::Time expires_at = clock_.Now() + kLoginLifetime;
  response.mutable_expires_at()->set_seconds(absl::ToUnixSeconds(expires_at));
  MutexLock lock(mu_);
  attempts_.erase(name);
  std::erase_if(sessions_,
                [now = clock_.Now()](const auto& entry) { return entry.second.expires_at <= now; });
  sessions_[Sha256(kTokenLabel, {response.token()})] = {name, expires_at};
  return response;
}

absl::Status StaffRegister::Logout(std::string_view token) {
  MutexLock lock(mu_);
  if (sessions_.erase(Sha256(kTokenLabel, {token})) > 0) return absl::OkStatus();
  return NotAllowed("there is no valid login");
}

absl::StatusOr<Actor> StaffRegister::Authenticate(std::string_view token) {
  std::string name;
  {
    MutexLock lock(mu_);
    const auto it = sessions_.find(Sha256(kTokenLabel, {token}));
    if (it == sessions_.end() || it->second.expires_at <= clock_.Now()) {
      return NotAllowed("there is no valid login");
    }
    name = it->second.name;
  }
  Actor actor;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto staff,
                     GetAs<local::v1::Staff>(reader, DocumentKind::kStaff, IdOf(name)));
    actor.name = staff.name();
    actor.role = staff.role();
    for (const std::string& unit : staff.unit_ids()) {
      actor.units.push_back(*UnitId::FromBytes(unit));
    }
    return absl::OkStatus();
  }));
  return actor;
}

absl::StatusOr<bool> StaffRegister::IsEmpty() {
  bool empty = false;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto staff, reader.List(DocumentKind::kStaff));
    empty = staff.empty();
    return absl::OkStatus();
  }));
  return empty;
}

void StaffRegister::EndSessions(const std::string& name) {
  MutexLock lock(mu_);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.name == name; });
}

absl::Status StaffRegister::CheckAttempts(const std::string& name) {
  MutexLock lock(mu_);
  const auto it = attempts_.find(name);
  if (it == attempts_.end()) return absl::OkStatus();
  if (it->second.window_ends <= clock_.Now()) {
    attempts_.erase(it);
    return absl::OkStatus();
  }
  if (it->second.failed < kAttemptsPerWindow) return absl::OkStatus();
  return Error(v1::REASON_QUOTA_EXCEEDED, "too many wrong logins under this name; wait a minute");
}

void StaffRegister::CountFailure(const std::string& name) {
  MutexLock lock(mu_);
  Attempts& attempts = attempts_[name];
  if (attempts.failed == 0) attempts.window_ends = clock_.Now() + kAttemptWindow;
  ++attempts.failed;
}

}  // namespace waymark::node
