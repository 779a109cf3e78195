#include "client/connectors/fhir/fhir_settings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr std::string_view kCapacitySearch =
    "HealthcareService?active=true&_include=HealthcareService:organization"
    "&_include=HealthcareService:location";

// An absolute URI, as far as an identifier's system needs it.
bool IsAbsoluteUri(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '|' && c != '"' &&
                  c != '<' && c != '>' && c != '\\';
         });
}

absl::Status ReadFhirReferrals(ConfigSection section, FhirSettings& settings) {
  settings.referrals = true;
  ASSIGN_OR_RETURN(const std::string erase,
                   section.Choice("erase", {"delete", "entered-in-error"}, "delete"));
  settings.keeps_shells = erase == "entered-in-error";
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSearch(ConfigSection section) {
  ASSIGN_OR_RETURN(std::string search, section.String("search", kCapacitySearch));
  const bool printable = std::all_of(search.begin(), search.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '#' && c != '\\';
  });
  if (printable && absl::StartsWith(search, "HealthcareService?")) return "/" + search;
  return section.Invalid("search", "expected a search of HealthcareService, percent-encoded: " +
                                       std::string(kCapacitySearch));
}

}  // namespace

absl::StatusOr<FhirSettings> ReadFhirSettings(ConfigSection& connector) {
  ASSIGN_OR_RETURN(HttpAccess access, ReadHttpAccess(connector));
  ASSIGN_OR_RETURN(const std::string flavour,
                   connector.Choice("flavour", {"sdohcc", "bser", "plain"}));
  ASSIGN_OR_RETURN(std::string key_system, connector.String("key_system"));
  if (!IsAbsoluteUri(key_system)) {
    return connector.Invalid("key_system",
                             "expected an absolute URI, for example "
                             "https://clinic.example/waymark");
  }
  FhirSettings settings = {.access = std::move(access),
                           .flavour = FindFlavour(flavour),
                           .key_system = std::move(key_system)};
  if (connector.Has("referrals")) {
    ASSIGN_OR_RETURN(const ConfigSection referrals, connector.Section("referrals"));
    RETURN_IF_ERROR(ReadFhirReferrals(referrals, settings));
  }
  if (connector.Has("capacity")) {
    ASSIGN_OR_RETURN(const ConfigSection capacity, connector.Section("capacity"));
    ASSIGN_OR_RETURN(settings.capacity, ReadSearch(capacity));
  }
  settings.updates = connector.Has("updates");
  return settings;
}

}  // namespace waymark::node
