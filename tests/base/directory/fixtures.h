// Statements of a small invented network, for tests of the directory.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/statement.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "tests/support/statement_bodies.h"
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
    FillMember(statement, organisation.handle, "Organisation " + organisation.handle,
               organisation.identity.verifying_key().spki());
    AddUnit(statement, organisation.unit.bytes(), organisation.unit_handle(), "Desk");
    return statement;
  }

  v1::Statement Service(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    FillService(statement, organisation.service.bytes(), organisation.unit.bytes(),
                organisation.handle + "-101");
    return statement;
  }

  v1::Statement Capacity(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    FillCapacity(statement, organisation.service.bytes());
    return statement;
  }

  v1::Statement UnitKeys(const TestOrganisation& organisation, uint64_t version = 1) const {
    v1::Statement statement = Base(organisation, version);
    FillUnitKeys(statement, organisation.unit.bytes());
    return statement;
  }

  v1::SignedStatement ByRegistry(const v1::Statement& statement) const {
    return SignStatement(statement, registry);
  }

 private:
  const absl::Time now_;
};

}  // namespace waymark
