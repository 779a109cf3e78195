#include "base/schema/validate.h"

#include <set>
#include <string>

#include "base/schema/field_registry.h"
#include "base/schema/value_format.h"
#include "base/status/status.h"

namespace waymark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A field's name for people: "LANG.preferred_language", "PROG.offer.quantity".
std::string PathOf(const FieldDescriptor& field, const std::string& parent) {
  return parent + "." + field.name();
}

absl::Status Invalid(const std::string& path, const std::string& what) {
  return Error(v1::REASON_FIELD_INVALID, path + " " + what);
}

std::string FormatOf(v1::ValueFormat format) {
  switch (format) {
    case v1::VALUE_FORMAT_FREE_TEXT:
      return "is not one line of text";
    case v1::VALUE_FORMAT_LANGUAGE_TAG:
      return "is not a BCP-47 language tag";
    case v1::VALUE_FORMAT_AREA_CODE:
      return "is not a coarse area code such as XA-N2";
    case v1::VALUE_FORMAT_COUNTRY_CODE:
      return "is not a two-letter country code";
    case v1::VALUE_FORMAT_CONDITION_ID:
      return "is not the id of a condition";
    case v1::VALUE_FORMAT_OPAQUE_REF:
      return "is not a random reference";
    case v1::VALUE_FORMAT_PACK_ID:
      return "is not the id of a policy pack";
    case v1::VALUE_FORMAT_ID16:
      return "is not an id of 16 bytes";
    case v1::VALUE_FORMAT_DIGEST32:
      return "is not a digest of 32 bytes";
    case v1::VALUE_FORMAT_SERVICE_CODE:
      return "is not a taxonomy code from 101 to 9999";
    case v1::VALUE_FORMAT_FIELD_NO:
      return "is not the number of a field of a sealed section";
    case v1::VALUE_FORMAT_WHOLE_MINUTE:
      return "is not a whole minute between 2000 and 2199";
    case v1::VALUE_FORMAT_WHOLE_HOUR:
      return "is not a whole hour between 2000 and 2199";
    default:
      return "has a value that its type does not allow";
  }
}

absl::Status ValidateMessage(const Message& message, const std::string& path, bool all_optional);

// Checks the messages of a known type as a whole; other messages field by field.
absl::Status ValidateValue(const Message& value, const v1::ValueLimits& limits,
                           const std::string& path) {
  const auto check = [&](bool valid, const std::string& what) {
    return valid ? absl::OkStatus() : Invalid(path, what);
  };
  const google::protobuf::Descriptor* type = value.GetDescriptor();
  if (type == google::protobuf::Timestamp::descriptor()) {
    const auto& time = static_cast<const google::protobuf::Timestamp&>(value);
    return check(HasTimeFormat(time, limits.format()), FormatOf(limits.format()));
  }
  RETURN_IF_ERROR(ValidateMessage(value, path, /*all_optional=*/false));
  if (type == v1::Date::descriptor()) {
    return check(IsValid(static_cast<const v1::Date&>(value)), "is not a date of the calendar");
  }
  if (type == v1::DateRange::descriptor()) {
    return check(IsValid(static_cast<const v1::DateRange&>(value)), "ends before it begins");
  }
  if (type == v1::TimeWindow::descriptor()) {
    return check(IsValid(static_cast<const v1::TimeWindow&>(value)),
                 "is not a span of minutes between 2000 and 2199");
  }
  if (type == v1::WeeklyWindow::descriptor()) {
    return check(IsValid(static_cast<const v1::WeeklyWindow&>(value)),
                 "is not a span within one day of the week");
  }
  if (type == v1::Quarter::descriptor()) {
    return check(IsValid(static_cast<const v1::Quarter&>(value)), "is not a quarter");
  }
  return absl::OkStatus();
}

absl::Status ValidateEnum(const FieldDescriptor& field, int number, const std::string& path) {
  if (number != 0 && field.enum_type()->FindValueByNumber(number) != nullptr) {
    return absl::OkStatus();
  }
  return Error(v1::REASON_ENUM_UNKNOWN, path + " has a value that this version does not know");
}

absl::Status ValidateText(const std::string& value, const v1::ValueLimits& limits,
                          const std::string& path) {
  if (!HasTextFormat(value, limits.format())) return Invalid(path, FormatOf(limits.format()));
  if (limits.max_length() != 0 && CharacterCount(value) > limits.max_length()) {
    return Invalid(path, "is longer than " + std::to_string(limits.max_length()) + " characters");
  }
  return absl::OkStatus();
}

absl::Status ValidateNumber(uint32_t value, const v1::ValueLimits& limits,
                            const std::string& path) {
  if (!HasNumberFormat(value, limits.format())) return Invalid(path, FormatOf(limits.format()));
  if (value < limits.minimum()) {
    return Invalid(path, "is less than " + std::to_string(limits.minimum()));
  }
  if (limits.maximum() != 0 && value > limits.maximum()) {
    return Invalid(path, "is greater than " + std::to_string(limits.maximum()));
  }
  return absl::OkStatus();
}

