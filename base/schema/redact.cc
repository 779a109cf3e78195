#include "base/schema/redact.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "base/schema/field_registry.h"

namespace waymark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What may be shown of the fields of a message.
enum class Show {
  // As the policy of each field says.
  kByPolicy,
  // Everything but strings and bytes: nothing says what they are.
  kNoText,
  // Everything: the message is the value of a field that may be shown.
  kAll,
};

Show ModeOf(const Message& message) {
  return SectionOf(*message.GetDescriptor()) == v1::SECTION_UNSPECIFIED ? Show::kNoText
                                                                        : Show::kByPolicy;
}

bool MayShow(const FieldDescriptor& field, Show show) {
  if (show == Show::kAll) return true;
  if (show == Show::kNoText) return field.cpp_type() != FieldDescriptor::CPPTYPE_STRING;
  const FieldInfo* info = FieldByDescriptor(field);
  return info != nullptr && (info->data_class == v1::DATA_CLASS_ROUTING ||
                             info->data_class == v1::DATA_CLASS_NON_IDENTIFYING);
}

void AppendMessage(const Message& message, Show show, std::string& text);

std::string TextOf(const FieldDescriptor& field, const std::string& value) {
  if (field.type() == FieldDescriptor::TYPE_BYTES) return absl::BytesToHexString(value);
  return "\"" + absl::CEscape(value) + "\"";
}

std::string EnumText(const FieldDescriptor& field, int number) {
  const auto* value = field.enum_type()->FindValueByNumber(number);
  return value == nullptr ? std::to_string(number) : value->name();
}

// Appends entry `index` of a repeated field, or a singular field with `index` -1.
void AppendValue(const Message& message, const FieldDescriptor& field, int index, Show show,
                 std::string& text) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& value = one ? reflection.GetMessage(message, &field)
                                 : reflection.GetRepeatedMessage(message, &field, index);
      const bool inside_section = show != Show::kNoText;
      text += "{";
      AppendMessage(value, inside_section ? Show::kAll : ModeOf(value), text);
      text += " }";
      return;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      text += TextOf(field, one ? reflection.GetString(message, &field)
                                : reflection.GetRepeatedString(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      text += EnumText(field, one ? reflection.GetEnumValue(message, &field)
                                  : reflection.GetRepeatedEnumValue(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      text += (one ? reflection.GetBool(message, &field)
                   : reflection.GetRepeatedBool(message, &field, index))
                  ? "true"
                  : "false";
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      text += std::to_string(one ? reflection.GetInt32(message, &field)
                                 : reflection.GetRepeatedInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      text += std::to_string(one ? reflection.GetInt64(message, &field)
                                 : reflection.GetRepeatedInt64(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      text += std::to_string(one ? reflection.GetUInt32(message, &field)
                                 : reflection.GetRepeatedUInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      text += std::to_string(one ? reflection.GetUInt64(message, &field)
                                 : reflection.GetRepeatedUInt64(message, &field, index));
      return;
    default:
      text += kRedacted;
      return;
  }
}

void AppendMessage(const Message& message, Show show, std::string& text) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!text.empty()) text += ' ';
    text += field->name();
    text += ": ";
    if (!MayShow(*field, show)) {
      text += kRedacted;
      continue;
    }
    if (!field->is_repeated()) {
      AppendValue(message, *field, -1, show, text);
      continue;
    }
    text += '[';
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      if (i > 0) text += ", ";
      AppendValue(message, *field, i, show, text);
    }
    text += ']';
  }
}

}  // namespace

std::string Redacted(const Message& message) {
  std::string text;
  AppendMessage(message, ModeOf(message), text);
  return text;
}

}  // namespace waymark
