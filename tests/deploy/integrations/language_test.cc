// The interpreter roster, in real folders: bookings as files, room from the roster, answers.

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/deploy/integrations/integration.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The services of the configuration: of all languages, and of one.
constexpr char kAll[] = "EBESExQVFhcYGRobHB0eHw==";
constexpr char kAmharic[] = "ICEiIyQlJicoKSorLC0uLw==";
// In base64 it begins with '+', as a formula does.
const std::string& kReferral = *new std::string(ReferralIdOf('\xf9'));

absl::Time At(int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilMinute(2027, 3, day, hour, minute), absl::UTCTimeZone());
}

class LanguageIntegrationTest : public ::testing::Test {
 protected:
  LanguageIntegrationTest() {
    for (const char* name : {"bookings", "roster", "answers"}) {
      std::filesystem::create_directory(folder_ / name);
    }
  }

  Integration Open(ConfigChanges changes = {}) const {
    for (const char* name : {"bookings", "roster", "answers"}) {
      changes.emplace_back(absl::StrCat("folder: /srv/roster/", name, "\n"),
                           absl::StrCat("folder: ", folder_ / name, "\n"));
    }
    return Integration("language", changes);
  }

  // The one booking, by the names of its columns or members.
  std::map<std::string, std::string> Booking() const {
    const std::set<std::string> files = NamesIn(folder_ / "bookings");
    EXPECT_THAT(files, SizeIs(1));
    std::string json = GetFile(folder_ / ("bookings/" + *files.begin()));
    if (files.begin()->ends_with(".csv")) {
      const auto rows = CsvToJson(json, ',');
      EXPECT_TRUE(rows.has_value() && rows->size() == 1);
      json = rows->front();
    }
    std::map<std::string, std::string> booking;
    const auto members = ReadJsonObject(json);
    EXPECT_TRUE(members.has_value());
    for (const JsonMember& member : *members) booking[member.name] = member.value.text;
    return booking;
  }

  // By service: its status, hours and span.
  static std::map<std::string, std::string> RoomOf(Integration& roster, absl::Time now) {
    std::map<std::string, std::string> said;
    for (const v1::Capacity& room : roster.ReadRoom(now)) {
      std::string& text = said[Base64Of(room.service_id())];
      text = v1::CapacityStatus_Name(room.status());
      if (!room.has_window()) continue;
      const auto minute = [](int64_t value) {
        return absl::FormatTime("%d %H:%M", absl::FromUnixSeconds(value * 60), absl::UTCTimeZone());
      };
      absl::StrAppend(&text, " ", room.available(), " of ", room.maximum(), ", ",
                      minute(room.window().from_minute()), " to ",
                      minute(room.window().to_minute()));
      EXPECT_EQ(room.valid_until_minute(), room.window().to_minute());
    }
    return said;
  }

  TestFolder folder_;
};

class BookingTest : public LanguageIntegrationTest,
                    public ::testing::WithParamInterface<const char*> {};