// Checks entry `index` of a repeated field, or a singular field with `index` -1.
absl::Status ValidateEntry(const Message& message, const FieldDescriptor& field, int index,
                           const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  const v1::ValueLimits& limits = field.options().GetExtension(v1::limits);
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return ValidateEnum(field,
                          one ? reflection.GetEnumValue(message, &field)
                              : reflection.GetRepeatedEnumValue(message, &field, index),
                          path);
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return ValidateText(
          one ? reflection.GetStringReference(message, &field, &scratch)
              : reflection.GetRepeatedStringReference(message, &field, index, &scratch),
          limits, path);
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      return ValidateNumber(one ? reflection.GetUInt32(message, &field)
                                : reflection.GetRepeatedUInt32(message, &field, index),
                            limits, path);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ValidateValue(one ? reflection.GetMessage(message, &field)
                               : reflection.GetRepeatedMessage(message, &field, index),
                           limits, path);
    default:
      return absl::OkStatus();
  }
}

absl::Status ValidateField(const Message& message, const FieldDescriptor& field,
                           const std::string& path, bool all_optional) {
  const Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    if (field.has_presence() && !reflection.HasField(message, &field)) {
      return all_optional ? absl::OkStatus() : Invalid(path, "is missing");
    }
    const bool limited = field.options().HasExtension(v1::limits);
    const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    return text && !limited ? absl::OkStatus() : ValidateEntry(message, field, -1, path);
  }
  const int size = reflection.FieldSize(message, &field);
  const uint32_t most = field.options().GetExtension(v1::limits).max_items();
  if (most != 0 && static_cast<uint32_t>(size) > most) {
    return Invalid(path, "has more than " + std::to_string(most) + " entries");
  }
  for (int i = 0; i < size; ++i) {
    RETURN_IF_ERROR(ValidateEntry(message, field, i, path));
  }
  return absl::OkStatus();
}

absl::Status ValidateNotSaid(const Message& section, const std::string& path) {
  const FieldDescriptor* list = section.GetDescriptor()->FindFieldByNumber(kNotSaidNumber);
  if (list == nullptr) return absl::OkStatus();
  const Reflection& reflection = *section.GetReflection();
  std::set<uint32_t> seen;
  for (int i = 0; i < reflection.FieldSize(section, list); ++i) {
    const uint32_t number = reflection.GetRepeatedUInt32(section, list, i);
    const FieldDescriptor* field =
        section.GetDescriptor()->FindFieldByNumber(static_cast<int>(number));
    if (field == nullptr || field == list || !seen.insert(number).second) {
      return Invalid(path + ".not_said", "lists a number twice, or one that is no field");
    }
    const bool set = field->is_repeated() ? reflection.FieldSize(section, field) > 0
                                          : reflection.HasField(section, field);
    if (set) return Invalid(PathOf(*field, path), "has a value and stands in not_said");
  }
  return absl::OkStatus();
}

absl::Status ValidateMessage(const Message& message, const std::string& path, bool all_optional) {
  if (message.GetReflection()->GetUnknownFields(message).field_count() != 0) {
    return Invalid(path, "has a field that this version does not know");
  }
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    RETURN_IF_ERROR(ValidateField(message, field, PathOf(field, path), all_optional));
  }
  return absl::OkStatus();
}

absl::Status ValidateNeed(const v1::NeedSection& need) {
  if (need.has_earliest_start() && need.has_latest_start() &&
      need.latest_start().seconds() < need.earliest_start().seconds()) {
    return Invalid("NEED.latest_start", "is before NEED.earliest_start");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSection(const Message& section) {
  const v1::Section kind = SectionOf(*section.GetDescriptor());
  if (kind == v1::SECTION_UNSPECIFIED) {
    return Error(v1::REASON_INTERNAL, section.GetDescriptor()->name() + " is not a section");
  }
  const bool sealed = kind != v1::SECTION_RTE && kind != v1::SECTION_CON;
  const std::string path(SectionName(kind));
  RETURN_IF_ERROR(ValidateMessage(section, path, sealed));
  RETURN_IF_ERROR(ValidateNotSaid(section, path));
  if (kind == v1::SECTION_NEED) return ValidateNeed(static_cast<const v1::NeedSection&>(section));
  return absl::OkStatus();
}

absl::Status ValidateSections(const Message& container) {
  const std::string& name = container.GetDescriptor()->name();
  const Reflection& reflection = *container.GetReflection();
  if (reflection.GetUnknownFields(container).field_count() != 0) {
    return Invalid(name, "has a field that this version does not know");
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(container, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        SectionOf(*field->message_type()) == v1::SECTION_UNSPECIFIED) {
      continue;
    }
    if (!field->is_repeated()) {
      RETURN_IF_ERROR(ValidateSection(reflection.GetMessage(container, field)));
      continue;
    }
    const uint32_t most = field->options().GetExtension(v1::limits).max_items();
    const int size = reflection.FieldSize(container, field);
    if (most != 0 && static_cast<uint32_t>(size) > most) {
      return Invalid(PathOf(*field, name), "has more than " + std::to_string(most) + " entries");
    }
    for (int i = 0; i < size; ++i) {
      RETURN_IF_ERROR(ValidateSection(reflection.GetRepeatedMessage(container, field, i)));
    }
  }
  return absl::OkStatus();
}

}  // namespace waymark
