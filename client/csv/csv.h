// Tables as RFC 4180 has them: quoted cells with separators, quotes and line breaks in them, lines
// that end in CR LF, LF or CR, a byte order mark before the first.
//
// Knows bytes and no encoding: callers that need UTF-8 check it. Threads: one reader, one thread.
// The stream outlives the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waymark::node {

struct CsvForm {
  // Between two cells: neither a quote nor a line break.
  char separator = ',';
  // Bytes of one row, its separators included.
  size_t max_row_bytes = size_t{4} << 20;
};

class CsvReader {
 public:
  // Reads the header. MALFORMED: there is none, or a name is there twice or empty.
  static absl::StatusOr<CsvReader> Open(std::istream& in, CsvForm form = {});

  const std::vector<std::string>& header() const { return header_; }

  // The cells of the next line that is not blank; nullopt at the end. A row may be shorter than the
  // header. MALFORMED: it is longer, a quote stays open, text stands beside quotes, or the row is
  // larger than `max_row_bytes`.
  absl::StatusOr<std::optional<std::vector<std::string>>> Next();
  // The same by the names of the header, empty cells left out.
  absl::StatusOr<std::optional<std::map<std::string, std::string>>> NextByName();

  // Bytes that were read.
  uint64_t position() const { return position_; }

 private:
  CsvReader(std::istream& in, CsvForm form) : in_(&in), form_(form) {}

  int Get();
  void SkipByteOrderMark();
  // Whether `c` ends a line; takes the rest of the line break.
  bool EndsLine(int c);
  // Takes a cell and what ends it; returns whether it was the last one of its row.
  absl::StatusOr<bool> TakeCell(std::string& cell);
  absl::StatusOr<bool> TakeQuoted(std::string& cell);
  absl::Status TooLarge() const;
  // The cells of the next line that is not blank; none at the end.
  absl::StatusOr<std::vector<std::string>> TakeRow();

  std::istream* in_;
  CsvForm form_;
  uint64_t position_ = 0;
  std::vector<std::string> header_;
};

// One line with its line break, each cell quoted where it has to be, so that it is read again as it
// was.
std::string CsvLine(const std::vector<std::string>& cells, char separator = ',');

}  // namespace waymark::node
