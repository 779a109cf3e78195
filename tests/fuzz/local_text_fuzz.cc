// Texts of local systems and of directories to import: CSV, JSON, the SQL of a configuration. The
// first byte says which.
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "client/connectors/sql/statement.h"
#include "client/csv/csv.h"
#include "client/listing/json_records.h"
#include "tests/fuzz/invariant.h"

namespace waymark::node {
namespace {

using fuzz::FailedWith;

std::string Rebuilt(const std::vector<JsonMember>& members) {
  JsonObject object;
  for (const auto& [name, value] : members) {
    const bool text = value.kind == JsonValue::Kind::kText;
    object.Add(name, text ? QuoteJson(value.text) : value.text);
  }
  return std::move(object).Finish();
}

bool Same(const std::vector<JsonMember>& a, const std::vector<JsonMember>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i].name == b[i].name && a[i].value.kind == b[i].value.kind &&
                      a[i].value.text == b[i].value.text;
    if (!same) return false;
  }
  return true;
}

void CheckJson(const std::string& text) {
  const auto members = ReadJsonObject(text);
  if (members) {
    const auto again = ReadJsonObject(Rebuilt(*members));
    HOLDS(again.has_value() && Same(*members, *again));
  }
  const auto elements = SplitJson(text);
  HOLDS(elements.has_value() || !members.has_value());
  if (!elements) return;
  for (const std::string& element : *elements) HOLDS(SplitJson(element).has_value());
}

// What was read as a row is the same once it was written and read again; but for a column that is
// the record's key, and for what a spreadsheet would start.
void CheckRow(const std::string& row, char separator) {
  const auto members = ReadJsonObject(row);
  HOLDS(members.has_value());
  std::vector<std::string> columns;
  for (const auto& [name, value] : *members) {
    HOLDS(value.kind == JsonValue::Kind::kText);
    columns.push_back(name);
    if (name == "key") return;
  }
  const auto written = RecordToCsv({.key = "1", .json = row}, columns, separator);
  if (!written.ok()) {
    HOLDS(FailedWith(written.status(), {v1::REASON_LOCAL_SYSTEM_REFUSED}));
    return;
  }
  const auto again = CsvToJson(*written, separator);
  HOLDS(again.has_value() && again->size() == 1);
  const auto read = ReadJsonObject(again->front());
  HOLDS(read.has_value() && read->size() == members->size());
  for (size_t i = 0; i < read->size(); ++i) {
    const std::string& before = (*members)[i].value.text;
    const std::string& after = (*read)[i].value.text;
    HOLDS(after == before || after == "'" + before);
  }
}

void CheckTable(const std::string& text, char separator) {
  if (const auto rows = CsvToJson(text, separator)) {
    for (const std::string& row : *rows) CheckRow(row, separator);
  }
}

void CheckStatement(const std::string& sql, SqlDialect dialect) {
  const ParsedStatement parsed = ParseStatement(sql, dialect);
  if (!parsed.problem.empty()) return;
  const std::vector<std::string>& names = parsed.statement.parameters;
  HOLDS(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  for (const std::string& name : names) HOLDS(parsed.statement.Names(name));
  if (names.empty()) HOLDS(parsed.statement.text == sql);
}

void CheckListingTable(const std::string& text) {
  std::istringstream in(text);
  auto reader = CsvReader::Open(in);
  if (!reader.ok()) {
    HOLDS(FailedWith(reader.status(), {v1::REASON_MALFORMED}));
    return;
  }
  while (true) {
    const auto row = reader->NextByName();
    HOLDS(reader->position() <= text.size());
    if (!row.ok()) HOLDS(FailedWith(row.status(), {v1::REASON_MALFORMED}));
    if (!row.ok() || !row->has_value()) return;
    HOLDS((*row)->size() <= reader->header().size());
  }
}

void CheckListingRecords(const std::string& text) {
  std::istringstream in(text);
  JsonRecords records(in);
  while (true) {
    const auto record = records.Next();
    HOLDS(records.position() <= text.size());
    if (!record.ok()) HOLDS(FailedWith(record.status(), {v1::REASON_MALFORMED}));
    if (!record.ok() || !record->has_value()) return;
  }
}

}  // namespace
}  // namespace waymark::node

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = waymark::fuzz::View(data, size);
  const uint8_t kind = waymark::fuzz::TakeByte(input);
  const std::string text(input);
  switch (kind) {
    case ',':
    case ';':
    case '\t':
      waymark::node::CheckTable(text, static_cast<char>(kind));
      break;
    case 's':
      waymark::node::CheckStatement(text, waymark::node::SqlDialect::kSqlite);
      break;
    case 'p':
      waymark::node::CheckStatement(text, waymark::node::SqlDialect::kPostgres);
      break;
    case 'l':
      waymark::node::CheckListingTable(text);
      break;
    case 'r':
      waymark::node::CheckListingRecords(text);
      break;
    default:
      waymark::node::CheckJson(text);
  }
  return 0;
}
