#include "client/connectors/sql/statement.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace waymark::node {
namespace {

bool IsWordStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Parser {
 public:
  Parser(std::string_view sql, SqlDialect dialect) : sql_(sql), dialect_(dialect) {}

  ParsedStatement Parse() && {
    while (at_ < sql_.size() && parsed_.problem.empty()) Next();
    return std::move(parsed_);
  }

 private:
  bool postgres() const { return dialect_ == SqlDialect::kPostgres; }
  char Char(size_t ahead) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }
  // Whether a word ends just before here.
  bool AfterWord() const { return at_ > 0 && IsWord(sql_[at_ - 1]); }

  void Next() {
    switch (Char(0)) {
      case '\'':
        return Quoted('\'', IsEscapeString());
      case '"':
        return Quoted('"', false);
      case '`':
        return postgres() ? Copy(1) : Quoted('`', false);
      case '[':
        return postgres() ? Copy(1) : CopyThrough("]", "a name in brackets");
      case '-':
        return Char(1) == '-' ? CopyLine() : Copy(1);
      case '/':
        return Char(1) == '*' ? Comment() : Copy(1);
      case ':':
        return Colon();
      case '$':
        return Dollar();
      case '?':
      case '@':
        return postgres() ? Copy(1) : Foreign();
      default:
        return Copy(1);
    }
  }

  void Copy(size_t count) {
    parsed_.statement.text += sql_.substr(at_, count);
    at_ = std::min(at_ + count, sql_.size());
  }

  void CopyLine() { Copy(std::min(sql_.find('\n', at_), sql_.size()) - at_); }

  // Copies the opening character and all through `end`.
  void CopyThrough(std::string_view end, std::string_view what) {
    const size_t found = sql_.find(end, at_ + 1);
    if (found == std::string_view::npos) {
      parsed_.problem = std::string(what) + " does not end";
      return;
    }
    Copy(found + end.size() - at_);
  }

  // E'...' with backslashes.
  bool IsEscapeString() const {
    if (!postgres() || !AfterWord()) return false;
    const char before = sql_[at_ - 1];
    return (before == 'E' || before == 'e') && (at_ < 2 || !IsWord(sql_[at_ - 2]));
  }

  // A doubled quote is two texts for us and the same for the database.
  void Quoted(char quote, bool escapes) {
    for (size_t end = at_ + 1; end < sql_.size(); ++end) {
      if (escapes && sql_[end] == '\\') {
        ++end;
      } else if (sql_[end] == quote) {
        return Copy(end + 1 - at_);
      }
    }
    parsed_.problem = "a text or name in quotes does not end";
  }

  void Comment() {
    int depth = 0;
    do {
      if (at_ >= sql_.size()) {
        parsed_.problem = "a comment does not end";
        return;
      }
      const std::string_view two = sql_.substr(at_, 2);
      if (two == "/*" && (postgres() || depth == 0)) {
        ++depth;
        Copy(2);
      } else if (two == "*/") {
        --depth;
        Copy(2);
      } else {
        Copy(1);
      }
    } while (depth > 0);
  }

  void Colon() {
    if (Char(1) == ':') return Copy(2);
    if (!IsWordStart(Char(1))) return Copy(1);
    size_t end = at_ + 1;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    const std::string name(sql_.substr(at_ + 1, end - at_ - 1));
    at_ = end;
    std::vector<std::string>& names = parsed_.statement.parameters;
    const auto known = std::find(names.begin(), names.end(), name);
    const auto number = static_cast<size_t>(known - names.begin()) + 1;
    if (known == names.end()) names.push_back(name);
    parsed_.statement.text += (postgres() ? '$' : '?') + std::to_string(number);
  }

  // $tag$ ... $tag$ in PostgreSQL, a placeholder otherwise.
  void Dollar() {
    if (postgres() && AfterWord()) return Copy(1);
    size_t end = at_ + 1;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    const bool tag = postgres() && end < sql_.size() && sql_[end] == '$' &&
                     !absl::ascii_isdigit(static_cast<unsigned char>(Char(1)));
    if (!tag) return Foreign();
    CopyThrough(std::string(sql_.substr(at_, end + 1 - at_)), "a text in dollar quotes");
  }

  void Foreign() { parsed_.problem = "parameters have names here: write :key or :member"; }

  const std::string_view sql_;
  const SqlDialect dialect_;
  size_t at_ = 0;
  ParsedStatement parsed_;
};

}  // namespace

bool SqlStatement::Names(std::string_view parameter) const {
  return std::find(parameters.begin(), parameters.end(), parameter) != parameters.end();
}

ParsedStatement ParseStatement(std::string_view sql, SqlDialect dialect) {
  return Parser(sql, dialect).Parse();
}

}  // namespace waymark::node
