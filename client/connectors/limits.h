// What connectors take at most, whatever their kind.
#pragma once

#include <cstddef>

namespace waymark::node {

// Items of one page, the size of one item (a mapping takes no more), and of all items of a page.
inline constexpr size_t kMaxFeedItems = 256;
inline constexpr size_t kMaxItemBytes = size_t{4} << 20;
inline constexpr size_t kMaxPageBytes = size_t{8} << 20;
inline constexpr size_t kMaxCursorBytes = 4096;
// Nesting of what is read and written, as mappings have it.
inline constexpr int kMaxJsonDepth = 64;

}  // namespace waymark::node
