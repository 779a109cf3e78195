#include "client/cli/values.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "base/schema/canonical_json.h"
#include "base/schema/date.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kIdSize = 16;

// "adults-band" and "Adults_Band" mean ADULTS_BAND.
std::string Canonical(std::string text) {
  std::replace(text.begin(), text.end(), '-', '_');
  return absl::AsciiStrToUpper(text);
}

std::string PrefixOf(const EnumDescriptor& type) {
  constexpr std::string_view kZero = "UNSPECIFIED";
  const std::string& name = type.value(0)->name();
  return name.substr(0, name.size() - kZero.size());
}

template <typename Number>
bool ReadNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

absl::StatusOr<uint32_t> ParseNumber(const std::string& what, const std::string& text) {
  uint32_t number = 0;
  if (ReadNumber(text, number)) return number;
  if (const FieldInfo* field = FieldByName(text)) return field->field_no;
  return InvalidField(what + " takes a whole number, or the name of a field where one is meant");
}

absl::StatusOr<int32_t> ParseSigned(const std::string& what, const FieldDescriptor& field,
                                    const std::string& text) {
  int32_t number = 0;
  if (ReadNumber(text, number)) return number;
  // The one field that holds the numbers of an enum.
  if (field.full_name() == "waymark.v1.Populations.genders") {
    return ParseEnum(what, *v1::Gender_descriptor(), text);
  }
  return InvalidField(what + " takes a whole number");
}

absl::StatusOr<v1::Date> ParseDate(const std::string& what, const std::string& text) {
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day)) {
    return InvalidField(what + " takes a day such as 2027-03-09");
  }
  return DateOf(day);
}

absl::StatusOr<std::pair<std::string, std::string>> SplitSpan(const std::string& what,
                                                              const std::string& text) {
  const std::vector<std::string> ends = absl::StrSplit(text, '/');
  if (ends.size() != 2) return InvalidField(what + " takes a span FROM/TO");
  return std::make_pair(ends[0], ends[1]);
}

absl::StatusOr<v1::TimeWindow> ParseWindow(const std::string& what, const std::string& text,
                                           const absl::TimeZone& zone) {
  ASSIGN_OR_RETURN(auto ends, SplitSpan(what, text));
  constexpr size_t kClock = 5;  // "21:45": on the day on which the span begins
  const size_t day = ends.first.find('T');
  if (ends.second.size() == kClock && day != std::string::npos) {
    ends.second = ends.first.substr(0, day + 1) + ends.second;
  }
  ASSIGN_OR_RETURN(const absl::Time from, ParseTime(what, ends.first, zone));
  ASSIGN_OR_RETURN(const absl::Time to, ParseTime(what, ends.second, zone));
  v1::TimeWindow window;
  window.set_from_minute(absl::ToUnixSeconds(from) / 60);
  window.set_to_minute(absl::ToUnixSeconds(to) / 60);
  return window;
}

bool ReadClock(std::string_view text, int32_t& minutes) {
  int hours = 0;
  int rest = 0;
  if (text.size() != 5 || text[2] != ':' || !ReadNumber(text.substr(0, 2), hours) ||
      !ReadNumber(text.substr(3), rest) || hours > 24 || rest > 59) {
    return false;
  }
  minutes = hours * 60 + rest;
  return true;
}

absl::StatusOr<v1::WeeklyWindow> ParseWeekly(const std::string& what, const std::string& text) {
  static constexpr std::string_view kDays[] = {"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"};
  v1::WeeklyWindow window;
  int32_t from = 0;
  int32_t to = 0;
  const std::string word = Canonical(text.substr(0, 3));
  const auto* const day = std::find(std::begin(kDays), std::end(kDays), word);
  if (day == std::end(kDays) || text.size() != 15 || text[3] != ' ' || text[9] != '-' ||
      !ReadClock(std::string_view(text).substr(4, 5), from) ||
      !ReadClock(std::string_view(text).substr(10), to)) {
    return InvalidField(what + " takes weekly windows such as 'MON 09:00-17:00'");
  }
  window.set_weekday(static_cast<int32_t>(day - std::begin(kDays)) + 1);
  window.set_from_minute(from);
  window.set_to_minute(to);
  return window;
}

