// The errors of mappings: what jq or the child's end says, in words that repeat no value. Internal
// to client/mapping. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/mapping/sandbox/protocol.h"

namespace waymark::node {

// The status of a response that is not kOutputs. What the program's error says is repeated only if
// `reveal`; otherwise what jq complains of is named in our own words where we know its form.
absl::Status ErrorOf(const std::string& name, const jq::Response& response, bool reveal);

// The status of a child that died by itself, from waitpid's status.
absl::Status ErrorOfEnd(const std::string& name, int wait_status);

// A jq error without the values that it repeats: "cannot index string with …"; empty when it is of
// no form that we know.
std::string_view WithoutValues(std::string_view message);

}  // namespace waymark::node
