#include "base/policy/consent_rules.h"

#include <algorithm>
#include <optional>

#include "base/lifecycle/lifecycle.h"
#include "base/schema/field_registry.h"
#include "base/time/clock.h"

namespace waymark {
namespace {

void Add(Findings& findings, v1::Reason reason, std::string text) {
  findings.push_back({reason, 0, std::move(text)});
}

template <typename List, typename Value>
bool Contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// The stricter of all packs; nullopt if the catalogue lacks one.
std::optional<v1::PolicyPack> StrictestOf(const Catalogue& catalogue,
                                          const std::vector<std::string>& ids) {
  std::optional<v1::PolicyPack> strictest;
  for (const std::string& id : ids) {
    const v1::PolicyPack* pack = catalogue.FindPack(id);
    if (pack == nullptr) return std::nullopt;
    strictest = strictest ? StricterOf(*strictest, *pack) : *pack;
  }
  return strictest;
}

std::string Days(uint32_t days) { return std::to_string(days) + " days"; }

void CheckLength(const Terms& terms, uint32_t max_days, v1::Reason reason, std::string_view whose,
                 Findings& findings) {
  if (terms.until - terms.from <= absl::Hours(24 * int64_t{max_days})) return;
  Add(findings, reason,
      "The consent runs longer than the " + Days(max_days) + " that " + std::string(whose) +
          " allows.");
}

// C9, first half: who was there and who interpreted.
void CheckSetting(const v1::ConsentRecord& record, Findings& findings) {
  if (!record.private_setting()) {
    Add(findings, v1::REASON_CONSENT_CAPTURE, "It was not recorded that the setting was private.");
  }
  if (!record.has_companion_present() || record.companion_present()) {
    Add(findings, v1::REASON_CONSENT_CAPTURE,
        "It was not recorded that nobody who came along was present.");
  }
  bool interpreter_counts = false;
  switch (record.interpreter_kind()) {
    case v1::INTERPRETER_KIND_NONE:
      interpreter_counts = true;
      break;
    case v1::INTERPRETER_KIND_STAFF:
      interpreter_counts =
          !record.has_interpreter_independent() || record.interpreter_independent();
      break;
    case v1::INTERPRETER_KIND_PROFESSIONAL_REMOTE:
    case v1::INTERPRETER_KIND_PROFESSIONAL_PRESENT:
      interpreter_counts = record.interpreter_independent();
      break;
    default:
      break;
  }
  if (!interpreter_counts) {
    Add(findings, v1::REASON_CONSENT_CAPTURE,
        "The interpreter was neither an independent professional nor staff.");
  }
}

// C9, second half: what the person was told, and whether they understood it.
void CheckNotice(const v1::ConsentRecord& record, Findings& findings) {
  if (record.notice_id().empty() || record.notice_version() == 0 ||
      record.notice_language().empty() || record.notice_form() == v1::NOTICE_FORM_UNSPECIFIED) {
    Add(findings, v1::REASON_CONSENT_CAPTURE,
        "It was not recorded which notice was given, in which language and form.");
  }
  if (!record.notice_understood()) {
    Add(findings, v1::REASON_CONSENT_CAPTURE,
        "It was not recorded that the person understands the notice's language.");
  }
}

// C10.
void CheckFreedom(const v1::ConsentRecord& record, Findings& findings) {
  if (record.has_condition_of_service() && !record.condition_of_service()) return;
  Add(findings, v1::REASON_CONSENT_CONDITIONAL,
      "It was not recorded that no service depends on the consent.");
}

// C15, as far as the record tells it.
void CheckGuardian(const v1::ConsentRecord& record, const v1::PolicyPack& pack,
                   Findings& findings) {
  const v1::Minor& minor = record.minor();
  const bool alone = minor.consents_alone() && record.legal_basis() == v1::LEGAL_BASIS_CONSENT;
  if (alone && pack.minor_consent() == v1::MINOR_CONSENT_NEVER) {
    Add(findings, v1::REASON_CONSENT_MINOR, "Here a minor cannot consent alone.");
  }
  if (!alone && (record.legal_basis() != v1::LEGAL_BASIS_GUARDIAN_CONSENT ||
                 minor.guardian().relation() == v1::GUARDIAN_RELATION_UNSPECIFIED ||
                 minor.guardian().authority() == v1::GUARDIAN_AUTHORITY_UNSPECIFIED)) {
    Add(findings, v1::REASON_CONSENT_MINOR, "No guardian with authority consented for the minor.");
  }
  if (!alone && minor.guardian().suspected_abuser() != v1::ANSWER_NO) {
    Add(findings, v1::REASON_CONSENT_MINOR,
        "It was not recorded that the guardian is above suspicion.");
  }
  if (minor.view() == v1::CHILD_VIEW_UNSPECIFIED) {
    Add(findings, v1::REASON_CONSENT_MINOR, "The minor's own view was not recorded.");
  }
}

// C16: no other ground than the consent of the person or a guardian moves data. Vital interest is
// off in most packs and needs steps outside the network where it is on, so it is refused in all.
void CheckBasis(const Terms& terms, Findings& findings) {
  if (terms.basis == v1::LEGAL_BASIS_CONSENT || terms.basis == v1::LEGAL_BASIS_GUARDIAN_CONSENT) {
    return;
  }
  Add(findings, v1::REASON_CONSENT_MISSING, "Neither the person nor a guardian consented.");
}

// C2, now. A sender trusts its own clock; between nodes a small difference is tolerated.
void CheckNow(const PolicyContext& context, const Terms& terms, Findings& findings) {
  const absl::Duration tolerance =
      terms.record == nullptr ? kMemberClockTolerance : absl::ZeroDuration();
  if (context.now + tolerance < terms.from) {
    Add(findings, v1::REASON_CONSENT_TIME, "The consent has not begun.");
  }
  if (context.now - tolerance >= terms.until) {
    Add(findings, v1::REASON_CONSENT_TIME, "The consent has ended.");
  }
}

// C1 and C13.
void CheckState(const Terms& terms, Findings& findings) {
  if (terms.withdrawn) {
    Add(findings, v1::REASON_CONSENT_WITHDRAWN, "The person withdrew the consent.");
    return;
  }
  if (terms.record == nullptr || terms.record->state() == v1::CONSENT_STATE_GIVEN ||
      terms.record->state() == v1::CONSENT_STATE_RENEWED) {
    return;
  }
  if (terms.record->state() == v1::CONSENT_STATE_EXPIRED) {
    Add(findings, v1::REASON_CONSENT_TIME, "The consent has ended.");
    return;
  }
  Add(findings, v1::REASON_CONSENT_MISSING, "The person has given no consent that covers this.");
}

// C3, and C1 and C7 as far as they say who sends.
void CheckParties(const PolicyContext& context, const Terms& terms, Findings& findings) {
  if (context.direction == Direction::kOriginToProvider && terms.token != nullptr &&
      context.origin.view() == terms.token->recipient_unit()) {
    Add(findings, v1::REASON_CONSENT_ONWARD,
        "What was received under this token may be passed on only under a token that the lead unit "
        "issued for the next unit.");
  } else if (context.origin.view() != terms.origin) {
    Add(findings, v1::REASON_CONSENT_MISSING, "The consent was given to another unit.");
  }
  if (terms.token != nullptr && terms.token->presenter_unit() != terms.token->issuer_unit() &&
      terms.token->onward_mode() == v1::ONWARD_MODE_NAMED) {
    Add(findings, v1::REASON_CONSENT_ONWARD,
        "What came by way of another unit cannot be passed on a second time.");
  }
  if (!Contains(terms.recipients, context.provider.unit.view())) {
    Add(findings, v1::REASON_CONSENT_RECIPIENT, "The consent does not name this unit.");
  }
}

// C4, and C15's list of services.
void CheckPurpose(const PolicyContext& context, const Terms& terms, Findings& findings) {
  if (terms.purposes.count(context.service_code) == 0) {
    Add(findings, v1::REASON_CONSENT_PURPOSE,
        "The consent is not for service " + std::to_string(context.service_code) + ".");
  }
  // What has begun may be reported on and ended although the service is no longer offered.
  if (context.direction == Direction::kOriginToProvider && !context.provider.offers_service) {
    Add(findings, v1::REASON_CONSENT_PURPOSE,
        "The unit does not offer service " + std::to_string(context.service_code) + ".");
  }
  if (terms.minor() && !context.catalogue->AllowsMinor(context.service_code)) {
    Add(findings, v1::REASON_CONSENT_MINOR,
        "Service " + std::to_string(context.service_code) + " is not for minors.");
  }
}

// C6.
void CheckStage(const PolicyContext& context, const Terms& terms, Findings& findings) {
  if (context.stage < v1::STAGE_INQUIRY) {
    Add(findings, v1::REASON_CONSENT_STAGE, "At this stage nothing about a person may go.");
  }
  if (context.stage > terms.ceiling) {
    Add(findings, v1::REASON_CONSENT_STAGE, "The consent does not reach this stage.");
  }
  if (context.stage > context.reached) {
    Add(findings, v1::REASON_CONSENT_STAGE, "The referral has not reached this stage.");
  }
}

// C7: what a record says about passing on.
void CheckOnward(const v1::ConsentRecord& record, const Terms& terms, Findings& findings) {
  const bool names_something =
      !record.onward_recipients().empty() || !record.onward_fields().empty();
  if (record.onward_mode() != v1::ONWARD_MODE_NAMED) {
    if (names_something) {
      Add(findings, v1::REASON_CONSENT_ONWARD,
          "Units or fields for passing on are named, but passing on is not allowed.");
    }
    return;
  }
  if (record.onward_recipients().empty() || record.onward_fields().empty()) {
    Add(findings, v1::REASON_CONSENT_ONWARD, "Passing on needs named units and named fields.");
  }
  for (const uint32_t field_no : record.onward_fields()) {
    if (terms.scope.count(field_no) > 0) continue;
    findings.push_back({v1::REASON_CONSENT_ONWARD, field_no,
                        "A field that the recipient does not get cannot be passed on."});
  }
}

}  // namespace

void CheckGiving(const Catalogue& catalogue, const std::vector<std::string>& packs,
                 const Terms& terms, Findings& findings) {
  const std::optional<v1::PolicyPack> pack = StrictestOf(catalogue, packs);
  if (!pack.has_value()) {
    Add(findings, v1::REASON_CONSENT_TIME,
        "A policy pack that applies is not known here, so no end can be checked against it.");
  } else {
    CheckLength(terms, pack->max_days(), v1::REASON_CONSENT_TIME, "the policy pack", findings);
    if (!Contains(pack->capture_kinds(), terms.capture)) {
      Add(findings, v1::REASON_CONSENT_CAPTURE,
          "The policy pack does not accept the way in which the consent was captured.");
    }
  }
  if (terms.until <= terms.from) {
    Add(findings, v1::REASON_CONSENT_TIME, "The consent ends before it begins.");
  }
  if (!terms.readback_confirmed) {
    Add(findings, v1::REASON_CONSENT_CAPTURE, "The person did not confirm a read-back.");
  }
  if (!terms.transport_named) {
    Add(findings, v1::REASON_CONSENT_TRANSPORT,
        "The person was not told that a hub carries the sealed messages.");
  }
  CheckBasis(terms, findings);
  if (terms.minor()) {
    CheckLength(terms, catalogue.profiles().minor().max_days(), v1::REASON_CONSENT_MINOR,
                "the profile for minors", findings);
  }
  if (terms.record == nullptr) return;
  CheckSetting(*terms.record, findings);
  CheckNotice(*terms.record, findings);
  CheckFreedom(*terms.record, findings);
  if (terms.minor() && pack.has_value()) CheckGuardian(*terms.record, *pack, findings);
}

void CheckRecipientList(const Catalogue& catalogue, const std::vector<std::string>& packs,
                        const Terms& terms, Findings& findings) {
  if (terms.recipients.empty()) {
    Add(findings, v1::REASON_CONSENT_RECIPIENT, "The consent names no unit.");
  }
  const std::optional<v1::PolicyPack> pack = StrictestOf(catalogue, packs);
  if (!pack.has_value()) return;
  const uint32_t most = terms.ceiling <= v1::STAGE_INQUIRY
                            ? pack->recipients_per_inquiry_consent()
                            : pack->recipients_per_identifying_consent();
  if (terms.recipients.size() > most) {
    Add(findings, v1::REASON_CONSENT_RECIPIENT,
        "The consent names more units than the " + std::to_string(most) +
            " that one with this ceiling may.");
  }
}

void CheckRecipient(const Catalogue& catalogue, const ProviderFacts& provider, const Terms& terms,
                    Findings& findings) {
  if (terms.record != nullptr &&
      (Contains(terms.record->excluded(), provider.unit.view()) ||
       Contains(terms.record->excluded(), provider.organisation.view()))) {
    Add(findings, v1::REASON_CONSENT_RECIPIENT, "The person excluded this unit.");
  }
  switch (RuleOf(catalogue, provider.organisation_class)) {
    case ClassRule::kOpen:
      return;
    case ClassRule::kNever:
      Add(findings, v1::REASON_CONSENT_BLOCKED_CLASS,
          "Organisations of this class never receive data about a person.");
      return;
    case ClassRule::kSeparateRelease:
      break;
  }
  const v1::SeparateRelease& release = catalogue.packs().separate_release();
  const bool one_of_its_kind = terms.separate_release && terms.recipients.size() == 1 &&
                               Contains(release.capture_kinds(), terms.capture) &&
                               (terms.record == nullptr || terms.record->two_person_confirmed());
  if (!one_of_its_kind) {
    Add(findings, v1::REASON_CONSENT_BLOCKED_CLASS,
        "Organisations of this class need a separate written release to them alone, confirmed by "
        "two "
        "people.");
  }
  CheckLength(terms, release.max_days(), v1::REASON_CONSENT_BLOCKED_CLASS, "a separate release",
              findings);
}

std::vector<uint32_t> MissingForInquiry(const std::set<uint32_t>& field_nos) {
  std::vector<uint32_t> missing;
  for (const char* name : {"NEED.service_id", "NEED.service_code"}) {
    const uint32_t field_no = FieldByName(name)->field_no;
    if (field_nos.count(field_no) == 0) missing.push_back(field_no);
  }
  return missing;
}

void CheckRecord(const v1::ConsentRecord& record, Findings& findings) {
  const Terms terms = Terms::Of(record);
  if (record.valid_from().seconds() % 60 != 0 || record.valid_from().nanos() != 0 ||
      record.valid_until().seconds() % 3600 != 0 || record.valid_until().nanos() != 0) {
    Add(findings, v1::REASON_CONSENT_TIME,
        "The consent does not begin at a whole minute and end at a whole hour.");
  }
  if (terms.purposes.empty() || terms.scope.empty()) {
    Add(findings, v1::REASON_CONSENT_FIELD, "The consent names no service or no field.");
  }
  if (terms.ceiling == v1::STAGE_INQUIRY) {
    for (const uint32_t field_no : MissingForInquiry(terms.scope)) {
      findings.push_back({v1::REASON_CONSENT_PURPOSE, field_no,
                          "The consent is to an inquiry, which names the service by this field."});
    }
  }
  for (const auto* list : {&record.scope_fields(), &record.return_fields()}) {
    for (const uint32_t field_no : *list) {
      if (FieldByNumber(field_no) != nullptr) continue;
      Add(findings, v1::REASON_CONSENT_FIELD,
          "There is no field " + std::to_string(field_no) + ".");
    }
  }
  for (const uint32_t field_no : terms.special) {
    if (terms.scope.count(field_no) + terms.returns.count(field_no) > 0) continue;
    findings.push_back({v1::REASON_CONSENT_SPECIAL, field_no,
                        "The explicit yes is for a field that the consent does not list."});
  }
  CheckOnward(record, terms, findings);
}

void CheckUse(const PolicyContext& context, const Terms& terms, bool may_have_ended,
              Findings& findings) {
  if (!may_have_ended) {
    CheckState(terms, findings);
    CheckNow(context, terms, findings);
  }
  CheckParties(context, terms, findings);
  CheckPurpose(context, terms, findings);
  CheckStage(context, terms, findings);
}

}  // namespace waymark
