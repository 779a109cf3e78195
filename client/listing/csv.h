// Tables as RFC 4180 has them: quoted cells with commas, quotes and line breaks in them, lines that
// end in CR LF or LF, a byte order mark before the first.
//
// Threads: one reader, one thread. The stream outlives the reader.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace waymark::node {

class CsvReader {
 public:
  // Reads the header. MALFORMED: there is none, or a name is there twice or empty.
  static absl::StatusOr<CsvReader> Open(std::istream& in);

  const std::vector<std::string>& header() const { return header_; }

  // The next row by the names of the header, empty cells left out; nullopt at the end. A row may be
  // shorter than the header. MALFORMED: it is longer, a quote stays open, text stands beside
  // quotes, or the row is larger than a record may be.
  absl::StatusOr<std::optional<std::map<std::string, std::string>>> Next();

  // Bytes that were read.
  uint64_t position() const { return position_; }

 private:
  explicit CsvReader(std::istream& in) : in_(&in) {}

  int Get();
  // Takes a cell; returns what ended it: ',', '\n', or -1 at the end of the file.
  absl::StatusOr<int> TakeCell(std::string& cell);
  absl::StatusOr<int> TakeQuoted(std::string& cell);
  // The cells of the next line that is not empty; none at the end.
  absl::StatusOr<std::vector<std::string>> TakeLine();

  std::istream* in_;
  uint64_t position_ = 0;
  std::vector<std::string> header_;
};

// One line with its line break, each cell quoted where it has to be.
std::string CsvLine(const std::vector<std::string>& cells);

}  // namespace waymark::node
