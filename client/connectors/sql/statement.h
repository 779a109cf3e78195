// SQL statements of a configuration, with named parameters.
//
// An administrator writes `:key` and `:name`; what is executed has the placeholders of the
// database, so that a value never becomes part of a statement. Nothing else of the text is changed
// or understood: the database itself judges it. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waymark::node {

enum class SqlDialect { kSqlite, kPostgres };

struct SqlStatement {
  // With ?1, ?2, ... or $1, $2, ... in place of the names.
  std::string text;
  // The name of each placeholder, from the first.
  std::vector<std::string> parameters;

  bool Names(std::string_view parameter) const;
};

struct ParsedStatement {
  SqlStatement statement;
  // What is wrong with it; empty when nothing is.
  std::string problem;
};

ParsedStatement ParseStatement(std::string_view sql, SqlDialect dialect);

}  // namespace waymark::node