absl::Status ParseMessage(const ValueReader& reader, const std::string& what,
                          const std::string& text, Message& message) {
  const auto* type = message.GetDescriptor();
  if (type == google::protobuf::Timestamp::descriptor()) {
    ASSIGN_OR_RETURN(const absl::Time time, ParseTime(what, text, reader.zone));
    static_cast<google::protobuf::Timestamp&>(message).set_seconds(absl::ToUnixSeconds(time));
    return absl::OkStatus();
  }
  if (type == v1::Date::descriptor()) {
    ASSIGN_OR_RETURN(static_cast<v1::Date&>(message), ParseDate(what, text));
    return absl::OkStatus();
  }
  if (type == v1::DateRange::descriptor()) {
    ASSIGN_OR_RETURN(const auto ends, SplitSpan(what, text));
    auto& range = static_cast<v1::DateRange&>(message);
    ASSIGN_OR_RETURN(*range.mutable_from(), ParseDate(what, ends.first));
    ASSIGN_OR_RETURN(*range.mutable_to(), ParseDate(what, ends.second));
    return absl::OkStatus();
  }
  if (type == v1::TimeWindow::descriptor()) {
    ASSIGN_OR_RETURN(static_cast<v1::TimeWindow&>(message), ParseWindow(what, text, reader.zone));
    return absl::OkStatus();
  }
  if (type == v1::WeeklyWindow::descriptor()) {
    ASSIGN_OR_RETURN(static_cast<v1::WeeklyWindow&>(message), ParseWeekly(what, text));
    return absl::OkStatus();
  }
  if (type == v1::Quarter::descriptor()) {
    auto& quarter = static_cast<v1::Quarter&>(message);
    int32_t year = 0;
    int32_t number = 0;
    if (text.size() != 7 || text[4] != '-' || absl::ascii_toupper(text[5]) != 'Q' ||
        !ReadNumber(std::string_view(text).substr(0, 4), year) ||
        !ReadNumber(std::string_view(text).substr(6), number)) {
      return InvalidField(what + " takes a quarter such as 2027-Q2");
    }
    quarter.set_year(year);
    quarter.set_quarter(number);
    return absl::OkStatus();
  }
  if (FromJson(text, message).ok()) return absl::OkStatus();
  return InvalidField(what + " takes canonical JSON of " + type->name());
}

// Sets a singular field, or adds an entry to a repeated one.
absl::Status Put(const ValueReader& reader, const std::string& what, const std::string& text,
                 const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto put = [&](auto set, auto add, auto value) {
    field.is_repeated() ? (reflection.*add)(&message, &field, value)
                        : (reflection.*set)(&message, &field, value);
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM: {
      ASSIGN_OR_RETURN(const int number, ParseEnum(what, *field.enum_type(), text));
      return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, number);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ASSIGN_OR_RETURN(const bool flag, ParseFlag(what, text));
      return put(&Reflection::SetBool, &Reflection::AddBool, flag);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      ASSIGN_OR_RETURN(const uint32_t number, ParseNumber(what, text));
      return put(&Reflection::SetUInt32, &Reflection::AddUInt32, number);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      ASSIGN_OR_RETURN(const int32_t number, ParseSigned(what, field, text));
      return put(&Reflection::SetInt32, &Reflection::AddInt32, number);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t number = 0;
      if (!ReadNumber(text, number)) return InvalidField(what + " takes a whole number");
      return put(&Reflection::SetInt64, &Reflection::AddInt64, number);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field.type() != FieldDescriptor::TYPE_BYTES) {
        return put(&Reflection::SetString, &Reflection::AddString, text);
      }
      auto id = ParseId(text);
      if (!id.ok() && reader.resolve) id = reader.resolve(field, text);
      if (!id.ok()) return Annotate(id.status(), what);
      return put(&Reflection::SetString, &Reflection::AddString, *std::move(id));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ParseMessage(reader, what, text,
                          field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                              : *reflection.MutableMessage(&message, &field));
    default:
      return InvalidField(what + " cannot be written on a command line");
  }
}

