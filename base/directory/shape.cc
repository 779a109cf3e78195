#include "base/directory/shape.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr size_t kMaxNameBytes = 80;
constexpr size_t kMaxHandle = 40;
constexpr int kMaxUnits = 64;
constexpr int kMaxSealingKeys = 4;
constexpr int kMaxRepeated = 64;

absl::Status UnknownEnum(std::string_view field) { return Error(v1::REASON_ENUM_UNKNOWN, field); }

bool IsId(std::string_view bytes) { return UnitId::FromBytes(bytes).has_value(); }

bool IsHandle(std::string_view text, size_t minimum, size_t maximum) {
  return text.size() >= minimum && text.size() <= maximum &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool IsCode(std::string_view text) {
  return text.size() <= kMaxHandle && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool IsCountry(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool IsName(std::string_view text) { return !text.empty() && text.size() <= kMaxNameBytes; }

bool IsDate(const v1::Date& date) {
  if (date.year() < 2000 || date.year() >= 2200 || date.month() < 1 || date.month() > 12 ||
      date.day() < 1) {
    return false;
  }
  // A day beyond its month's last one normalises into the next month.
  return absl::CivilDay(date.year(), date.month(), date.day()).month() == date.month();
}

// Whether `value` is a specified value of its enum.
template <typename Enum>
bool IsKnown(Enum value, bool (*is_valid)(int)) {
  return value != 0 && is_valid(value);
}

template <typename Values>
bool AllKnown(const Values& values, bool (*is_valid)(int)) {
  return values.size() <= kMaxRepeated && std::all_of(values.begin(), values.end(), [&](int value) {
           return value != 0 && is_valid(value);
         });
}

absl::Status CheckUnit(const v1::Unit& unit, const std::string& member_handle) {
  if (!IsId(unit.unit_id())) return InvalidField("units.unit_id: expected 16 bytes");
  const std::string prefix = member_handle + ".";
  if (unit.handle().rfind(prefix, 0) != 0 ||
      !IsHandle(std::string_view(unit.handle()).substr(prefix.size()), 1, 32)) {
    return InvalidField("units.handle: expected the member's handle, a dot and [a-z0-9-]{1,32}");
  }
  if (!IsName(unit.display_name()))
    return InvalidField("units.display_name: expected 1 to 80 bytes");
  for (const std::string& name : unit.proxy_for()) {
    if (!IsName(name)) return InvalidField("units.proxy_for: expected 1 to 80 bytes");
  }
  return absl::OkStatus();
}

// All of a member but the identity key, which it brings when it joins.
absl::Status CheckMemberFields(const v1::Member& member) {
  if (!IsHandle(member.handle(), 2, 32)) return InvalidField("handle: expected [a-z0-9-]{2,32}");
  if (!IsName(member.display_name())) return InvalidField("display_name: expected 1 to 80 bytes");
  if (!IsKnown(member.organisation_class(), v1::OrganisationClass_IsValid)) {
    return UnknownEnum("organisation_class");
  }
  if (!IsCountry(member.jurisdiction())) return InvalidField("jurisdiction: expected two letters");
  if (!IsName(member.policy_pack())) return InvalidField("policy_pack: expected an id");
  if (!IsKnown(member.status(), v1::MemberStatus_IsValid)) return UnknownEnum("status");
  if (member.units().empty() || member.units_size() > kMaxUnits) {
    return InvalidField("units: expected 1 to 64");
  }
  std::set<std::string_view> seen;
  for (const v1::Unit& unit : member.units()) {
    RETURN_IF_ERROR(CheckUnit(unit, member.handle()));
    if (!seen.insert(unit.unit_id()).second || !seen.insert(unit.handle()).second) {
      return InvalidField("units: an id or handle is there twice");
    }
  }
  if (!IsDate(member.member_since())) return InvalidField("member_since: expected a date");
  if (member.has_vetting_expires() && !IsDate(member.vetting_expires())) {
    return InvalidField("vetting_expires: expected a date");
  }
  return absl::OkStatus();
}

absl::Status CheckMember(const v1::Member& member) {
  RETURN_IF_ERROR(CheckMemberFields(member));
  if (VerifyingKey::FromSpki(member.identity_key()).ok()) return absl::OkStatus();
  return InvalidField("identity_key: expected a P-256 public key");
}

absl::Status CheckTraining(const v1::Training& training) {
  if (!IsKnown(training.topic(), v1::TrainingTopic_IsValid)) return UnknownEnum("training.topic");
  if (!IsKnown(training.group(), v1::TrainedGroup_IsValid)) return UnknownEnum("training.group");
  if (!IsKnown(training.share(), v1::ShareBand_IsValid)) return UnknownEnum("training.share");
  if (!IsDate(training.valid_until())) return InvalidField("training.valid_until: expected a date");
  return absl::OkStatus();
}

absl::Status CheckProfile(const v1::Profile& profile) {
  if (profile.reporting_duties().empty())
    return InvalidField("reporting_duties: expected at least one");
  if (!AllKnown(profile.reporting_duties(), v1::ReportingDuty_IsValid)) {
    return UnknownEnum("reporting_duties");
  }
  if (!IsKnown(profile.law_enforcement_relationship(), v1::LawEnforcementRelationship_IsValid)) {
    return UnknownEnum("law_enforcement_relationship");
  }
  if (!AllKnown(profile.practice_profile(), v1::PracticeCode_IsValid)) {
    return UnknownEnum("practice_profile");
  }
  if (!IsKnown(profile.faith_participation(), v1::FaithParticipation_IsValid)) {
    return UnknownEnum("faith_participation");
  }
  if (profile.training_size() > kMaxRepeated) return InvalidField("training: expected at most 64");
  for (const v1::Training& training : profile.training()) {
    RETURN_IF_ERROR(CheckTraining(training));
  }
  return absl::OkStatus();
}

absl::Status CheckUnitKeys(const v1::UnitKeys& unit_keys) {
  if (!IsId(unit_keys.unit_id())) return InvalidField("unit_keys.unit_id: expected 16 bytes");
  if (unit_keys.keys().empty() || unit_keys.keys_size() > kMaxSealingKeys) {
    return InvalidField("unit_keys.keys: expected 1 to 4");
  }
  for (const v1::SealingKey& key : unit_keys.keys()) {
    if (!IsId(key.key_id())) return InvalidField("keys.key_id: expected 16 bytes");
    if (key.public_key().size() != 32) return InvalidField("keys.public_key: expected 32 bytes");
    if (key.seal_until_minute() <= 0)
      return InvalidField("keys.seal_until_minute: expected a time");
  }
  return absl::OkStatus();
}

absl::Status CheckCondition(const v1::Condition& condition) {
  if (!IsHandle(condition.condition_id(), 1, kMaxHandle)) {
    return InvalidField("conditions.condition_id: expected [a-z0-9-]{1,40}");
  }
  if (!IsKnown(condition.kind(), v1::ConditionKind_IsValid)) return UnknownEnum("conditions.kind");
  if (!IsKnown(condition.strength(), v1::ConditionStrength_IsValid)) {
    return UnknownEnum("conditions.strength");
  }
  if (!IsCode(condition.value()) || !IsCode(condition.decided_by())) {
    return InvalidField("conditions: expected codes of [A-Z0-9_]{1,40}");
  }
  return absl::OkStatus();
}

absl::Status CheckServiceIdentity(const v1::Service& service) {
  if (!IsId(service.service_id())) return InvalidField("service_id: expected 16 bytes");
  if (!IsId(service.unit_id())) return InvalidField("service.unit_id: expected 16 bytes");
  if (!IsHandle(service.handle(), 1, kMaxHandle)) {
    return InvalidField("service.handle: expected [a-z0-9-]{1,40}");
  }
  if (service.code() == 0) return InvalidField("service.code: expected a taxonomy code");
  if (!IsDate(service.last_verified())) return InvalidField("last_verified: expected a date");
  return absl::OkStatus();
}

absl::Status CheckServiceEnums(const v1::Service& service) {
  if (!IsKnown(service.provider_kind(), v1::ProviderKind_IsValid)) {
    return UnknownEnum("provider_kind");
  }
  if (!IsKnown(service.location_kind(), v1::LocationKind_IsValid)) {
    return UnknownEnum("location_kind");
  }
  if (!IsKnown(service.capacity_unit(), v1::CapacityUnit_IsValid)) {
    return UnknownEnum("capacity_unit");
  }
  if (service.phases().empty()) return InvalidField("phases: expected at least one");
  if (!AllKnown(service.phases(), v1::Phase_IsValid)) return UnknownEnum("phases");
  return absl::OkStatus();
}

absl::Status CheckServiceLists(const v1::Service& service) {
  if (service.service_areas().empty() && !service.remote_delivery()) {
    return InvalidField("service_areas: expected at least one unless remote_delivery");
  }
  if (service.service_areas_size() > kMaxRepeated || service.conditions_size() > kMaxRepeated ||
      service.required_identity_size() > kMaxRepeated || service.languages_size() > kMaxRepeated ||
      service.secondary_codes_size() > kMaxRepeated || service.intake_hours_size() > kMaxRepeated) {
    return InvalidField("service: a list has more than 64 entries");
  }
  for (const v1::Condition& condition : service.conditions()) {
    RETURN_IF_ERROR(CheckCondition(condition));
  }
  for (const v1::RequiredIdentity& identity : service.required_identity()) {
    if (identity.field_no() == 0)
      return InvalidField("required_identity.field_no: expected a number");
    if (!IsKnown(identity.reason(), v1::IdentityReason_IsValid)) {
      return UnknownEnum("required_identity.reason");
    }
  }
  for (const v1::ServiceLanguage& language : service.languages()) {
    if (!IsName(language.tag())) return InvalidField("languages.tag: expected a BCP-47 tag");
  }
  for (const v1::WeeklyWindow& window : service.intake_hours()) {
    if (window.weekday() < 1 || window.weekday() > 7 || window.from_minute() < 0 ||
        window.to_minute() > 1440 || window.from_minute() >= window.to_minute()) {
      return InvalidField("intake_hours: expected a weekday 1 to 7 and minutes in order");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckService(const v1::Service& service) {
  RETURN_IF_ERROR(CheckServiceIdentity(service));
  RETURN_IF_ERROR(CheckServiceEnums(service));
  return CheckServiceLists(service);
}

absl::Status CheckCapacity(const v1::Capacity& capacity) {
  if (!IsId(capacity.service_id())) return InvalidField("capacity.service_id: expected 16 bytes");
  if (!IsKnown(capacity.status(), v1::CapacityStatus_IsValid)) {
    return UnknownEnum("capacity.status");
  }
  if (capacity.has_available() && capacity.has_maximum() &&
      capacity.available() > capacity.maximum()) {
    return InvalidField("capacity.available: exceeds the maximum");
  }
  if (capacity.has_window() && capacity.window().from_minute() >= capacity.window().to_minute()) {
    return InvalidField("capacity.window: expected minutes in order");
  }
  if (capacity.updated_minute() <= 0 || capacity.valid_until_minute() < capacity.updated_minute()) {
    return InvalidField("capacity: expected updated_minute before valid_until_minute");
  }
  return absl::OkStatus();
}

absl::Status CheckStatement(const v1::Statement& statement) {
  if (!IsId(statement.network_id())) return InvalidField("network_id: expected 16 bytes");
  if (!IsId(statement.organisation_id())) return InvalidField("organisation_id: expected 16 bytes");
  if (statement.version() == 0) return InvalidField("version: expected at least 1");
  if (statement.issued_minute() <= 0 ||
      statement.valid_until_minute() <= statement.issued_minute()) {
    return InvalidField("valid_until_minute: expected a time after issued_minute");
  }
  switch (statement.content_case()) {
    case v1::Statement::kMember:
      return CheckMember(statement.member());
    case v1::Statement::kProfile:
      return CheckProfile(statement.profile());
    case v1::Statement::kUnitKeys:
      return CheckUnitKeys(statement.unit_keys());
    case v1::Statement::kService:
      return CheckService(statement.service());
    case v1::Statement::kCapacity:
      return CheckCapacity(statement.capacity());
    case v1::Statement::CONTENT_NOT_SET:
      break;
  }
  return InvalidField("content: is missing");
}

}  // namespace

absl::Status CheckStatementShape(const v1::Statement& statement) {
  return Annotate(CheckStatement(statement), "statement");
}

absl::Status CheckInvitedShape(const v1::Member& member) {
  return Annotate(CheckMemberFields(member), "the organisation to invite");
}

}  // namespace waymark
