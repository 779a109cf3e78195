#include "client/casework/cases.h"

#include <algorithm>
#include <utility>

#include "base/schema/validate.h"
#include "base/status/status.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

constexpr size_t kLongestLabel = 40;

absl::StatusOr<UnitId> LeadOf(const v1::Case& person) {
  const auto unit = UnitId::FromBytes(person.unit_id());
  if (!unit.has_value()) return Error(v1::REASON_DATA_CORRUPT, "a stored case has no unit");
  return *unit;
}

absl::StatusOr<v1::Case> LoadOwnCase(const Reader& reader, const Actor& actor, const CaseId& id) {
  ASSIGN_OR_RETURN(v1::Case person, GetAs<v1::Case>(reader, DocumentKind::kCase, id));
  ASSIGN_OR_RETURN(const UnitId lead, LeadOf(person));
  RETURN_IF_ERROR(actor.RequireCaseworker(lead));
  return person;
}

absl::Status PutCase(Transaction& transaction, v1::Case person) {
  person.clear_needs();
  const auto id = CaseId::FromBytes(person.case_id());
  return PutMessage(transaction, DocumentKind::kCase, *id, DocumentId(), person);
}

// Replaces, section by section, what `changes` holds; a repeated section is replaced as a whole.
void ReplaceSections(const v1::Sections& changes, v1::Sections& sections) {
  const auto* reflection = v1::Sections::GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(changes, &fields);
  for (const auto* field : fields) reflection->ClearField(&sections, field);
  sections.MergeFrom(changes);
}

absl::Status CheckExclusions(const google::protobuf::RepeatedPtrField<std::string>& ids) {
  for (const std::string& id : ids) {
    if (!UnitId::FromBytes(id))
      return InvalidField("an exclusion is the 16-byte id of a unit or member");
  }
  return absl::OkStatus();
}

