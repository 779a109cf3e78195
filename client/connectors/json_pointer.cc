#include "client/connectors/json_pointer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"

namespace waymark::node {
namespace {

// A value as it stands in JSON, read.
std::optional<JsonValue> ReadValue(std::string_view raw) {
  auto members = ReadJsonObject("{\"v\":" + std::string(raw) + "}");
  if (!members || members->size() != 1) return std::nullopt;
  return std::move(members->front().value);
}

std::optional<JsonValue> StepInto(const JsonValue& value, const std::string& step) {
  if (value.kind != JsonValue::Kind::kNested) return std::nullopt;
  if (value.text.front() == '{') {
    const auto members = ReadJsonObject(value.text);
    const JsonValue* found = members ? FindMember(*members, step) : nullptr;
    return found == nullptr ? std::nullopt : std::optional<JsonValue>(*found);
  }
  const auto elements = SplitJson(value.text);
  size_t index = 0;
  if (!elements || !absl::SimpleAtoi(step, &index) || index >= elements->size()) {
    return std::nullopt;
  }
  return ReadValue((*elements)[index]);
}

}  // namespace

bool IsJsonPointer(std::string_view pointer) {
  if (!pointer.empty() && pointer.front() != '/') return false;
  for (size_t at = pointer.find('~'); at != std::string_view::npos;
       at = pointer.find('~', at + 1)) {
    if (at + 1 == pointer.size() || (pointer[at + 1] != '0' && pointer[at + 1] != '1'))
      return false;
  }
  return true;
}

std::optional<JsonValue> JsonAt(std::string_view json, std::string_view pointer) {
  std::optional<JsonValue> value = ReadValue(json);
  while (value && !pointer.empty()) {
    const size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string step =
        absl::StrReplaceAll(std::string(pointer.substr(1, end - 1)), {{"~1", "/"}, {"~0", "~"}});
    value = StepInto(*value, step);
    pointer.remove_prefix(end);
  }
  return value;
}

const JsonValue* FindMember(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const JsonMember& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

}  // namespace waymark::node
