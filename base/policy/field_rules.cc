#include "base/policy/field_rules.h"

#include <algorithm>

#include "absl/time/civil_time.h"
#include "base/policy/section_fields.h"
#include "base/time/clock.h"

namespace waymark {
namespace {

using google::protobuf::Message;

class FieldCheck {
 public:
  FieldCheck(const PolicyContext& context, const Terms& terms, const ValueFacts& values,
             const FieldInfo& field, Findings& findings)
      : context_(context), terms_(terms), values_(values), field_(field), findings_(findings) {}

  void Outward() {
    const FieldAccess access = context_.catalogue->OutwardAccess(context_.service_code, field_);
    if (access.blocked()) {
      const bool comes_back =
          !context_.catalogue->ReturnAccess(context_.service_code, field_).blocked();
      Add(comes_back ? v1::REASON_RETURN_FIELD : v1::REASON_PROFILE_FIELD,
          comes_back ? "Only the provider writes this field."
                     : "This kind of service never receives this field.");
    } else {
      CheckAccess(access);
    }
    // REF names a role of the lead unit, not the person; it accompanies whatever consent lets go.
    const bool listed =
        field_.section == v1::SECTION_REF || terms_.scope.count(field_.field_no) > 0;
    if (!listed) Add(v1::REASON_CONSENT_FIELD, "The consent does not list this field.");
    CheckSpecial(access.needs_request);
    CheckValues(access);
    CheckMinor();
  }

  void Return() {
    const FieldAccess access = context_.catalogue->ReturnAccess(context_.service_code, field_);
    if (access.blocked()) {
      Add(v1::REASON_RETURN_FIELD, "The provider does not send this field.");
      return;
    }
    CheckAccess(access);
    // The coarse fields of PROG answer the request itself and say no more than the message's kind.
    const bool answers = field_.section == v1::SECTION_PROG && field_.coarse;
    if (!answers && terms_.returns.count(field_.field_no) == 0) {
      Add(v1::REASON_CONSENT_FIELD, "The consent does not let this field come back.");
    }
    CheckSpecial(/*needs_request=*/false);
  }

 private:
  void Add(v1::Reason reason, std::string text) {
    findings_.push_back({reason, field_.field_no, std::move(text)});
  }

  // C5 and C6: the profile's stage for this field.
  void CheckAccess(const FieldAccess& access) {
    if (access.from > context_.stage) {
      Add(v1::REASON_PROFILE_FIELD, "This kind of service does not receive this field so early.");
    }
    if (access.from > terms_.ceiling) {
      Add(v1::REASON_CONSENT_STAGE, "The consent does not reach the stage that this field needs.");
    } else if (access.from > context_.reached) {
      Add(v1::REASON_CONSENT_STAGE,
          "The referral has not reached the stage that this field needs.");
    }
    if (access.addable && terms_.record != nullptr && !HasException()) {
      Add(v1::REASON_PROFILE_FIELD,
          "This field is not part of the profile; the lead must open its section with a coded "
          "reason.");
    }
    if (access.needs_required_identity &&
        context_.provider.required_identity.count(field_.field_no) == 0) {
      Add(v1::REASON_IDENTITY_NOT_REQUIRED,
          "The service's entry states no legal reason for asking for this field.");
    }
  }

  bool HasException() const {
    const auto& exceptions = terms_.record->profile_exceptions();
    return std::any_of(exceptions.begin(), exceptions.end(), [this](const auto& exception) {
      return exception.section() == field_.section &&
             exception.reason() != v1::EXCEPTION_REASON_UNSPECIFIED;
    });
  }

  // C11. The explicit yes also is the request that a sensitive preference needs (E6).
  void CheckSpecial(bool needs_request) {
    const v1::DataClass data_class = context_.catalogue->ClassOf(context_.service_code, field_);
    const bool special = data_class == v1::DATA_CLASS_SPECIAL || needs_request ||
                         (IsAnswer() && values_.special_answer);
    if (special && terms_.special.count(field_.field_no) == 0) {
      Add(v1::REASON_CONSENT_SPECIAL, "The person did not say yes to this field by itself.");
    }
  }

