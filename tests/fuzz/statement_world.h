// The directory that the statement target and its corpus speak of: one network, one member, one
// unit.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "tests/support/statement_bodies.h"
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
  FillMember(statement, "lin", "Linden", identity_key);
  AddUnit(statement, std::string(16, 'u'), "lin.family", "Family house");
  return statement;
}

}  // namespace waymark::fuzz