std::string FieldNames(const google::protobuf::Descriptor& type) {
  std::string names;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->number() == kNotSaidNumber) continue;
    names += (names.empty() ? "" : ", ") + type.field(i)->name();
  }
  return names;
}

absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidField("a value is written FIELD=VALUE");
  }
  return std::make_pair(text.substr(0, equals), text.substr(equals + 1));
}

// Keeps `not_said` in step with the field: each stands in one place only.
void MarkNotSaid(Message& section, int number, bool not_said) {
  const FieldDescriptor* list = section.GetDescriptor()->FindFieldByNumber(kNotSaidNumber);
  if (list == nullptr) return;
  const Reflection& reflection = *section.GetReflection();
  std::vector<uint32_t> kept;
  for (int i = 0; i < reflection.FieldSize(section, list); ++i) {
    const uint32_t other = reflection.GetRepeatedUInt32(section, list, i);
    if (other != static_cast<uint32_t>(number)) kept.push_back(other);
  }
  if (not_said) kept.push_back(static_cast<uint32_t>(number));
  reflection.ClearField(&section, list);
  for (const uint32_t other : kept) reflection.AddUInt32(&section, list, other);
}

const FieldDescriptor* PlaceOf(const google::protobuf::Descriptor& section) {
  const auto* sections = v1::Sections::descriptor();
  for (int i = 0; i < sections->field_count(); ++i) {
    if (sections->field(i)->message_type() == &section) return sections->field(i);
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::string> ParseId(std::string_view text) {
  const std::string given(text);
  std::string bytes;
  if (given.size() == 2 * kIdSize && std::all_of(given.begin(), given.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return absl::HexStringToBytes(given);
  }
  if (absl::Base64Unescape(given, &bytes) && bytes.size() == kIdSize) return bytes;
  return InvalidField("an id has 32 hexadecimal digits");
}

absl::StatusOr<absl::Time> ParseTime(const std::string& what, const std::string& text,
                                     const absl::TimeZone& zone) {
  absl::Time time;
  std::string unused;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &unused)) return time;
  for (const char* format : {"%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"}) {
    if (absl::ParseTime(format, text, zone, &time, &unused)) return time;
  }
  return InvalidField(
      what + " takes a time such as 2027-03-09T20:30, or with a zone 2027-03-09T20:30:00Z");
}

absl::StatusOr<bool> ParseFlag(const std::string& what, const std::string& text) {
  const std::string word = absl::AsciiStrToLower(text);
  if (word == "yes" || word == "true") return true;
  if (word == "no" || word == "false") return false;
  return InvalidField(what + " takes yes or no");
}

absl::StatusOr<int> ParseEnum(const std::string& what, const EnumDescriptor& type,
                              const std::string& text) {
  const std::string prefix = PrefixOf(type);
  const std::string word = Canonical(text);
  const auto* value = type.FindValueByName(prefix + word);
  if (value == nullptr) value = type.FindValueByName(word);
  if (value != nullptr && value->number() != 0) return value->number();
  std::string known;
  for (int i = 1; i < type.value_count(); ++i) {
    known += (known.empty() ? "" : ", ") + WordOf(*type.value(i));
  }
  // The table's cure is for programs of different versions; here the list is the cure.
  return ErrorFromPeer(absl::StatusCode::kInvalidArgument, what + " takes one of " + known,
                       v1::REASON_ENUM_UNKNOWN);
}

std::string WordOf(const google::protobuf::EnumValueDescriptor& value) {
  return value.name().substr(PrefixOf(*value.type()).size());
}

absl::Status AssignField(const ValueReader& reader, const std::string& path,
                         const std::string& name, const std::string& text, Message& message,
                         char separator) {
  const FieldDescriptor* field =
      message.GetDescriptor()->FindFieldByName(absl::AsciiStrToLower(name));
  if (field == nullptr) {
    return InvalidField(path + " has no field of this name; it has " +
                        FieldNames(*message.GetDescriptor()));
  }
  const std::string what = path.empty() ? field->name() : path + "." + field->name();
  message.GetReflection()->ClearField(&message, field);
  MarkNotSaid(message, field->number(), text == kNotSaid);
  if (text.empty() || text == kNotSaid) return absl::OkStatus();
  // JSON holds commas of its own.
  if (!field->is_repeated() || text.front() == '{') {
    return Put(reader, what, text, *field, message);
  }
  for (const std::string& entry : std::vector<std::string>(absl::StrSplit(text, separator))) {
    RETURN_IF_ERROR(
        Put(reader, what, std::string(absl::StripAsciiWhitespace(entry)), *field, message));
  }
  return absl::OkStatus();
}

absl::Status AssignSectionField(const ValueReader& reader, const std::string& assignment,
                                v1::Sections& sections) {
  ASSIGN_OR_RETURN(const auto parts, SplitAssignment(assignment));
  const size_t dot = parts.first.find('.');
  const v1::Section number = SectionFromName(absl::AsciiStrToUpper(parts.first.substr(0, dot)));
  const auto* type = SectionDescriptor(number);
  const FieldDescriptor* place = type == nullptr ? nullptr : PlaceOf(*type);
  if (dot == std::string::npos || place == nullptr) {
    return InvalidField("a field is named SECTION.field, for example LANG.preferred_language");
  }
  if (place->is_repeated()) {
    return InvalidField(
        std::string(SectionName(number)) +
        " may be there several times; use --condition, --dependant, --goal or --file");
  }
  return AssignField(reader, std::string(SectionName(number)), parts.first.substr(dot + 1),
                     parts.second,
                     *v1::Sections::GetReflection()->MutableMessage(&sections, place));
}

absl::Status AssignIn(const ValueReader& reader, const std::string& assignment, Message& section) {
  ASSIGN_OR_RETURN(const auto parts, SplitAssignment(assignment));
  const std::string path(SectionName(SectionOf(*section.GetDescriptor())));
  const size_t dot = parts.first.find('.');
  const std::string name = dot == std::string::npos ? parts.first : parts.first.substr(dot + 1);
  return AssignField(reader, path, name, parts.second, section);
}

absl::Status AddEntry(const ValueReader& reader, v1::Section section,
                      const std::string& assignments, v1::Sections& sections) {
  const FieldDescriptor* place = PlaceOf(*SectionDescriptor(section));
  Message& entry = *v1::Sections::GetReflection()->AddMessage(&sections, place);
  for (const std::string& assignment : std::vector<std::string>(absl::StrSplit(assignments, ','))) {
    ASSIGN_OR_RETURN(const auto parts, SplitAssignment(assignment));
    RETURN_IF_ERROR(AssignField(reader, std::string(SectionName(section)), parts.first,
                                parts.second, entry, '+'));
  }
  return absl::OkStatus();
}

absl::Status SetCondition(const ValueReader& reader, const std::string& text,
                          v1::Sections& sections) {
  ASSIGN_OR_RETURN(const auto parts, SplitAssignment(text));
  const std::string& id = parts.first;
  auto* answers = sections.mutable_elig();
  answers->erase(std::remove_if(answers->begin(), answers->end(),
                                [&](const auto& answer) { return answer.condition_id() == id; }),
                 answers->end());
  return AddEntry(reader, v1::SECTION_ELIG, "condition_id=" + id + ",answer=" + parts.second,
                  sections);
}

}  // namespace waymark::node
