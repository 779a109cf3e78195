#include "client/listing/hsds_reader.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/directory/room.h"
#include "base/schema/canonical_json.h"
#include "client/listing/record_value.h"

namespace waymark::node {
namespace {

using local::v1::RECORD_FINDING_KIND_INVALID;
using local::v1::RECORD_FINDING_KIND_NOTE;
using local::v1::RECORD_FINDING_KIND_UNKNOWN_CODE;

// "10:00" and "10:00:00"; nullopt if it is no time of day.
std::optional<int> MinuteOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int hour = 0;
  int minute = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &hour) ||
      !absl::SimpleAtoi(parts[1].substr(0, 2), &minute) || hour < 0 || hour > 24 || minute < 0 ||
      minute > 59) {
    return std::nullopt;
  }
  return hour * 60 + minute;
}

std::optional<int64_t> MinuteOfTime(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return std::nullopt;
  return absl::ToUnixSeconds(time) / 60;
}

bool IsOpenEligibility(const std::string& taxonomy) {
  const std::string lower = absl::AsciiStrToLower(taxonomy);
  return absl::StrContains(lower, "open eligibility") ||
         absl::StrContains(lower, "openeligibility");
}

int WeekdayOf(std::string_view word) {
  constexpr std::array<std::string_view, 7> kDays = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
  const auto* day = std::find(kDays.begin(), kDays.end(), word);
  return day == kDays.end() ? 0 : static_cast<int>(day - kDays.begin()) + 1;
}

// Fills one draft from one service.
class ServiceReading {
 public:
  ServiceReading(const Catalogue& catalogue, const TermTables& terms, ListingDraft& draft)
      : catalogue_(catalogue),
        terms_(terms),
        draft_(draft),
        service_(*draft.record.mutable_service()) {}

  void Read(const RecordField& record, const RecordField& organisation) {
    draft_.record.set_record_id(record["id"].text());
    draft_.record.set_has_address(false);
    if (const auto id = FromUuid(draft_.record.record_id())) service_.set_service_id(*id);
    ReadFacts(record);
    for (const RecordField& language : record["languages"].items()) ReadLanguage(language);
    ReadAreas(record["service_areas"]);
    for (const RecordField& schedule : record["schedules"].items()) ReadSchedule(schedule);
    for (const RecordField& place : record["service_at_locations"].items()) ReadPlace(place);
    FindAddress(organisation);
    for (const RecordField& room : record["capacities"].items()) ReadRoom(room);
    for (const RecordField& attribute : record["attributes"].items()) ReadAttribute(attribute);
    Settle();
  }

 private:
  void ReadFacts(const RecordField& record) {
    const std::string status = record["status"].text();
    service_.set_withdrawn(!status.empty() && status != "active");
    if (const auto age = record["minimum_age"].whole()) {
      service_.mutable_populations()->set_minimum_age(*age);
    }
    if (const auto age = record["maximum_age"].whole()) {
      service_.mutable_populations()->set_maximum_age(*age);
    }
    for (const char* field : {"assured_date", "last_modified"}) {
      if (service_.has_last_verified()) break;
      const std::string text = record[field].text();
      if (const auto day = DayOf(text)) {
        *service_.mutable_last_verified() = *day;
      } else if (!text.empty()) {
        draft_.Add(RECORD_FINDING_KIND_INVALID, field, "is no date");
      }
    }
  }

  void ReadLanguage(const RecordField& field) {
    const std::string tag = field["code"].text();
    if (!IsLanguageTag(tag)) {
      draft_.Add(RECORD_FINDING_KIND_NOTE, "languages[].code",
                 "is no language tag and is left out");
      return;
    }
    v1::ServiceLanguage& language = *service_.add_languages();
    language.set_tag(tag);
    language.set_spoken_by_staff(field["note"].text() == kSpokenByStaff);
  }

  void ReadAreas(const RecordField& areas) {
    for (const RecordField& field : areas.items()) {
      std::string area;
      for (const char* name : {"extent", "name"}) {
        const std::string text = field[name].text();
        const auto known = terms_.areas.find(text);
        if (known != terms_.areas.end()) {
          area = known->second;
        } else if (area.empty() && IsAreaCode(text)) {
          area = text;
        }
      }
      if (area.empty()) {
        draft_.Add(RECORD_FINDING_KIND_UNKNOWN_CODE, "service_areas[].name",
                   "stands for no area code; say which one with --area NAME=CODE");
        continue;
      }
      auto& known = *service_.mutable_service_areas();
      if (std::find(known.begin(), known.end(), area) == known.end()) known.Add(std::move(area));
    }
  }

