// Consent tokens for a room (206) and what a hub is told of them, for tests that speak the protocol
// themselves. Pure but for randomness; thread-safe.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "waymark/v1/exchange.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark::testing {

// The taxonomy code of a family's room for the night.
inline constexpr uint32_t kRoom = 206;

struct TokenTerms {
  NetworkId network;
  // Issuer and presenter.
  UnitId origin;
  UnitId recipient;
  // 16 bytes.
  std::string referral;
  absl::Time from;
  // A whole hour, as the hub is told it.
  absl::Time until;
};

// A token up to the start, not signed.
v1::ConsentToken RoomToken(const TokenTerms& terms);

// What the hub is told of `token`, but for its hash.
v1::TokenRegistration RegistrationOf(const v1::ConsentToken& token);

}  // namespace waymark::testing
