#include "client/mapping/mapping.h"

#include <utility>

#include "base/policy/section_fields.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"

namespace waymark::node {

absl::StatusOr<std::string> OutwardInput(const v1::LocalReferral& referral,
                                         const v1::Sections& sections,
                                         const std::set<uint32_t>& open_fields) {
  v1::LocalOutward outward;
  *outward.mutable_referral() = referral;
  *outward.mutable_sections() = KeepFields(sections, open_fields);
  return ToJson(outward);
}

absl::StatusOr<std::vector<std::string>> MapOutward(
    MappingRunner& runner, const MappingProgram& mapping, const v1::LocalReferral& referral,
    const v1::Sections& sections, const std::set<uint32_t>& open_fields, const MappingArgs& args) {
  ASSIGN_OR_RETURN(const std::string input, OutwardInput(referral, sections, open_fields));
  return runner.Run(mapping, input, args);
}

absl::StatusOr<std::vector<MappedUpdate>> MapInward(MappingRunner& runner,
                                                    const MappingProgram& mapping,
                                                    std::string_view local_json,
                                                    const MappingArgs& args,
                                                    const PolicyJudge& judge) {
  ASSIGN_OR_RETURN(const std::vector<std::string> outputs, runner.Run(mapping, local_json, args));
  std::vector<MappedUpdate> updates;
  updates.reserve(outputs.size());
  for (const std::string& output : outputs) {
    MappedUpdate& mapped = updates.emplace_back();
    mapped.findings = ReadCanonical(output, mapped.update);
    if (mapped.findings.empty()) mapped.findings = CheckUpdate(mapped.update, judge);
  }
  return updates;
}

std::vector<MappingFinding> CheckUpdate(const v1::LocalUpdate& update, const PolicyJudge& judge) {
  std::vector<MappingFinding> findings = FindUpdateFaults(update);
  for (MappingFinding& finding : FindInvalidFields(update.sections())) {
    findings.push_back(std::move(finding));
  }
  for (MappingFinding& finding : ToMappingFindings(judge(update))) {
    findings.push_back(std::move(finding));
  }
  return findings;
}

PolicyJudge JudgeUnderToken(const PolicyContext& context, const v1::ConsentToken& token,
                            bool revoked) {
  return [&context, &token, revoked](const v1::LocalUpdate& update) {
    PolicyContext own = context;
    own.kind = update.kind();
    own.direction = Direction::kProviderToOrigin;
    return EvaluateUnderToken(own, token, revoked, update.sections()).findings;
  };
}

}  // namespace waymark::node
