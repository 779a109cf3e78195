// JSON objects as connectors need them: their members one by one, numbers as they were written, and
// the way back.
//
// Beside protobuf's parser because that turns every number into a double and forgets the order.
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waymark::node {

struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kText, kNested };
  Kind kind = Kind::kNull;
  // A text without its quotes and escapes, in UTF-8; anything else as it stands in the JSON.
  std::string text;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Returns the members of the object in their order. nullopt: this is no JSON object, has a name
// twice, is nested deeper than kMaxJsonDepth, or holds half a surrogate pair.
std::optional<std::vector<JsonMember>> ReadJsonObject(std::string_view json);

// Returns the elements of an array as they stand, or the one other value. nullopt: this is no JSON,
// or nested deeper than kMaxJsonDepth.
std::optional<std::vector<std::string>> SplitJson(std::string_view json);

// Returns valid UTF-8 as a JSON text.
std::string QuoteJson(std::string_view text);

// Puts an object together.
class JsonObject {
 public:
  // `json` is a valid JSON value.
  void Add(std::string_view name, std::string_view json);
  std::string Finish() &&;

 private:
  std::string text_ = "{";
};

// Whether `text` may stand in JSON as a number.
bool IsJsonNumber(std::string_view text);

}  // namespace waymark::node
