#include "server/store/postgres/row_statement.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace waymark::hub {

std::string RowsFrom(const std::vector<PgColumn>& columns, int first, RowForm form) {
  const bool arrays = form == RowForm::kArrays;
  std::string parameters;
  std::string names;
  for (const PgColumn& column : columns) {
    const char* comma = names.empty() ? "" : ", ";
    absl::StrAppend(&parameters, comma, "$", first++, column.number ? "::bigint" : "::bytea",
                    arrays ? "[]" : "");
    absl::StrAppend(&names, comma, column.name);
  }
  return absl::StrCat(arrays ? "unnest(" : "(VALUES (", parameters, arrays ? ")" : "))", " AS n(",
                      names, ")");
}

RowStatement::RowStatement(const std::vector<PgColumn>& columns,
                           absl::FunctionRef<std::string(const std::string& rows)> text)
    : arrays_(text(RowsFrom(columns, 1, RowForm::kArrays))),
      values_(text(RowsFrom(columns, 1, RowForm::kValues))) {}

PgCommand RowStatement::Over(PgColumns rows) const {
  const RowForm form = rows.rows() == 1 ? RowForm::kValues : RowForm::kArrays;
  PgCommand command{form == RowForm::kValues ? values_.c_str() : arrays_.c_str(), {}};
  std::move(rows).MoveTo(command.params, form);
  return command;
}

}  // namespace waymark::hub
