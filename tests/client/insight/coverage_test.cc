#include "client/insight/coverage.h"

#include <map>
#include <optional>

#include "base/status/status.h"
#include "client/directory/index.h"
#include "gmock/gmock.h"
#include "tests/base/directory/fixtures.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kRoom = v1::CAPACITY_STATUS_HAS_CAPACITY;
constexpr auto kFull = v1::CAPACITY_STATUS_NO_CAPACITY;

// A directory written service by service.
class CoverageTest : public ::testing::Test {
 protected:
  CoverageTest() : index_(network_.id, network_.registry.verifying_key()) { AddMember(lin_); }

  void Take(const v1::Statement& statement) {
    const auto read = DirectoryState::ReadStored(SignStatement(statement, SigningKey::Generate()));
    ASSERT_TRUE(read.ok()) << read.status();
    index_.Take(*read);
  }

  void AddMember(const TestOrganisation& member) { Take(network_.Member(member)); }

  // A service of lin's at a known place, without capacity.
  v1::Service Make(uint32_t code, const std::vector<std::string>& areas) {
    v1::Service service = network_.Service(lin_).service();
    service.set_service_id(ServiceId::Generate(SystemRandom()).bytes());
    service.set_handle("s" + std::to_string(++made_));
    service.set_code(code);
    service.set_location_kind(v1::LOCATION_KIND_ADDRESSED);
    *service.mutable_service_areas() = {areas.begin(), areas.end()};
    if (areas.empty()) service.set_remote_delivery(true);
    return service;
  }

  void Put(const v1::Service& service, const TestOrganisation* owner = nullptr) {
    v1::Statement statement = network_.Base(owner == nullptr ? lin_ : *owner);
    *statement.mutable_service() = service;
    if (owner != nullptr) statement.mutable_service()->set_unit_id(owner->unit.bytes());
    Take(statement);
  }

  struct Room {
    v1::CapacityStatus status = kRoom;
    std::optional<uint32_t> available;
    std::optional<uint32_t> maximum;
    absl::Duration lasts = absl::Hours(1);
  };

  void Put(const v1::Service& service, const Room& room) {
    Put(service);
    v1::Statement statement = network_.Capacity(lin_);
    v1::Capacity& capacity = *statement.mutable_capacity();
    capacity.set_service_id(service.service_id());
    capacity.set_status(room.status);
    if (room.available) capacity.set_available(*room.available);
    if (room.maximum) capacity.set_maximum(*room.maximum);
    capacity.set_updated_minute(MinuteOf(TestNow() - absl::Hours(2)));
    capacity.set_valid_until_minute(MinuteOf(TestNow() + room.lasts));
    Take(statement);
  }

  v1::Service Hidden(v1::Service service) {
    service.set_location_kind(v1::LOCATION_KIND_REDACTED);
    return service;
  }

  v1::GetCoverageResponse Run(absl::Time now = TestNow()) {
    auto coverage = CoverageOf(*index_.Snapshot(), Catalogue::Default(), request_, now);
    EXPECT_TRUE(coverage.ok()) << coverage.status();
    return coverage.ok() ? *coverage : v1::GetCoverageResponse();
  }

  v1::AreaSupply Area(const std::string& name) {
    const v1::GetCoverageResponse coverage = Run();
    for (const v1::AreaSupply& area : coverage.areas()) {
      if (area.area() == name) return area;
    }
    ADD_FAILURE() << "no area " << name;
    return {};
  }

