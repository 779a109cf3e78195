// A statement over rows that are its parameters.
//
// Many rows come as an array for each column, which the statement unnests; one alone comes as plain
// values, because a function for each of a dozen columns is most of what a statement over one row
// costs. Immutable; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/store/postgres/connection.h"
#include "server/store/postgres/values.h"

namespace waymark::hub {

struct PgColumn {
  const char* name;
  // Of numbers, or else of bytes.
  bool number = true;
};

// Returns what stands in FROM for rows of `columns`, by the name of `n`, whose parameters are
// $first and the following.
std::string RowsFrom(const std::vector<PgColumn>& columns, int first, RowForm form);

class RowStatement {
 public:
  // `text` returns the statement, given what stands in its FROM.
  RowStatement(const std::vector<PgColumn>& columns,
               absl::FunctionRef<std::string(const std::string& rows)> text);

  // The statement over `rows`, of which there is one at least; its other parameters follow. The
  // command is valid for as long as this is.
  PgCommand Over(PgColumns rows) const;

 private:
  std::string arrays_;
  std::string values_;
};

}  // namespace waymark::hub
