// A FHIR server: what is written there is valid, is one record, and lives beside what the clinic
// does.

#include <gmock/gmock.h>

#include <memory>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/fhir_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kFirst[] = "0123456789abcdef0123456789abcdef";
constexpr char kSecond[] = "fedcba9876543210fedcba9876543210";

constexpr const char* kStates[] = {
    "INQUIRED",  "CLARIFYING", "OFFERED",     "WAITLISTED",   "ACCEPTED",    "SCHEDULED",
    "STARTED",   "ONGOING",    "COMPLETED",   "DECLINED",     "EXPIRED",     "ENDED_EARLY",
    "CANCELLED", "WITHDRAWN",  "NOT_STARTED", "NOT_TAKEN_UP", "OFFER_LAPSED"};

std::string At(const std::string& json, const std::string& pointer) {
  const auto value = JsonAt(json, pointer);
  return value ? value->text : "nothing";
}

// What a mapping returns that says all that it can.
std::string WholeRecord(const std::string& state) {
  return R"({"state":")" + state + R"(",
    "request":{"priority":"urgent","authoredOn":"2027-03-09T20:30:00Z","note":[{"text":"canary-7f3a"}],
      "code":{"text":"appointment"},"occurrenceDateTime":"2027-03-10"},
    "task":{"priority":"urgent","authoredOn":"2027-03-09T20:30:00Z",
      "requester":{"display":"a unit"},"restriction":{"period":{"end":"2027-03-12"}}},
    "patient":{"name":[{"text":"canary-7f3a"}],"communication":[{"language":{"coding":[
      {"system":"urn:ietf:bcp:47","code":"uk"}]},"preferred":true}]}})";
}

class FhirConnectorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Connector> Open(const std::string& flavour = "sdohcc",
                                  const std::string& erase = "delete",
                                  const std::string& more = "") {
    auto connector = OpenFrom(system_.SettingsFor(flavour, erase) + more, clock_);
    EXPECT_TRUE(connector.ok()) << connector.status();
    return connector.ok() ? *std::move(connector) : nullptr;
  }

  void Write(Connector& connector, const std::string& state, const std::string& key = kFirst) {
    const WriteResult result = connector.Write({.key = key, .json = WholeRecord(state)});
    EXPECT_EQ(result.outcome, WriteOutcome::kDone) << state << ": " << result.detail;
  }

  // The clinic changes the one Task: its members are put in place of those that it has.
  void ClinicSays(const std::vector<std::pair<std::string, std::string>>& members) {
    const std::string task = TheTask();
    JsonObject changed;
    const std::vector<JsonMember> before = ReadJsonObject(task).value();
    for (const JsonMember& member : before) {
      bool replaced = false;
      for (const auto& [name, unused] : members) replaced = replaced || name == member.name;
      if (replaced) continue;
      changed.Add(member.name, member.value.kind == JsonValue::Kind::kText
                                   ? QuoteJson(member.value.text)
                                   : member.value.text);
    }
    for (const auto& [name, json] : members) changed.Add(name, json);
    system_.Ask("PUT", "/Task/" + At(task, "/id"), std::move(changed).Finish());
  }

  std::string TheTask() {
    const auto tasks = system_.All("Task");
    EXPECT_THAT(tasks, SizeIs(1));
    return tasks.empty() ? "{}" : tasks.front();
  }

  // Holds resources against the npm package `fhir`.
  static absl::Status Check(const std::vector<std::string>& resources) {
    const TestFolder folder;
    PutFile(folder / "resources", "[" + absl::StrJoin(resources, ",") + "]");
    return ::waymark::testing::RunToEnd(
        {.command = {"/usr/bin/env", "node", WAYMARK_FHIR_CHECK, folder / "resources"},
         .output = folder / "findings"});
  }

  FhirSystem system_;
  FakeClock clock_{absl::UnixEpoch()};
};

// --- What is written

