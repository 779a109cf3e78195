#include "client/listing/terms.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "base/ids/ids.h"
#include "base/schema/date.h"

namespace waymark::node {
namespace {

constexpr std::string_view kUnitPrefix = "CAPACITY_UNIT_";

bool IsUpperOrDigit(char c) { return absl::ascii_isupper(c) || absl::ascii_isdigit(c); }

bool AreAlphanumeric(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isalnum(c); });
}

}  // namespace

bool IsAreaCode(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), '-');
  return parts.size() <= 3 && parts[0].size() == 2 &&
         std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return !part.empty() && part.size() <= 8 &&
                  std::all_of(part.begin(), part.end(), IsUpperOrDigit);
         });
}

bool IsLanguageTag(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), '-');
  const std::string& language = parts[0];
  if (text.size() > 35 || language.size() < 2 || language.size() > 3 ||
      !std::all_of(language.begin(), language.end(),
                   [](char c) { return absl::ascii_islower(c); })) {
    return false;
  }
  return std::all_of(parts.begin() + 1, parts.end(), [](const std::string& part) {
    return part.size() >= 2 && part.size() <= 8 && AreAlphanumeric(part);
  });
}

std::optional<std::string> FromUuid(std::string_view text) {
  const auto id = ServiceId::FromHex(absl::StrReplaceAll(std::string(text), {{"-", ""}}));
  if (!id) return std::nullopt;
  return id->bytes();
}

std::string ToUuid(std::string_view bytes) {
  std::string uuid = absl::BytesToHexString(std::string(bytes));
  for (const size_t at : {20, 16, 12, 8}) {
    if (at < uuid.size()) uuid.insert(at, "-");
  }
  return uuid;
}

uint32_t FromOpenEligibility(const Catalogue& catalogue, uint32_t id) {
  uint32_t found = 0;
  for (const v1::ServiceCode& service : catalogue.taxonomy().codes()) {
    const auto& ids = service.open_eligibility();
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
    if (found != 0) return 0;
    found = service.code();
  }
  return found;
}

v1::CapacityUnit UnitOfWord(std::string_view word) {
  std::string name = absl::AsciiStrToUpper(absl::StrReplaceAll(std::string(word), {{" ", "_"}}));
  if (absl::EndsWith(name, "S")) name.pop_back();
  v1::CapacityUnit unit = v1::CAPACITY_UNIT_UNSPECIFIED;
  v1::CapacityUnit_Parse(std::string(kUnitPrefix) + name, &unit);
  return unit;
}

std::string WordOfUnit(v1::CapacityUnit unit) {
  return v1::CapacityUnit_Name(unit).substr(kUnitPrefix.size());
}

std::optional<v1::Date> DayOf(std::string_view text) {
  absl::CivilDay day;
  if (text.size() < 10 || !absl::ParseCivilTime(std::string(text.substr(0, 10)), &day)) {
    return std::nullopt;
  }
  return DateOf(day);
}

std::string DayText(const v1::Date& date) {
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day());
}

}  // namespace waymark::node
