// Who a certificate names: the network, the role in it and, for a member, the organisation.
//
// The text form is a SPIFFE id, the one URI in a certificate's subject alternative name:
//   spiffe://<network id>.waymark/org/<organisation id>
//   spiffe://<network id>.waymark/hub
//   spiffe://<network id>.waymark/registry
// with ids as 32 lower-case hexadecimal digits. Values are immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/ids/ids.h"

namespace waymark {

// The trust domain of a network, "<network id>.waymark", and the URI that names it alone, in the
// certificate of the network's authority: "spiffe://<network id>.waymark".
std::string TrustDomain(NetworkId network);
std::string TrustDomainUri(NetworkId network);
// The network of a TrustDomainUri; nullopt for anything else.
std::optional<NetworkId> NetworkOfTrustDomainUri(std::string_view uri);

struct SpiffeId {
  enum class Role { kOrganisation, kHub, kRegistry };

  static SpiffeId Organisation(NetworkId network, OrganisationId organisation) {
    return {network, Role::kOrganisation, organisation};
  }
  static SpiffeId Hub(NetworkId network) { return {network, Role::kHub, {}}; }
  static SpiffeId Registry(NetworkId network) { return {network, Role::kRegistry, {}}; }

  // Reads exactly the text form. REASON_FIELD_INVALID: anything else.
  static absl::StatusOr<SpiffeId> Parse(std::string_view uri);

  // The text form.
  std::string ToUri() const;

  friend bool operator==(const SpiffeId&, const SpiffeId&) = default;

  NetworkId network;
  Role role;
  // Empty unless the role is kOrganisation.
  OrganisationId organisation;
};

}  // namespace waymark
