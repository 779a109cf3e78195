#include "client/local_systems.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status/status.h"
#include "client/connectors/open.h"

namespace waymark::node {
namespace {

constexpr int kMostDaysKept = 36'500;
constexpr int64_t kMostAttempts = 1000;
constexpr int64_t kMostMappingAttempts = 10;
constexpr absl::Duration kShortestPause = absl::Seconds(1);
constexpr absl::Duration kLongestFirstPause = absl::Hours(1);
constexpr absl::Duration kLongestPause = absl::Hours(24);
constexpr absl::Duration kShortestPatience = absl::Minutes(1);
constexpr absl::Duration kLongestPatience = absl::Hours(24 * 90);

// A referral that has ended, or was never asked, does not begin to be a local system's business.
std::vector<std::string> FirstStates() {
  std::vector<std::string> names;
  for (const NodeState state : AllNodeStates()) {
    if (state != NodeState::kDraft && !IsEnd(state)) names.emplace_back(Name(state));
  }
  return names;
}

absl::StatusOr<std::set<NodeState>> ReadStates(ConfigSection& connector) {
  if (!connector.Has("states")) return DefaultStates();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, connector.Strings("states"));
  const std::vector<std::string> known = FirstStates();
  std::set<NodeState> states;
  bool sound = !names.empty();
  for (const std::string& name : names) {
    sound = sound && std::find(known.begin(), known.end(), name) != known.end();
    if (sound) states.insert(*NodeStateFromName(name));
  }
  if (sound) return states;
  return connector.Invalid("states",
                           "expected a list of some of these: " + absl::StrJoin(known, ", "));
}

absl::StatusOr<MappingArgs> ReadArgs(ConfigSection& connector) {
  MappingArgs args;
  ASSIGN_OR_RETURN(std::vector<ConfigSection> sections, connector.Sections("args"));
  for (ConfigSection& section : sections) {
    ASSIGN_OR_RETURN(const std::string name, section.String("name"));
    ASSIGN_OR_RETURN(std::string value, section.String("value"));
    if (name == "key" || name == "now") {
      return section.Invalid("name", "the node itself sets 'key' and 'now'; choose another name");
    }
    if (!args.emplace(name, std::move(value)).second) {
      return section.Invalid("name", "another argument has this name");
    }
  }
  return args;
}

absl::StatusOr<RetryPolicy> ReadRetry(ConfigSection& connector) {
  RetryPolicy retry;
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section("retry"));
  ASSIGN_OR_RETURN(retry.first_pause, section.Duration("first_pause", kShortestPause,
                                                       kLongestFirstPause, retry.first_pause));
  ASSIGN_OR_RETURN(retry.longest_pause, section.Duration("longest_pause", retry.first_pause,
                                                         kLongestPause, retry.longest_pause));
  ASSIGN_OR_RETURN(const int64_t attempts,
                   section.Integer("attempts", 1, kMostAttempts, retry.attempts));
  ASSIGN_OR_RETURN(retry.give_up_after, section.Duration("give_up_after", kShortestPatience,
                                                         kLongestPatience, retry.give_up_after));
  ASSIGN_OR_RETURN(
      const int64_t mapping_attempts,
      section.Integer("mapping_attempts", 1, kMostMappingAttempts, retry.mapping_attempts));
  retry.attempts = static_cast<uint32_t>(attempts);
  retry.mapping_attempts = static_cast<uint32_t>(mapping_attempts);
  return retry;
}

absl::StatusOr<std::optional<KeptRecords>> ReadKept(ConfigSection& connector) {
  if (!connector.Has("kept")) return std::optional<KeptRecords>();
  KeptRecords kept;
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section("kept"));
  ASSIGN_OR_RETURN(const std::string ground,
                   section.Choice("ground", {"STATUTORY_RECORD", "CLINICAL_RECORD", "COURT_ORDER",
                                             "FINANCIAL_RECORD"}));
  v1::RetentionGround_Parse("RETENTION_GROUND_" + ground, &kept.ground);
  ASSIGN_OR_RETURN(const int64_t days, section.Integer("days", 1, kMostDaysKept));
  kept.days = static_cast<int>(days);
  return std::optional(kept);
}

