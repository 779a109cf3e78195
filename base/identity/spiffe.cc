#include "base/identity/spiffe.h"

#include <algorithm>
#include <optional>

#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::string_view kDomain = ".waymark";
constexpr std::string_view kHubPath = "/hub";
constexpr std::string_view kRegistryPath = "/registry";
constexpr std::string_view kOrganisationPath = "/org/";

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<SpiffeId> ParsePath(NetworkId network, std::string_view path) {
  if (path == kHubPath) return SpiffeId::Hub(network);
  if (path == kRegistryPath) return SpiffeId::Registry(network);
  if (!TakePrefix(path, kOrganisationPath)) return std::nullopt;
  const auto organisation = OrganisationId::FromHex(path);
  if (!organisation.has_value()) return std::nullopt;
  return SpiffeId::Organisation(network, *organisation);
}

}  // namespace

std::string TrustDomain(NetworkId network) { return network.hex() + std::string(kDomain); }

std::string TrustDomainUri(NetworkId network) {
  return std::string(kScheme) + TrustDomain(network);
}

std::optional<NetworkId> NetworkOfTrustDomainUri(std::string_view uri) {
  std::string_view rest = uri;
  if (!TakePrefix(rest, kScheme)) return std::nullopt;
  const auto network = NetworkId::FromHex(rest.substr(0, 2 * NetworkId::kSize));
  // Formatting again refuses upper-case digits: one network has one spelling.
  if (!network.has_value() || TrustDomainUri(*network) != uri) return std::nullopt;
  return network;
}

absl::StatusOr<SpiffeId> SpiffeId::Parse(std::string_view uri) {
  const size_t path = std::min(uri.find('/', kScheme.size()), uri.size());
  const auto network = NetworkOfTrustDomainUri(uri.substr(0, path));
  std::optional<SpiffeId> id;
  if (network.has_value()) id = ParsePath(*network, uri.substr(path));
  if (!id.has_value() || id->ToUri() != uri) {
    return Error(v1::REASON_FIELD_INVALID, "the SPIFFE id is not of the form of a waymark network");
  }
  return *id;
}

std::string SpiffeId::ToUri() const {
  std::string uri = TrustDomainUri(network);
  switch (role) {
    case Role::kOrganisation:
      return uri.append(kOrganisationPath) + organisation.hex();
    case Role::kHub:
      return uri.append(kHubPath);
    case Role::kRegistry:
      return uri.append(kRegistryPath);
  }
  return uri;
}

}  // namespace waymark
