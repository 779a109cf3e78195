#include "client/casework/composer.h"

#include <algorithm>

#include "base/crypto/hash.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr std::string_view kPreviewLabel = "waymark/v1/preview";

// E5: the recipient learns at most whether its own area is one to avoid.
v1::Answer PlaceConflict(const v1::SafeSection& safe, const v1::Service& service) {
  for (const std::string& avoided : safe.areas_to_avoid()) {
    const auto& areas = service.service_areas();
    if (std::find(areas.begin(), areas.end(), avoided) != areas.end()) return v1::ANSWER_YES;
  }
  return v1::ANSWER_NO;
}

void FillNeed(const CompositionInput& input, v1::NeedSection& section) {
  section = input.need->section();
  section.set_need_ref(input.need_ref);
  section.set_service_id(input.service->service_id());
  section.set_service_code(input.need->service_code());
  section.set_person_rank(input.need->person_rank());
  if (!section.has_unit()) section.set_unit(input.service->capacity_unit());
}

void KeepOwnConditions(const v1::Service& service, v1::Sections& sections) {
  auto* answers = sections.mutable_elig();
  const auto is_foreign = [&](const v1::EligSection& answer) {
    return std::none_of(service.conditions().begin(), service.conditions().end(),
                        [&](const v1::Condition& condition) {
                          return condition.condition_id() == answer.condition_id();
                        });
  };
  answers->erase(std::remove_if(answers->begin(), answers->end(), is_foreign), answers->end());
}

std::string DigestOf(const PolicyContext& context, const CompositionInput& input,
                     v1::Sections sections) {
  // Random references say nothing; a message draws its own.
  if (sections.has_need()) sections.mutable_need()->clear_need_ref();
  if (sections.has_ref()) sections.mutable_ref()->clear_lead_role_ref();
  const std::string kind = v1::Kind_Name(context.kind);
  const std::string stage = v1::Stage_Name(context.stage);
  return Sha256(kPreviewLabel, {context.provider.unit.view(), kind, stage,
                                input.consent->consent_id(), sections.SerializeAsString()});
}

}  // namespace

v1::Sections Assemble(const CompositionInput& input) {
  v1::Sections sections = input.person->sections();
  FillNeed(input, *sections.mutable_need());
  KeepOwnConditions(*input.service, sections);
  if (!sections.safe().areas_to_avoid().empty()) {
    sections.mutable_safe()->set_place_conflict(PlaceConflict(sections.safe(), *input.service));
  }
  v1::RefSection& ref = *sections.mutable_ref();
  ref.set_lead_role_ref(input.lead_role_ref);
  ref.set_lead_unit(input.person->unit_id());
  ref.set_callback_mode(v1::CALLBACK_MODE_NODE_MESSAGE);
  ref.set_clarification_allowed(true);
  return sections;
}

Composition Compose(const PolicyContext& context, const CompositionInput& input) {
  const v1::Sections available = Assemble(input);
  std::set<uint32_t> chosen = input.wanted;
  if (chosen.empty()) {
    const std::set<uint32_t> unlocked = Unlocked(context, *input.consent);
    std::set_difference(unlocked.begin(), unlocked.end(), input.sent.begin(), input.sent.end(),
                        std::inserter(chosen, chosen.end()));
  }
  for (const uint32_t field_no : input.without) chosen.erase(field_no);
  // An acceptance says that the person said yes and nothing else.
  if (context.kind == v1::KIND_ACCEPT) chosen.clear();
  Composition composition;
  composition.sections = KeepFields(available, chosen);
  composition.evaluation = EvaluateRelease(context, *input.consent, composition.sections);
  composition.digest = DigestOf(context, input, composition.sections);
  return composition;
}

google::protobuf::RepeatedPtrField<v1::Finding> ToProto(
    const std::vector<PolicyFinding>& findings) {
  google::protobuf::RepeatedPtrField<v1::Finding> list;
  for (const PolicyFinding& finding : findings) {
    v1::Finding* entry = list.Add();
    entry->set_reason(finding.reason);
    entry->set_field_no(finding.field_no);
    if (const FieldInfo* field = FieldByNumber(finding.field_no)) entry->set_field(field->name);
    entry->set_text(finding.text);
  }
  return list;
}

absl::Status ToStatus(const std::vector<PolicyFinding>& findings) {
  if (findings.empty()) return absl::OkStatus();
  const PolicyFinding& first = findings.front();
  const FieldInfo* field = FieldByNumber(first.field_no);
  std::string detail = field != nullptr ? field->name + ": " + first.text : first.text;
  if (findings.size() > 1) {
    detail += " (and " + std::to_string(findings.size() - 1) + " more; see the preview)";
  }
  return Error(first.reason, detail);
}

}  // namespace waymark::node
