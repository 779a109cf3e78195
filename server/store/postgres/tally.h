// What a store holds, as counts and sums that two stores can be compared by.
//
// A row is what PostgreSQL is given of a record, so that a column that is added counts by itself.
// The sum of a kind does not depend on the order of its rows. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "server/store/postgres/values.h"

namespace waymark::hub {

class Tally {
 public:
  // Rows of a kind, and the sum of their hashes.
  struct Kind {
    uint64_t rows = 0;
    std::array<uint64_t, 4> sum = {};

    friend bool operator==(const Kind&, const Kind&) = default;
  };

  // Counts the one row of `row`.
  void Add(const std::string& kind, PgColumns row);

  const std::map<std::string, Kind>& kinds() const { return kinds_; }

  // Returns a kind in which the two differ, empty for none.
  std::string DifferenceTo(const Tally& other) const;

 private:
  std::map<std::string, Kind> kinds_;
};

}  // namespace waymark::hub
