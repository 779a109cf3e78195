#include "base/policy/evaluator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/functional/function_ref.h"
#include "base/policy/budget.h"
#include "base/policy/consent_rules.h"
#include "base/policy/field_rules.h"
#include "base/policy/section_fields.h"
#include "base/policy/terms.h"
#include "base/schema/validate.h"
#include "base/status/status.h"

namespace waymark {
namespace {

bool IsOutward(const PolicyContext& context) {
  return context.direction == Direction::kOriginToProvider;
}

// A refusal or an end may follow when the consent has ended, and then says nothing but that.
bool OutlivesConsent(const PolicyContext& context, const std::set<uint32_t>& field_nos) {
  return !IsOutward(context) && !DemandsLive(TokenDemandOf(context.kind)) &&
         std::all_of(field_nos.begin(), field_nos.end(), [](uint32_t field_no) {
           const FieldInfo* field = FieldByNumber(field_no);
           return field->section == v1::SECTION_PROG && field->coarse;
         });
}

// C4: an inquiry names the directory's entry, or the recipient cannot know what it is asked for.
void CheckServiceNamed(const PolicyContext& context, const v1::Sections& sections,
                       Findings& findings) {
  if (!IsOutward(context) || context.kind != v1::KIND_INQUIRY) return;
  for (const uint32_t field_no : MissingForInquiry(FieldNumbersIn(sections))) {
    findings.push_back({v1::REASON_CONSENT_PURPOSE, field_no,
                        "An inquiry names the service that is asked for; the consent has to list "
                        "this field."});
  }
}

void CheckContent(const PolicyContext& context, const v1::Sections& sections, Findings& findings) {
  if (sections.ByteSizeLong() == 0) return;
  if (!MayCarrySections(context.kind, context.direction)) {
    findings.push_back(
        {v1::REASON_CONTENT_FORBIDDEN, 0, "This kind of message carries no sections."});
  }
  if (const absl::Status valid = ValidateSections(sections); !valid.ok()) {
    std::string text(valid.message());
    const std::string cure = " " + std::string(ReasonCure(ReasonOf(valid)));
    if (text.size() > cure.size() &&
        text.compare(text.size() - cure.size(), cure.size(), cure) == 0) {
      text.resize(text.size() - cure.size());
    }
    findings.push_back({ReasonOf(valid), 0, std::move(text)});
  }
  if (IsOutward(context) && sections.need().has_service_code() &&
      sections.need().service_code() != context.service_code) {
    findings.push_back({v1::REASON_CONSENT_PURPOSE, FieldByName("NEED.service_code")->field_no,
                        "The need is for another service than the referral."});
  }
}

// C14b: for some services nothing beyond the inquiry leaves without a field that says the ground
// was prepared; it may have gone before.
void CheckRequiredFields(const PolicyContext& context, const std::set<uint32_t>& field_nos,
                         Findings& findings) {
  if (!IsOutward(context) || context.stage <= v1::STAGE_INQUIRY || field_nos.empty()) return;
  for (const FieldInfo* required : context.catalogue->RequiredFields(context.service_code)) {
    const bool went_before = context.earlier != nullptr &&
                             FieldNumbersIn(*context.earlier).count(required->field_no) > 0;
    if (went_before || field_nos.count(required->field_no) > 0) continue;
    findings.push_back({v1::REASON_CONSENT_STALE, 0,
                        "For this service nothing more may go without " + required->name + "."});
  }
}

void CheckBudget(const PolicyContext& context, const v1::Sections& sections,
                 Evaluation& evaluation) {
  if (!IsOutward(context) || context.stage != v1::STAGE_INQUIRY) return;
  const BudgetUse use =
      MeasureBudget(*context.catalogue, context.service_code, context.earlier, sections);
  evaluation.budget_spent = use.spent;
  evaluation.budget = use.budget;
  evaluation.proposed_without = use.leave_out;
  if (!use.exceeded()) return;
  evaluation.findings.push_back({v1::REASON_BUDGET_EXCEEDED, 0,
                                 "The inquiry would say " + std::to_string(use.spent) +
                                     " things that together may identify "
                                     "the person; " +
                                     std::to_string(use.budget) + " are allowed."});
}

// Every pack that applies: of the origin as the directory names it, of the consent, of the
// provider.
std::vector<std::string> PacksOf(const std::string& origin_pack, const Terms& terms,
                                 const std::vector<ProviderFacts>& providers) {
  std::vector<std::string> packs = {origin_pack};
  if (terms.policy_pack != origin_pack) packs.push_back(terms.policy_pack);
  for (const ProviderFacts& provider : providers) packs.push_back(provider.policy_pack);
  return packs;
}

Evaluation Evaluate(const PolicyContext& context, const Terms& terms,
                    const v1::Sections& sections) {
  Evaluation evaluation;
  Findings& findings = evaluation.findings;
  const std::set<uint32_t> field_nos = FieldNumbersIn(sections);
  CheckUse(context, terms, OutlivesConsent(context, field_nos), findings);
  const std::vector<std::string> packs = PacksOf(context.origin_pack, terms, {context.provider});
  CheckGiving(*context.catalogue, packs, terms, findings);
  CheckRecipientList(*context.catalogue, packs, terms, findings);
  CheckRecipient(*context.catalogue, context.provider, terms, findings);
  CheckServiceNamed(context, sections, findings);
  CheckContent(context, sections, findings);
  CheckRequiredFields(context, field_nos, findings);
  CheckBudget(context, sections, evaluation);
  const ValueFacts values = ValueFacts::Of(context, sections);
  for (const uint32_t field_no : field_nos) {
    CheckField(context, terms, values, *FieldByNumber(field_no), findings);
  }
  return evaluation;
}

std::set<uint32_t> UnlockedUnder(const PolicyContext& context, const Terms& terms) {
  std::set<uint32_t> unlocked;
  const ValueFacts values = ValueFacts::MostFavourable();
  for (const FieldInfo& field : AllFields()) {
    Findings findings;
    CheckField(context, terms, values, field, findings);
    if (findings.empty()) unlocked.insert(field.field_no);
  }
  return unlocked;
}

// Drops what `evaluate` objects to until it objects to nothing. Each round drops a field or ends.
v1::Sections PermittedBy(absl::FunctionRef<Evaluation(const v1::Sections&)> evaluate,
                         const v1::Sections& sections) {
  std::set<uint32_t> left = FieldNumbersIn(sections);
  v1::Sections kept = KeepFields(sections, left);
  while (true) {
    const Evaluation evaluation = evaluate(kept);
    if (evaluation.allowed()) return kept;
    const size_t before = left.size();
    for (const PolicyFinding& finding : evaluation.findings) left.erase(finding.field_no);
    if (left.size() == before) {
      for (const uint32_t field_no : evaluation.proposed_without) left.erase(field_no);
    }
    if (left.size() == before) return {};
    kept = KeepFields(sections, left);
  }
}

}  // namespace

bool MayCarrySections(v1::Kind kind, Direction direction) {
  switch (kind) {
    case v1::KIND_INQUIRY:
    case v1::KIND_CLARIFICATION:
    case v1::KIND_DISCLOSE:
      return direction == Direction::kOriginToProvider;
    case v1::KIND_OFFER:
    case v1::KIND_WAITLIST:
    case v1::KIND_DECLINE:
    case v1::KIND_SCHEDULE:
    case v1::KIND_START:
    case v1::KIND_PROGRESS:
    case v1::KIND_CLOSE:
      return direction == Direction::kProviderToOrigin;
    default:
      return false;
  }
}

Evaluation EvaluateRelease(const PolicyContext& context, const v1::ConsentRecord& consent,
                           const v1::Sections& sections) {
  return Evaluate(context, Terms::Of(consent), sections);
}

Evaluation EvaluateUnderToken(const PolicyContext& context, const v1::ConsentToken& token,
                              bool revoked, const v1::Sections& sections) {
  return Evaluate(context, Terms::Of(token, revoked), sections);
}

std::vector<PolicyFinding> EvaluateConsent(const Catalogue& catalogue,
                                           const v1::ConsentRecord& consent,
                                           const std::string& origin_pack,
                                           const std::vector<ProviderFacts>& providers) {
  Findings findings;
  const Terms terms = Terms::Of(consent);
  const std::vector<std::string> packs = PacksOf(origin_pack, terms, providers);
  CheckGiving(catalogue, packs, terms, findings);
  CheckRecipientList(catalogue, packs, terms, findings);
  for (const ProviderFacts& provider : providers) {
    CheckRecipient(catalogue, provider, terms, findings);
  }
  CheckRecord(consent, findings);
  return findings;
}

v1::ConsentToken TokenTermsOf(const v1::ConsentRecord& consent) {
  v1::ConsentToken token;
  *token.mutable_scope_fields() = consent.scope_fields();
  *token.mutable_special_fields() = consent.special_fields();
  *token.mutable_return_fields() = consent.return_fields();
  *token.mutable_purposes() = consent.purposes();
  token.set_stage_ceiling(consent.stage_ceiling());
  *token.mutable_valid_from() = consent.valid_from();
  *token.mutable_valid_until() = consent.valid_until();
  const bool onward = consent.onward_mode() == v1::ONWARD_MODE_NAMED;
  token.set_onward_mode(onward ? v1::ONWARD_MODE_NAMED : v1::ONWARD_MODE_NONE);
  *token.mutable_onward_recipients() = consent.onward_recipients();
  *token.mutable_onward_fields() = consent.onward_fields();
  token.set_legal_basis(consent.legal_basis());
  token.set_capture_kind(consent.capture_kind());
  token.set_readback_confirmed(consent.readback_confirmed());
  token.set_transport_named(consent.transport_named());
  token.set_policy_pack(consent.policy_pack());
  token.set_version(consent.version());
  token.set_separate_release(consent.separate_release());
  token.set_retention_days(consent.retention_at_recipient_days());
  return token;
}

v1::Sections Permitted(const PolicyContext& context, const v1::ConsentRecord& consent,
                       const v1::Sections& sections) {
  return PermittedBy(
      [&](const v1::Sections& kept) { return EvaluateRelease(context, consent, kept); }, sections);
}

v1::Sections Permitted(const PolicyContext& context, const v1::ConsentToken& token, bool revoked,
                       const v1::Sections& sections) {
  return PermittedBy(
      [&](const v1::Sections& kept) { return EvaluateUnderToken(context, token, revoked, kept); },
      sections);
}

std::set<uint32_t> Unlocked(const PolicyContext& context, const v1::ConsentRecord& consent) {
  return UnlockedUnder(context, Terms::Of(consent));
}

std::set<uint32_t> Unlocked(const PolicyContext& context, const v1::ConsentToken& token) {
  return UnlockedUnder(context, Terms::Of(token, /*revoked=*/false));
}

ClassRule RuleOf(const Catalogue& catalogue, v1::OrganisationClass organisation_class) {
  if (organisation_class == v1::ORGANISATION_CLASS_UNSPECIFIED ||
      catalogue.NeverReceives(organisation_class)) {
    return ClassRule::kNever;
  }
  return catalogue.NeedsSeparateRelease(organisation_class) ? ClassRule::kSeparateRelease
                                                            : ClassRule::kOpen;
}

}  // namespace waymark
