#include "client/cli/output.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/schema/field_registry.h"
#include "client/cli/values.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kGap = 2;
constexpr size_t kShortDigits = 8;

// Characters, not bytes: continuation bytes of UTF-8 take no room.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string TimeText(int64_t seconds, const absl::TimeZone& zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M %Z", absl::FromUnixSeconds(seconds), zone);
}

std::string FieldText(const View& view, const Message& section, const FieldDescriptor& field);

std::string MessageText(const View& view, const Message& message) {
  const auto* type = message.GetDescriptor();
  if (type == google::protobuf::Timestamp::descriptor()) {
    return view.Time(static_cast<const google::protobuf::Timestamp&>(message));
  }
  if (type == v1::Date::descriptor()) return DateText(static_cast<const v1::Date&>(message));
  if (type == v1::TimeWindow::descriptor()) {
    const auto& window = static_cast<const v1::TimeWindow&>(message);
    return TimeText(window.from_minute() * 60, view.zone) + " to " +
           TimeText(window.to_minute() * 60, view.zone);
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::vector<std::string> parts;
  parts.reserve(fields.size());
  for (const FieldDescriptor* field : fields) {
    parts.push_back(absl::StrReplaceAll(field->name(), {{"_", " "}}) + " " +
                    FieldText(view, message, *field));
  }
  return Join(parts);
}

// Entry `index` of a repeated field, or a singular field with `index` -1.
std::string ValueText(const View& view, const Message& message, const FieldDescriptor& field,
                      int index) {
  const auto& reflection = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return view.Label(*field.enum_type(),
                        one ? reflection.GetEnumValue(message, &field)
                            : reflection.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "yes" : "no";
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(one ? reflection.GetUInt32(message, &field)
                                : reflection.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = one ? reflection.GetString(message, &field)
                                   : reflection.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES ? view.Id(text) : text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageText(view, one ? reflection.GetMessage(message, &field)
                                   : reflection.GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(one ? reflection.GetInt32(message, &field)
                                : reflection.GetRepeatedInt32(message, &field, index));
    default:
      return "?";
  }
}

std::string FieldText(const View& view, const Message& section, const FieldDescriptor& field) {
  if (!field.is_repeated()) {
    return !field.has_presence() || section.GetReflection()->HasField(section, &field)
               ? ValueText(view, section, field, -1)
               : "preferred not to say";
  }
  const int size = section.GetReflection()->FieldSize(section, &field);
  if (size == 0) return "preferred not to say";
  std::vector<std::string> entries;
  entries.reserve(size);
  for (int i = 0; i < size; ++i) entries.push_back(ValueText(view, section, field, i));
  return Join(entries);
}

}  // namespace

std::string DateText(const v1::Date& date) {
  return absl::FormatCivilTime(absl::CivilDay(date.year(), date.month(), date.day()));
}

std::string Table::ToString() const {
  if (rows_.empty()) return "none\n";
  std::vector<size_t> widths(header_.size(), 0);
  const auto widen = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  };
  widen(header_);
  for (const auto& row : rows_) widen(row);
  std::string text;
  const auto write = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] + kGap - WidthOf(row[i]), ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  write(header_);
  for (const auto& row : rows_) write(row);
  return text;
}

std::string View::Time(const google::protobuf::Timestamp& time, bool is_set) const {
  return is_set ? TimeText(time.seconds(), zone) : "-";
}

std::string View::Service(uint32_t code) const {
  return std::to_string(code) + " " + catalogue.ServiceLabel(code);
}

std::string View::Label(const google::protobuf::EnumDescriptor& type, int number) const {
  if (number == 0) return "-";
  const auto* value = type.FindValueByNumber(number);
  if (value == nullptr) return std::to_string(number);
  const std::string label = catalogue.ValueLabel(*value);
  return label == value->name() ? WordOf(*value) : label;
}

std::string View::Id(const std::string& id) const {
  const std::string name = name_of ? name_of(id) : std::string();
  return name.empty() ? ShortId(id) : name;
}

std::string View::Sections(const v1::Sections& sections) const {
  Table table({"FIELD", "VALUE"});
  const auto& reflection = *v1::Sections::GetReflection();
  std::vector<const FieldDescriptor*> places;
  reflection.ListFields(sections, &places);
  for (const FieldDescriptor* place : places) {
    const int count = place->is_repeated() ? reflection.FieldSize(sections, place) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& section = place->is_repeated()
                                   ? reflection.GetRepeatedMessage(sections, place, i)
                                   : reflection.GetMessage(sections, place);
      for (const FieldInfo* field : FieldsIn(section)) {
        const std::string name =
            count == 1 ? field->name : field->name + " (" + std::to_string(i + 1) + ")";
        table.Add({name, FieldText(*this, section, *field->descriptor)});
      }
    }
  }
  return table.ToString();
}

std::string ShortId(std::string_view id) {
  return absl::BytesToHexString(std::string(id)).substr(0, kShortDigits);
}

std::string Counted(int count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string Join(const std::vector<std::string>& entries) {
  return entries.empty() ? "-" : absl::StrJoin(entries, ", ");
}

}  // namespace waymark::node