TEST_F(FhirConnectorTest, EveryResourceIsValid) {
  std::vector<std::string> resources;
  for (const char* flavour : {"plain", "sdohcc", "bser"}) {
    for (const char* state : kStates) {
      const auto connector = Open(flavour);
      Write(*connector, state);
      const WriteResult least = connector->Write(
          {.key = kSecond, .json = R"({"state":")" + std::string(state) + R"(","request":{}})"});
      EXPECT_EQ(least.outcome, WriteOutcome::kDone) << least.detail;
      const auto written = system_.Everything();
      EXPECT_THAT(written, SizeIs(5)) << "two referrals, one of them with a Patient";
      resources.insert(resources.end(), written.begin(), written.end());

      const auto shells = Open(flavour, "entered-in-error");
      EXPECT_EQ(shells->Erase(kFirst).outcome, WriteOutcome::kDone);
      const auto left = system_.Everything();
      resources.insert(resources.end(), left.begin(), left.end());
      for (const char* key : {kFirst, kSecond}) {
        EXPECT_EQ(connector->Erase(key).outcome, WriteOutcome::kDone);
      }
    }
  }
  const absl::Status valid = Check(resources);
  EXPECT_TRUE(valid.ok()) << valid;
}

TEST_F(FhirConnectorTest, TheValidatorSeesWhatIsWrong) {
  for (const char* wrong :
       {R"({"resourceType":"Task","intent":"order"})",
        R"({"resourceType":"Task","status":"begun","intent":"order"})",
        R"({"resourceType":"Task","status":"accepted","intent":"order","stat":"x"})"}) {
    EXPECT_FALSE(Check({wrong}).ok()) << wrong;
  }
  EXPECT_FALSE(Check({}).ok()) << "nothing was checked";
}

TEST_F(FhirConnectorTest, FlavoursDifferInWhatTheySay) {
  const struct {
    const char* flavour;
    const char* request_profile;
    const char* task_profile;
    const char* business_at;
    const char* business;
    const char* asked_back;
  } cases[] = {
      {"plain", "nothing", "nothing", "/businessStatus/text", "scheduled", "received"},
      {"sdohcc",
       "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ServiceRequest",
       "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/"
       "SDOHCC-TaskForReferralManagement",
       "/businessStatus/text", "scheduled", "requested"},
      {"bser", "http://hl7.org/fhir/us/bser/StructureDefinition/BSeR-ReferralServiceRequest",
       "http://hl7.org/fhir/us/bser/StructureDefinition/BSeR-ReferralTask",
       "/businessStatus/coding/0/code", "5.1.1", "received"},
  };
  for (const auto& one : cases) {
    const auto connector = Open(one.flavour);
    Write(*connector, "CLARIFYING");
    EXPECT_EQ(At(TheTask(), "/status"), one.asked_back);
    Write(*connector, "SCHEDULED");
    EXPECT_EQ(At(TheTask(), "/status"), "accepted");
    EXPECT_EQ(At(TheTask(), "/meta/profile/0"), one.task_profile);
    EXPECT_EQ(At(TheTask(), one.business_at), one.business);
    EXPECT_EQ(At(TheTask(), "/code/coding/0/code"), "fulfill");
    EXPECT_EQ(At(system_.All("ServiceRequest").front(), "/meta/profile/0"), one.request_profile);
    EXPECT_EQ(connector->Erase(kFirst).outcome, WriteOutcome::kDone);
  }
}

TEST_F(FhirConnectorTest, TheTaskPointsToItsRequestAndItsPatient) {
  const auto connector = Open();
  Write(*connector, "ACCEPTED");
  const std::string request = system_.All("ServiceRequest").front();
  const std::string patient = "Patient/" + At(system_.All("Patient").front(), "/id");
  EXPECT_EQ(At(TheTask(), "/focus/reference"), "ServiceRequest/" + At(request, "/id"));
  EXPECT_EQ(At(TheTask(), "/for/reference"), patient);
  EXPECT_EQ(At(request, "/subject/reference"), patient);
  EXPECT_EQ(At(request, "/identifier/0/value"), kFirst);
}

