// The sections and their fields, as the schema declares them.
//
// Built once by reflection over the message types that carry the `section` option; nothing else
// lists fields. The policy evaluator, the validator, the redactor, the previews and the command
// line all read it. Only a section's direct fields are policy fields; `not_said` is none, because
// each of its entries stands for another field. All functions are thread-safe; what they return
// lives for ever.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/schema/schema_check.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "waymark/v1/policy.pb.h"

namespace waymark {

// One field of a section and who may see it.
struct FieldInfo {
  uint32_t field_no = 0;
  v1::Section section = v1::SECTION_UNSPECIFIED;
  // Never null.
  const google::protobuf::FieldDescriptor* descriptor = nullptr;
  v1::DataClass data_class = v1::DATA_CLASS_UNSPECIFIED;
  bool coarse = false;
  bool locating = false;
  bool about_child = false;
  v1::ValueFormat format = v1::VALUE_FORMAT_UNSPECIFIED;
  // In Unicode characters; 0 where the format says enough.
  uint32_t max_length = 0;
  // For people and for lists, for example "LANG.preferred_language".
  std::string name;
};

// Returns the field with this stable number, nullptr if there is none.
const FieldInfo* FieldByNumber(uint32_t field_no);

// Returns the field with this name ("LANG.preferred_language"), nullptr if there is none.
const FieldInfo* FieldByName(std::string_view name);

// Returns the field that `descriptor` describes, nullptr if it is not a direct field of a section.
const FieldInfo* FieldByDescriptor(const google::protobuf::FieldDescriptor& descriptor);

// Returns a section's fields in the order of their numbers; empty for SECTION_UNSPECIFIED.
absl::Span<const FieldInfo> FieldsOf(v1::Section section);

// Returns all fields of all sections in the order of their numbers.
absl::Span<const FieldInfo> AllFields();

// Reads names separated by commas, spaces around them allowed: "LANG.preferred_language,
// PARTY.age_band". Returns the fields in the order given, each once; an empty list for an empty
// text. FIELD_INVALID names the first name that is no field.
absl::StatusOr<std::vector<const FieldInfo*>> ParseFieldList(std::string_view names);

// Returns the section's name, for example "LANG"; empty for SECTION_UNSPECIFIED.
std::string_view SectionName(v1::Section section);

// Returns the section of this name, SECTION_UNSPECIFIED if there is none.
v1::Section SectionFromName(std::string_view name);

// Returns the section that the message type is, SECTION_UNSPECIFIED if it is none.
v1::Section SectionOf(const google::protobuf::Descriptor& descriptor);

// Returns the message type of a section, nullptr for SECTION_UNSPECIFIED.
const google::protobuf::Descriptor* SectionDescriptor(v1::Section section);

// Returns the fields that the message sets, in the order of their numbers: the fields with a value
// and those that `not_said` lists. Empty for a message that is no section.
std::vector<const FieldInfo*> FieldsIn(const google::protobuf::Message& section);

}  // namespace waymark