  v1::CoverageCell Cell(uint32_t code, const std::string& area) {
    const v1::GetCoverageResponse coverage = Run();
    for (const v1::CoverageCell& cell : coverage.cells()) {
      if (cell.code() == code && cell.area() == area) return cell;
    }
    ADD_FAILURE() << "no cell " << code << " " << area;
    return {};
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  DirectoryIndex index_;
  v1::GetCoverageRequest request_;
  int made_ = 0;
};

// --- G5: capacity, utilisation, freshness, tonight

TEST_F(CoverageTest, UtilisationIsOverServicesThatPublishBothNumbersNow) {
  struct Case {
    const char* what;
    std::vector<Room> rooms;
    std::optional<uint32_t> utilisation;
    std::optional<uint32_t> fresh;
  };
  const Case cases[] = {
      {"no service", {}, {}, {}},
      {"one number only", {{.available = 3}, {.maximum = 3}}, {}, 100},
      {"places, none of them", {{.available = 0, .maximum = 0}}, {}, 100},
      {"all taken", {{.status = kFull, .available = 0, .maximum = 4}}, 100, 100},
      {"all free", {{.available = 4, .maximum = 4}}, 0, 100},
      {"summed, not averaged",
       {{.available = 1, .maximum = 2}, {.available = 9, .maximum = 10}},
       17,
       100},
      {"out of date", {{.available = 4, .maximum = 4, .lasts = absl::Hours(-1)}}, {}, 0},
      {"ends this minute", {{.available = 4, .maximum = 4, .lasts = absl::ZeroDuration()}}, {}, 0},
      {"one of three is known",
       {{}, {.lasts = absl::Hours(-1)}, {.status = v1::CAPACITY_STATUS_UNKNOWN}},
       {},
       33},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.what);
    std::vector<v1::Service> services;
    for (const Room& room : row.rooms) {
      services.push_back(Make(201, {"XA-M"}));
      Put(services.back(), room);
    }
    const v1::SupplyCount total = Run().total();
    EXPECT_EQ(total.services(), row.rooms.size());
    EXPECT_EQ(total.has_utilisation_percent(), row.utilisation.has_value());
    EXPECT_EQ(total.utilisation_percent(), row.utilisation.value_or(0));
    EXPECT_EQ(total.has_fresh_percent(), row.fresh.has_value());
    EXPECT_EQ(total.fresh_percent(), row.fresh.value_or(0));
    for (v1::Service& service : services) {
      service.set_withdrawn(true);
      Put(service);
    }
  }
}

TEST_F(CoverageTest, StaleCapacityIsNeverRoom) {
  Put(Make(201, {"XA-M"}), Room{.lasts = absl::Hours(-1)});
  Put(Make(201, {"XA-M"}));
  EXPECT_EQ(Run().total().has_capacity(), 0u);
  EXPECT_EQ(Run().total().unknown(), 2u);
  EXPECT_EQ(Area("XA-M").tonight(), 0u);
}

TEST_F(CoverageTest, EachStatusIsCountedOnce) {
  for (const auto status :
       {kRoom, kFull, v1::CAPACITY_STATUS_WAITLIST, v1::CAPACITY_STATUS_ASSESSMENT_REQUIRED}) {
    Put(Make(701, {"XA-M"}), Room{.status = status});
  }
  const v1::SupplyCount count = Cell(701, "XA-M").count();
  EXPECT_EQ(count.services(), 4u);
  EXPECT_EQ(count.has_capacity(), 1u);
  EXPECT_EQ(count.no_capacity(), 1u);
  EXPECT_EQ(count.waitlist(), 1u);
  EXPECT_EQ(count.assessment_required(), 1u);
  EXPECT_EQ(count.unknown(), 0u);
}

TEST_F(CoverageTest, TonightIsRoomToSleepByArea) {
  Put(Make(201, {"XA-M"}), Room{});
  Put(Make(202, {"XA-M", "XA-N"}), Room{});
  Put(Make(203, {"XA-M"}), Room{});
  Put(Make(206, {"XA-N"}), Room{.status = kFull});
  v1::Service both = Make(801, {"XA-N"});
  both.add_secondary_codes(206);
  Put(both, Room{});
  EXPECT_EQ(Area("XA-M").tonight(), 2u);
  EXPECT_EQ(Area("XA-N").tonight(), 2u);
}

// --- V8: redacted places

TEST_F(CoverageTest, RedactedServicesAreInNoNumber) {
  Put(Make(201, {"XA-M"}), Room{.available = 1, .maximum = 4});
  v1::Service hidden = Hidden(Make(201, {"XA-M"}));
  hidden.add_languages()->set_tag("ti");
  v1::Condition& condition = *hidden.add_conditions();
  condition.set_condition_id("hidden-age");
  condition.set_kind(v1::CONDITION_KIND_AGE);
  condition.set_strength(v1::CONDITION_STRENGTH_REQUIRED);
  Put(hidden, Room{});
  const v1::GetCoverageResponse coverage = Run();
  EXPECT_EQ(coverage.total().services(), 1u);
  EXPECT_EQ(coverage.total().has_capacity(), 1u);
  EXPECT_EQ(coverage.total().utilisation_percent(), 75u);
  EXPECT_THAT(coverage.languages(), IsEmpty());
  EXPECT_THAT(coverage.categories(1).conditions(), IsEmpty());
  const v1::CoverageCell cell = Cell(201, "XA-M");
  EXPECT_EQ(cell.count().services(), 1u);
  EXPECT_EQ(cell.redacted(), kRoom);
  EXPECT_THAT(cell.languages(), IsEmpty());
  EXPECT_THAT(cell.conditions(), IsEmpty());
}

