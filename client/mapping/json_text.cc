#include "client/mapping/json_text.h"

#include <string>

namespace waymark::node {
namespace {

// The length of the UTF-8 sequence at the start of `text`; 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || beyond ? 0 : length;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

class Checker {
 public:
  Checker(std::string_view text, int max_depth)
      : text_(text), max_depth_(static_cast<size_t>(max_depth)) {}

  JsonText Check() {
    while (true) {
      if (!BeginValue()) return result_;
      // A value has just ended: what follows depends on what it stands in.
      while (!open_.empty()) {
        SkipSpace();
        if (Take(',')) {
          if (open_.back() == '}' && !Key()) return JsonText::kInvalid;
          break;
        }
        if (!Take(open_.back())) return JsonText::kInvalid;
        open_.pop_back();
      }
      if (!open_.empty()) continue;
      SkipSpace();
      return at_ == text_.size() ? JsonText::kValid : JsonText::kInvalid;
    }
  }

 private:
  // Takes scalars, empty containers, and the openings before them.
  bool BeginValue() {
    while (true) {
      SkipSpace();
      const char c = Peek();
      if (c != '[' && c != '{') return Scalar();
      ++at_;
      if (open_.size() == max_depth_) {
        result_ = JsonText::kTooDeep;
        return false;
      }
      open_ += c == '[' ? ']' : '}';
      SkipSpace();
      if (Take(open_.back())) {
        open_.pop_back();
        return true;
      }
      if (c == '{' && !Key()) return false;
    }
  }

  bool Key() {
    SkipSpace();
    if (!String()) return false;
    SkipSpace();
    return Take(':');
  }

  bool Scalar() {
    if (Peek() == '"') return String();
    if (Peek() == '-' || IsDigit(Peek())) return Number();
    return Word("true") || Word("false") || Word("null");
  }

  bool String() {
    if (!Take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ') return false;
      if (c == '\\') {
        if (!Escape()) return false;
        continue;
      }
      const size_t length = SequenceLength(text_.substr(at_));
      if (length == 0) return false;
      at_ += length;
    }
    return false;
  }

  bool Escape() {
    ++at_;
    const char c = Peek();
    ++at_;
    if (c != 'u') return c != '\0' && std::string_view("\"\\/bfnrt").find(c) != std::string::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!IsHexDigit(Peek())) return false;
    }
    return true;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (!Take('e') && !Take('E')) return true;
    if (!Take('+')) Take('-');
    return Digits();
  }

  bool Digits() {
    const size_t start = at_;
    while (IsDigit(Peek())) ++at_;
    return at_ > start;
  }

  bool Word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos) {
      ++at_;
    }
  }

  const std::string_view text_;
  const size_t max_depth_;
  size_t at_ = 0;
  // What closes each container that is open.
  std::string open_;
  JsonText result_ = JsonText::kInvalid;
};

}  // namespace

JsonText CheckJson(std::string_view text, int max_depth) {
  return Checker(text, max_depth).Check();
}

bool IsUtf8Text(std::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0 || text.front() == '\0') return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace waymark::node