absl::StatusOr<MappingLimits> ReadLimits(ConfigSection& root) {
  MappingLimits limits;
  ASSIGN_OR_RETURN(ConfigSection section, root.Section("mapping_limits"));
  ASSIGN_OR_RETURN(limits.memory_bytes, section.Size("memory", limits.memory_bytes));
  ASSIGN_OR_RETURN(limits.time, section.Duration("time", limits.time));
  ASSIGN_OR_RETURN(limits.input_bytes, section.Size("input", limits.input_bytes));
  ASSIGN_OR_RETURN(limits.output_bytes, section.Size("output", limits.output_bytes));
  ASSIGN_OR_RETURN(const int64_t depth, section.Integer("depth", 1, 200, limits.depth));
  limits.depth = static_cast<int>(depth);
  const absl::Status sound = CheckMappingLimits(limits);
  if (sound.ok()) return limits;
  return root.Invalid("mapping_limits", std::string(sound.message()));
}

// The error of one system's entry, by the connector's name and the key.
absl::Status SystemError(const LocalSystemsSettings& settings, const LocalSystemSettings& system,
                         std::string_view key, std::string_view what) {
  return Error(v1::REASON_CONFIG_INVALID, settings.file + ": connector '" + system.connector.name +
                                              "': " + std::string(key) + ": " + std::string(what));
}

absl::StatusOr<std::set<UnitId>> FindUnits(const LocalSystemsSettings& settings,
                                           const LocalSystemSettings& system,
                                           const UnitsByHandle* units) {
  std::set<UnitId> found;
  if (units == nullptr) return found;
  for (const std::string& wanted : system.units) {
    const auto matches = [&](const auto& unit) {
      return unit.first == wanted || unit.second.hex() == wanted;
    };
    const auto unit = std::find_if(units->begin(), units->end(), matches);
    if (unit == units->end()) {
      const auto handle = [](std::string* out, const auto& known) { out->append(known.first); };
      return SystemError(settings, system, "units",
                         "this organisation has no unit '" + wanted + "'; it has " +
                             absl::StrJoin(*units, ", ", handle));
    }
    found.insert(unit->second);
  }
  return found;
}

absl::StatusOr<std::optional<MappingProgram>> LoadMapping(const LocalSystemsSettings& settings,
                                                          const LocalSystemSettings& system,
                                                          std::string_view use,
                                                          const std::optional<std::string>& path) {
  if (!path.has_value()) return std::optional<MappingProgram>();
  absl::StatusOr<MappingProgram> program = ReadMapping(*path);
  if (program.ok()) return std::optional(*std::move(program));
  return SystemError(settings, system, std::string(use) + ".mapping",
                     std::string(program.status().message()));
}

// Everything but the connector.
absl::StatusOr<LocalTarget> Describe(const LocalSystemsSettings& settings,
                                     const LocalSystemSettings& system,
                                     const UnitsByHandle* units) {
  LocalTarget target;
  target.name = system.connector.name;
  ASSIGN_OR_RETURN(target.outward,
                   LoadMapping(settings, system, "referrals", system.connector.referrals));
  ASSIGN_OR_RETURN(target.inward,
                   LoadMapping(settings, system, "updates", system.connector.updates));
  ASSIGN_OR_RETURN(target.capacity,
                   LoadMapping(settings, system, "capacity", system.connector.capacity));
  ASSIGN_OR_RETURN(target.units, FindUnits(settings, system, units));
  target.args = system.args;
  target.states = system.states;
  target.retry = system.retry;
  target.poll = system.connector.poll;
  target.kept = system.kept;
  return target;
}

