// The private halves of the sealing keys of the node's own units.
//
// Keys are made and rotated by the publication (publication.h); whoever opens messages reads them
// here. A retired key stays until every message that could be sealed to it has expired, then it is
// destroyed.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "base/envelope/seal.h"
#include "base/ids/ids.h"
#include "client/vault/vault.h"

namespace waymark::node {

// Returns the unit's keys, newest first; none for a unit that is not ours. REASON_DATA_CORRUPT: a
// key does not read back as written.
absl::StatusOr<std::vector<OpeningKey>> OpeningKeys(const Reader& reader, const UnitId& unit);

}  // namespace waymark::node
