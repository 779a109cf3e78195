// The directory that the statement target and its corpus speak of: one network, one member, one
// unit.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::fuzz {

inline NetworkId StatementNetwork() { return *NetworkId::FromBytes(std::string(16, 'n')); }

inline absl::Time StatementTime() { return absl::FromUnixSeconds(1'800'000'000); }

// An empty statement of the member's, of this version.
inline v1::Statement StatementOfMember(uint64_t version) {
  v1::Statement statement;
  statement.set_network_id(StatementNetwork().bytes());
  statement.set_organisation_id(std::string(16, 'o'));
  statement.set_version(version);
  statement.set_issued_minute(absl::ToUnixSeconds(StatementTime()) / 60);
  statement.set_valid_until_minute(statement.issued_minute() + int64_t{7} * 24 * 60);
  return statement;
}

inline v1::Statement MemberStatement(const std::string& identity_key, uint64_t version = 1) {
  v1::Statement statement = StatementOfMember(version);
  v1::Member& member = *statement.mutable_member();
  member.set_handle("lin");
  member.set_display_name("Linden");
  member.set_organisation_class(v1::ORGANISATION_CLASS_NGO);
  member.set_jurisdiction("XA");
  member.set_policy_pack("baseline");
  member.set_status(v1::MEMBER_STATUS_ACTIVE);
  member.set_identity_key(identity_key);
  v1::Unit& unit = *member.add_units();
  unit.set_unit_id(std::string(16, 'u'));
  unit.set_handle("lin.family");
  unit.set_display_name("Family house");
  member.mutable_member_since()->set_year(2026);
  member.mutable_member_since()->set_month(1);
  member.mutable_member_since()->set_day(2);
  return statement;
}

}  // namespace waymark::fuzz
