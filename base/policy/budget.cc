#include "base/policy/budget.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/policy/section_fields.h"

namespace waymark {
namespace {

// What each value counts, by field and entry.
using Weights = std::map<std::pair<uint32_t, std::string>, uint32_t>;

uint32_t WeightOf(const Catalogue& catalogue, const FieldOccurrence& occurrence) {
  uint32_t weight = 1;
  if (occurrence.field->format != v1::VALUE_FORMAT_LANGUAGE_TAG) return weight;
  const auto& section = *occurrence.section;
  const auto& reflection = *section.GetReflection();
  const auto* field = occurrence.field->descriptor;
  if (!field->is_repeated()) return catalogue.LanguageWeight(reflection.GetString(section, field));
  for (int i = 0; i < reflection.FieldSize(section, field); ++i) {
    weight =
        std::max(weight, catalogue.LanguageWeight(reflection.GetRepeatedString(section, field, i)));
  }
  return weight;
}

Weights WeightsOf(const Catalogue& catalogue, const v1::Sections& sections) {
  Weights weights;
  ForEachField(sections, [&](const FieldOccurrence& occurrence) {
    if (occurrence.field->data_class != v1::DATA_CLASS_QUASI || !SaysSomething(occurrence)) return;
    uint32_t& weight = weights[{occurrence.field->field_no, occurrence.entry}];
    weight = std::max(weight, WeightOf(catalogue, occurrence));
  });
  return weights;
}

// The fields whose weights could be saved, in the order in which to propose them: those that the
// catalogue lists, then the others from the last section to the first.
std::vector<uint32_t> ProposalOrder(const Catalogue& catalogue, uint32_t service_code,
                                    const std::map<uint32_t, uint32_t>& savings) {
  std::vector<uint32_t> order;
  for (const FieldInfo* field : catalogue.LeaveOutOrder(service_code)) {
    if (savings.count(field->field_no) > 0) order.push_back(field->field_no);
  }
  for (auto saving = savings.rbegin(); saving != savings.rend(); ++saving) {
    if (std::find(order.begin(), order.end(), saving->first) == order.end()) {
      order.push_back(saving->first);
    }
  }
  return order;
}

}  // namespace

BudgetUse MeasureBudget(const Catalogue& catalogue, uint32_t service_code,
                        const v1::Sections* earlier, const v1::Sections& sections) {
  Weights total = earlier == nullptr ? Weights() : WeightsOf(catalogue, *earlier);
  BudgetUse use{.budget = catalogue.QuasiBudget(service_code)};
  for (const auto& [value, weight] : total) use.spent += weight;

  std::map<uint32_t, uint32_t> savings;
  for (const auto& [value, weight] : WeightsOf(catalogue, sections)) {
    uint32_t& counted = total[value];
    if (weight <= counted) continue;
    savings[value.first] += weight - counted;
    use.spent += weight - counted;
    counted = weight;
  }

  uint32_t saved = 0;
  for (const uint32_t field_no : ProposalOrder(catalogue, service_code, savings)) {
    if (use.spent - saved <= use.budget) break;
    use.leave_out.push_back(field_no);
    saved += savings.at(field_no);
  }
  return use;
}

}  // namespace waymark
