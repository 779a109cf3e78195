// A token's hash as the indexes keep it: in place, where a string would have its bytes elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace waymark::hub {

using HashKey = std::array<char, 32>;

// `hash` has 32 bytes, as every token's has that was registered; what is shorter ends in zeros.
inline HashKey HashKeyOf(std::string_view hash) {
  HashKey key = {};
  std::copy_n(hash.begin(), std::min(hash.size(), key.size()), key.begin());
  return key;
}

}  // namespace waymark::hub
