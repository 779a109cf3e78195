#include "client/listing/csv.h"

#include <set>

#include "absl/strings/str_replace.h"
#include "base/status/status.h"
#include "client/listing/record_value.h"

namespace waymark::node {
namespace {

absl::Status Wrong(std::string_view what) {
  return Error(v1::REASON_MALFORMED, "the table is not CSV: " + std::string(what));
}

}  // namespace

int CsvReader::Get() {
  const int c = in_->get();
  if (c != std::istream::traits_type::eof()) ++position_;
  return c;
}

absl::StatusOr<int> CsvReader::TakeQuoted(std::string& cell) {
  while (true) {
    int c = Get();
    if (c < 0) return Wrong("a quote stays open");
    if (cell.size() > kMaxRecordBytes) return Wrong("a cell is larger than 4 MiB");
    if (c != '"') {
      cell += static_cast<char>(c);
      continue;
    }
    c = Get();
    if (c == '"') {
      cell += '"';
      continue;
    }
    if (c == '\r' && in_->peek() == '\n') c = Get();
    if (c == ',' || c == '\n' || c < 0) return c;
    return Wrong("text stands behind a closing quote");
  }
}

absl::StatusOr<int> CsvReader::TakeCell(std::string& cell) {
  if (in_->peek() == '"') {
    Get();
    return TakeQuoted(cell);
  }
  while (true) {
    int c = Get();
    if (c == '\r' && in_->peek() == '\n') c = Get();
    if (c == ',' || c == '\n' || c < 0) return c;
    if (c == '"') return Wrong("a quote stands within a cell");
    if (cell.size() > kMaxRecordBytes) return Wrong("a cell is larger than 4 MiB");
    cell += static_cast<char>(c);
  }
}

absl::StatusOr<std::vector<std::string>> CsvReader::TakeLine() {
  while (in_->peek() >= 0) {
    std::vector<std::string> cells;
    size_t size = 0;
    int ended = ',';
    while (ended == ',') {
      std::string cell;
      ASSIGN_OR_RETURN(ended, TakeCell(cell));
      size += cell.size() + 1;
      if (size > kMaxRecordBytes) return Wrong("a row is larger than 4 MiB");
      cells.push_back(std::move(cell));
    }
    if (cells.size() > 1 || !cells.front().empty()) return cells;
  }
  return std::vector<std::string>();
}

absl::StatusOr<CsvReader> CsvReader::Open(std::istream& in) {
  CsvReader reader(in);
  for (const int mark : {0xEF, 0xBB, 0xBF}) {
    if (in.peek() == mark) reader.Get();
  }
  ASSIGN_OR_RETURN(reader.header_, reader.TakeLine());
  if (reader.header_.empty()) return Wrong("there is no header");
  std::set<std::string> names;
  for (const std::string& name : reader.header_) {
    if (name.empty() || !names.insert(name).second) {
      return Wrong("a name in the header is empty or there twice");
    }
  }
  return reader;
}

absl::StatusOr<std::optional<std::map<std::string, std::string>>> CsvReader::Next() {
  ASSIGN_OR_RETURN(const std::vector<std::string> cells, TakeLine());
  if (cells.empty()) return std::nullopt;
  if (cells.size() > header_.size()) return Wrong("a row is longer than the header");
  std::map<std::string, std::string> row;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].empty()) row[header_[i]] = cells[i];
  }
  return row;
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    if (cells[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += cells[i];
    } else {
      line += "\"" + absl::StrReplaceAll(cells[i], {{"\"", "\"\""}}) + "\"";
    }
  }
  return line + "\r\n";
}

}  // namespace waymark::node
