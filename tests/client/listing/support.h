// What the tests of the listing share: files of their own, drafts by hand, random services.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/schema/catalogue.h"
#include "client/listing/draft.h"
#include "client/listing/import.h"
#include "client/listing/planner.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace waymark::node {

// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "listing.XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline absl::Time Now() { return absl::FromUnixSeconds(1'800'000'000); }  // 2027-01-15

inline std::string Bytes(char c) { return std::string(16, c); }

inline OrganisationId Lin() { return *OrganisationId::FromBytes(Bytes('L')); }

inline ImportContext Context() {
  ImportContext context;
  context.organisation = Lin();
  context.units = {{"lin.family", Bytes('U')}};
  context.source = "town";
  context.now = Now();
  return context;
}

// A draft with everything that is required, with `more` in text format.
inline ListingDraft Draft(const std::string& record_id, const std::string& more = "") {
  ListingDraft draft;
  draft.ordinal = 1;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "service { code: 206 provider_kind: PROVIDER_KIND_MAINSTREAM service_areas: 'XA-M'"
      " location_kind: LOCATION_KIND_ADDRESSED last_verified { year: 2026 month: 12 day: 1 } }",
      &draft.record));
  local::v1::SourceRecord extra;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(more, &extra)) << more;
  draft.record.MergeFrom(extra);
  draft.record.set_record_id(record_id);
  return draft;
}

// Takes what is published, as a node would show it afterwards.
class FakeNode final : public ListingPublisher {
 public:
  absl::Status PublishService(const v1::Service& service) override {
    if (published == fail_after) return absl::UnavailableError("stopped");
    ++published;
    services[service.service_id()] = service;
    return absl::OkStatus();
  }
  absl::Status PublishCapacity(const v1::Capacity& capacity) override {
    capacities[capacity.service_id()] = capacity;
    return absl::OkStatus();
  }

  // Withdrawn services are in no directory.
  std::vector<PublishedService> Shown() const {
    std::vector<PublishedService> shown;
    for (const auto& [id, service] : services) {
      if (service.withdrawn()) continue;
      const auto room = capacities.find(id);
      shown.push_back({service, room == capacities.end() ? v1::Capacity() : room->second});
    }
    return shown;
  }

  std::map<std::string, v1::Service> services;
  std::map<std::string, v1::Capacity> capacities;
  int published = 0;
  int fail_after = -1;
};

inline uint64_t CountOf(const local::v1::ImportReport& report, local::v1::ImportOutcome outcome) {
  for (const local::v1::ImportCount& count : report.counts()) {
    if (count.outcome() == outcome) return count.count();
  }
  return 0;
}

inline void AddRandomPopulationsAndHours(std::mt19937& random, v1::Service& service) {
  const auto pick = [&random](int below) { return static_cast<int>(random() % below); };
  if (pick(2) == 0) service.mutable_populations()->set_minimum_age(pick(30));
  if (pick(2) == 0) service.mutable_populations()->set_maximum_age(30 + pick(60));
  if (pick(3) == 0) service.mutable_populations()->set_children(pick(2) == 0);
  if (pick(3) == 0) service.mutable_populations()->add_genders(1 + pick(3));
  for (int i = pick(4); i > 0; --i) {
    v1::WeeklyWindow& window = *service.add_intake_hours();
    window.set_weekday(1 + pick(7));
    window.set_from_minute(pick(1000));
    window.set_to_minute(pick(3) == 0 ? 1440 : window.from_minute() + 1 + pick(400));
  }
}

// A valid service with a random value, or none, in every field.
inline v1::Service RandomService(std::mt19937& random) {
  const auto pick = [&random](int below) { return static_cast<int>(random() % below); };
  v1::Service service;
  std::string id;
  for (int i = 0; i < 16; ++i) id += static_cast<char>('a' + pick(26));
  service.set_service_id(id);
  service.set_unit_id(Bytes('U'));
  service.set_handle("lin-" + std::to_string(pick(1000)));
  const auto& codes = Catalogue::Default().taxonomy().codes();
  service.set_code(codes[pick(codes.size())].code());
  while (pick(3) == 0) service.add_secondary_codes(codes[pick(codes.size())].code());
  service.set_provider_kind(static_cast<v1::ProviderKind>(1 + pick(2)));
  do {
    service.add_phases(static_cast<v1::Phase>(1 + pick(3)));
  } while (pick(2) == 0);
  do {
    service.add_service_areas(pick(4) == 0 ? "the coast" : "XA-" + std::to_string(pick(9)));
  } while (pick(2) == 0);
  service.set_remote_delivery(pick(2) == 0);
  service.set_location_kind(static_cast<v1::LocationKind>(1 + pick(3)));
  for (int i = pick(3); i > 0; --i) {
    v1::Condition& condition = *service.add_conditions();
    condition.set_condition_id("lin-c" + std::to_string(i));
    condition.set_kind(static_cast<v1::ConditionKind>(1 + pick(14)));
    if (pick(2) == 0) condition.set_value("MIN_18");
    condition.set_strength(static_cast<v1::ConditionStrength>(1 + pick(2)));
    condition.set_waiver_possible(pick(2) == 0);
  }
  if (pick(2) == 0) {
    v1::RequiredIdentity& identity = *service.add_required_identity();
    identity.set_field_no(101);
    identity.set_reason(static_cast<v1::IdentityReason>(1 + pick(4)));
  }
  for (int i = pick(3); i > 0; --i) {
    v1::ServiceLanguage& language = *service.add_languages();
    language.set_tag(pick(2) == 0 ? "ti" : "pt-BR");
    language.set_spoken_by_staff(pick(2) == 0);
  }
  AddRandomPopulationsAndHours(random, service);
  service.set_after_hours_intake(pick(2) == 0);
  service.set_capacity_unit(static_cast<v1::CapacityUnit>(1 + pick(12)));
  if (pick(2) == 0) service.set_max_stay_days(pick(200));
  service.set_extendable(pick(2) == 0);
  service.set_accepts_waitlist(pick(2) == 0);
  service.set_single_sex(pick(2) == 0);
  service.set_step_free(pick(2) == 0);
  service.mutable_last_verified()->set_year(2020 + pick(7));
  service.mutable_last_verified()->set_month(1 + pick(12));
  service.mutable_last_verified()->set_day(1 + pick(28));
  service.set_withdrawn(pick(5) == 0);
  return service;
}

// Room in it, or none that was said.
inline std::optional<v1::Capacity> RandomRoom(std::mt19937& random, const v1::Service& service) {
  const auto pick = [&random](int below) { return static_cast<int>(random() % below); };
  if (pick(3) == 0) return std::nullopt;
  v1::Capacity capacity;
  capacity.set_service_id(service.service_id());
  capacity.set_status(static_cast<v1::CapacityStatus>(1 + pick(5)));
  if (service.location_kind() != v1::LOCATION_KIND_REDACTED) {
    if (pick(2) == 0) capacity.set_available(pick(5));
    if (pick(2) == 0) capacity.set_maximum(5 + pick(9));
  }
  if (pick(4) == 0) {
    capacity.mutable_window()->set_from_minute(30'000'000);
    capacity.mutable_window()->set_to_minute(30'000'500);
  }
  capacity.set_updated_minute(30'000'000 + pick(1000));
  capacity.set_valid_until_minute(capacity.updated_minute() + (pick(2) == 0 ? 240 : pick(900)));
  return capacity;
}

}  // namespace waymark::node
