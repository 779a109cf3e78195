// The bed register, in a real PostgreSQL.

#include <gmock/gmock.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/deploy/integrations/integration.h"
#include "tests/support/poll.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using waymark::testing::PostgresServer;

constexpr char kPasswordVariable[] = "WAYMARK_TEST_KEEPER_PASSWORD";
// The service that the sample asks for, and another one.
constexpr char kService[] = "EBESExQVFhcYGRobHB0eHw==";
constexpr char kOther[] = "ICEiIyQlJicoKSorLC0uLw==";

const std::string& kSara = *new std::string(ReferralIdOf('\x01'));
const std::string& kRobin = *new std::string(ReferralIdOf('\x02'));

PostgresServer& Server() {
  static const std::unique_ptr<PostgresServer> kServer = [] {
    setenv(kPasswordVariable, PostgresServer::kKeeperPassword, 1);
    auto started = PostgresServer::Start();
    if (!started.ok()) {
      ADD_FAILURE() << started.status();
      std::abort();
    }
    return *std::move(started);
  }();
  return *kServer;
}

class HousingIntegrationTest : public ::testing::Test {
 protected:
  HousingIntegrationTest() {
    static int count = 0;
    database_ = absl::StrCat("register", ++count);
    EXPECT_EQ(Server().CreateDatabase(database_), absl::OkStatus());
    const absl::Status loaded = testing::RunToEnd(
        {.command = {"/usr/bin/psql", "--host=" + Server().host(),
                     absl::StrCat("--port=", Server().port()), "--username=administrator",
                     "--dbname=" + database_, "--quiet", "--single-transaction", "--set",
                     absl::StrCat("node_role=", PostgresServer::kKeeper), "--file",
                     IntegrationPath("housing/register.sql")},
         .output = folder_ / "psql.log"});
    EXPECT_EQ(loaded, absl::OkStatus());
    Run(absl::StrCat("INSERT INTO services (service_id, code, conditions) VALUES ('", kService,
                     "', 206, '{lin206-house}'), ('", kOther, "', 201, '{}')"));
    beds_ = Open();
  }

  std::unique_ptr<Integration> Open() const {
    return std::make_unique<Integration>(
        "housing",
        ConfigChanges{
            {"host: /run/postgresql",
             absl::StrCat("host: ", Server().host(), "\n    port: ", Server().port())},
            {"database: beds", "database: " + database_},
            {"user: waymark", absl::StrCat("user: ", PostgresServer::kKeeper)},
            {"{credential: register-password}", absl::StrCat("{env: ", kPasswordVariable, "}")}});
  }

  // Runs SQL as the register's owner; returns the first column.
  std::vector<std::string> Run(const std::string& sql) const {
    auto rows = Server().Query(database_, sql);
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? *rows : std::vector<std::string>();
  }

  // A room of the sample's service.
  void AddRoom(const std::string& bed, int sleeps, bool step_free = false) const {
    Run(absl::StrCat("INSERT INTO beds (bed, service_id, sleeps, step_free) VALUES ('", bed, "', '",
                     kService, "', ", sleeps, ", ", step_free ? "true" : "false", ")"));
  }

  std::vector<std::string> Taken() const {
    return Run("SELECT bed FROM beds WHERE stay_id IS NOT NULL ORDER BY bed");
  }

  TestFolder folder_;
  std::string database_;
  std::unique_ptr<Integration> beds_;
};

