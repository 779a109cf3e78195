#include "client/connectors/files/csv.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "client/connectors/result.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

constexpr std::string_view kKey = "key";
constexpr std::string_view kFormulaStarts = "=+-@\t\r";

std::string Cell(std::string_view text, char separator) {
  std::string special = "\"\r\n";
  special += separator;
  const bool spaced = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!spaced && text.find_first_of(special) == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string TextOf(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kNull) return "";
  const bool formula = value.kind == JsonValue::Kind::kText && !value.text.empty() &&
                       kFormulaStarts.find(value.text.front()) != std::string_view::npos;
  return (formula ? "'" : "") + value.text;
}

// Reads the cells one after the other.
class Reader {
 public:
  Reader(std::string_view csv, char separator) : csv_(csv), separator_(separator) {}

  bool done() const { return at_ >= csv_.size(); }

  // The cells of the next row; nullopt when it is not well-formed.
  std::optional<std::vector<std::string>> Row() {
    std::vector<std::string> cells;
    while (true) {
      std::optional<std::string> cell = Peek() == '"' ? Quoted() : Plain();
      if (!cell) return std::nullopt;
      cells.push_back(*std::move(cell));
      if (done()) return cells;
      const char c = csv_[at_++];
      if (c == separator_) continue;
      if (c == '\r' && Peek() == '\n') ++at_;
      return cells;
    }
  }

 private:
  char Peek() const { return done() ? '\0' : csv_[at_]; }
  bool AtEnd() const { return done() || Peek() == separator_ || Peek() == '\r' || Peek() == '\n'; }

  std::optional<std::string> Plain() {
    std::string cell;
    while (!AtEnd()) {
      if (Peek() == '"') return std::nullopt;
      cell += csv_[at_++];
    }
    return cell;
  }

  std::optional<std::string> Quoted() {
    std::string cell;
    for (++at_; !done(); ++at_) {
      if (Peek() != '"') {
        cell += Peek();
        continue;
      }
      ++at_;
      if (Peek() != '"')
        return AtEnd() ? std::optional<std::string>(std::move(cell)) : std::nullopt;
      cell += '"';
    }
    return std::nullopt;
  }

  const std::string_view csv_;
  const char separator_;
  size_t at_ = 0;
};

bool AreNames(const std::vector<std::string>& header) {
  const std::set<std::string> names(header.begin(), header.end());
  return names.size() == header.size() && !names.contains("");
}

}  // namespace

absl::StatusOr<std::string> RecordToCsv(const LocalRecord& record,
                                        const std::vector<std::string>& columns, char separator) {
  const auto members = ReadJsonObject(record.json);
  if (!members) return SystemRefused("the mapping returned what is no JSON object");
  std::string header;
  std::string row;
  size_t used = 0;
  for (const std::string& column : columns) {
    const auto found =
        std::find_if(members->begin(), members->end(),
                     [&](const JsonMember& member) { return member.name == column; });
    std::string text;
    if (column == kKey) {
      text = record.key;
    } else if (found != members->end()) {
      text = TextOf(found->value);
      ++used;
    }
    if (text.find('\0') != std::string::npos) {
      return SystemRefused(
          "a text of the record holds the character U+0000, which CSV cannot hold");
    }
    if (!header.empty()) {
      header += separator;
      row += separator;
    }
    header += Cell(column, separator);
    row += Cell(text, separator);
  }
  if (used != members->size()) {
    return SystemRefused(
        "the mapping's record has a member that is none of the columns and that would be lost; add "
        "it to `columns`, or take it out of the mapping");
  }
  return header + "\r\n" + row + "\r\n";
}

std::optional<std::vector<std::string>> CsvToJson(std::string_view csv, char separator) {
  if (!IsUtf8Text(csv)) return std::nullopt;
  Reader reader(csv, separator);
  const auto header = reader.Row();
  if (!header || !AreNames(*header)) return std::nullopt;
  std::vector<std::string> rows;
  while (!reader.done()) {
    const auto cells = reader.Row();
    if (!cells || cells->size() != header->size()) return std::nullopt;
    JsonObject row;
    for (size_t i = 0; i < cells->size(); ++i) row.Add((*header)[i], QuoteJson((*cells)[i]));
    rows.push_back(std::move(row).Finish());
  }
  return rows;
}

}  // namespace waymark::node
