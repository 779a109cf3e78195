// Whether a text is JSON, strictly: one value of RFC 8259, in UTF-8, nested no deeper than told.
//
// Needed beside the parsers that we link: protobuf's takes more than JSON, jq's mends what is not
// UTF-8. Does not recurse and allocates one byte a level. Pure; thread-safe.
#pragma once

#include <string_view>

namespace waymark::node {

enum class JsonText { kValid, kInvalid, kTooDeep };

// A value without arrays and objects has depth 0, "[]" has depth 1.
JsonText CheckJson(std::string_view text, int max_depth);

// Whether the text is well-formed UTF-8 without overlong forms, surrogates or NUL.
bool IsUtf8Text(std::string_view text);

}  // namespace waymark::node