  void CheckValues(const FieldAccess& access) {
    if (access.needs_direct_contact && !values_.direct_contact) {
      Add(v1::REASON_CONTACT_VIA_LEAD, "The person is reached through the lead only.");
    }
    if (values_.stale.count(field_.section) > 0) {
      Add(v1::REASON_CONSENT_STALE,
          "The values of this section were not confirmed with the person recently enough.");
    }
    if (IsAnswer() && values_.unpublished_answer) {
      Add(v1::REASON_PROFILE_FIELD, "The service's entry publishes no condition of this id.");
    }
  }

  void CheckMinor() {
    const auto& blocked = context_.catalogue->profiles().minor().blocked_fields();
    if (terms_.minor() && std::find(blocked.begin(), blocked.end(), field_.name) != blocked.end()) {
      Add(v1::REASON_CONSENT_MINOR, "This field never goes when the person is a minor.");
    }
  }

  bool IsAnswer() const { return field_.field_no == FieldByName("ELIG.answer")->field_no; }

  const PolicyContext& context_;
  const Terms& terms_;
  const ValueFacts& values_;
  const FieldInfo& field_;
  Findings& findings_;
};

// Whether a confirmation, a timestamp or an attestation with a date, is neither too old nor ahead
// of the clock.
bool IsFresh(const Message& confirmation, uint32_t max_days, absl::Time now) {
  if (const auto* at = dynamic_cast<const google::protobuf::Timestamp*>(&confirmation)) {
    return TimeOf(*at) <= now + kMemberClockTolerance &&
           now - TimeOf(*at) <= absl::Hours(24 * int64_t{max_days});
  }
  const auto& date = static_cast<const v1::RiskAssessmentAttestation&>(confirmation).date();
  const absl::CivilDay day(date.year(), date.month(), date.day());
  const absl::CivilDay today = absl::ToCivilDay(now, absl::UTCTimeZone());
  // A day ahead is today in some time zone.
  return day <= today + 1 && today - day <= int64_t{max_days};
}

// C12 for one section. What is not about the person needs no confirmation, so a section without its
// timestamp is stale only if it says more; an attestation has rules of its own (C14b).
bool IsStale(const Catalogue& catalogue, const Message& section, absl::Time now) {
  const v1::Freshness* freshness = catalogue.FreshnessOf(SectionOf(*section.GetDescriptor()));
  if (freshness == nullptr) return false;
  const FieldInfo& confirmed_by = *FieldByName(freshness->confirmed_by());
  const auto& reflection = *section.GetReflection();
  if (reflection.HasField(section, confirmed_by.descriptor)) {
    return !IsFresh(reflection.GetMessage(section, confirmed_by.descriptor), freshness->max_days(),
                    now);
  }
  const bool is_time =
      confirmed_by.descriptor->message_type() == google::protobuf::Timestamp::descriptor();
  const auto fields = FieldsIn(section);
  return is_time && std::any_of(fields.begin(), fields.end(), [](const FieldInfo* field) {
           return field->data_class != v1::DATA_CLASS_NON_IDENTIFYING;
         });
}

}  // namespace

ValueFacts ValueFacts::Of(const PolicyContext& context, const v1::Sections& sections) {
  ValueFacts facts;
  facts.direct_contact = sections.cont().has_via_lead_only() && !sections.cont().via_lead_only();
  for (const v1::EligSection& answer : sections.elig()) {
    const auto condition = context.provider.conditions.find(answer.condition_id());
    const bool published = condition != context.provider.conditions.end();
    facts.unpublished_answer |= !published;
    facts.special_answer |= !published || context.catalogue->IsSpecialCondition(condition->second);
  }
  ForEachField(sections, [&](const FieldOccurrence& occurrence) {
    if (IsStale(*context.catalogue, *occurrence.section, context.now)) {
      facts.stale.insert(occurrence.field->section);
    }
  });
  return facts;
}

ValueFacts ValueFacts::MostFavourable() { return {.direct_contact = true}; }

void CheckField(const PolicyContext& context, const Terms& terms, const ValueFacts& values,
                const FieldInfo& field, Findings& findings) {
  FieldCheck check(context, terms, values, field, findings);
  if (context.direction == Direction::kOriginToProvider) {
    check.Outward();
  } else {
    check.Return();
  }
}

}  // namespace waymark