TEST_F(HousingIntegrationTest, AReferralIsOneStayUntilItIsErased) {
  AddRoom("2.04", 4);
  v1::LocalOutward referral = beds_->Sample(kSara, "ACCEPTED");
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Run("SELECT people FROM stays"), ElementsAre("3"));
  EXPECT_THAT(Taken(), ElementsAre("2.04"));

  referral.mutable_referral()->set_state("STARTED");
  referral.mutable_sections()->mutable_iden()->set_name_to_use("O'Neill, \"R\"");
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Run("SELECT state || ' ' || name_on_the_door FROM stays"),
              ElementsAre("STARTED O'Neill, \"R\""));
  EXPECT_THAT(Taken(), ElementsAre("2.04"));

  Run("UPDATE stays SET step = 'arrived'");
  EXPECT_EQ(beds_->Erase(kSara).outcome, WriteOutcome::kDone);
  EXPECT_EQ(beds_->Erase(kSara).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Run("SELECT stay_id FROM stays"), IsEmpty());
  EXPECT_THAT(Run("SELECT stay_id FROM changes"), IsEmpty());
  EXPECT_THAT(Taken(), IsEmpty());
}

TEST_F(HousingIntegrationTest, AcceptingTakesTheSmallestRoomThatFits) {
  AddRoom("1.01", 2);
  AddRoom("1.02", 3, /*step_free=*/true);
  AddRoom("1.03", 6);
  AddRoom("1.04", 4);
  Run("INSERT INTO beds (bed, service_id, sleeps) VALUES ('9.01', '" + std::string(kOther) +
      "', 3)");
  Run("INSERT INTO beds (bed, service_id, sleeps, out_of_use) VALUES ('9.02', '" +
      std::string(kService) + "', 3, true)");
  v1::LocalOutward referral = beds_->Sample(kSara, "INQUIRED");
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Taken(), IsEmpty()) << "nobody has said yes";
  referral.mutable_referral()->set_state("ACCEPTED");
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Taken(), ElementsAre("1.04")) << "step-free ones are for those who need them";

  v1::LocalOutward other = beds_->Sample(kRobin, "ACCEPTED");
  other.mutable_sections()->mutable_access()->set_step_free(v1::ANSWER_YES);
  other.mutable_sections()->mutable_need()->clear_service_id();
  EXPECT_EQ(beds_->Write(other).outcome, WriteOutcome::kDone) << "found by its code";
  EXPECT_THAT(Taken(), ElementsAre("1.02", "1.04"));
}

TEST_F(HousingIntegrationTest, SeveralBedsAreTakenTogetherOrNot) {
  for (const char* bed : {"1", "2", "3"}) AddRoom(bed, 1);
  v1::LocalOutward referral = beds_->Sample(kSara, "ACCEPTED");
  referral.mutable_sections()->mutable_need()->set_quantity(3);
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Taken(), SizeIs(3));
  Run("UPDATE beds SET stay_id = NULL WHERE bed = '2'; UPDATE beds SET out_of_use = true WHERE bed "
      "= '2'");
  referral.mutable_sections()->mutable_iden()->set_name_to_use("Sara");
  EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kRefused);
  EXPECT_THAT(Run("SELECT name_on_the_door FROM stays WHERE name_on_the_door IS NOT NULL"),
              IsEmpty());
}

// As often as it takes to meet: each has a connection, and so a transaction, of its own.
TEST_F(HousingIntegrationTest, OfTwoForTheLastRoomOneGetsIt) {
  AddRoom("2.04", 4);
  const std::unique_ptr<Integration> other = Open();
  for (int round = 0; round < 25; ++round) {
    WriteResult results[2];
    {
      std::thread second([&] { results[1] = other->Write(other->Sample(kRobin, "ACCEPTED")); });
      results[0] = beds_->Write(beds_->Sample(kSara, "ACCEPTED"));
      second.join();
    }
    const int loser = results[0].outcome == WriteOutcome::kDone ? 1 : 0;
    EXPECT_EQ(results[1 - loser].outcome, WriteOutcome::kDone) << results[1 - loser].detail;
    EXPECT_EQ(results[loser].outcome, WriteOutcome::kRefused);
    EXPECT_THAT(results[loser].detail, HasSubstr("table beds, constraint no_free_bed_fits"));
    EXPECT_THAT(Run("SELECT referral_key FROM stays"),
                ElementsAre(ReferralId::FromBytes(loser == 0 ? kRobin : kSara)->hex()));
    EXPECT_THAT(Taken(), ElementsAre("2.04"));
    EXPECT_EQ(beds_->Erase(kSara).outcome, WriteOutcome::kDone);
    EXPECT_EQ(beds_->Erase(kRobin).outcome, WriteOutcome::kDone);
  }
}

