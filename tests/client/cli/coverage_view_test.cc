// The coverage report as people see it, held against the coordinators' guide, which shows it.
#include "client/cli/coverage_view.h"

#include <fstream>
#include <sstream>
#include <string>

#include "client/directory/index.h"
#include "client/insight/coverage.h"
#include "gmock/gmock.h"
#include "tests/base/directory/fixtures.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;

// A network of two members, three areas and seven services.
class ExampleDirectory {
 public:
  ExampleDirectory() : index_(network_.id, network_.registry.verifying_key()) {
    for (const TestOrganisation* member : {&lin_, &bea_}) Take(network_.Member(*member));
    Train();
    Put(lin_, 201, {"XA-M"}, v1::CAPACITY_STATUS_HAS_CAPACITY, 3, 12);
    Put(lin_, 206, {"XA-M"}, v1::CAPACITY_STATUS_NO_CAPACITY, 0, 4).children = true;
    Put(lin_, 202, {"XA-M", "XA-N"}, v1::CAPACITY_STATUS_HAS_CAPACITY).redacted = true;
    Put(bea_, 201, {"XA-N"}, v1::CAPACITY_STATUS_UNKNOWN).condition =
        v1::CONDITION_KIND_LE_COOPERATION;
    Put(bea_, 701, {"XA-M", "XA-N"}, v1::CAPACITY_STATUS_WAITLIST).language = "ar";
    Put(bea_, 601, {}, v1::CAPACITY_STATUS_HAS_CAPACITY).language = "ti";
    Put(bea_, 402, {"XA-S"}, v1::CAPACITY_STATUS_ASSESSMENT_REQUIRED);
    Flush();
    v1::DirectoryHead head;
    head.set_revision(41);
    index_.SetHead(head);
  }

  std::string Show(const v1::GetCoverageRequest& request) {
    const View view{.catalogue = Catalogue::Default(), .zone = absl::UTCTimeZone()};
    const auto coverage = CoverageOf(*index_.Snapshot(), Catalogue::Default(), request, TestNow());
    return coverage.ok() ? CoverageText(view, request, *coverage) : coverage.status().ToString();
  }

 private:
  struct Entry {
    const TestOrganisation* member;
    uint32_t code;
    std::vector<std::string> areas;
    v1::CapacityStatus status;
    uint32_t available;
    uint32_t maximum;
    bool redacted = false;
    bool children = false;
    std::string language = "en";
    v1::ConditionKind condition = v1::CONDITION_KIND_UNSPECIFIED;
  };

  void Take(const v1::Statement& statement) {
    const auto read = DirectoryState::ReadStored(SignStatement(statement, lin_.identity));
    ASSERT_TRUE(read.ok()) << read.status();
    index_.Take(*read);
  }

  void Train() {
    v1::Statement statement = network_.Base(lin_);
    v1::Profile& profile = *statement.mutable_profile();
    profile.add_reporting_duties(v1::REPORTING_DUTY_NONE_KNOWN);
    profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
    profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
    for (const auto& [topic, year] : {std::pair(v1::TRAINING_TOPIC_CHILD, 2028),
                                      std::pair(v1::TRAINING_TOPIC_DATA_PROTECTION, 2026)}) {
      v1::Training& training = *profile.add_training();
      training.set_topic(topic);
      training.set_group(v1::TRAINED_GROUP_STAFF);
      training.set_share(v1::SHARE_BAND_FROM_75);
      training.mutable_valid_until()->set_year(year);
      training.mutable_valid_until()->set_month(12);
      training.mutable_valid_until()->set_day(31);
    }
    Take(statement);
  }

  Entry& Put(const TestOrganisation& member, uint32_t code, std::vector<std::string> areas,
             v1::CapacityStatus status, uint32_t available = 0, uint32_t maximum = 0) {
    return entries_.emplace_back(
        Entry{&member, code, std::move(areas), status, available, maximum});
  }

  void Flush() {
    for (const Entry& entry : entries_) {
      v1::Statement statement = network_.Service(*entry.member);
      v1::Service& service = *statement.mutable_service();
      service.set_service_id(ServiceId::Generate(SystemRandom()).bytes());
      service.set_handle(entry.member->handle + "-" + std::to_string(entry.code));
      service.set_code(entry.code);
      *service.mutable_service_areas() = {entry.areas.begin(), entry.areas.end()};
      service.set_remote_delivery(entry.areas.empty());
      service.set_location_kind(entry.redacted ? v1::LOCATION_KIND_REDACTED
                                               : v1::LOCATION_KIND_ADDRESSED);
      service.mutable_populations()->set_children(entry.children);
      service.add_languages()->set_tag(entry.language);
      service.mutable_languages(0)->set_spoken_by_staff(entry.language != "ti");
      if (entry.condition != v1::CONDITION_KIND_UNSPECIFIED) {
        service.add_conditions()->set_condition_id("bea201-condition");
        service.mutable_conditions(0)->set_kind(entry.condition);
        service.mutable_conditions(0)->set_strength(v1::CONDITION_STRENGTH_REQUIRED);
      }
      Take(statement);
      if (entry.status == v1::CAPACITY_STATUS_UNKNOWN) continue;
      v1::Statement room = network_.Capacity(*entry.member);
      room.mutable_capacity()->set_service_id(service.service_id());
      room.mutable_capacity()->set_status(entry.status);
      if (entry.maximum > 0) {
        room.mutable_capacity()->set_available(entry.available);
        room.mutable_capacity()->set_maximum(entry.maximum);
      }
      Take(room);
    }
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation bea_{"bea"};
  DirectoryIndex index_;
  std::vector<Entry> entries_;
};

// As the guide shows a program's output.
std::string Indented(const std::string& text) {
  std::istringstream lines(text);
  std::string indented;
  for (std::string line; std::getline(lines, line);) {
    indented += line.empty() ? "\n" : "    " + line + "\n";
  }
  return indented;
}

std::string Guide() {
  std::ifstream file(WAYMARK_COORDINATORS_GUIDE);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CoverageViewTest, TheGuideShowsTheWholeNetworkAsItIsPrinted) {
  EXPECT_THAT(Guide(), HasSubstr(Indented(ExampleDirectory().Show({}))));
}

TEST(CoverageViewTest, TheGuideShowsTheGapsAsTheyArePrinted) {
  v1::GetCoverageRequest request;
  request.set_code(200);
  request.set_gaps_only(true);
  EXPECT_THAT(Guide(), HasSubstr(Indented(ExampleDirectory().Show(request))));
}

TEST(CoverageViewTest, ShowsTheCellsOfAnArea) {
  v1::GetCoverageRequest request;
  request.set_area("XA-N");
  request.set_code(201);
  EXPECT_THAT(
      ExampleDirectory().Show(request),
      HasSubstr("WHAT                   AREA  SERVICES  ROOM  WAITING LIST  ASSESSMENT  FULL  NOT"
                " KNOWN  TAKEN  KNOWN  REMOTE  HIDDEN  LANGUAGES  ALWAYS REQUIRED                "
                "      MISSING\n"
                "201 Emergency shelter  XA-N  1         0     0             0           0     1  "
                "        -      0 %    0       -       en         Cooperation with an authority 1"
                "00 %  ar, ti, With children, Without steps\n"));
}

}  // namespace
}  // namespace waymark::node
