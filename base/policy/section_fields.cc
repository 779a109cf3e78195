#include "base/policy/section_fields.h"

#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace waymark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kUnknownSuffix = "_UNKNOWN";

bool IsUnknown(const google::protobuf::EnumValueDescriptor& value) {
  const std::string_view name = value.name();
  return name.size() > kUnknownSuffix.size() &&
         name.substr(name.size() - kUnknownSuffix.size()) == kUnknownSuffix;
}

std::string EntryOf(const Message& section, int index) {
  if (index < 0) return "";
  if (section.GetDescriptor() == v1::EligSection::descriptor()) {
    return static_cast<const v1::EligSection&>(section).condition_id();
  }
  return std::to_string(index);
}

const FieldInfo* FieldOfNumber(const Message& section, uint32_t number) {
  const FieldDescriptor* descriptor =
      section.GetDescriptor()->FindFieldByNumber(static_cast<int>(number));
  return descriptor == nullptr ? nullptr : FieldByDescriptor(*descriptor);
}

void KeepNotSaid(const std::set<uint32_t>& field_nos, Message& section) {
  const FieldDescriptor* list = section.GetDescriptor()->FindFieldByNumber(kNotSaidNumber);
  if (list == nullptr) return;
  const Reflection& reflection = *section.GetReflection();
  std::vector<uint32_t> kept;
  for (int i = 0; i < reflection.FieldSize(section, list); ++i) {
    const uint32_t number = reflection.GetRepeatedUInt32(section, list, i);
    const FieldInfo* field = FieldOfNumber(section, number);
    if (field != nullptr && field_nos.count(field->field_no) > 0) kept.push_back(number);
  }
  reflection.ClearField(&section, list);
  for (const uint32_t number : kept) reflection.AddUInt32(&section, list, number);
}

void KeepInSection(const std::set<uint32_t>& field_nos, Message& section) {
  for (const FieldInfo& field : FieldsOf(SectionOf(*section.GetDescriptor()))) {
    if (field_nos.count(field.field_no) == 0) {
      section.GetReflection()->ClearField(&section, field.descriptor);
    }
  }
  KeepNotSaid(field_nos, section);
}

}  // namespace

void ForEachSection(const v1::Sections& sections,
                    absl::FunctionRef<void(const Message&, int)> visit) {
  const Reflection& reflection = *v1::Sections::GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(sections, &set);
  for (const FieldDescriptor* field : set) {
    if (!field->is_repeated()) {
      visit(reflection.GetMessage(sections, field), -1);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(sections, field); ++i) {
      visit(reflection.GetRepeatedMessage(sections, field, i), i);
    }
  }
}

void ForEachField(const v1::Sections& sections,
                  absl::FunctionRef<void(const FieldOccurrence&)> visit) {
  ForEachSection(sections, [visit](const Message& section, int index) {
    for (const FieldInfo* field : FieldsIn(section)) {
      visit({field, &section, EntryOf(section, index)});
    }
  });
}

bool SaysSomething(const FieldOccurrence& occurrence) {
  const FieldDescriptor* field = occurrence.field->descriptor;
  const Reflection& reflection = *occurrence.section->GetReflection();
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return true;
  if (!field->is_repeated()) {
    return !reflection.HasField(*occurrence.section, field) ||
           !IsUnknown(*reflection.GetEnum(*occurrence.section, field));
  }
  const int size = reflection.FieldSize(*occurrence.section, field);
  for (int i = 0; i < size; ++i) {
    if (!IsUnknown(*reflection.GetRepeatedEnum(*occurrence.section, field, i))) return true;
  }
  return size == 0;
}

std::set<uint32_t> FieldNumbersIn(const v1::Sections& sections) {
  std::set<uint32_t> numbers;
  ForEachField(sections, [&numbers](const FieldOccurrence& occurrence) {
    numbers.insert(occurrence.field->field_no);
  });
  return numbers;
}

v1::Sections KeepFields(const v1::Sections& sections, const std::set<uint32_t>& field_nos) {
  v1::Sections kept = sections;
  kept.DiscardUnknownFields();
  const Reflection& reflection = *v1::Sections::GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(kept, &set);
  for (const FieldDescriptor* field : set) {
    if (!field->is_repeated()) {
      Message& section = *reflection.MutableMessage(&kept, field);
      KeepInSection(field_nos, section);
      if (section.ByteSizeLong() == 0) reflection.ClearField(&kept, field);
      continue;
    }
    int filled = 0;
    for (int i = 0; i < reflection.FieldSize(kept, field); ++i) {
      Message& section = *reflection.MutableRepeatedMessage(&kept, field, i);
      KeepInSection(field_nos, section);
      if (section.ByteSizeLong() > 0) reflection.SwapElements(&kept, field, i, filled++);
    }
    while (reflection.FieldSize(kept, field) > filled) reflection.RemoveLast(&kept, field);
  }
  return kept;
}

}  // namespace waymark
