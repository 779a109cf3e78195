// The vault's schema, as PRAGMA user_version names it.
#pragma once

#include <cstdint>

namespace waymark::node {

// The version that this program writes, and the newest that it opens.
inline constexpr int64_t kVaultSchemaVersion = 1;

}  // namespace waymark::node
