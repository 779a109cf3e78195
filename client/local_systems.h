// The local systems of a node: from its configuration to connectors and what delivery needs to know
// of each.
//
// The configuration has one entry per system; client/connectors reads what is about the connector,
// and this room the rest. Example:
//
//   ASSIGN_OR_RETURN(const LocalSystemsSettings settings, ReadLocalSystems(root, path));
//   ASSIGN_OR_RETURN(LocalSystems systems, LocalSystems::Open(settings, OwnUnits(member), clock));
//   LocalDelivery delivery(systems.targets(), clock);
//
// Values and their opening; not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/settings.h"
#include "client/delivery/target.h"
#include "client/mapping/mapper.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// One local system as the configuration describes it.
struct LocalSystemSettings {
  ConnectorSettings connector;
  // Handles of own units, or their ids in hexadecimal; empty: all.
  std::vector<std::string> units;
  std::set<NodeState> states = DefaultStates();
  MappingArgs args;
  RetryPolicy retry;
  std::optional<KeptRecords> kept;
};

struct LocalSystemsSettings {
  // The configuration's path, for errors.
  std::string file;
  std::vector<LocalSystemSettings> systems;
  MappingLimits limits;
  // The program that runs mappings.
  std::string jq_program = FindJqProgram();
};

// Reads `connectors` and `mapping_limits`, both of which may be absent. CONFIG_INVALID names line,
// key and the way out.
absl::StatusOr<LocalSystemsSettings> ReadLocalSystems(ConfigSection& root, const std::string& file);

// The units of a member by their handles.
using UnitsByHandle = std::map<std::string, UnitId>;
UnitsByHandle UnitsOf(const v1::Member& member);

class LocalSystems {
 public:
  // Reads the mappings and makes the connectors; whether these can be worked with is found when
  // they are. `units`: the own ones, nullptr when nobody knows them; units are not looked up then.
  // CONFIG_INVALID: an own unit that is not known, or a mapping that cannot be read, naming
  // connector and key; mapping limits that cannot be. MAPPING_UNAVAILABLE: the program that runs
  // mappings is not there. `steady` outlives it.
  static absl::StatusOr<LocalSystems> Open(const LocalSystemsSettings& settings,
                                           const UnitsByHandle* units, Clock& steady);

  // They point to connectors and runners of this object.
  const std::vector<LocalTarget>& targets() const { return targets_; }

 private:
  std::vector<std::unique_ptr<Connector>> connectors_;
  // One a system; its child starts with the first run and does not stay idle.
  std::vector<std::unique_ptr<MappingRunner>> runners_;
  std::vector<LocalTarget> targets_;
};

// Everything that is wrong with the settings, one error each: units, each mapping's program, and
// connectors that would refuse them, unless their system is out of reach. Changes nothing.
std::vector<absl::Status> CheckLocalSystems(const LocalSystemsSettings& settings,
                                            const UnitsByHandle* units, MappingRunner& runner,
                                            Clock& steady);

}  // namespace waymark::node
