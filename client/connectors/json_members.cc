#include "client/connectors/json_members.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "client/connectors/limits.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

// Walks over a text that CheckJson found valid.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  char Peek() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void Skip() { ++at_; }

  // The next value as it stands.
  std::string_view Value() {
    const char first = Peek();
    const size_t start = at_;
    if (first == '"') {
      SkipText();
    } else if (first == '{' || first == '[') {
      SkipContainer();
    } else {
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    }
    return text_.substr(start, at_ - start);
  }

 private:
  void SkipText() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  void SkipContainer() {
    int depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        SkipText();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0);
  }

  const std::string_view text_;
  size_t at_ = 0;
};

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

uint32_t HexAt(std::string_view text, size_t at) {
  uint32_t value = 0;
  for (const char digit : text.substr(at, 4)) {
    const int low = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    value = value * 16 + static_cast<uint32_t>(low);
  }
  return value;
}

bool IsHigh(uint32_t code) { return code >= 0xd800 && code < 0xdc00; }
bool IsLow(uint32_t code) { return code >= 0xdc00 && code < 0xe000; }

// What an escape other than \u stands for.
char Escaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;
  }
}

// Appends the character of the \uXXXX at `at`, which moves behind it. False: half a pair.
bool AppendCode(std::string_view text, size_t& at, std::string& out) {
  uint32_t code = HexAt(text, at + 2);
  at += 6;
  if (IsLow(code)) return false;
  if (IsHigh(code)) {
    if (text.substr(at, 2) != "\\u") return false;
    const uint32_t low = HexAt(text, at + 2);
    if (!IsLow(low)) return false;
    at += 6;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(code, out);
  return true;
}

// What stands between the quotes of `text`.
std::optional<std::string> Unquote(std::string_view text) {
  text = text.substr(1, text.size() - 2);
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '\\') {
      out += text[at++];
    } else if (text[at + 1] != 'u') {
      out += Escaped(text[at + 1]);
      at += 2;
    } else if (!AppendCode(text, at, out)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<JsonValue> ValueOf(std::string_view raw) {
  using Kind = JsonValue::Kind;
  switch (raw.front()) {
    case '"': {
      std::optional<std::string> text = Unquote(raw);
      if (!text) return std::nullopt;
      return JsonValue{Kind::kText, *std::move(text)};
    }
    case '{':
    case '[':
      return JsonValue{Kind::kNested, std::string(raw)};
    case 't':
    case 'f':
      return JsonValue{Kind::kBool, std::string(raw)};
    case 'n':
      return JsonValue{Kind::kNull, std::string(raw)};
    default:
      return JsonValue{Kind::kNumber, std::string(raw)};
  }
}

bool IsValid(std::string_view json) { return CheckJson(json, kMaxJsonDepth) == JsonText::kValid; }

}  // namespace

std::optional<std::vector<JsonMember>> ReadJsonObject(std::string_view json) {
  if (!IsValid(json)) return std::nullopt;
  Walk walk(json);
  if (walk.Peek() != '{') return std::nullopt;
  std::vector<JsonMember> members;
  std::unordered_set<std::string> names;
  walk.Skip();
  while (walk.Peek() != '}') {
    if (walk.Peek() == ',') {
      walk.Skip();
      walk.Peek();
    }
    std::optional<std::string> name = Unquote(walk.Value());
    walk.Peek();  // The colon.
    walk.Skip();
    std::optional<JsonValue> value = ValueOf(walk.Value());
    if (!name || !value) return std::nullopt;
    if (!names.insert(*name).second) return std::nullopt;
    members.push_back({*std::move(name), *std::move(value)});
  }
  return members;
}

std::optional<std::vector<std::string>> SplitJson(std::string_view json) {
  if (!IsValid(json)) return std::nullopt;
  Walk walk(json);
  std::vector<std::string> items;
  if (walk.Peek() != '[') {
    items.emplace_back(walk.Value());
    return items;
  }
  walk.Skip();
  while (walk.Peek() != ']') {
    if (walk.Peek() == ',') walk.Skip();
    items.emplace_back(walk.Value());
  }
  return items;
}

std::string QuoteJson(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < ' ') {
      quoted += "\\u00";
      quoted += kDigits[byte >> 4];
      quoted += kDigits[byte & 15];
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

void JsonObject::Add(std::string_view name, std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_.append(QuoteJson(name)).append(":").append(json);
}

std::string JsonObject::Finish() && {
  text_ += '}';
  return std::move(text_);
}

bool IsJsonNumber(std::string_view text) {
  const bool begins =
      !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
  return begins && text.back() >= '0' && text.back() <= '9' && IsValid(text);
}

}  // namespace waymark::node
