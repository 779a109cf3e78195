// The private halves of the sealing keys of the node's own units.
//
// Keys are made and rotated by the publication (publication.h); whoever opens messages reads them
// here. A retired key stays until every message that could be sealed to it has expired, then it is
// destroyed.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/secret.h"
#include "base/ids/ids.h"
#include "client/vault/vault.h"

namespace waymark::node {

struct OwnSealingKey {
  KeyId id;
  UnitId unit;
  SecretBytes private_key;
  std::string public_key;
  absl::Time created;
  // After this nobody may seal to it.
  absl::Time seal_until;
  // From then on it is destroyed.
  absl::Time destroy_at;
};

// Returns the unit's keys, newest first; none for a unit that is not ours. REASON_DATA_CORRUPT: a
// key does not read back as written.
absl::StatusOr<std::vector<OwnSealingKey>> OwnSealingKeys(const Reader& reader, const UnitId& unit);

}  // namespace waymark::node
