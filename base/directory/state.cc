#include "base/directory/state.h"

#include <utility>

#include "base/directory/statement.h"
#include "base/status/status.h"

namespace waymark {
namespace {

absl::Status Refused(std::string_view detail) {
  return Error(v1::REASON_STATEMENT_INVALID, detail);
}

UnitId UnitOf(const std::string& bytes) { return UnitId::FromBytes(bytes).value_or(UnitId()); }

ServiceId ServiceOf(const std::string& bytes) {
  return ServiceId::FromBytes(bytes).value_or(ServiceId());
}

}  // namespace

DirectoryState::DirectoryState(NetworkId network, VerifyingKey registry_key)
    : network_(network), registry_key_(std::move(registry_key)) {}

const DirectoryState::Member* DirectoryState::FindMember(const OrganisationId& organisation) const {
  const auto found = members_.find(organisation);
  return found == members_.end() ? nullptr : &found->second;
}

absl::StatusOr<CheckedStatement> DirectoryState::ReadStored(
    const v1::SignedStatement& signed_statement) {
  CheckedStatement checked;
  ASSIGN_OR_RETURN(checked.content, ParseStatement(signed_statement));
  checked.organisation = OrganisationId::FromBytes(checked.content.organisation_id()).value();
  checked.subject = SubjectOf(checked.content);
  checked.digest = StatementDigest(signed_statement);
  checked.signed_statement = signed_statement;
  return checked;
}

absl::StatusOr<CheckedStatement> DirectoryState::Check(const v1::SignedStatement& signed_statement,
                                                       absl::Time now) const {
  ASSIGN_OR_RETURN(CheckedStatement checked, ReadStored(signed_statement));
  const auto newest = newest_.find(checked.subject);
  if (newest != newest_.end() && newest->second.digest == checked.digest) {
    checked.repeated = true;
    return checked;
  }
  RETURN_IF_ERROR(CheckValidity(checked.content, network_, now));
  RETURN_IF_ERROR(CheckSpeaker(checked));
  if (newest != newest_.end() && checked.content.version() <= newest->second.version) {
    return Refused("version " + std::to_string(checked.content.version()) + " of " +
                   checked.subject + " is not greater than " +
                   std::to_string(newest->second.version));
  }
  return checked;
}

absl::Status DirectoryState::CheckSpeaker(const CheckedStatement& statement) const {
  if (statement.content.has_member()) {
    RETURN_IF_ERROR(VerifySignature(statement.signed_statement, registry_key_));
    return CheckMember(statement.organisation, statement.content.member());
  }
  const Member* member = FindMember(statement.organisation);
  if (member == nullptr) {
    return Error(v1::REASON_MEMBER_UNKNOWN, "organisation " + statement.organisation.hex());
  }
  RETURN_IF_ERROR(VerifySignature(statement.signed_statement, member->identity_key));
  if (member->member.status() == v1::MEMBER_STATUS_SUSPENDED) {
    return Error(v1::REASON_MEMBER_SUSPENDED, "organisation " + statement.organisation.hex());
  }
  return CheckOwn(statement.organisation, statement.content);
}

absl::Status DirectoryState::CheckMember(const OrganisationId& organisation,
                                         const v1::Member& member) const {
  const auto named = members_by_handle_.find(member.handle());
  if (named != members_by_handle_.end() && named->second != organisation) {
    return Refused("handle " + member.handle() + " belongs to another organisation");
  }
  for (const v1::Unit& unit : member.units()) {
    const auto owner = units_.find(UnitOf(unit.unit_id()));
    if (owner != units_.end() && owner->second != organisation) {
      return Refused("unit " + unit.handle() + " belongs to another organisation");
    }
  }
  return absl::OkStatus();
}

absl::Status DirectoryState::CheckOwn(const OrganisationId& organisation,
                                      const v1::Statement& statement) const {
  if (statement.has_service()) return CheckService(organisation, statement.service());
  if (statement.has_capacity()) return CheckCapacity(organisation, statement.capacity());
  if (statement.has_unit_keys()) {
    const auto owner = units_.find(UnitOf(statement.unit_keys().unit_id()));
    if (owner == units_.end() || owner->second != organisation) {
      return Error(v1::REASON_UNIT_NOT_OWN, "the unit of the sealing keys");
    }
  }
  return absl::OkStatus();
}

absl::Status DirectoryState::CheckService(const OrganisationId& organisation,
                                          const v1::Service& service) const {
  const auto unit = units_.find(UnitOf(service.unit_id()));
  if (unit == units_.end() || unit->second != organisation) {
    return Error(v1::REASON_UNIT_NOT_OWN, "service " + service.handle());
  }
  const ServiceId id = ServiceOf(service.service_id());
  const auto known = services_.find(id);
  if (known != services_.end() && known->second.organisation != organisation) {
    return Error(v1::REASON_UNIT_NOT_OWN, "service " + service.handle());
  }
  const auto named = services_by_handle_.find(service.handle());
  if (named != services_by_handle_.end() && named->second != id) {
    return Refused("service handle " + service.handle() + " is taken");
  }
  return absl::OkStatus();
}

absl::Status DirectoryState::CheckCapacity(const OrganisationId& organisation,
                                           const v1::Capacity& capacity) const {
  const auto service = services_.find(ServiceOf(capacity.service_id()));
  if (service == services_.end() || service->second.organisation != organisation) {
    return Error(v1::REASON_UNIT_NOT_OWN, "the service of the capacity");
  }
  if (service->second.redacted && (capacity.has_available() || capacity.has_maximum())) {
    return Refused("service " + service->second.handle +
                   " has a redacted location and must not publish numbers");
  }
  return absl::OkStatus();
}

void DirectoryState::Apply(const CheckedStatement& statement) {
  newest_[statement.subject] = {statement.content.version(), statement.digest};
  if (statement.content.has_member()) {
    ApplyMember(statement.organisation, statement.content.member());
  } else if (statement.content.has_service()) {
    ApplyService(statement.organisation, statement.content.service());
  }
}

void DirectoryState::ApplyMember(const OrganisationId& organisation, const v1::Member& member) {
  const auto known = members_.find(organisation);
  if (known != members_.end()) {
    members_by_handle_.erase(known->second.member.handle());
    for (const v1::Unit& unit : known->second.member.units()) units_.erase(UnitOf(unit.unit_id()));
  }
  members_by_handle_[member.handle()] = organisation;
  for (const v1::Unit& unit : member.units()) units_[UnitOf(unit.unit_id())] = organisation;
  members_.insert_or_assign(organisation,
                            Member{member, VerifyingKey::FromSpki(member.identity_key()).value()});
}

void DirectoryState::ApplyService(const OrganisationId& organisation, const v1::Service& service) {
  const ServiceId id = ServiceOf(service.service_id());
  const auto known = services_.find(id);
  if (known != services_.end()) services_by_handle_.erase(known->second.handle);
  services_by_handle_[service.handle()] = id;
  services_.insert_or_assign(
      id, Service{.organisation = organisation,
                  .handle = service.handle(),
                  .redacted = service.location_kind() == v1::LOCATION_KIND_REDACTED});
}

}  // namespace waymark