TEST_F(FhirConnectorTest, ARecordOfAnotherShapeIsRefused) {
  const auto connector = Open();
  for (const char* record :
       {"{}", R"({"state":"ACCEPTED"})", R"({"request":{}})", R"({"state":"canary","request":{}})",
        R"({"state":"ACCEPTED","request":[]})", R"({"state":"ACCEPTED","request":{},"x":1})",
        R"({"state":"ACCEPTED","request":{"status":"active"}})",
        R"({"state":"ACCEPTED","request":{"resourceType":"Task"}})",
        R"({"state":"ACCEPTED","request":{},"task":{"focus":{"reference":"x"}}})",
        R"({"state":"ACCEPTED","request":{},"patient":{"id":"x"}})"}) {
    const WriteResult result = connector->Write({.key = kFirst, .json = record});
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused) << record;
    EXPECT_THAT(result.detail, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(system_.Everything(), IsEmpty());
}

TEST_F(FhirConnectorTest, AnOutcomeIsReducedToItsCodes) {
  system_.Restart({"--read-only"});
  const WriteResult result = Open()->Write({.key = kFirst, .json = WholeRecord("ACCEPTED")});
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail,
              AllOf(StartsWith("OperationOutcome forbidden: the server answered 403"),
                    Not(HasSubstr("canary"))));
}

// --- What the clinic does

TEST_F(FhirConnectorTest, WhatTheClinicAddedStays) {
  const auto connector = Open();
  Write(*connector, "ACCEPTED");
  ClinicSays({{"owner", R"({"display":"room 2"})"}, {"note", R"([{"text":"ours"}])"}});
  Write(*connector, "STARTED");
  EXPECT_EQ(At(TheTask(), "/status"), "in-progress");
  EXPECT_EQ(At(TheTask(), "/owner/display"), "room 2");
  EXPECT_EQ(At(TheTask(), "/note/0/text"), "ours");
  EXPECT_EQ(At(TheTask(), "/priority"), "urgent");
}

TEST_F(FhirConnectorTest, AStatusThatIsFurtherOnIsNotSetBack) {
  for (const char* status : {"in-progress", "on-hold", "completed", "rejected"}) {
    const auto connector = Open();
    Write(*connector, "ACCEPTED");
    ClinicSays({{"status", QuoteJson(status)}});
    Write(*connector, "SCHEDULED");
    EXPECT_EQ(At(TheTask(), "/status"), status);
    EXPECT_EQ(connector->Erase(kFirst).outcome, WriteOutcome::kDone);
  }
  const auto connector = Open();
  Write(*connector, "STARTED");
  Write(*connector, "COMPLETED");
  EXPECT_EQ(At(TheTask(), "/status"), "completed");
  EXPECT_EQ(At(system_.All("ServiceRequest").front(), "/status"), "completed");
}

TEST_F(FhirConnectorTest, TheClinicSeesThatItsOfferWasAccepted) {
  const auto connector = Open();
  Write(*connector, "INQUIRED");
  ClinicSays({{"status", "\"accepted\""}});
  auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, SizeIs(1)) << "an offer";
  Write(*connector, "OFFERED");
  EXPECT_EQ(At(TheTask(), "/businessStatus"), "nothing") << "it says so already";
  Write(*connector, "ACCEPTED");
  EXPECT_EQ(At(TheTask(), "/businessStatus/text"), "accepted");
  ClinicSays({{"businessStatus", R"({"text":"Scheduled"})"}});
  page = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, SizeIs(1)) << "an appointment";
  Write(*connector, "SCHEDULED");
  EXPECT_EQ(At(TheTask(), "/businessStatus/text"), "Scheduled");
}

TEST_F(FhirConnectorTest, WhatTheNodeWroteItMayTakeBack) {
  const auto connector = Open();
  Write(*connector, "WAITLISTED");
  EXPECT_EQ(At(TheTask(), "/status"), "on-hold");
  Write(*connector, "ACCEPTED");
  EXPECT_EQ(At(TheTask(), "/status"), "accepted");
}

TEST_F(FhirConnectorTest, OnlyWhatTheClinicSaysIsAnUpdate) {
  const auto connector = Open();
  Write(*connector, "ACCEPTED");
  auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, IsEmpty()) << "it is what we wrote";

  ClinicSays({{"status", "\"in-progress\""}});
  page = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->items, SizeIs(1));
  EXPECT_EQ(At(page->items.front(), "/status"), "in-progress");
  EXPECT_EQ(At(page->items.front(), "/identifier/0/value"), kFirst);

  // What the node now knows it does not write again.
  const std::string version = At(TheTask(), "/meta/versionId");
  Write(*connector, "STARTED");
  EXPECT_EQ(At(TheTask(), "/meta/versionId"), version);
  page = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, IsEmpty());

  Write(*connector, "COMPLETED");
  page = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, IsEmpty()) << "that, too, is what we wrote";
}

