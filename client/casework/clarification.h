// Coded questions about a request, and what answers them.
//
// The provider's questions go to the lead, never to the person; the lead answers with a code, or
// with values through Origin::Answer. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <set>

#include "absl/status/status.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// OK for a code with what it needs. ENUM_UNKNOWN: the code. FIELD_INVALID: FIELDS_NEEDED without
// fields, more than 16 or unknown ones, CONDITION_ANSWER without a condition, or no id of one.
absl::Status CheckClarification(const v1::Clarification& clarification);

// The other side's latest question that nothing of the own side has answered since; nullptr when
// there is none. An answer that was refused is none.
const v1::Clarification* OpenQuestion(const local::v1::Referral& referral);

// The fields that a question asks for: those that it names, or those that its code is about. Empty
// when it asks for a call.
std::set<uint32_t> FieldsAskedFor(const v1::Clarification& question);

}  // namespace waymark::node
