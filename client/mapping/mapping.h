// The two ways through a mapping: a referral outward to a local system's documents, and a local
// system's report inward to an update that is checked as if it had been typed.
//
// What goes out is cut down to the fields that the caller names, here and for every caller, so that
// no mapping ever sees a section that its unit may not open. What comes in is judged in full: its
// shape, every value, and the policy, which the caller's judge applies because it knows the
// referral's token. Example:
//
//   ASSIGN_OR_RETURN(auto updates, MapInward(runner, mapping, text, {}, judge));
//   for (const MappedUpdate& update : updates) {
//     RETURN_IF_ERROR(ToStatus("update 1 of " + mapping.name, update.findings));
//   }
//
// Thread-safe as far as the runner and the judge are. Nothing is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/policy/evaluator.h"
#include "client/mapping/finding.h"
#include "client/mapping/mapper.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

using MappingArgs = std::map<std::string, std::string>;

// Returns the local documents, one JSON text each, that the mapping makes of the referral. Of
// `sections` it sees the fields of `open_fields` alone: those that were opened and that the unit
// may open. Errors of MappingRunner::Run.
absl::StatusOr<std::vector<std::string>> MapOutward(
    MappingRunner& runner, const MappingProgram& mapping, const v1::LocalReferral& referral,
    const v1::Sections& sections, const std::set<uint32_t>& open_fields, const MappingArgs& args);

// The input that MapOutward gives to a mapping.
absl::StatusOr<std::string> OutwardInput(const v1::LocalReferral& referral,
                                         const v1::Sections& sections,
                                         const std::set<uint32_t>& open_fields);

// What the policy says of an update; see JudgeUnderToken and JudgeByProfile.
using PolicyJudge = std::function<std::vector<PolicyFinding>(const v1::LocalUpdate&)>;

// One output of an inward mapping.
struct MappedUpdate {
  // Empty when the output does not even have the shape of an update.
  v1::LocalUpdate update;
  // Everything that speaks against it; it may be acted on only if there is nothing.
  std::vector<MappingFinding> findings;
};

// Returns what the mapping makes of a local document (JSON), output by output: none when the
// document reports nothing. Errors of MappingRunner::Run.
absl::StatusOr<std::vector<MappedUpdate>> MapInward(MappingRunner& runner,
                                                    const MappingProgram& mapping,
                                                    std::string_view local_json,
                                                    const MappingArgs& args,
                                                    const PolicyJudge& judge);

// Everything that speaks against an update: its own faults, every invalid field, the judge's
// findings. For updates that reach the node without a mapping, too.
std::vector<MappingFinding> CheckUpdate(const v1::LocalUpdate& update, const PolicyJudge& judge);

// Judges under the referral's token, as for what a caseworker typed. `context` is filled in but for
// kind and direction, which the update gives. Everything outlives the judge.
PolicyJudge JudgeUnderToken(const PolicyContext& context, const v1::ConsentToken& token,
                            bool revoked);

}  // namespace waymark::node