TEST_F(CoverageTest, RedactedServicesShowTheBestThatTheySay) {
  EXPECT_THAT(Run().areas(), IsEmpty());
  Put(Hidden(Make(202, {"XA-M"})));
  EXPECT_EQ(Cell(202, "XA-M").redacted(), v1::CAPACITY_STATUS_UNKNOWN);
  Put(Hidden(Make(202, {"XA-M"})), Room{.status = kFull});
  EXPECT_EQ(Cell(202, "XA-M").redacted(), kFull);
  Put(Hidden(Make(202, {"XA-M"})), Room{});
  EXPECT_EQ(Area("XA-M").redacted(), kRoom);
  EXPECT_EQ(Cell(201, "XA-M").redacted(), v1::CAPACITY_STATUS_UNSPECIFIED);
}

TEST_F(CoverageTest, FewerThanThreeRedactedServicesAreNotCountedTonight) {
  for (const uint32_t services : {1u, 2u, 3u, 4u}) {
    Put(Hidden(Make(202, {"XA-M"})), Room{});
    const v1::AreaSupply area = Area("XA-M");
    EXPECT_EQ(area.has_redacted_tonight(), services >= 3) << services;
    EXPECT_EQ(area.redacted_tonight(), services >= 3 ? services : 0) << services;
    EXPECT_EQ(area.tonight(), 0u);
  }
}

// A filter could cut three of them into one and two.
TEST_F(CoverageTest, NoFilterCutsTheRedactedOnesOfTonight) {
  Put(Hidden(Make(201, {"XA-M"})), Room{});
  Put(Hidden(Make(202, {"XA-M"})), Room{});
  Put(Hidden(Make(206, {"XA-M"})), Room{});
  for (const uint32_t code : {0u, 200u, 201u, 701u}) {
    request_.set_code(code);
    EXPECT_EQ(Area("XA-M").redacted_tonight(), 3u) << code;
  }
}

// --- G6: nobody

TEST_F(CoverageTest, NobodyIsACellWithoutAnyOpenService) {
  Put(Make(206, {"XA-M"}));
  Put(Make(701, {"XA-N"}));
  EXPECT_FALSE(Cell(206, "XA-M").nobody());
  EXPECT_TRUE(Cell(206, "XA-N").nobody());
  const v1::GetCoverageResponse coverage = Run();
  const auto codes = static_cast<uint32_t>(Catalogue::Default().taxonomy().codes_size());
  EXPECT_EQ(coverage.cells_total(), 2 * codes);
  EXPECT_EQ(coverage.cells_nobody(), 2 * codes - 2);
  request_.set_gaps_only(true);
  EXPECT_THAT(Run().cells(), SizeIs(2 * codes - 2));
}

TEST_F(CoverageTest, WhatIsNotOpenLeavesAGap) {
  v1::Service service = Make(206, {"XA-M"});
  Put(service);
  Put(Make(701, {"XA-M"}));
  EXPECT_FALSE(Cell(206, "XA-M").nobody());
  service.set_withdrawn(true);
  Put(service);
  EXPECT_TRUE(Cell(206, "XA-M").nobody());

  v1::Statement leaving = network_.Member(lin_, 2);
  leaving.mutable_member()->set_status(v1::MEMBER_STATUS_LEAVING);
  Take(leaving);
  request_.set_area("XA-M");
  EXPECT_TRUE(Cell(701, "XA-M").nobody());
}

TEST_F(CoverageTest, AMemberWhomTheRegistryNoLongerVouchesForOffersNothing) {
  Put(Make(206, {"XA-M"}), Room{});
  request_.set_area("XA-M");
  const v1::GetCoverageResponse coverage = Run(TestNow() + absl::Hours(8 * 24));
  EXPECT_EQ(coverage.total().services(), 0u);
  EXPECT_FALSE(coverage.total().has_fresh_percent());
  EXPECT_EQ(coverage.cells_nobody(), coverage.cells_total());
}

TEST_F(CoverageTest, RemoteServicesCoverEveryArea) {
  Put(Make(206, {"XA-M"}));
  Put(Make(206, {"XA-N"}));
  v1::Service both = Make(601, {"XA-N"});
  both.set_remote_delivery(true);
  Put(both, Room{});
  Put(Make(601, {}));
  EXPECT_EQ(Cell(601, "XA-M").count().services(), 0u);
  EXPECT_EQ(Cell(601, "XA-M").remote(), 2u);
  EXPECT_FALSE(Cell(601, "XA-M").nobody());
  EXPECT_EQ(Cell(601, "XA-N").count().services(), 1u) << "on the spot, and not once more";
  EXPECT_EQ(Cell(601, "XA-N").remote(), 1u);
  EXPECT_EQ(Area("XA-M").remote(), 2u);
  EXPECT_EQ(Area("XA-N").remote(), 1u);
  request_.set_area("XA-M");
  EXPECT_EQ(Run().total().services(), 3u) << "one there and two at a distance";
}