TEST_F(HousingIntegrationTest, AStayThatHasEndedFreesItsRoom) {
  AddRoom("2.04", 4);
  v1::LocalOutward referral = beds_->Sample(kSara, "ACCEPTED");
  for (const char* step : {"left", "left_early", "not_come", "refused"}) {
    EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
    EXPECT_THAT(Taken(), SizeIs(1));
    Run(absl::StrCat("UPDATE stays SET step = '", step, "'"));
    EXPECT_THAT(Taken(), IsEmpty()) << step;
    EXPECT_EQ(beds_->Erase(kSara).outcome, WriteOutcome::kDone);
  }
  for (const char* state : {"CANCELLED", "EXPIRED", "NOT_STARTED", "WITHDRAWN", "COMPLETED"}) {
    referral.mutable_referral()->set_state("ACCEPTED");
    EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
    referral.mutable_referral()->set_state(state);
    EXPECT_EQ(beds_->Write(referral).outcome, WriteOutcome::kDone);
    EXPECT_THAT(Taken(), IsEmpty()) << state;
  }
}

TEST_F(HousingIntegrationTest, TheHousesAnswersAreStepsOfTheReferral) {
  AddRoom("2.04", 4);
  EXPECT_EQ(beds_->Write(beds_->Sample(kSara, "INQUIRED")).outcome, WriteOutcome::kDone);
  EXPECT_THAT(beds_->ReadUpdates(), IsEmpty()) << "what the node writes is no answer";
  const std::pair<const char*, v1::Kind> steps[] = {
      {"step = 'waiting', review_on = '2027-03-12'", v1::KIND_WAITLIST},
      {"step = 'refused', reason = 'household'", v1::KIND_DECLINE},
      {"step = 'offered', free_from = '2027-03-09 21:30+00', held_until = '2027-03-09 22:09+01'",
       v1::KIND_OFFER},
      {"step = 'expected', expected_from = '2027-03-09 21:15+00', expected_until = "
       "'2027-03-09 21:30+00'",
       v1::KIND_SCHEDULE},
      {"step = 'arrived'", v1::KIND_START},
      {"step = 'staying', review_on = '2027-03-16'", v1::KIND_PROGRESS},
      {"step = 'left_early'", v1::KIND_CLOSE},
  };
  for (const auto& [what, kind] : steps) {
    Run(absl::StrCat("UPDATE stays SET ", what));
    const std::vector<MappedUpdate> updates = beds_->ReadUpdates();
    ASSERT_THAT(updates, SizeIs(1)) << what;
    EXPECT_EQ(updates.front().update.kind(), kind);
    EXPECT_EQ(updates.front().update.referral_id(), kSara);
    Run("UPDATE stays SET language = 'am'");
    EXPECT_THAT(beds_->ReadUpdates(), IsEmpty()) << "nothing was said";
  }
  // What was said between two reads is read whole, in its order.
  Run("UPDATE stays SET step = 'refused', reason = 'no such reason'");
  Run("UPDATE stays SET step = 'offered'");
  const std::vector<MappedUpdate> updates = beds_->ReadUpdates();
  ASSERT_THAT(updates, SizeIs(2));
  EXPECT_EQ(updates[0].update.sections().prog().decline_code(), v1::DECLINE_CODE_NO_REASON_GIVEN);
  const v1::Offer& offer = updates[1].update.sections().prog().offer();
  EXPECT_EQ(
      absl::FormatTime(absl::FromUnixSeconds(offer.hold_until().seconds()), absl::UTCTimeZone()),
      "2027-03-09T21:09:00+00:00");
  EXPECT_THAT(offer.conditions(), ElementsAre("lin206-house"));
}