  // Only what returns every week within a day is a window of ours.
  void ReadSchedule(const RecordField& field) {
    const std::string freq = field["freq"].text();
    const auto interval = field["interval"].whole();
    const bool weekly = freq == "WEEKLY" && interval.value_or(1) == 1 &&
                        field["byweekno"].text().empty() && field["bymonthday"].text().empty() &&
                        field["byyearday"].text().empty() && field["until"].text().empty() &&
                        field["valid_to"].text().empty() && field["count"].text().empty();
    const auto from = MinuteOf(field["opens_at"].text());
    auto to = MinuteOf(field["closes_at"].text());
    if (to == 0) to = kMinutesOfDay;
    if (!weekly || !from || !to || *from >= *to) {
      draft_.Add(RECORD_FINDING_KIND_NOTE, "schedules[]", "is not simply weekly and is left out");
      return;
    }
    const std::vector<std::string> words = absl::StrSplit(field["byday"].text(), ',');
    for (const std::string& word : words) {
      const int weekday = WeekdayOf(word);
      if (weekday == 0) {
        draft_.Add(RECORD_FINDING_KIND_NOTE, "schedules[].byday", "names a day that there is not");
        continue;
      }
      v1::WeeklyWindow& window = *service_.add_intake_hours();
      window.set_weekday(weekday);
      window.set_from_minute(*from);
      window.set_to_minute(*to);
    }
  }

  void ReadPlace(const RecordField& place) {
    ReadAreas(place["service_areas"]);
    for (const RecordField& schedule : place["schedules"].items()) ReadSchedule(schedule);
    const RecordField location = place["location"];
    if (const std::string id = location["id"].text(); !id.empty()) locations_.insert(id);
    const std::string type = location["location_type"].text();
    if (type == "redacted") redacted_ = true;
    if (type == "physical") physical_ = true;
    if (type == "virtual") virtual_ = true;
    LookForAddress(location);
  }

  // What the organisation says of the same place is as public as what the service says.
  void FindAddress(const RecordField& organisation) {
    for (const RecordField& location : organisation["locations"].items()) {
      if (locations_.contains(location["id"].text())) LookForAddress(location);
    }
  }

  void LookForAddress(const RecordField& location) {
    for (const char* field : {"latitude", "longitude", "external_identifier"}) {
      if (location[field].present()) draft_.record.set_has_address(true);
    }
    for (const RecordField& address : location["addresses"].items()) {
      for (const char* field : {"attention", "address_1", "address_2", "city", "postal_code"}) {
        if (address[field].present()) draft_.record.set_has_address(true);
      }
    }
  }

  void ReadRoom(const RecordField& field) {
    const RecordField unit = field["unit"];
    v1::CapacityUnit counted = UnitOfWord(unit["identifier"].text());
    const std::string name = unit["name"].text();
    if (counted == v1::CAPACITY_UNIT_UNSPECIFIED) counted = UnitOfWord(name);
    const auto updated = MinuteOfTime(field["updated"].text());
    const auto available = field["available"].whole();
    const auto maximum = field["maximum"].whole();
    if (counted == v1::CAPACITY_UNIT_UNSPECIFIED || !updated || !available) {
      // Its numbers still count against a confidential place.
      if (available || maximum) has_occupancy_ = true;
      draft_.Add(RECORD_FINDING_KIND_NOTE, "capacities[]",
                 "has no unit, number or time that the directory knows and is left out");
      return;
    }
    if (draft_.record.has_capacity()) {
      draft_.Add(RECORD_FINDING_KIND_NOTE, "capacities[]", "is a second one and is left out");
      return;
    }
    service_.set_capacity_unit(counted);
    v1::Capacity& capacity = *draft_.record.mutable_capacity();
    capacity.set_status(*available > 0 ? v1::CAPACITY_STATUS_HAS_CAPACITY
                                       : v1::CAPACITY_STATUS_NO_CAPACITY);
    capacity.set_available(*available);
    if (maximum) capacity.set_maximum(*maximum);
    capacity.set_updated_minute(*updated);
    capacity.set_valid_until_minute(*updated + LifetimeOf(counted).shortest / absl::Minutes(1));
  }

  void AddCode(uint32_t code) {
    if (service_.code() == 0) {
      service_.set_code(code);
    } else if (code != service_.code()) {
      auto& codes = *service_.mutable_secondary_codes();
      if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.Add(code);
    }
  }