TEST_P(BookingTest, IsOneFileUntilItIsErased) {
  ConfigChanges changes;
  if (std::string_view(GetParam()) == "json") {
    changes = {{"      format: csv\n", ""},
               {"      columns: [key, request_key, status, urgency, answer_by, language, also, "
                "sign_language, mode, interpreter_gender,\n          must, subject, hours, from, "
                "until]\n",
                ""}};
  }
  Integration roster = Open(changes);
  v1::LocalOutward referral = roster.Sample(kReferral, "INQUIRED");
  EXPECT_EQ(roster.Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(roster.Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(NamesIn(folder_ / "bookings"),
              ElementsAre(absl::StrCat(ReferralId::FromBytes(kReferral)->hex(), ".", GetParam())));
  EXPECT_EQ(Booking()["language"], "am");
  EXPECT_EQ(Booking()["must"], "remote_only no_camera");
  EXPECT_EQ(Booking()["hours"], "1");
  EXPECT_EQ(Booking()["status"], "INQUIRED");

  referral.mutable_referral()->set_state("ACCEPTED");
  referral.mutable_sections()->mutable_need()->set_quantity(2);
  EXPECT_EQ(roster.Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(Booking()["hours"], "2");
  EXPECT_EQ(Booking()["status"], "ACCEPTED");

  EXPECT_EQ(roster.Erase(kReferral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(roster.Erase(kReferral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(NamesIn(folder_ / "bookings"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Formats, BookingTest, ::testing::Values("csv", "json"),
                         [](const auto& format) { return std::string(format.param); });

TEST_F(LanguageIntegrationTest, RoomIsWhatTheRosterHasByLanguageAndSpan) {
  const struct {
    absl::Time now;
    std::string all;
    std::string amharic;
  } cases[] = {
      {At(9, 19, 0), "CAPACITY_STATUS_HAS_CAPACITY 4 of 7, 09 19:00 to 09 23:00",
       "CAPACITY_STATUS_HAS_CAPACITY 4 of 4, 10 08:00 to 10 12:00"},
      {At(9, 19, 41), "CAPACITY_STATUS_HAS_CAPACITY 3 of 5, 09 19:41 to 09 23:00",
       "CAPACITY_STATUS_HAS_CAPACITY 4 of 4, 10 08:00 to 10 12:00"},
      {At(9, 22, 30), "CAPACITY_STATUS_NO_CAPACITY",
       "CAPACITY_STATUS_HAS_CAPACITY 4 of 4, 10 08:00 to 10 12:00"},
      {At(10, 12, 0), "CAPACITY_STATUS_NO_CAPACITY", "CAPACITY_STATUS_NO_CAPACITY"},
  };
  Integration roster = Open();
  for (const auto& one : cases) {
    PutFile(folder_ / "roster/roster.csv", ReadIntegrationFile("language/roster.csv"));
    auto room = RoomOf(roster, one.now);
    EXPECT_EQ(room[kAll], one.all) << one.now;
    EXPECT_EQ(room[kAmharic], one.amharic) << one.now;
  }
}

TEST_F(LanguageIntegrationTest, ThePoolsAnswersAreStepsOfTheReferral) {
  Integration roster = Open();
  EXPECT_EQ(roster.Write(roster.Sample(kReferral, "INQUIRED")).outcome, WriteOutcome::kDone);
  const std::string key = Booking()["request_key"];
  EXPECT_THAT(key, ::testing::StartsWith("'+")) << "as the spreadsheet shows it";
  PutFile(folder_ / "answers/monday.csv", "request_key,answer,start,hours,keep_until\r\n" + key +
                                              ",proposed,2027-03-15T08:30,1,2027-03-12T12:00\r\n" +
                                              key + ",fixed,2027-03-15T08:30,,\r\n" +
                                              key.substr(1) + ",begun,,,\r\n" + key +
                                              ",invoiced,,,\r\n" + key + ",held,,,\r\n");
  const v1::Kind kinds[] = {v1::KIND_OFFER, v1::KIND_SCHEDULE, v1::KIND_START, v1::KIND_CLOSE};
  const std::vector<MappedUpdate> updates = roster.ReadUpdates();
  ASSERT_THAT(updates, SizeIs(std::size(kinds)));
  for (size_t i = 0; i < std::size(kinds); ++i) {
    EXPECT_EQ(updates[i].update.kind(), kinds[i]);
    EXPECT_EQ(updates[i].update.referral_id(), kReferral);
  }
  EXPECT_THAT(NamesIn(folder_ / "answers"), ElementsAre("done"));

  PutFile(folder_ / "answers/tuesday.csv", "request_key,answer\n" + key + ",nobody\n" + key +
                                               ",all_booked\n" + key + ",cut_short\n" + key +
                                               ",not_held\n");
  EXPECT_THAT(roster.ReadUpdates(), SizeIs(4));
}

}  // namespace
}  // namespace waymark::node
