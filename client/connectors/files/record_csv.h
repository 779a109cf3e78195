// CSV files (RFC 4180, with a header): one record as a file, and a file as JSON objects.
//
// What is written opens in a spreadsheet without starting anything: a text that begins like a
// formula gets an apostrophe before it. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/connectors/connector.h"

namespace waymark::node {

// Returns a header and a row. The column `key` is the record's key; nothing stands where the record
// has no such member, or null. LOCAL_SYSTEM_REFUSED: the record is no object, has a member that is
// no column, or a text with U+0000.
absl::StatusOr<std::string> RecordToCsv(const LocalRecord& record,
                                        const std::vector<std::string>& columns, char separator);

// Returns the rows as JSON objects of texts. nullopt: it is not whole CSV in UTF-8, has a row of
// another length than its header, or a column without a name or with that of another.
std::optional<std::vector<std::string>> CsvToJson(std::string_view csv, char separator);

}  // namespace waymark::node