// Staff name a case by its label, so that two of one unit could no longer be told apart.
absl::Status CheckLabelIsFree(const Reader& reader, const v1::Case& person) {
  ASSIGN_OR_RETURN(const auto cases, ParseAll<v1::Case>(reader.List(DocumentKind::kCase)));
  for (const auto& [unused, other] : cases) {
    if (other.unit_id() == person.unit_id() && other.label() == person.label()) {
      return InvalidField("another case of the unit has this label; choose another one");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNeed(const Catalogue& catalogue, const v1::Need& need) {
  if (!NeedId::FromBytes(need.need_id())) return InvalidField("need_id is not 16 random bytes");
  if (catalogue.FindService(need.service_code()) == nullptr) {
    return InvalidField("there is no service code " + std::to_string(need.service_code()) +
                        "; 'waymark directory' shows those that are offered");
  }
  if (need.person_rank() == 0) {
    return InvalidField("the rank that the person gives the need counts from 1");
  }
  if (need.urgency() == v1::URGENCY_UNSPECIFIED || !v1::Urgency_IsValid(need.urgency())) {
    return Error(v1::REASON_ENUM_UNKNOWN, "urgency of the need is not one of U0 to U4");
  }
  return ValidateSection(need.section());
}

}  // namespace

absl::StatusOr<v1::Case> LoadCase(const Reader& reader, const CaseId& id) {
  auto person = GetAs<v1::Case>(reader, DocumentKind::kCase, id);
  if (!person.ok()) return person;
  ASSIGN_OR_RETURN(auto needs, ParseAll<v1::Need>(reader.List(DocumentKind::kNeed, id)));
  std::sort(needs.begin(), needs.end(), [](const auto& a, const auto& b) {
    return a.second.person_rank() < b.second.person_rank();
  });
  for (auto& [unused, need] : needs) *person->add_needs() = std::move(need);
  return person;
}

absl::StatusOr<CaseAndNeed> LoadNeed(const Reader& reader, const CaseId& case_id,
                                     const NeedId& need_id) {
  ASSIGN_OR_RETURN(v1::Case person, LoadCase(reader, case_id));
  for (const v1::Need& need : person.needs()) {
    if (need.need_id() == need_id.bytes()) {
      CaseAndNeed found{.person = person, .need = need};
      return found;
    }
  }
  return Error(v1::REASON_NOT_FOUND,
               "the case has no need of this id; 'waymark case show CASE' lists them");
}

absl::Status Cases::Create(const Actor& actor, const v1::CreateCaseRequest& request) {
  const auto id = CaseId::FromBytes(request.case_id());
  const auto unit = UnitId::FromBytes(request.unit_id());
  if (!id || !unit) return InvalidField("case_id and unit_id are 16 bytes each");
  if (request.label().empty() || request.label().size() > kLongestLabel) {
    return InvalidField("the label of a case has 1 to 40 bytes");
  }
  RETURN_IF_ERROR(actor.RequireCaseworker(*unit));
  v1::Case person;
  person.set_case_id(request.case_id());
  person.set_unit_id(request.unit_id());
  person.set_label(request.label());
  person.mutable_created_at()->set_seconds(absl::ToUnixSeconds(FloorMinute(clock_.Now())));
  return vault_.Write([&](Transaction& t) -> absl::Status {
    const auto before = GetAs<v1::Case>(t, DocumentKind::kCase, *id);
    if (before.ok()) {
      const bool same = before->unit_id() == person.unit_id() && before->label() == person.label();
      return same ? absl::OkStatus() : Error(v1::REASON_ID_REUSED, "another case has this id");
    }
    if (ReasonOf(before.status()) != v1::REASON_NOT_FOUND) return before.status();
    RETURN_IF_ERROR(CheckLabelIsFree(t, person));
    return PutCase(t, person);
  });
}

absl::Status Cases::Update(const Actor& actor, const v1::UpdateCaseRequest& request) {
  const auto id = CaseId::FromBytes(request.case_id());
  if (!id) return InvalidField("case_id is not 16 bytes");
  RETURN_IF_ERROR(ValidateSections(request.sections()));
  RETURN_IF_ERROR(CheckExclusions(request.exclude()));
  return vault_.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(v1::Case person, LoadOwnCase(t, actor, *id));
    ReplaceSections(request.sections(), *person.mutable_sections());
    auto* excluded = person.mutable_excluded();
    for (const std::string& added : request.exclude()) {
      if (std::find(excluded->begin(), excluded->end(), added) == excluded->end()) {
        person.add_excluded(added);
      }
    }
    for (const std::string& removed : request.include()) {
      excluded->erase(std::remove(excluded->begin(), excluded->end(), removed), excluded->end());
    }
    return PutCase(t, std::move(person));
  });
}

absl::Status Cases::PutNeed(const Actor& actor, const v1::PutNeedRequest& request) {
  const auto id = CaseId::FromBytes(request.case_id());
  if (!id) return InvalidField("case_id is not 16 bytes");
  RETURN_IF_ERROR(CheckNeed(catalogue_, request.need()));
  const auto need_id = NeedId::FromBytes(request.need().need_id());
  return vault_.Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(LoadOwnCase(t, actor, *id).status());
    return PutMessage(t, DocumentKind::kNeed, *need_id, *id, request.need());
  });
}

absl::StatusOr<v1::Case> Cases::Get(const Actor& actor, const CaseId& id) {
  v1::Case person;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    RETURN_IF_ERROR(LoadOwnCase(reader, actor, id).status());
    ASSIGN_OR_RETURN(person, LoadCase(reader, id));
    return absl::OkStatus();
  }));
  return person;
}

absl::StatusOr<std::vector<v1::Case>> Cases::List(const Actor& actor) {
  RETURN_IF_ERROR(actor.RequireAnyCaseworker());
  std::vector<v1::Case> cases;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(auto all, ParseAll<v1::Case>(reader.List(DocumentKind::kCase)));
    for (auto& [unused, person] : all) {
      ASSIGN_OR_RETURN(const UnitId lead, LeadOf(person));
      if (!actor.WorksFor(lead)) continue;
      person.clear_sections();
      cases.push_back(std::move(person));
    }
    return absl::OkStatus();
  }));
  return cases;
}

}  // namespace waymark::node
