// A configuration file as a plain tree, so that one adapter alone knows the YAML library.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace waymark {

struct ConfigNode {
  enum class Kind { kAbsent, kScalar, kList, kMapping };

  Kind kind = Kind::kAbsent;
  // The file, for messages and relative paths, and the line in it, from 1.
  std::shared_ptr<const std::string> file;  // Shared by all nodes of one file.
  int line = 0;
  // The dotted name from the root, empty for the root.
  std::string name;

  std::string scalar;
  std::vector<std::unique_ptr<ConfigNode>> list;
  std::vector<std::pair<std::string, std::unique_ptr<ConfigNode>>> mapping;

  // Keys that the program asked for.
  std::set<std::string, std::less<>> asked;
  // Stand-ins for sections that the file does not have.
  std::vector<std::unique_ptr<ConfigNode>> absent;
};

// Returns the tree of `text`. REASON_CONFIG_INVALID: it does not parse, is not a mapping at the
// top, has a key twice, or is beyond sensible limits (16 levels, 10,000 nodes once aliases are
// expanded).
absl::StatusOr<std::unique_ptr<ConfigNode>> ParseYaml(const std::string& text,
                                                      const std::string& path);

}  // namespace waymark
