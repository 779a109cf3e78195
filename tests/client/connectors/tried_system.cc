#include "tests/client/connectors/tried_system.h"

#include <sstream>

#include "base/config/config.h"
#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "client/connectors/open.h"

namespace waymark::node {
namespace {

absl::StatusOr<ConnectorSettings> ReadTried(const std::string& settings) {
  std::string yaml = "connectors:\n  - name: tried\n";
  std::istringstream lines(settings);
  for (std::string line; std::getline(lines, line);) yaml += "    " + line + "\n";
  ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Parse(yaml, "/etc/waymark/node.yaml"));
  ConfigSection root = file.root();
  ASSIGN_OR_RETURN(const std::vector<ConnectorSettings> connectors, ReadConnectors(root));
  RETURN_IF_ERROR(file.Finish());
  return connectors.front();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connector>> MakeFrom(const std::string& settings, Clock& steady) {
  ASSIGN_OR_RETURN(const ConnectorSettings tried, ReadTried(settings));
  return MakeConnector(tried, steady);
}

absl::StatusOr<std::unique_ptr<Connector>> OpenFrom(const std::string& settings, Clock& steady) {
  ASSIGN_OR_RETURN(const ConnectorSettings tried, ReadTried(settings));
  return OpenConnector(tried, steady);
}

std::string TriedSystem::RecordOf(const std::string& note) const {
  return "{\"note\":" + QuoteJson(note) + "}";
}

std::string TriedSystem::SaidIn(const std::string& item) const {
  const auto members = ReadJsonObject(item);
  if (!members) return "no object";
  for (const JsonMember& member : *members) {
    if (member.name == "said") return member.value.text;
  }
  return "says nothing";
}

}  // namespace waymark::node