  void ReadAttribute(const RecordField& attribute) {
    const RecordField term = attribute["taxonomy_term"];
    const std::string taxonomy = term["taxonomy"].text();
    const std::string code = term["code"].text();
    if (taxonomy == kFieldTaxonomy) {
      own_.emplace_back(code, attribute["value"].text());
      return;
    }
    uint32_t number = 0;
    const bool is_number = absl::SimpleAtoi(code, &number);
    for (const std::string& word : {code, term["name"].text()}) {
      const auto known = terms_.services.find(word);
      if (known != terms_.services.end()) return AddCode(known->second);
    }
    if (taxonomy == kServiceTaxonomy && is_number) return AddCode(number);
    if (IsOpenEligibility(taxonomy)) {
      const uint32_t ours = is_number ? FromOpenEligibility(catalogue_, number) : 0;
      if (ours != 0) return AddCode(ours);
    }
    draft_.Add(RECORD_FINDING_KIND_NOTE, "attributes[].taxonomy_term",
               "stands for no service code; say which one with --term TERM=CODE");
  }

  // Replaces a field by what an attribute of our own says of it.
  void Replace(google::protobuf::Message& message, const std::string& name,
               const std::string& json) {
    const auto* field = message.GetDescriptor()->FindFieldByName(name);
    const std::unique_ptr<google::protobuf::Message> said(message.New());
    if (field == nullptr || !FromJson(json, *said).ok()) {
      draft_.Add(RECORD_FINDING_KIND_INVALID, "attributes[].value",
                 "is not what an export of Waymark writes");
      return;
    }
    message.GetReflection()->ClearField(&message, field);
    for (int i = 0; i < said->GetDescriptor()->field_count(); ++i) {
      const auto* other = said->GetDescriptor()->field(i);
      if (other != field) said->GetReflection()->ClearField(said.get(), other);
    }
    message.MergeFrom(*said);
  }

  void Settle() {
    if (redacted_) {
      service_.set_location_kind(v1::LOCATION_KIND_REDACTED);
    } else if (physical_) {
      service_.set_location_kind(v1::LOCATION_KIND_ADDRESSED);
    } else if (virtual_) {
      service_.set_location_kind(v1::LOCATION_KIND_VIRTUAL);
    }
    if (virtual_) service_.set_remote_delivery(true);
    for (const auto& [name, json] : own_) {
      if (name == kCapacityTerm) {
        if (!FromJson(json, *draft_.record.mutable_capacity()).ok()) {
          draft_.record.clear_capacity();
          draft_.Add(RECORD_FINDING_KIND_INVALID, "attributes[].value",
                     "is not what an export of Waymark writes");
        }
      } else {
        Replace(service_, name, json);
      }
    }
    // Where a record contradicts itself, the place is confidential.
    if (redacted_) service_.set_location_kind(v1::LOCATION_KIND_REDACTED);
    if (draft_.record.has_capacity()) {
      draft_.record.mutable_capacity()->set_service_id(service_.service_id());
    }
    if (has_occupancy_ && service_.location_kind() == v1::LOCATION_KIND_REDACTED) {
      draft_.Add(local::v1::RECORD_FINDING_KIND_REFUSED, "capacities[]",
                 "counts the room of a confidential place");
    }
  }

  const Catalogue& catalogue_;
  const TermTables& terms_;
  ListingDraft& draft_;
  v1::Service& service_;
  std::set<std::string> locations_;
  std::vector<std::pair<std::string, std::string>> own_;
  bool redacted_ = false;
  bool physical_ = false;
  bool virtual_ = false;
  bool has_occupancy_ = false;
};

}  // namespace

std::vector<ListingDraft> HsdsReader::Read(const google::protobuf::Value& record,
                                           std::set<std::string>& left_behind) const {
  std::set<std::string> read;
  std::vector<ListingDraft> drafts;
  const RecordField top(record, read);
  const auto take = [&](const RecordField& service, const RecordField& organisation) {
    ServiceReading(catalogue_, terms_, drafts.emplace_back()).Read(service, organisation);
  };
  if (top["services"].present()) {
    for (const RecordField& service : top["services"].items()) take(service, top);
  } else if (top["service"]["name"].present()) {
    // A service at a location: its place stands around it.
    google::protobuf::Value turned = record.struct_value().fields().at("service");
    google::protobuf::Value place = record;
    place.mutable_struct_value()->mutable_fields()->erase("service");
    google::protobuf::Value places;
    *places.mutable_list_value()->add_values() = std::move(place);
    (*turned.mutable_struct_value()->mutable_fields())["service_at_locations"] = std::move(places);
    return Read(turned, left_behind);
  } else if (top["name"].present() && top["status"].present()) {
    take(top, top["organization"]);
  }
  for (const std::string& path : LeafPaths(record)) {
    if (!read.contains(path)) left_behind.insert(path);
  }
  for (const std::string& path : UnneutralPaths(record)) {
    for (ListingDraft& draft : drafts) {
      draft.Add(local::v1::RECORD_FINDING_KIND_HELD_BACK, path, "has a word to be looked at");
    }
  }
  return drafts;
}

}  // namespace waymark::node
