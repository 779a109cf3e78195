// What the statements of an invented network say, for tests and fuzz inputs that make statements of
// their own: a member with one unit, a service of it, its room and its key.
//
// Each function fills one body; times follow from the statement's issued_minute.
#pragma once

#include <cstdint>
#include <string>

#include "waymark/v1/directory.pb.h"

namespace waymark {

// Everything but the units: call AddUnit.
inline void FillMember(v1::Statement& statement, const std::string& handle,
                       const std::string& display_name, const std::string& identity_key) {
  v1::Member& member = *statement.mutable_member();
  member.set_handle(handle);
  member.set_display_name(display_name);
  member.set_organisation_class(v1::ORGANISATION_CLASS_NGO);
  member.set_jurisdiction("XA");
  member.set_policy_pack("baseline");
  member.set_status(v1::MEMBER_STATUS_ACTIVE);
  member.set_identity_key(identity_key);
  member.mutable_member_since()->set_year(2026);
  member.mutable_member_since()->set_month(1);
  member.mutable_member_since()->set_day(2);
}

inline void AddUnit(v1::Statement& statement, const std::string& unit_id, const std::string& handle,
                    const std::string& display_name) {
  v1::Unit& unit = *statement.mutable_member()->add_units();
  unit.set_unit_id(unit_id);
  unit.set_handle(handle);
  unit.set_display_name(display_name);
}

inline void FillService(v1::Statement& statement, const std::string& service_id,
                        const std::string& unit_id, const std::string& handle) {
  v1::Service& service = *statement.mutable_service();
  service.set_service_id(service_id);
  service.set_unit_id(unit_id);
  service.set_handle(handle);
  service.set_code(101);
  service.set_provider_kind(v1::PROVIDER_KIND_SPECIALIST);
  service.add_phases(v1::PHASE_IMMEDIATE);
  service.add_service_areas("XA-N");
  service.set_location_kind(v1::LOCATION_KIND_REDACTED);
  service.set_capacity_unit(v1::CAPACITY_UNIT_BED);
  service.mutable_last_verified()->set_year(2026);
  service.mutable_last_verified()->set_month(1);
  service.mutable_last_verified()->set_day(2);
}

// Room, for twelve hours.
inline void FillCapacity(v1::Statement& statement, const std::string& service_id) {
  v1::Capacity& capacity = *statement.mutable_capacity();
  capacity.set_service_id(service_id);
  capacity.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
  capacity.set_updated_minute(statement.issued_minute());
  capacity.set_valid_until_minute(statement.issued_minute() + int64_t{12} * 60);
}

// A key that nobody has the other half of, to be sealed to for a day.
inline void FillUnitKeys(v1::Statement& statement, const std::string& unit_id) {
  statement.mutable_unit_keys()->set_unit_id(unit_id);
  v1::SealingKey& key = *statement.mutable_unit_keys()->add_keys();
  key.set_key_id(std::string(16, 'k'));
  key.set_public_key(std::string(32, 'p'));
  key.set_seal_until_minute(statement.issued_minute() + int64_t{24} * 60);
}

}  // namespace waymark
