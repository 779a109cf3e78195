#include "client/connectors/files/record_csv.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "client/connectors/result.h"
#include "client/csv/csv.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

constexpr std::string_view kKey = "key";
constexpr std::string_view kFormulaStarts = "=+-@\t\r";

std::string TextOf(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kNull) return "";
  const bool formula = value.kind == JsonValue::Kind::kText && !value.text.empty() &&
                       kFormulaStarts.find(value.text.front()) != std::string_view::npos;
  return (formula ? "'" : "") + value.text;
}

}  // namespace

absl::StatusOr<std::string> RecordToCsv(const LocalRecord& record,
                                        const std::vector<std::string>& columns, char separator) {
  const auto members = ReadJsonObject(record.json);
  if (!members) return SystemRefused("the mapping returned what is no JSON object");
  std::vector<std::string> row;
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
    row.push_back(std::move(text));
  }
  if (used != members->size()) {
    return SystemRefused(
        "the mapping's record has a member that is none of the columns and that would be lost; add "
        "it to `columns`, or take it out of the mapping");
  }
  return CsvLine(columns, separator) + CsvLine(row, separator);
}

std::optional<std::vector<std::string>> CsvToJson(std::string_view csv, char separator) {
  if (!IsUtf8Text(csv)) return std::nullopt;
  std::istringstream in{std::string(csv)};
  // The file as a whole has its limit.
  auto table = CsvReader::Open(in, {.separator = separator, .max_row_bytes = csv.size()});
  if (!table.ok()) return std::nullopt;
  const std::vector<std::string>& header = table->header();
  std::vector<std::string> rows;
  while (true) {
    const auto cells = table->Next();
    if (!cells.ok()) return std::nullopt;
    if (!cells->has_value()) return rows;
    if ((*cells)->size() != header.size()) return std::nullopt;
    JsonObject row;
    for (size_t i = 0; i < header.size(); ++i) row.Add(header[i], QuoteJson((**cells)[i]));
    rows.push_back(std::move(row).Finish());
  }
}

}  // namespace waymark::node