TEST_F(FhirConnectorTest, TasksOfOthersAreNotRead) {
  system_.Ask("POST", "/Task",
              R"({"resourceType":"Task","status":"requested","intent":"order",)"
              R"("identifier":[{"system":"https://other.test","value":"1"}]})");
  const auto page = Open()->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, IsEmpty());
}

TEST_F(FhirConnectorTest, TwoTasksWithOneKeyAreForAPerson) {
  const auto connector = Open();
  Write(*connector, "ACCEPTED");
  const std::string task = TheTask();
  system_.Ask("POST", "/Task", task);
  const WriteResult result = connector->Write({.key = kFirst, .json = WholeRecord("STARTED")});
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail, HasSubstr("more than one Task"));
}

// --- Erasures

TEST_F(FhirConnectorTest, AnErasureLeavesNothing) {
  const auto connector = Open();
  Write(*connector, "ACCEPTED");
  Write(*connector, "ACCEPTED", kSecond);
  EXPECT_EQ(connector->Erase(kFirst).outcome, WriteOutcome::kDone);
  EXPECT_THAT(system_.Everything(), SizeIs(3)) << "those of the other one";
  EXPECT_EQ(At(TheTask(), "/identifier/0/value"), kSecond);
}

TEST_F(FhirConnectorTest, WhereDeletingIsRefusedAShellIsLeft) {
  const auto connector = Open();
  Write(*connector, "STARTED");
  system_.Restart({"--no-delete"});
  const WriteResult refused = connector->Erase(kFirst);
  EXPECT_EQ(refused.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(refused.detail, HasSubstr("not-supported"));

  const auto shells = Open("sdohcc", "entered-in-error");
  EXPECT_EQ(shells->Erase(kFirst).outcome, WriteOutcome::kDone);
  for (const std::string& resource : system_.Everything()) {
    EXPECT_THAT(resource, Not(HasSubstr("canary")));
  }
  EXPECT_EQ(At(TheTask(), "/status"), "entered-in-error");
  EXPECT_EQ(shells->Erase(kSecond).outcome, WriteOutcome::kDone) << "there is none";
  EXPECT_THAT(system_.Everything(), SizeIs(3));
}

// --- Capacity

TEST_F(FhirConnectorTest, ReadsServicesWithWhereTheyAre) {
  system_.Ask("PUT", "/Organization/org", R"({"resourceType":"Organization","name":"A"})");
  system_.Ask("PUT", "/Location/loc", R"({"resourceType":"Location","name":"B"})");
  for (int i = 0; i < 60; ++i) {
    system_.Ask("PUT", "/HealthcareService/s" + std::to_string(i),
                R"({"resourceType":"HealthcareService","active":true,"providedBy":{"reference":)"
                R"("Organization/org"},"location":[{"reference":"Location/loc"}]})");
  }
  system_.Ask("PUT", "/HealthcareService/closed",
              R"({"resourceType":"HealthcareService","active":false})");
  const auto connector = Open("sdohcc", "delete", "capacity: {mapping: c.jq}\n");
  std::vector<std::string> items;
  std::string cursor;
  bool more = true;
  for (int pages = 0; more && pages < 5; ++pages) {
    const auto page = connector->Read(Feed::kCapacity, cursor);
    ASSERT_TRUE(page.ok()) << page.status();
    items.insert(items.end(), page->items.begin(), page->items.end());
    cursor = page->cursor;
    more = page->more;
  }
  ASSERT_THAT(items, SizeIs(60));
  EXPECT_EQ(cursor, "") << "the next read is from the beginning";
  EXPECT_EQ(At(items.back(), "/service/id"), "s59");
  EXPECT_EQ(At(items.back(), "/organization/name"), "A");
  EXPECT_EQ(At(items.back(), "/locations/0/name"), "B");
}

}  // namespace
}  // namespace waymark::node
