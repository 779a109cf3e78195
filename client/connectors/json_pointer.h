// Finds a value in a JSON text by its pointer (RFC 6901): "/matters/0/id", with "~0" for "~" and
// "~1" for "/"; the empty pointer is the whole text. Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "client/connectors/json_members.h"

namespace waymark::node {

// Whether `pointer` is one.
bool IsJsonPointer(std::string_view pointer);

// Returns the value there. nullopt: there is none, or `json` is no JSON.
std::optional<JsonValue> JsonAt(std::string_view json, std::string_view pointer);

// The member of that name; nullptr when there is none. Valid as long as `members`.
const JsonValue* FindMember(const std::vector<JsonMember>& members, std::string_view name);

}  // namespace waymark::node