// A number that appears below one that was read already would never be read.
TEST_F(HousingIntegrationTest, AnswersAppearInTheirOrderWhoeverCommitsFirst) {
  EXPECT_EQ(beds_->Write(beds_->Sample(kSara, "INQUIRED")).outcome, WriteOutcome::kDone);
  EXPECT_EQ(beds_->Write(beds_->Sample(kRobin, "INQUIRED")).outcome, WriteOutcome::kDone);
  const auto say = [](const std::string& referral) {
    return "UPDATE stays SET step = 'refused' WHERE referral_key = '" +
           ReferralId::FromBytes(referral)->hex() + "'";
  };
  const std::unique_ptr<PGconn, decltype(&PQfinish)> slow(
      PQconnectdb(absl::StrCat("host=", Server().host(), " port=", Server().port(),
                               " user=administrator dbname=", database_)
                      .c_str()),
      &PQfinish);
  PQclear(PQexec(slow.get(), "BEGIN"));
  PQclear(PQexec(slow.get(), say(kSara).c_str()));
  std::thread quick([&] { Run(say(kRobin)); });
  EXPECT_TRUE(Eventually([&] {
    return !Run("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").empty();
  }));
  EXPECT_THAT(beds_->ReadUpdates(), IsEmpty());
  PQclear(PQexec(slow.get(), "COMMIT"));
  quick.join();
  const std::vector<MappedUpdate> updates = beds_->ReadUpdates();
  ASSERT_THAT(updates, SizeIs(2));
  EXPECT_EQ(updates[0].update.referral_id(), kSara);
  EXPECT_EQ(updates[1].update.referral_id(), kRobin);
}

TEST_F(HousingIntegrationTest, RoomIsWhatTheRegisterHas) {
  const auto rooms = [this] {
    std::map<std::string, std::string> said;
    for (const v1::Capacity& room : beds_->ReadRoom(absl::Now())) {
      said[Base64Of(room.service_id())] = absl::StrCat(v1::CapacityStatus_Name(room.status()), " ",
                                                       room.available(), " of ", room.maximum());
    }
    return said;
  };
  AddRoom("2.04", 4);
  AddRoom("2.05", 4);
  Run(absl::StrCat("UPDATE services SET waiting_list = true WHERE service_id = '", kOther, "'"));
  EXPECT_EQ(rooms()[kService], "CAPACITY_STATUS_HAS_CAPACITY 2 of 2");
  EXPECT_EQ(rooms()[kOther], "CAPACITY_STATUS_WAITLIST 0 of 0");
  EXPECT_EQ(beds_->Write(beds_->Sample(kSara, "ACCEPTED")).outcome, WriteOutcome::kDone);
  EXPECT_EQ(rooms()[kService], "CAPACITY_STATUS_HAS_CAPACITY 1 of 2");
  Run("UPDATE beds SET out_of_use = true WHERE bed = '2.05'");
  EXPECT_EQ(rooms()[kService], "CAPACITY_STATUS_NO_CAPACITY 0 of 1");
  EXPECT_EQ(beds_->Erase(kSara).outcome, WriteOutcome::kDone);
  EXPECT_EQ(rooms()[kService], "CAPACITY_STATUS_HAS_CAPACITY 1 of 1");
}

TEST_F(HousingIntegrationTest, TheNodeSeesNoMoreThanItNeeds) {
  for (const char* sight : {"has_column_privilege('keeper', 'stays', 'step', 'SELECT')",
                            "has_column_privilege('keeper', 'stays', 'step', 'UPDATE')",
                            "has_any_column_privilege('keeper', 'beds', 'SELECT')",
                            "has_any_column_privilege('keeper', 'beds', 'UPDATE')",
                            "has_any_column_privilege('keeper', 'changes', 'SELECT')"}) {
    EXPECT_THAT(Run(absl::StrCat("SELECT ", sight)), ElementsAre("f")) << sight;
  }
}

}  // namespace
}  // namespace waymark::node
