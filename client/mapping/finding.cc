#include "client/mapping/finding.h"

#include <algorithm>
#include <utility>

#include "base/directory/shape.h"
#include "base/ids/ids.h"
#include "base/policy/evaluator.h"
#include "base/policy/section_fields.h"
#include "base/schema/canonical_json.h"
#include "base/schema/field_registry.h"
#include "base/schema/validate.h"
#include "base/status/status.h"
#include "client/mapping/json_shape.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The status's message without the cure that the reason's table adds.
std::string WithoutCure(const absl::Status& status) {
  std::string text(status.message());
  const std::string cure = " " + std::string(ReasonCure(ReasonOf(status)));
  const size_t at = text.rfind(cure);
  if (at != std::string::npos && at + cure.size() == text.size()) text.resize(at);
  return text;
}

void Append(const absl::Status& status, std::vector<MappingFinding>& findings) {
  if (status.ok()) return;
  std::string text = WithoutCure(status);
  const size_t space = text.find(' ');
  MappingFinding finding = {ReasonOf(status), text.substr(0, space), text.substr(space + 1)};
  // The whole section repeats what one of its fields said.
  if (std::find(findings.begin(), findings.end(), finding) == findings.end()) {
    findings.push_back(std::move(finding));
  }
}

// The validator names the first field that is wrong: each field is shown to it by itself, then all
// of them for the rules between fields.
void CheckSection(const Message& section, std::vector<MappingFinding>& findings) {
  const Reflection& reflection = *section.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(section, &fields);
  const size_t before = findings.size();
  for (const FieldDescriptor* wanted : fields) {
    const std::unique_ptr<Message> alone(section.New());
    alone->CopyFrom(section);
    for (const FieldDescriptor* other : fields) {
      if (other != wanted) alone->GetReflection()->ClearField(alone.get(), other);
    }
    Append(ValidateSection(*alone), findings);
  }
  if (findings.size() == before) Append(ValidateSection(section), findings);
}

}  // namespace

std::vector<MappingFinding> ReadCanonical(std::string_view json, Message& message) {
  std::vector<MappingFinding> findings;
  for (ShapeFault& fault : FindShapeFaults(json, *message.GetDescriptor())) {
    findings.push_back({v1::REASON_MALFORMED, std::move(fault.path), std::move(fault.what)});
  }
  message.Clear();
  if (!findings.empty()) return findings;
  if (const absl::Status read = FromJson(json, message); !read.ok()) {
    findings.push_back({ReasonOf(read), "", WithoutCure(read)});
  }
  return findings;
}

std::vector<MappingFinding> FindInvalidFields(const v1::Sections& sections) {
  std::vector<MappingFinding> findings;
  ForEachSection(sections,
                 [&](const Message& section, int /*index*/) { CheckSection(section, findings); });
  // Also how many entries there are, and fields that nobody knows.
  if (findings.empty()) Append(ValidateSections(sections), findings);
  return findings;
}

std::vector<MappingFinding> FindUpdateFaults(const v1::LocalUpdate& update) {
  std::vector<MappingFinding> findings;
  if (!ReferralId::FromBytes(update.referral_id()).has_value()) {
    findings.push_back({v1::REASON_FIELD_INVALID, "referral_id", "is not an id of 16 bytes"});
  }
  if (!MayCarrySections(update.kind(), Direction::kProviderToOrigin)) {
    findings.push_back({v1::REASON_ENUM_UNKNOWN, "kind",
                        "is none of OFFER, WAITLIST, DECLINE, SCHEDULE, START, PROGRESS, CLOSE"});
  }
  const bool known = update.outcome() != v1::CLOSE_OUTCOME_UNSPECIFIED &&
                     v1::CloseOutcome_IsValid(update.outcome());
  if (update.kind() == v1::KIND_CLOSE && !known) {
    findings.push_back({v1::REASON_ENUM_UNKNOWN, "outcome", "is missing in a CLOSE, or unknown"});
  }
  if (update.kind() != v1::KIND_CLOSE && update.outcome() != v1::CLOSE_OUTCOME_UNSPECIFIED) {
    findings.push_back({v1::REASON_FIELD_INVALID, "outcome", "belongs to a CLOSE only"});
  }
  return findings;
}

std::vector<MappingFinding> FindRoomFaults(v1::Capacity capacity, absl::Time now) {
  const int64_t minute = absl::ToUnixSeconds(now) / 60;
  capacity.set_updated_minute(minute);
  if (capacity.valid_until_minute() == 0) capacity.set_valid_until_minute(minute);
  // Somebody's statement, of which the capacity alone is judged.
  v1::Statement statement;
  statement.set_network_id(std::string(NetworkId::kSize, '\1'));
  statement.set_organisation_id(std::string(OrganisationId::kSize, '\1'));
  statement.set_version(1);
  statement.set_issued_minute(minute);
  statement.set_valid_until_minute(minute + 1);
  *statement.mutable_capacity() = std::move(capacity);
  const absl::Status sound = CheckStatementShape(statement);
  if (sound.ok()) return {};
  return {{ReasonOf(sound), "", WithoutCure(sound)}};
}

std::vector<MappingFinding> ToMappingFindings(const std::vector<PolicyFinding>& policy) {
  std::vector<MappingFinding> findings;
  for (const PolicyFinding& found : policy) {
    const bool of_values =
        found.reason == v1::REASON_FIELD_INVALID || found.reason == v1::REASON_ENUM_UNKNOWN;
    if (of_values && found.field_no == 0) continue;
    const FieldInfo* field = FieldByNumber(found.field_no);
    findings.push_back({found.reason, field == nullptr ? "" : field->name, found.text});
  }
  return findings;
}

absl::Status ToStatus(std::string_view subject, const std::vector<MappingFinding>& findings) {
  if (findings.empty()) return absl::OkStatus();
  std::string text(subject);
  const char* separator = ": ";
  for (const MappingFinding& finding : findings) {
    text += separator;
    if (!finding.field.empty()) text += finding.field + " ";
    text += finding.text;
    separator = "; ";
  }
  return Error(findings.front().reason, text);
}

}  // namespace waymark::node
