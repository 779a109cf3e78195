// Statements of a small invented network, for tests of the directory.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/statement.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "waymark/v1/directory.pb.h"

namespace waymark {

inline absl::Time TestNow() { return absl::FromUnixSeconds(1'800'000'000); }

inline int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

// An organisation with its keys and one unit and service.
struct TestOrganisation {
  explicit TestOrganisation(std::string name) : handle(std::move(name)) {}

  std::string unit_handle() const { return handle + ".desk"; }

  std::string handle;
  OrganisationId id = OrganisationId::Generate(SystemRandom());
  UnitId unit = UnitId::Generate(SystemRandom());
  ServiceId service = ServiceId::Generate(SystemRandom());
  SigningKey identity = SigningKey::Generate();
};

// Makes and signs statements of one network.
class TestDirectory {
 public:
  explicit TestDirectory(NetworkId network = NetworkId::Generate(SystemRandom()),
                         absl::Time now = TestNow())
      : id(network), now_(now) {}

  const NetworkId id;
  const SigningKey registry = SigningKey::Generate();

  v1::Statement Base(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement;
    statement.set_network_id(id.bytes());
    statement.set_organisation_id(organisation.id.bytes());
    statement.set_version(version);
    statement.set_issued_minute(MinuteOf(now_));
    statement.set_valid_until_minute(MinuteOf(now_ + absl::Hours(7 * 24)));
    return statement;
  }

  v1::Statement Member(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    v1::Member& member = *statement.mutable_member();
    member.set_handle(organisation.handle);
    member.set_display_name("Organisation " + organisation.handle);
    member.set_organisation_class(v1::ORGANISATION_CLASS_NGO);
    member.set_jurisdiction("XA");
    member.set_policy_pack("baseline");
    member.set_status(v1::MEMBER_STATUS_ACTIVE);
    member.set_identity_key(organisation.identity.verifying_key().spki());
    v1::Unit& unit = *member.add_units();
    unit.set_unit_id(organisation.unit.bytes());
    unit.set_handle(organisation.unit_handle());
    unit.set_display_name("Desk");
    member.mutable_member_since()->set_year(2026);
    member.mutable_member_since()->set_month(1);
    member.mutable_member_since()->set_day(2);
    return statement;
  }

  v1::Statement Service(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    v1::Service& service = *statement.mutable_service();
    service.set_service_id(organisation.service.bytes());
    service.set_unit_id(organisation.unit.bytes());
    service.set_handle(organisation.handle + "-101");
    service.set_code(101);
    service.set_provider_kind(v1::PROVIDER_KIND_SPECIALIST);
    service.add_phases(v1::PHASE_IMMEDIATE);
    service.add_service_areas("XA-N");
    service.set_location_kind(v1::LOCATION_KIND_REDACTED);
    service.set_capacity_unit(v1::CAPACITY_UNIT_BED);
    service.mutable_last_verified()->set_year(2026);
    service.mutable_last_verified()->set_month(1);
    service.mutable_last_verified()->set_day(2);
    return statement;
  }

  v1::Statement Capacity(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    v1::Capacity& capacity = *statement.mutable_capacity();
    capacity.set_service_id(organisation.service.bytes());
    capacity.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
    capacity.set_updated_minute(MinuteOf(now_));
    capacity.set_valid_until_minute(MinuteOf(now_ + absl::Hours(12)));
    return statement;
  }

  v1::Statement UnitKeys(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    statement.mutable_unit_keys()->set_unit_id(organisation.unit.bytes());
    v1::SealingKey& key = *statement.mutable_unit_keys()->add_keys();
    key.set_key_id(std::string(16, 'k'));
    key.set_public_key(std::string(32, 'p'));
    key.set_seal_until_minute(MinuteOf(now_ + absl::Hours(24)));
    return statement;
  }

  v1::SignedStatement ByRegistry(const v1::Statement& statement) const {
    return SignStatement(statement, registry);
  }

 private:
  const absl::Time now_;
};

}  // namespace waymark
