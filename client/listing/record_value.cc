#include "client/listing/record_value.h"

#include <cmath>
#include <functional>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/directory/neutral.h"
#include "base/status/status.h"
#include "client/mapping/json_text.h"
#include "google/protobuf/util/json_util.h"

namespace waymark::node {
namespace {

using google::protobuf::Value;

// Whole numbers beyond this are not exact in a double.
constexpr double kMaxExact = 9007199254740992.0;

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

bool IsEmpty(const Value& value) {
  return value.has_null_value() ||
         (value.kind_case() == Value::kStringValue && value.string_value().empty());
}

// Calls `visit(path, value)` for each value that is neither object nor list, and `name(path)` for
// each field.
void Walk(const Value& value, const std::string& path,
          const std::function<void(const std::string&, const Value&)>& visit,
          const std::function<void(const std::string&, const std::string&)>& name) {
  if (value.has_struct_value()) {
    for (const auto& [key, below] : value.struct_value().fields()) {
      name(Below(path, key), key);
      Walk(below, Below(path, key), visit, name);
    }
  } else if (value.has_list_value()) {
    for (const Value& entry : value.list_value().values()) Walk(entry, path + "[]", visit, name);
  } else {
    visit(path, value);
  }
}

// IsNeutral for long texts: stems are made of letters, and words come again and again.
class NeutralWords {
 public:
  bool IsNeutralText(std::string_view text) {
    size_t at = 0;
    while (at < text.size()) {
      size_t end = at;
      while (end < text.size() && absl::ascii_isalpha(static_cast<unsigned char>(text[end]))) ++end;
      std::string word(text.substr(at, end - at));
      absl::AsciiStrToLower(&word);
      if (!word.empty() && !IsNeutralWord(word)) return false;
      at = end + 1;
    }
    return true;
  }

 private:
  bool IsNeutralWord(const std::string& word) {
    if (neutral_.contains(word)) return true;
    if (!IsNeutral(word)) return false;
    if (neutral_.size() < kMaxWords) neutral_.insert(word);
    return true;
  }

  static constexpr size_t kMaxWords = 100000;
  std::unordered_set<std::string> neutral_;
};

}  // namespace

absl::StatusOr<Value> ParseRecord(std::string_view text) {
  if (text.size() > kMaxRecordBytes || CheckJson(text, kMaxRecordDepth) != JsonText::kValid) {
    return Error(v1::REASON_MALFORMED, "a record is not JSON, larger than 4 MiB, or too deep");
  }
  Value value;
  if (!google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &value).ok()) {
    return Error(v1::REASON_MALFORMED, "a record has a number that nothing can hold");
  }
  return value;
}

std::string NumberText(double number) {
  if (std::abs(number) < kMaxExact && std::floor(number) == number) {
    return std::to_string(static_cast<int64_t>(number));
  }
  return absl::StrCat(number);
}

RecordField RecordField::operator[](const std::string& name) const {
  const Value* found = nullptr;
  if (value_ != nullptr && value_->has_struct_value()) {
    const auto& fields = value_->struct_value().fields();
    const auto field = fields.find(name);
    if (field != fields.end() && !IsEmpty(field->second)) found = &field->second;
  }
  return {found, Below(path_, name), read_};
}

std::vector<RecordField> RecordField::items() const {
  std::vector<RecordField> entries;
  if (value_ == nullptr || !value_->has_list_value()) return entries;
  for (const Value& entry : value_->list_value().values()) {
    entries.push_back(RecordField(&entry, path_ + "[]", read_));
  }
  return entries;
}

bool RecordField::present() const { return value_ != nullptr; }

std::string RecordField::text() const {
  if (value_ == nullptr) return "";
  read_->insert(path_);
  switch (value_->kind_case()) {
    case Value::kStringValue:
      return std::string(absl::StripAsciiWhitespace(value_->string_value()));
    case Value::kNumberValue:
      return NumberText(value_->number_value());
    case Value::kBoolValue:
      return value_->bool_value() ? "true" : "false";
    default:
      return "";
  }
}

std::optional<uint32_t> RecordField::whole() const {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(text(), &number)) return std::nullopt;
  return number;
}

std::set<std::string> LeafPaths(const Value& value) {
  std::set<std::string> paths;
  Walk(
      value, "",
      [&paths](const std::string& path, const Value& leaf) {
        if (!IsEmpty(leaf)) paths.insert(path);
      },
      [](const std::string&, const std::string&) {});
  return paths;
}

std::set<std::string> UnneutralPaths(const Value& value) {
  // Kept from record to record of a thread: checking a word anew costs a hundred times more.
  thread_local NeutralWords words;
  std::set<std::string> paths;
  const auto check = [&paths](const std::string& path, std::string_view text) {
    // A path through such a name would repeat it.
    if (!words.IsNeutralText(text)) paths.insert(words.IsNeutralText(path) ? path : "(name)");
  };
  Walk(
      value, "",
      [&check](const std::string& path, const Value& leaf) { check(path, leaf.string_value()); },
      [&check](const std::string& path, const std::string& key) {
        check(path.substr(0, path.size() - key.size()) + "(name)", key);
      });
  return paths;
}

}  // namespace waymark::node
