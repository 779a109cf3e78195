// The rules about single fields: C5, C6, C11, C12, C15 and the exceptions E1-E9. Internal to
// base/policy.
#pragma once

#include <cstdint>
#include <set>

#include "base/policy/consent_rules.h"
#include "base/policy/evaluator.h"
#include "base/policy/terms.h"
#include "base/schema/field_registry.h"

namespace waymark {

// What the rules need of the values that go together in one message.
struct ValueFacts {
  static ValueFacts Of(const PolicyContext& context, const v1::Sections& sections);

  // The facts under which a field is judged by consent and profile alone: direct contact chosen,
  // everything confirmed, no answer to a special condition.
  static ValueFacts MostFavourable();

  // CONT.via_lead_only is there and false (E4).
  bool direct_contact = false;
  // An answer is to a condition of a special kind, or to one that the entry does not publish (C11).
  bool special_answer = false;
  // An answer is to no condition that the entry publishes.
  bool unpublished_answer = false;
  // Sections whose values were confirmed too long ago, or whose confirmation is not there (C12).
  std::set<v1::Section> stale;
};

// Appends a finding for every rule by which `field` may not go in the context's direction.
void CheckField(const PolicyContext& context, const Terms& terms, const ValueFacts& values,
                const FieldInfo& field, Findings& findings);

}  // namespace waymark
