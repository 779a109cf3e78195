// Rule N1 for names that a network gives out: what an onlooker reads tells nothing of the people
// whom messages serve.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

namespace waymark {

// Whether none of the word stems of tests/lint/forbidden_words.txt stands in `name`, in upper or
// lower case.
bool IsNeutral(std::string_view name);

}  // namespace waymark