TEST_F(CoverageTest, ARedactedServiceFillsAGap) {
  v1::Service hidden = Hidden(Make(202, {"XA-M"}));
  hidden.set_step_free(true);
  Put(hidden);
  const v1::CoverageCell cell = Cell(202, "XA-M");
  EXPECT_FALSE(cell.nobody());
  EXPECT_EQ(cell.count().services(), 0u);
  EXPECT_THAT(cell.missing_needs(), IsEmpty());
}

TEST_F(CoverageTest, MissingIsALanguageThatNobodyThereHas) {
  v1::Service ti = Make(601, {"XA-N"});
  ti.add_languages()->set_tag("ti");
  Put(ti);
  v1::Service ar = Make(601, {"XA-M"});
  ar.add_languages()->set_tag("ar");
  ar.mutable_languages(0)->set_spoken_by_staff(true);
  Put(ar);
  EXPECT_THAT(Cell(601, "XA-M").missing_languages(), ElementsAre("ti"));
  ASSERT_THAT(Cell(601, "XA-M").languages(), SizeIs(1));
  EXPECT_EQ(Cell(601, "XA-M").languages(0).by_staff(), 1u);
  EXPECT_EQ(Cell(601, "XA-N").languages(0).by_interpreter(), 1u);
  EXPECT_THAT(Cell(602, "XA-M").missing_languages(), IsEmpty()) << "nobody is there at all";

  request_.set_language("ti");
  EXPECT_TRUE(Cell(601, "XA-M").nobody());
  EXPECT_FALSE(Cell(601, "XA-N").nobody());
}

TEST_F(CoverageTest, MissingIsWhatEveryServiceExcludes) {
  struct Case {
    v1::ServiceNeed need;
    void (*exclude)(v1::Service&);
  };
  const Case cases[] = {
      {v1::SERVICE_NEED_WITH_CHILDREN,
       [](v1::Service& service) { service.mutable_populations()->set_children(false); }},
      {v1::SERVICE_NEED_UNDER_18,
       [](v1::Service& service) { service.mutable_populations()->set_minimum_age(18); }},
      {v1::SERVICE_NEED_FROM_60,
       [](v1::Service& service) { service.mutable_populations()->set_maximum_age(59); }},
      {v1::SERVICE_NEED_STEP_FREE, [](v1::Service& service) { service.set_step_free(false); }},
  };
  for (const Case& row : cases) {
    v1::Service service = Make(203, {"XA-M"});
    service.set_step_free(true);
    Put(service);
    EXPECT_THAT(Cell(203, "XA-M").missing_needs(), IsEmpty()) << "said nothing, excludes nobody";
    row.exclude(service);
    Put(service);
    EXPECT_THAT(Cell(203, "XA-M").missing_needs(), ElementsAre(row.need));
    request_.set_need(row.need);
    EXPECT_TRUE(Cell(203, "XA-M").nobody());
    request_.clear_need();
    service.set_withdrawn(true);
    Put(service);
    Put(Make(701, {"XA-M"}));
  }
}

TEST_F(CoverageTest, MissingIsAGenderThatNobodyTakes) {
  v1::Service service = Make(203, {"XA-M"});
  service.set_step_free(true);
  service.mutable_populations()->add_genders(v1::GENDER_FEMALE);
  Put(service);
  EXPECT_THAT(Cell(203, "XA-M").missing_needs(),
              ElementsAre(v1::SERVICE_NEED_MALE, v1::SERVICE_NEED_ANOTHER_GENDER));
}

// --- G7: conditions