absl::Status TryConnector(const LocalSystemsSettings& settings, const LocalSystemSettings& system,
                          Clock& steady) {
  absl::Status opened = OpenConnector(system.connector, steady).status();
  if (opened.ok()) return opened;
  return Annotate(opened, settings.file + ": connector '" + system.connector.name + "'");
}

// What is wrong with a program whatever its input: it is not about the one that it is tried on.
absl::Status TryProgram(MappingRunner& runner, const MappingProgram& program) {
  absl::Status ran = runner.Run(program, "null", {}).status();
  switch (ReasonOf(ran)) {
    case v1::REASON_MAPPING_INVALID:
    case v1::REASON_MAPPING_UNAVAILABLE:
      return ran;
    default:
      return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<LocalSystemsSettings> ReadLocalSystems(ConfigSection& root,
                                                      const std::string& file) {
  LocalSystemsSettings settings;
  settings.file = file;
  ASSIGN_OR_RETURN(settings.limits, ReadLimits(root));
  ASSIGN_OR_RETURN(std::vector<ConnectorSettings> connectors, ReadConnectors(root));
  ASSIGN_OR_RETURN(std::vector<ConfigSection> sections, root.Sections("connectors"));
  for (size_t i = 0; i < connectors.size(); ++i) {
    LocalSystemSettings& system = settings.systems.emplace_back();
    system.connector = std::move(connectors[i]);
    ASSIGN_OR_RETURN(system.units, sections[i].Strings("units"));
    ASSIGN_OR_RETURN(system.states, ReadStates(sections[i]));
    ASSIGN_OR_RETURN(system.args, ReadArgs(sections[i]));
    ASSIGN_OR_RETURN(system.retry, ReadRetry(sections[i]));
    ASSIGN_OR_RETURN(system.kept, ReadKept(sections[i]));
  }
  return settings;
}

UnitsByHandle UnitsOf(const v1::Member& member) {
  UnitsByHandle units;
  for (const v1::Unit& unit : member.units()) {
    if (const auto id = UnitId::FromBytes(unit.unit_id())) units.emplace(unit.handle(), *id);
  }
  return units;
}

absl::StatusOr<LocalSystems> LocalSystems::Open(const LocalSystemsSettings& settings,
                                                const UnitsByHandle* units, Clock& steady) {
  LocalSystems systems;
  for (const LocalSystemSettings& system : settings.systems) {
    ASSIGN_OR_RETURN(LocalTarget target, Describe(settings, system, units));
    systems.connectors_.push_back(MakeConnector(system.connector, steady));
    target.connector = systems.connectors_.back().get();
    ASSIGN_OR_RETURN(std::unique_ptr<MappingRunner> runner,
                     JqRunner::Create({.program = settings.jq_program, .limits = settings.limits}));
    target.runner = runner.get();
    systems.runners_.push_back(std::move(runner));
    systems.targets_.push_back(std::move(target));
  }
  return systems;
}

std::vector<absl::Status> CheckLocalSystems(const LocalSystemsSettings& settings,
                                            const UnitsByHandle* units, MappingRunner& runner,
                                            Clock& steady) {
  std::vector<absl::Status> wrong;
  const auto note = [&wrong](const absl::Status& status) {
    if (!status.ok()) wrong.push_back(status);
  };
  for (const LocalSystemSettings& system : settings.systems) {
    note(FindUnits(settings, system, units).status());
    const ConnectorSettings& connector = system.connector;
    for (const auto& [use, path] :
         {std::pair("referrals", &connector.referrals), std::pair("capacity", &connector.capacity),
          std::pair("updates", &connector.updates)}) {
      const auto program = LoadMapping(settings, system, use, *path);
      note(program.status());
      if (!program.ok() || !program->has_value()) continue;
      const absl::Status tried = TryProgram(runner, **program);
      if (tried.ok()) continue;
      note(SystemError(settings, system, std::string(use) + ".mapping",
                       std::string(tried.message())));
    }
    note(TryConnector(settings, system, steady));
  }
  return wrong;
}

}  // namespace waymark::node
