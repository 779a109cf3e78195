// What speaks against something that came out of a mapping: the schema's shape, its values, the
// policy. All of it, not only the first.
//
// A finding names the field and the rule, never a value. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/policy/evaluator.h"
#include "google/protobuf/message.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

struct MappingFinding {
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  // "PROG.decline_code", "sections.prog.offer.quantity", or empty for the whole.
  std::string field;
  // One sentence or part of one.
  std::string text;

  friend bool operator==(const MappingFinding&, const MappingFinding&) = default;
};

// Reads canonical JSON into `message`. Returns what does not fit its type; the message is then
// empty. `json` as for FindShapeFaults.
std::vector<MappingFinding> ReadCanonical(std::string_view json,
                                          google::protobuf::Message& message);

// Every field of every section whose value the schema does not allow.
std::vector<MappingFinding> FindInvalidFields(const v1::Sections& sections);

// What ReadCanonical and FindInvalidFields do not see of an update: the id, a kind that a local
// system may report, an outcome where one belongs, sections that its kind can carry.
std::vector<MappingFinding> FindUpdateFaults(const v1::LocalUpdate& update);

// What ReadCanonical does not see of room that is to be told at `now`: an id and a status that are
// there, numbers and times in order. The node itself sets what is not said of its time.
std::vector<MappingFinding> FindRoomFaults(v1::Capacity capacity, absl::Time now);

// The evaluator's findings with the names of their fields, without what FindInvalidFields reports.
std::vector<MappingFinding> ToMappingFindings(const std::vector<PolicyFinding>& findings);

// OK without findings, else one error of the first one's reason that lists them all; `subject` is
// what they speak against.
absl::Status ToStatus(std::string_view subject, const std::vector<MappingFinding>& findings);

}  // namespace waymark::node