TEST_F(CoverageTest, ConditionsAreAShareOfTheCategory) {
  for (const auto& [strength, kind] :
       {std::pair(v1::CONDITION_STRENGTH_REQUIRED, v1::CONDITION_KIND_LE_COOPERATION),
        std::pair(v1::CONDITION_STRENGTH_SOMETIMES, v1::CONDITION_KIND_LE_COOPERATION),
        std::pair(v1::CONDITION_STRENGTH_REQUIRED, v1::CONDITION_KIND_AGE)}) {
    v1::Service service = Make(204, {"XA-M"});
    for (int twice = 0; twice < 2; ++twice) {
      v1::Condition& condition = *service.add_conditions();
      condition.set_condition_id(service.handle() + "-" + std::to_string(twice));
      condition.set_kind(kind);
      condition.set_strength(strength);
    }
    Put(service);
  }
  Put(Make(701, {"XA-M"}));
  std::map<uint32_t, v1::CategorySupply> categories;
  const v1::GetCoverageResponse coverage = Run();
  for (const v1::CategorySupply& category : coverage.categories()) {
    categories[category.category()] = category;
  }
  const v1::CategorySupply& home = categories[200];
  EXPECT_EQ(home.count().services(), 3u);
  ASSERT_THAT(home.conditions(), SizeIs(2));
  EXPECT_EQ(home.conditions(0).kind(), v1::CONDITION_KIND_LE_COOPERATION);
  EXPECT_EQ(home.conditions(0).services(), 1u) << "once a service, and only if always required";
  EXPECT_EQ(home.conditions(0).percent(), 33u);
  EXPECT_THAT(categories[700].conditions(), IsEmpty());
  ASSERT_EQ(categories.count(300), 1u) << "a category without services is a line too";
  EXPECT_FALSE(categories[300].count().has_fresh_percent());
}

// --- G17: training

TEST_F(CoverageTest, TrainingCountsWhileItIsValidForThreeQuartersOfStaff) {
  struct Case {
    const char* what;
    v1::TrainedGroup group;
    v1::ShareBand share;
    int day;
    uint32_t services;
    uint32_t run_out;
  };
  // TestNow is 2027-01-15.
  const Case cases[] = {
      {"valid", v1::TRAINED_GROUP_STAFF, v1::SHARE_BAND_FROM_75, 31, 1, 0},
      {"valid through its last day", v1::TRAINED_GROUP_STAFF, v1::SHARE_BAND_FROM_75, 15, 1, 0},
      {"too few", v1::TRAINED_GROUP_STAFF, v1::SHARE_BAND_FROM_50, 31, 0, 0},
      {"others", v1::TRAINED_GROUP_VOLUNTEERS, v1::SHARE_BAND_FROM_75, 31, 0, 0},
      {"run out", v1::TRAINED_GROUP_STAFF, v1::SHARE_BAND_FROM_75, 13, 0, 1},
  };
  EXPECT_FALSE(Run().training(0).has_percent()) << "no service, no share";
  const TestOrganisation other("bea");
  AddMember(other);
  Put(Make(201, {"XA-M"}));
  Put(Make(201, {"XA-M"}), &other);
  for (const Case& row : cases) {
    SCOPED_TRACE(row.what);
    v1::Statement statement = network_.Base(lin_);
    v1::Profile& profile = *statement.mutable_profile();
    profile.add_reporting_duties(v1::REPORTING_DUTY_NONE_KNOWN);
    profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
    profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
    v1::Training& training = *profile.add_training();
    training.set_topic(v1::TRAINING_TOPIC_IDENTIFICATION);
    training.set_group(row.group);
    training.set_share(row.share);
    training.mutable_valid_until()->set_year(2027);
    training.mutable_valid_until()->set_month(1);
    training.mutable_valid_until()->set_day(row.day);
    Take(statement);
    const v1::TrainingSupply counted = Run().training(0);
    EXPECT_EQ(counted.services(), row.services);
    EXPECT_EQ(counted.run_out(), row.run_out);
    EXPECT_EQ(counted.percent(), row.services * 50);
    EXPECT_EQ(Run().training(1).services(), 0u);
  }
}

// --- Filters

TEST_F(CoverageTest, ACodeOrItsCategoryNarrowsWhatIsCounted) {
  Put(Make(201, {"XA-M"}));
  Put(Make(206, {"XA-M"}));
  Put(Make(701, {"XA-N"}));
  for (const auto& [code, services] :
       {std::pair(0u, 3u), std::pair(200u, 2u), std::pair(206u, 1u), std::pair(300u, 0u)}) {
    request_.set_code(code);
    EXPECT_EQ(Run().total().services(), services) << code;
    const v1::GetCoverageResponse coverage = Run();
    for (const v1::CoverageCell& cell : coverage.cells()) {
      EXPECT_TRUE(code == 0 || cell.code() == code || CategoryOf(cell.code()) == code);
    }
  }
  request_.set_code(206);
  EXPECT_THAT(Run().cells(), SizeIs(2)) << "all areas of the directory";
  request_.set_code(999);
  EXPECT_EQ(
      ReasonOf(CoverageOf(*index_.Snapshot(), Catalogue::Default(), request_, TestNow()).status()),
      v1::REASON_FIELD_INVALID);
}

}  // namespace
}  // namespace waymark::node
