// E11: how much an inquiry may say about a person in quasi-identifying values. Internal to
// base/policy.
#pragma once

#include <cstdint>
#include <vector>

#include "base/schema/catalogue.h"
#include "waymark/v1/message.pb.h"

namespace waymark {

struct BudgetUse {
  uint32_t spent = 0;
  uint32_t budget = 0;
  // Fields of `sections` to leave out until the rest fits, cheapest for matching first. Empty when
  // it fits; all that count when what went before is too much by itself.
  std::vector<uint32_t> leave_out;

  bool exceeded() const { return spent > budget; }
};

// Counts the quasi-identifying values of `sections` together with those of `earlier` (nullptr:
// none), a value that went before once. Zero counts, UNKNOWN does not; each answer to a condition
// counts 1, a rare language what the catalogue says.
BudgetUse MeasureBudget(const Catalogue& catalogue, uint32_t service_code,
                        const v1::Sections* earlier, const v1::Sections& sections);

}  // namespace waymark
