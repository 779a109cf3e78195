#include "client/connectors/settings.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr size_t kMaxName = 40;
constexpr absl::Duration kTimeLimit = absl::Seconds(10);
constexpr absl::Duration kShortestTimeLimit = absl::Seconds(1);
constexpr absl::Duration kLongestTimeLimit = absl::Minutes(10);
constexpr absl::Duration kPoll = absl::Minutes(1);
constexpr absl::Duration kShortestPoll = absl::Milliseconds(100);
constexpr absl::Duration kLongestPoll = absl::Hours(24);

bool IsName(std::string_view name) {
  return name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

absl::StatusOr<std::optional<std::string>> ReadMapping(ConfigSection& connector,
                                                       std::string_view use) {
  if (!connector.Has(use)) return std::optional<std::string>();
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section(use));
  ASSIGN_OR_RETURN(std::string mapping, section.Path("mapping"));
  return std::optional<std::string>(std::move(mapping));
}

absl::Status ReadKind(ConfigSection& connector, ConnectorSettings& settings) {
  ASSIGN_OR_RETURN(const std::string kind, connector.Choice("kind", {"sqlite", "postgres", "http",
                                                                     "fhir", "files", "command"}));
  if (kind == "sqlite") {
    ASSIGN_OR_RETURN(settings.kind, ReadSqliteSettings(connector));
  } else if (kind == "postgres") {
    ASSIGN_OR_RETURN(settings.kind, ReadPostgresSettings(connector));
  } else if (kind == "http") {
    ASSIGN_OR_RETURN(settings.kind, ReadHttpSettings(connector));
  } else if (kind == "fhir") {
    ASSIGN_OR_RETURN(settings.kind, ReadFhirSettings(connector));
  } else if (kind == "files") {
    ASSIGN_OR_RETURN(settings.kind, ReadFilesSettings(connector));
  } else {
    ASSIGN_OR_RETURN(settings.kind, ReadCommandSettings(connector));
  }
  return absl::OkStatus();
}

absl::StatusOr<ConnectorSettings> ReadConnector(ConfigSection& connector) {
  ConnectorSettings settings;
  ASSIGN_OR_RETURN(settings.name, connector.String("name"));
  if (!IsName(settings.name)) {
    return connector.Invalid("name", "expected up to 40 lower-case letters, digits and '-'");
  }
  ASSIGN_OR_RETURN(settings.time_limit, connector.Duration("time_limit", kShortestTimeLimit,
                                                           kLongestTimeLimit, kTimeLimit));
  ASSIGN_OR_RETURN(settings.poll, connector.Duration("poll", kShortestPoll, kLongestPoll, kPoll));
  ASSIGN_OR_RETURN(settings.referrals, ReadMapping(connector, "referrals"));
  ASSIGN_OR_RETURN(settings.capacity, ReadMapping(connector, "capacity"));
  ASSIGN_OR_RETURN(settings.updates, ReadMapping(connector, "updates"));
  if (!settings.referrals && !settings.capacity && !settings.updates) {
    return connector.Invalid(
        "name", "the connector is for nothing; give it a section referrals, capacity or updates");
  }
  RETURN_IF_ERROR(ReadKind(connector, settings));
  return settings;
}

}  // namespace

absl::StatusOr<std::vector<ConnectorSettings>> ReadConnectors(ConfigSection& root) {
  ASSIGN_OR_RETURN(std::vector<ConfigSection> sections, root.Sections("connectors"));
  std::vector<ConnectorSettings> connectors;
  std::set<std::string> names;
  for (ConfigSection& section : sections) {
    ASSIGN_OR_RETURN(ConnectorSettings settings, ReadConnector(section));
    if (!names.insert(settings.name).second) {
      return section.Invalid("name", "another connector has this name");
    }
    connectors.push_back(std::move(settings));
  }
  return connectors;
}

}  // namespace waymark::node
