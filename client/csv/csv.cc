#include "client/csv/csv.h"

#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

absl::Status Wrong(std::string_view what) {
  return Error(v1::REASON_MALFORMED, "the table is not CSV: " + std::string(what));
}

std::string CsvCell(const std::string& text, char separator) {
  // Spaces at its ends survive readers that trim.
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  const bool special = text.find_first_of("\"\r\n") != std::string::npos ||
                       text.find(separator) != std::string::npos;
  if (!spaced && !special) return text;
  return "\"" + absl::StrReplaceAll(text, {{"\"", "\"\""}}) + "\"";
}

}  // namespace

int CsvReader::Get() {
  const int c = in_->get();
  if (c != std::istream::traits_type::eof()) ++position_;
  return c;
}

void CsvReader::SkipByteOrderMark() {
  int taken = 0;
  for (const int mark : {0xEF, 0xBB, 0xBF}) {
    if (in_->peek() != mark) {
      // A name that begins with the same bytes.
      for (; taken > 0; --taken, --position_) in_->unget();
      return;
    }
    Get();
    ++taken;
  }
}

bool CsvReader::EndsLine(int c) {
  if (c == '\r' && in_->peek() == '\n') Get();
  return c == '\r' || c == '\n';
}

absl::Status CsvReader::TooLarge() const {
  return Wrong(absl::StrCat("a row is larger than ", form_.max_row_bytes, " bytes"));
}

absl::StatusOr<bool> CsvReader::TakeQuoted(std::string& cell) {
  while (true) {
    int c = Get();
    if (c < 0) return Wrong("a quote stays open");
    if (cell.size() >= form_.max_row_bytes) return TooLarge();
    if (c != '"') {
      cell += static_cast<char>(c);
      continue;
    }
    c = Get();
    if (c == '"') {
      cell += '"';
      continue;
    }
    if (c == static_cast<unsigned char>(form_.separator)) return false;
    if (c < 0 || EndsLine(c)) return true;
    return Wrong("text stands behind a closing quote");
  }
}

absl::StatusOr<bool> CsvReader::TakeCell(std::string& cell) {
  if (in_->peek() == '"') {
    Get();
    return TakeQuoted(cell);
  }
  while (true) {
    const int c = Get();
    if (c == static_cast<unsigned char>(form_.separator)) return false;
    if (c < 0 || EndsLine(c)) return true;
    if (c == '"') return Wrong("a quote stands within a cell");
    if (cell.size() >= form_.max_row_bytes) return TooLarge();
    cell += static_cast<char>(c);
  }
}

absl::StatusOr<std::vector<std::string>> CsvReader::TakeRow() {
  while (in_->peek() == '\r' || in_->peek() == '\n') Get();
  std::vector<std::string> cells;
  if (in_->peek() < 0) return cells;
  size_t size = 0;
  bool last = false;
  while (!last) {
    std::string cell;
    ASSIGN_OR_RETURN(last, TakeCell(cell));
    size += cell.size() + 1;
    if (size > form_.max_row_bytes + 1) return TooLarge();
    cells.push_back(std::move(cell));
  }
  return cells;
}

absl::StatusOr<CsvReader> CsvReader::Open(std::istream& in, CsvForm form) {
  CsvReader reader(in, form);
  reader.SkipByteOrderMark();
  ASSIGN_OR_RETURN(reader.header_, reader.TakeRow());
  if (reader.header_.empty()) return Wrong("there is no header");
  std::set<std::string> names;
  for (const std::string& name : reader.header_) {
    if (name.empty() || !names.insert(name).second) {
      return Wrong("a name in the header is empty or there twice");
    }
  }
  return reader;
}

absl::StatusOr<std::optional<std::vector<std::string>>> CsvReader::Next() {
  ASSIGN_OR_RETURN(std::vector<std::string> cells, TakeRow());
  if (cells.empty()) return std::nullopt;
  if (cells.size() > header_.size()) return Wrong("a row is longer than the header");
  return cells;
}

absl::StatusOr<std::optional<std::map<std::string, std::string>>> CsvReader::NextByName() {
  ASSIGN_OR_RETURN(std::optional<std::vector<std::string>> cells, Next());
  if (!cells) return std::nullopt;
  std::map<std::string, std::string> row;
  for (size_t i = 0; i < cells->size(); ++i) {
    if (!(*cells)[i].empty()) row[header_[i]] = std::move((*cells)[i]);
  }
  return row;
}

std::string CsvLine(const std::vector<std::string>& cells, char separator) {
  // One empty cell alone would be a blank line.
  if (cells.size() == 1 && cells.front().empty()) return "\"\"\r\n";
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += separator;
    line += CsvCell(cells[i], separator);
  }
  return line + "\r\n";
}

}  // namespace waymark::node
