// The one policy evaluator: may this field go to this unit, for this service, at this stage, under
// this consent, and if not, why not.
//
// It reads fields by reflection and rules from the catalogue (profiles, packs, budgets), so that a
// new field or a stricter profile needs no code. The same functions run on the sending side (on the
// consent record), on the receiving side (on the token), behind every preview, and on what flows
// back. Every rule that fails is reported, not only the first. The rules keep the names of the
// domain reference, C1-C17 and E1-E11; a table test has a row for each.
//
// Not decided here: who may open what at the recipient, when it erases (C14), and that nothing is
// derived from a person for comparison (C18).
//
// All functions are pure and thread-safe. Findings name rules and fields, never values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "base/policy/section_fields.h"
#include "base/schema/catalogue.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {

// What the directory says about the provider's end of a referral.
struct ProviderFacts {
  UnitId unit;
  OrganisationId organisation;
  v1::OrganisationClass organisation_class = v1::ORGANISATION_CLASS_UNSPECIFIED;
  // Id of the provider's policy pack.
  std::string policy_pack;
  // Whether the unit offers the service code in the directory at hand.
  bool offers_service = false;
  // Field numbers of IDEN that the entry requires for a stated legal reason (E1).
  std::set<uint32_t> required_identity;
  // Published conditions by id: decides which answers are of class special.
  std::map<std::string, v1::ConditionKind> conditions;
};

// Everything but the consent and the values.
struct PolicyContext {
  // Outlives the call.
  const Catalogue* catalogue = nullptr;
  absl::Time now;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  Direction direction = Direction::kOriginToProvider;
  // The stage that the message names, and the one that the referral has reached once the message
  // counts (an INQUIRY reaches INQUIRY, an ACCEPT reaches ACCEPTED).
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  v1::Stage reached = v1::STAGE_UNSPECIFIED;
  uint32_t service_code = 0;
  // Id of the originating unit's policy pack.
  std::string origin_pack;
  // The unit that asks: the consent's controller and the token's presenter.
  UnitId origin;
  ProviderFacts provider;
  // What went out earlier in the referral: counts for the budget (E11) and for what must have gone
  // before (C14b). May be nullptr. Outlives the call.
  const v1::Sections* earlier = nullptr;
};

// One rule that fails. `field_no` is 0 for the message as a whole.
struct PolicyFinding {
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  uint32_t field_no = 0;
  // One sentence.
  std::string text;

  friend bool operator==(const PolicyFinding&, const PolicyFinding&) = default;
};

struct Evaluation {
  std::vector<PolicyFinding> findings;
  // Quasi-identifying values used and allowed, cumulative over the referral; 0 and 0 unless they
  // count at this stage.
  uint32_t budget_spent = 0;
  uint32_t budget = 0;
  // What to leave out to meet the budget, cheapest for matching first; empty when it is met.
  std::vector<uint32_t> proposed_without;

  bool allowed() const { return findings.empty(); }
};

// Whether a message of the kind that goes this way may hold sections.
bool MayCarrySections(v1::Kind kind, Direction direction);

// The sending side of an INQUIRY, ACCEPT, DISCLOSE or answered CLARIFICATION: every rule, on the
// consent record.
Evaluation EvaluateRelease(const PolicyContext& context, const v1::ConsentRecord& consent,
                           const v1::Sections& sections);

// Whatever was or will be sent under a token, in either direction: the rules that a token can
// prove. The receiving side calls it before anything reaches the vault; the provider calls it
// before PROG or LOGI flow back. `revoked` is what this node knows of a withdrawal.
Evaluation EvaluateUnderToken(const PolicyContext& context, const v1::ConsentToken& token,
                              bool revoked, const v1::Sections& sections);

// A consent on its own, before it is used: C2, C8, C9, C10, C15-C17, what C3 says of the
// recipients, and what C5, C7 and C11 say of lists. Finds nothing for a consent from which a token
// can be made. `providers` are the facts of its recipients, in order.
std::vector<PolicyFinding> EvaluateConsent(const Catalogue& catalogue,
                                           const v1::ConsentRecord& consent,
                                           const std::string& origin_pack,
                                           const std::vector<ProviderFacts>& providers);

// What a token says because its record says so: everything but ids, nonce, parties, versions of
// other things and the lock, which its issuer fills in. Whatever EvaluateRelease allows on the
// record, EvaluateUnderToken allows on such a token.
v1::ConsentToken TokenTermsOf(const v1::ConsentRecord& consent);

// The fields that consent and profile both allow at the context's stage, whatever their values:
// what a preview starts from. In the return direction: what the token lets flow back.
std::set<uint32_t> Unlocked(const PolicyContext& context, const v1::ConsentRecord& consent);
std::set<uint32_t> Unlocked(const PolicyContext& context, const v1::ConsentToken& token);

// What is left of `sections` when everything is dropped that Evaluate would refuse: evaluating the
// result finds nothing. Empty when the message as a whole is refused.
v1::Sections Permitted(const PolicyContext& context, const v1::ConsentRecord& consent,
                       const v1::Sections& sections);
v1::Sections Permitted(const PolicyContext& context, const v1::ConsentToken& token, bool revoked,
                       const v1::Sections& sections);

// Whether data about a person may go to this class only under a separate release, or never (C8).
enum class ClassRule { kOpen, kSeparateRelease, kNever };
ClassRule RuleOf(const Catalogue& catalogue, v1::OrganisationClass organisation_class);

}  // namespace waymark
