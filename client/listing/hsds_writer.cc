#include "client/listing/hsds_writer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/crypto/hash.h"
#include "base/schema/canonical_json.h"
#include "client/listing/hsds_reader.h"
#include "client/listing/terms.h"
#include "google/protobuf/util/message_differencer.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Value;
using google::protobuf::util::MessageDifferencer;

// An object that is filled in.
class Object {
 public:
  Object& Set(const std::string& name, std::string_view text) {
    if (!text.empty()) Field(name).set_string_value(std::string(text));
    return *this;
  }
  Object& Set(const std::string& name, double number) {
    Field(name).set_number_value(number);
    return *this;
  }
  Object& Set(const std::string& name, const Object& below) {
    Field(name) = below.value_;
    return *this;
  }
  Object& Add(const std::string& name, const Object& entry) {
    *Field(name).mutable_list_value()->add_values() = entry.value_;
    return *this;
  }
  const Value& value() const { return value_; }

 private:
  Value& Field(const std::string& name) {
    return (*value_.mutable_struct_value()->mutable_fields())[name];
  }

  Value value_;
};

class Writing {
 public:
  Writing(const ExportedService& exported, HsdsVersion version)
      : service_(exported.service), version_(version) {
    if (exported.capacity) capacity_ = *exported.capacity;
    if (confidential()) {
      capacity_.clear_available();
      capacity_.clear_maximum();
    }
    record_.Set("id", ToUuid(service_.service_id()));
    // HSDS wants a name; a draft may have none yet.
    record_.Set("name",
                service_.handle().empty() ? ToUuid(service_.service_id()) : service_.handle());
    record_.Set("status", service_.withdrawn() ? "inactive" : "active");
    Object organisation;
    organisation.Set("id", ToUuid(exported.organisation_id));
    organisation.Set("name", exported.organisation_name);
    organisation.Set("description", exported.organisation_name);
    record_.Set("organization", organisation);
    WriteFacts();
    WriteLists();
    WriteLocation();
    WriteRoom();
  }

  // Adds as attributes what does not come back as it was.
  Value Finish(const Catalogue& catalogue) {
    std::set<std::string> left_behind;
    const TermTables terms;
    const std::vector<ListingDraft> drafts =
        HsdsReader(catalogue, terms).Read(record_.value(), left_behind);
    const local::v1::SourceRecord& back = drafts.front().record;
    for (int i = 0; i < v1::Service::descriptor()->field_count(); ++i) {
      const FieldDescriptor* field = v1::Service::descriptor()->field(i);
      const v1::Service said = Only(service_, field);
      if (MessageDifferencer::Equals(said, Only(back.service(), field))) continue;
      AddAttribute(kFieldTaxonomy, field->name(), ToJson(said).value_or("{}"));
    }
    if (capacity_.status() != v1::CAPACITY_STATUS_UNSPECIFIED &&
        !MessageDifferencer::Equals(capacity_, back.capacity())) {
      AddAttribute(kFieldTaxonomy, kCapacityTerm, ToJson(capacity_).value_or("{}"));
    }
    return record_.value();
  }

