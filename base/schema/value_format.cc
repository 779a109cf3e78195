#include "base/schema/value_format.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "base/schema/field_registry.h"

namespace waymark {
namespace {

constexpr int64_t kYear2000 = 946684800;
constexpr int64_t kYear2200 = 7258118400;
constexpr size_t kIdBytes = 16;
constexpr size_t kDigestBytes = 32;

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }
bool IsUpperOrDigit(char c) { return absl::ascii_isupper(c) || absl::ascii_isdigit(c); }
bool IsSlug(char c) { return IsLowerOrDigit(c) || c == '-'; }
bool IsOpaque(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

bool Consists(std::string_view text, size_t longest, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed);
}

bool IsAlpha(char c) { return absl::ascii_isalpha(c); }
bool IsAlnum(char c) { return absl::ascii_isalnum(c); }
bool IsUpper(char c) { return absl::ascii_isupper(c); }

// The shape of RFC 5646: a primary subtag of 2 or 3 letters, then subtags of 1 to 8 letters or
// digits.
bool IsLanguageTag(std::string_view tag) {
  if (tag.size() > 35) return false;
  size_t hyphen = tag.find('-');
  const std::string_view primary = tag.substr(0, hyphen);
  if (primary.size() < 2 || !Consists(primary, 3, IsAlpha)) return false;
  while (hyphen != std::string_view::npos) {
    tag.remove_prefix(hyphen + 1);
    hyphen = tag.find('-');
    if (!Consists(tag.substr(0, hyphen), 8, IsAlnum)) return false;
  }
  return true;
}

bool IsCountry(std::string_view code) { return code.size() == 2 && Consists(code, 2, IsUpper); }

bool IsAreaCode(std::string_view code) {
  return code.size() > 3 && IsCountry(code.substr(0, 2)) && code[2] == '-' &&
         Consists(code.substr(3), 8, IsUpperOrDigit);
}

bool IsOneLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return absl::ascii_iscntrl(c); });
}

bool IsNotZero(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0; });
}

auto Key(const v1::Date& date) { return std::make_tuple(date.year(), date.month(), date.day()); }

bool InYears(int64_t minute) { return minute >= kYear2000 / 60 && minute < kYear2200 / 60; }

}  // namespace

bool HasTextFormat(std::string_view value, v1::ValueFormat format) {
  switch (format) {
    case v1::VALUE_FORMAT_FREE_TEXT:
      return IsOneLine(value);
    case v1::VALUE_FORMAT_LANGUAGE_TAG:
      return IsLanguageTag(value);
    case v1::VALUE_FORMAT_AREA_CODE:
      return IsAreaCode(value);
    case v1::VALUE_FORMAT_COUNTRY_CODE:
      return IsCountry(value);
    case v1::VALUE_FORMAT_CONDITION_ID:
      return Consists(value, 40, IsSlug);
    case v1::VALUE_FORMAT_OPAQUE_REF:
      return Consists(value, 64, IsOpaque);
    case v1::VALUE_FORMAT_PACK_ID:
      return Consists(value, 32, IsSlug);
    case v1::VALUE_FORMAT_ID16:
      return value.size() == kIdBytes && IsNotZero(value);
    case v1::VALUE_FORMAT_DIGEST32:
      return value.size() == kDigestBytes;
    default:
      return false;
  }
}

bool HasNumberFormat(uint32_t value, v1::ValueFormat format) {
  switch (format) {
    case v1::VALUE_FORMAT_SERVICE_CODE:
      return value >= 101 && value <= 9999;
    case v1::VALUE_FORMAT_FIELD_NO: {
      const FieldInfo* field = FieldByNumber(value);
      return field != nullptr && field->section != v1::SECTION_RTE &&
             field->section != v1::SECTION_CON;
    }
    default:
      return format == v1::VALUE_FORMAT_UNSPECIFIED;
  }
}

bool HasTimeFormat(const google::protobuf::Timestamp& value, v1::ValueFormat format) {
  const int64_t unit = format == v1::VALUE_FORMAT_WHOLE_HOUR ? 3600 : 60;
  return value.nanos() == 0 && value.seconds() % unit == 0 && value.seconds() >= kYear2000 &&
         value.seconds() < kYear2200;
}

size_t CharacterCount(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool IsValid(const v1::Date& date) {
  if (date.year() < 1900 || date.year() > 2199) return false;
  // CivilDay normalises what does not exist, so a date that exists comes out unchanged.
  const absl::CivilDay day(date.year(), date.month(), date.day());
  return day.year() == date.year() && day.month() == date.month() && day.day() == date.day();
}

bool IsValid(const v1::DateRange& range) {
  return IsValid(range.from()) && IsValid(range.to()) && Key(range.from()) <= Key(range.to());
}

bool IsValid(const v1::TimeWindow& window) {
  return InYears(window.from_minute()) && InYears(window.to_minute()) &&
         window.from_minute() < window.to_minute();
}

bool IsValid(const v1::WeeklyWindow& window) {
  return window.weekday() >= 1 && window.weekday() <= 7 && window.from_minute() >= 0 &&
         window.from_minute() < window.to_minute() && window.to_minute() <= 1440;
}

bool IsValid(const v1::Quarter& quarter) {
  return quarter.year() >= 2000 && quarter.year() <= 2199 && quarter.quarter() >= 1 &&
         quarter.quarter() <= 4;
}

}  // namespace waymark
