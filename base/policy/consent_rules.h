// The rules about a consent as a whole, C1-C4, C6-C10, C13 and C15-C17. Internal to base/policy.
//
// Each function appends one finding (with field number 0) for every rule that fails.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/policy/evaluator.h"
#include "base/policy/terms.h"

namespace waymark {

using Findings = std::vector<PolicyFinding>;

// How the consent was given and for how long: C2 (length), C9, C10, C15, C16, C17. `packs` are the
// ids of every pack that applies; the stricter value of each parameter counts, and a pack that the
// catalogue does not know is a finding of C2.
void CheckGiving(const Catalogue& catalogue, const std::vector<std::string>& packs,
                 const Terms& terms, Findings& findings);

// How many recipients the consent names, and whether the person excluded one: C3.
void CheckRecipientList(const Catalogue& catalogue, const std::vector<std::string>& packs,
                        const Terms& terms, Findings& findings);

// What the recipient's class demands: C8, and that the person did not exclude it: C3.
void CheckRecipient(const Catalogue& catalogue, const ProviderFacts& provider, const Terms& terms,
                    Findings& findings);

// What of NEED.service_id and NEED.service_code is not among `field_nos`: C4, for inquiries.
std::vector<uint32_t> MissingForInquiry(const std::set<uint32_t>& field_nos);

// Whether the record's own parts agree with the schema and with each other, so that a token can be
// made from it: C2 (whole minutes and hours), C4 of a consent to an inquiry alone, C5, C7, C11.
void CheckRecord(const v1::ConsentRecord& record, Findings& findings);

// Whether the consent covers this use of it: C1, C2 (now), C3, C4, C6, C7, C13 and C15's list of
// services. `may_have_ended` leaves out C2 and C13: the message says no more than that the referral
// ends.
void CheckUse(const PolicyContext& context, const Terms& terms, bool may_have_ended,
              Findings& findings);

}  // namespace waymark
