// The sealed sections: parsed, validated, reduced, redacted, written as JSON and read again. The
// first byte chooses which fields are kept.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/envelope/strict_parse.h"
#include "base/policy/section_fields.h"
#include "base/schema/canonical_json.h"
#include "base/schema/field_registry.h"
#include "base/schema/redact.h"
#include "base/schema/validate.h"
#include "tests/fuzz/invariant.h"

namespace waymark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Calls `visit` for every section that is set.
template <typename Visit>
void ForEachSection(v1::Sections& sections, Visit visit) {
  std::vector<const FieldDescriptor*> set;
  const auto* reflection = v1::Sections::GetReflection();
  reflection->ListFields(sections, &set);
  for (const FieldDescriptor* field : set) {
    if (!field->is_repeated()) {
      visit(*reflection->MutableMessage(&sections, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(sections, field); ++i) {
      visit(*reflection->MutableRepeatedMessage(&sections, field, i));
    }
  }
}

bool IsHidden(const FieldInfo& field) {
  return field.data_class != v1::DATA_CLASS_ROUTING &&
         field.data_class != v1::DATA_CLASS_NON_IDENTIFYING;
}

// Gives the field one value, the same whatever it had before.
void Overwrite(Message& section, const FieldDescriptor& field) {
  const auto* reflection = section.GetReflection();
  reflection->ClearField(&section, &field);
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      many ? reflection->AddMessage(&section, &field)
           : reflection->MutableMessage(&section, &field);
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      many ? reflection->AddString(&section, &field, "canary")
           : reflection->SetString(&section, &field, "canary");
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      many ? reflection->AddEnumValue(&section, &field, 1)
           : reflection->SetEnumValue(&section, &field, 1);
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      many ? reflection->AddUInt32(&section, &field, 7)
           : reflection->SetUInt32(&section, &field, 7);
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection->SetBool(&section, &field, true);
      return;
    default:
      HOLDS(!"a hidden field of a type that this target does not know");
  }
}

// The text says of hidden fields that they are there, and depends on nothing else about them.
void CheckRedaction(const v1::Sections& sections) {
  v1::Sections other = sections;
  ForEachSection(other, [](Message& section) {
    for (const FieldInfo* field : FieldsIn(section)) {
      std::vector<const FieldDescriptor*> set;
      section.GetReflection()->ListFields(section, &set);
      const bool listed = std::find(set.begin(), set.end(), field->descriptor) == set.end();
      if (!listed && IsHidden(*field)) Overwrite(section, *field->descriptor);
    }
  });
  HOLDS(Redacted(sections) == Redacted(other));
}

void CheckReduction(const v1::Sections& sections, uint8_t choice) {
  const std::set<uint32_t> present = FieldNumbersIn(sections);
  HOLDS(FieldNumbersIn(KeepFields(sections, present)) == present);
  HOLDS(fuzz::SameBytes(KeepFields(sections, {}), v1::Sections()));

  std::set<uint32_t> wanted;
  std::set<uint32_t> expected;
  for (const FieldInfo& field : AllFields()) {
    if ((field.field_no ^ choice) % 3 != 0) continue;
    wanted.insert(field.field_no);
    if (present.count(field.field_no) > 0) expected.insert(field.field_no);
  }
  const v1::Sections kept = KeepFields(sections, wanted);
  HOLDS(FieldNumbersIn(kept) == expected);
  HOLDS(fuzz::SameBytes(KeepFields(kept, wanted), kept));
  HOLDS(ValidateSections(kept).ok());
}

void CheckJson(const v1::Sections& sections) {
  const auto json = ToJson(sections);
  HOLDS(json.ok());
  v1::Sections reread;
  HOLDS(FromJson(*json, reread).ok());
  HOLDS(fuzz::SameBytes(reread, sections));
}

void Check(std::string_view input) {
  const uint8_t choice = fuzz::TakeByte(input);
  v1::Sections sections;
  if (!StrictParse(input, "the sections", sections).ok()) return;
  CheckRedaction(sections);
  const absl::Status valid = ValidateSections(sections);
  if (valid.ok()) {
    CheckReduction(sections, choice);
    CheckJson(sections);
  } else {
    HOLDS(fuzz::FailedWith(valid, {v1::REASON_FIELD_INVALID, v1::REASON_ENUM_UNKNOWN}));
  }
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waymark::Check(waymark::fuzz::View(data, size));
  return 0;
}