 private:
  static v1::Service Only(const v1::Service& service, const FieldDescriptor* wanted) {
    v1::Service only = service;
    std::vector<const FieldDescriptor*> fields;
    v1::Service::GetReflection()->ListFields(service, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field != wanted) v1::Service::GetReflection()->ClearField(&only, field);
    }
    return only;
  }

  bool confidential() const { return service_.location_kind() == v1::LOCATION_KIND_REDACTED; }

  std::string ChildId(std::string_view kind, std::string_view key) const {
    return ToUuid(
        Sha256("waymark/listing/child", {service_.service_id(), kind, key}).substr(0, 16));
  }

  Object Child(std::string_view kind, std::string_view key) const {
    Object child;
    child.Set("id", ChildId(kind, key));
    return child;
  }

  void WriteFacts() {
    if (service_.populations().has_minimum_age()) {
      record_.Set("minimum_age", service_.populations().minimum_age());
    }
    if (service_.populations().has_maximum_age()) {
      record_.Set("maximum_age", service_.populations().maximum_age());
    }
    if (service_.has_last_verified()) {
      record_.Set("assured_date", DayText(service_.last_verified()));
    }
    if (service_.code() == 0) return;
    AddAttribute(kServiceTaxonomy, std::to_string(service_.code()), "");
    for (const uint32_t code : service_.secondary_codes()) {
      AddAttribute(kServiceTaxonomy, std::to_string(code), "");
    }
  }

  void WriteLists() {
    constexpr std::array<const char*, 8> kDays = {"", "MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    for (const v1::ServiceLanguage& language : service_.languages()) {
      record_.Add("languages", Child("language", language.tag())
                                   .Set("code", language.tag())
                                   .Set("note", language.spoken_by_staff() ? kSpokenByStaff : ""));
    }
    for (const std::string& area : service_.service_areas()) {
      record_.Add(
          "service_areas",
          Child("area", area).Set("name", area).Set("extent", area).Set("extent_type", "text"));
    }
    for (const v1::WeeklyWindow& window : service_.intake_hours()) {
      if (window.weekday() < 1 || window.weekday() > 7) continue;
      const std::string key =
          absl::StrCat(window.weekday(), "/", window.from_minute(), "/", window.to_minute());
      record_.Add("schedules", Child("schedule", key)
                                   .Set("freq", "WEEKLY")
                                   .Set("interval", 1)
                                   .Set("byday", kDays[window.weekday()])
                                   .Set("opens_at", Clock(window.from_minute()))
                                   .Set("closes_at", Clock(window.to_minute() % kMinutesOfDay)));
    }
  }

  static std::string Clock(int minute) {
    return absl::StrFormat("%02d:%02d:00", minute / 60, minute % 60);
  }

  void WriteLocation() {
    const char* type = nullptr;
    if (service_.location_kind() == v1::LOCATION_KIND_ADDRESSED) type = "physical";
    if (service_.location_kind() == v1::LOCATION_KIND_VIRTUAL) type = "virtual";
    if (type == nullptr) return;
    record_.Add(
        "service_at_locations",
        Child("place", "").Set("location", Child("location", "").Set("location_type", type)));
  }

  void WriteRoom() {
    if (version_ == HsdsVersion::k30 || !capacity_.has_available() ||
        capacity_.updated_minute() == 0 ||
        service_.capacity_unit() == v1::CAPACITY_UNIT_UNSPECIFIED) {
      return;
    }
    const std::string unit = WordOfUnit(service_.capacity_unit());
    Object measured;
    measured.Set("id", ToUuid(Sha256("waymark/listing/unit", {unit}).substr(0, 16)))
        .Set("name", unit)
        .Set("scheme", kUnitScheme)
        .Set("identifier", unit);
    Object room = Child("room", "");
    room.Set("unit", measured).Set("available", capacity_.available());
    if (capacity_.has_maximum()) room.Set("maximum", capacity_.maximum());
    room.Set("updated", absl::FormatTime(absl::RFC3339_sec,
                                         absl::FromUnixSeconds(capacity_.updated_minute() * 60),
                                         absl::UTCTimeZone()));
    record_.Add("capacities", room);
  }

  void AddAttribute(const std::string& taxonomy, const std::string& code,
                    const std::string& value) {
    Object term;
    term.Set("id", ToUuid(Sha256("waymark/listing/term", {taxonomy, code}).substr(0, 16)))
        .Set("code", code)
        .Set("name", code)
        .Set("description", code)
        .Set("taxonomy", taxonomy);
    record_.Add("attributes", Child("attribute", absl::StrCat(taxonomy, "/", code))
                                  .Set("link_entity", "service")
                                  .Set("value", value)
                                  .Set("taxonomy_term", term));
  }

  const v1::Service& service_;
  const HsdsVersion version_;
  v1::Capacity capacity_;
  Object record_;
};

}  // namespace

Value WriteHsds(const Catalogue& catalogue, const ExportedService& exported, HsdsVersion version) {
  return Writing(exported, version).Finish(catalogue);
}

Value HsdsPage(const std::vector<Value>& services) {
  const auto count = static_cast<double>(services.size());
  Value page;
  auto& fields = *page.mutable_struct_value()->mutable_fields();
  fields["total_items"].set_number_value(count);
  fields["total_pages"].set_number_value(1);
  fields["page_number"].set_number_value(1);
  fields["size"].set_number_value(count);
  fields["first_page"].set_bool_value(true);
  fields["last_page"].set_bool_value(true);
  fields["empty"].set_bool_value(services.empty());
  fields["contents"].mutable_list_value();
  for (const Value& service : services) {
    *fields["contents"].mutable_list_value()->add_values() = service;
  }
  return page;
}

}  // namespace waymark::node
