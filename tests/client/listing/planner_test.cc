// What an import does with a record: the table of outcomes, and what must never be published.
#include "client/listing/planner.h"

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/listing/support.h"

namespace waymark::node {
namespace {

using local::v1::ImportEntry;
using local::v1::ImportOutcome;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Planner PlannerOf(ImportContext context) {
  auto planner = Planner::Create(Catalogue::Default(), std::move(context));
  EXPECT_TRUE(planner.ok()) << planner.status();
  return *std::move(planner);
}

ImportEntry Judge(ListingDraft draft, ImportContext context = Context()) {
  return PlannerOf(std::move(context)).Judge(std::move(draft));
}

std::vector<std::string> Lacking(const ImportEntry& entry) {
  std::vector<std::string> fields;
  for (const auto& finding : entry.findings()) {
    if (finding.kind() == local::v1::RECORD_FINDING_KIND_LACKS) fields.push_back(finding.field());
  }
  return fields;
}

TEST(PlannerTest, AddsWithAnIdAHandleAndWhatTheTaxonomyKnows) {
  const ImportEntry entry = Judge(Draft("r1",
                                        "service { conditions { kind: CONDITION_KIND_AGE "
                                        "value: 'MIN_18' strength: "
                                        "CONDITION_STRENGTH_REQUIRED } }"));
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_ADDED) << entry.DebugString();
  const v1::Service& service = entry.service();
  EXPECT_EQ(service.service_id(), ImportedServiceId(Lin(), "town", "r1").bytes());
  EXPECT_EQ(service.handle().substr(0, 5), "town-");
  EXPECT_EQ(service.unit_id(), Bytes('U'));
  EXPECT_EQ(service.capacity_unit(), v1::CAPACITY_UNIT_FAMILY_ROOM);
  EXPECT_EQ(service.phases_size(), 3);
  EXPECT_EQ(service.conditions(0).condition_id(), service.handle() + "-c1");
  EXPECT_FALSE(entry.stale());
}

TEST(PlannerTest, NamesEverythingThatARecordLacks) {
  ListingDraft draft;
  ImportContext context = Context();
  context.units["lin.legal"] = Bytes('V');
  const ImportEntry entry = Judge(std::move(draft), context);
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_INCOMPLETE);
  EXPECT_THAT(Lacking(entry), UnorderedElementsAre("record_id", "unit_id", "code", "provider_kind",
                                                   "phases", "service_areas", "location_kind",
                                                   "capacity_unit", "last_verified"));
  EXPECT_FALSE(entry.has_service());
}

TEST(PlannerTest, KnowsWhatIsWrong) {
  for (const char* wrong :
       {"service { code: 999 }", "service { secondary_codes: 12 }",
        "service { populations { minimum_age: 9 maximum_age: 3 } }",
        "service { intake_hours { weekday: 8 to_minute: 5 } }",
        "service { last_verified { year: 2027 month: 6 day: 1 } }",
        "service { conditions { kind: CONDITION_KIND_AGE } }", "unit: 'other.unit'"}) {
    EXPECT_EQ(Judge(Draft("r1", wrong)).outcome(), local::v1::IMPORT_OUTCOME_INCOMPLETE) << wrong;
  }
  EXPECT_EQ(Judge(Draft(std::string(201, 'r'))).outcome(), local::v1::IMPORT_OUTCOME_INCOMPLETE);
}

TEST(PlannerTest, TakesASecondRecordOfTheSameIdForNone) {
  Planner planner = PlannerOf(Context());
  EXPECT_EQ(planner.Judge(Draft("r1")).outcome(), local::v1::IMPORT_OUTCOME_ADDED);
  EXPECT_EQ(planner.Judge(Draft("r1")).outcome(), local::v1::IMPORT_OUTCOME_INCOMPLETE);
}

TEST(PlannerTest, FillsInWhatTheAdministratorSaysAndMarksTheDay) {
  ListingDraft draft = Draft("r1");
  draft.record.mutable_service()->clear_last_verified();
  EXPECT_THAT(Lacking(Judge(draft)), ElementsAre("last_verified"));
  ImportContext context = Context();
  context.defaults.mutable_last_verified()->set_year(2027);
  context.defaults.mutable_last_verified()->set_month(1);
  context.defaults.mutable_last_verified()->set_day(10);
  context.defaults.set_code(101);
  const ImportEntry entry = Judge(draft, context);
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_ADDED);
  EXPECT_EQ(entry.service().code(), 206U);
  EXPECT_TRUE(entry.stale());
}

TEST(PlannerTest, MarksWhatWasVerifiedLongAgo) {
  ListingDraft draft = Draft("r1");
  draft.record.mutable_service()->mutable_last_verified()->set_year(2025);
  const ImportEntry entry = Judge(draft);
  EXPECT_TRUE(entry.stale());
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_ADDED);
}

// Publishes what was added and judges again.
ImportContext After(const ImportEntry& entry) {
  ImportContext context = Context();
  context.published.push_back({entry.service(), {}});
  return context;
}

TEST(PlannerTest, TellsChangedFromUnchangedFieldByField) {
  const ImportContext context = After(Judge(Draft("r1")));
  EXPECT_EQ(Judge(Draft("r1"), context).outcome(), local::v1::IMPORT_OUTCOME_UNCHANGED);
  const ImportEntry entry =
      Judge(Draft("r1", "service { step_free: true service_areas: 'XA-N' }"), context);
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_CHANGED);
  ASSERT_EQ(entry.changes_size(), 2);
  EXPECT_EQ(entry.changes(0).field(), "service_areas");
  EXPECT_EQ(entry.changes(0).before(), "[\"XA-M\"]");
  EXPECT_EQ(entry.changes(0).after(), "[\"XA-M\",\"XA-N\"]");
  EXPECT_EQ(entry.changes(1).before(), "");
}

TEST(PlannerTest, WithdrawsWhatTheSourceEndedOrNoLongerHas) {
  const ImportContext context = After(Judge(Draft("r1")));
  EXPECT_EQ(Judge(Draft("r1", "service { withdrawn: true }"), context).outcome(),
            local::v1::IMPORT_OUTCOME_WITHDRAWN);
  EXPECT_EQ(Judge(Draft("r2", "service { withdrawn: true }"), context).outcome(),
            local::v1::IMPORT_OUTCOME_ENDED);
  Planner planner = PlannerOf(context);
  planner.Judge(Draft("r2"));
  const std::vector<ImportEntry> withdrawn = planner.Withdrawals();
  ASSERT_EQ(withdrawn.size(), 1U);
  EXPECT_TRUE(withdrawn[0].service().withdrawn());
  EXPECT_EQ(withdrawn[0].changes(0).field(), "withdrawn");
}

TEST(PlannerTest, WithdrawsNothingThatItsSourceStillHasOrThatIsOfNoSource) {
  ImportContext context = After(Judge(Draft("r1")));
  v1::Service by_hand = context.published[0].service;
  by_hand.set_service_id(Bytes('H'));
  by_hand.set_handle("lin-206");
  context.published.push_back({by_hand, {}});
  Planner planner = PlannerOf(context);
  // There, but no longer complete.
  ListingDraft draft = Draft("r1");
  draft.record.mutable_service()->clear_code();
  EXPECT_EQ(planner.Judge(draft).outcome(), local::v1::IMPORT_OUTCOME_INCOMPLETE);
  EXPECT_THAT(planner.Withdrawals(), IsEmpty());

  context.source = "other";
  EXPECT_THAT(PlannerOf(context).Withdrawals(), IsEmpty());
}

TEST(PlannerTest, KnowsItsOwnServicesByTheirId) {
  v1::Service own = Judge(Draft("r1")).service();
  own.set_service_id(Bytes('H'));
  own.set_handle("lin-206");
  ImportContext context = Context();
  context.published.push_back({own, {}});
  ListingDraft draft;
  draft.record.set_record_id("x");
  *draft.record.mutable_service() = own;
  EXPECT_EQ(Judge(draft, context).outcome(), local::v1::IMPORT_OUTCOME_UNCHANGED);
  // Somebody else's id is not taken over, nor are the ids of its conditions.
  draft.record.mutable_service()->set_service_id(Bytes('Z'));
  v1::Condition& condition = *draft.record.mutable_service()->add_conditions();
  condition.set_condition_id("other-1");
  condition.set_kind(v1::CONDITION_KIND_AGE);
  condition.set_strength(v1::CONDITION_STRENGTH_REQUIRED);
  const ImportEntry entry = Judge(draft, context);
  EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_ADDED);
  EXPECT_EQ(entry.service().service_id(), ImportedServiceId(Lin(), "town", "x").bytes());
  EXPECT_EQ(entry.service().conditions(0).condition_id(), entry.service().handle() + "-c1");
}

TEST(PlannerTest, RefusesWhatWouldUncoverAConfidentialPlace) {
  ListingDraft redacted = Draft("r1");
  redacted.record.mutable_service()->set_location_kind(v1::LOCATION_KIND_REDACTED);
  // A mapping that says nothing of addresses is not believed.
  EXPECT_THAT(Lacking(Judge(redacted)), ElementsAre("has_address"));
  redacted.record.set_has_address(false);
  const ImportEntry added = Judge(redacted);
  EXPECT_EQ(added.outcome(), local::v1::IMPORT_OUTCOME_ADDED);

  ListingDraft addressed = redacted;
  addressed.record.set_has_address(true);
  ListingDraft counted = redacted;
  counted.record.mutable_capacity()->set_maximum(4);
  for (const ListingDraft& draft : {addressed, counted}) {
    const ImportEntry entry = Judge(draft);
    EXPECT_EQ(entry.outcome(), local::v1::IMPORT_OUTCOME_REFUSED);
    EXPECT_FALSE(entry.has_service());
  }
  // What is confidential in the directory stays so, whatever a source says.
  EXPECT_EQ(Judge(Draft("r1"), After(added)).outcome(), local::v1::IMPORT_OUTCOME_REFUSED);
  // Ending it needs no address either.
  addressed.record.mutable_service()->set_withdrawn(true);
  EXPECT_EQ(Judge(addressed, After(added)).outcome(), local::v1::IMPORT_OUTCOME_REFUSED);
}

TEST(PlannerTest, HoldsBackUntilSomebodyHasLooked) {
  ListingDraft draft = Draft("r1");
  draft.Add(local::v1::RECORD_FINDING_KIND_HELD_BACK, "description", "");
  EXPECT_EQ(Judge(draft).outcome(), local::v1::IMPORT_OUTCOME_HELD_BACK);
  ImportContext context = Context();
  context.reviewed = {"r1"};
  EXPECT_EQ(Judge(draft, context).outcome(), local::v1::IMPORT_OUTCOME_ADDED);
}

TEST(PlannerTest, PublishesNoSuchWordWhoeverLooked) {
  const std::string word = std::string("RES") + "CUED";
  ImportContext context = Context();
  context.reviewed = {"r1"};
  EXPECT_EQ(Judge(Draft("r1", "service { conditions { kind: CONDITION_KIND_AGE value: '" + word +
                                  "' strength: CONDITION_STRENGTH_REQUIRED } }"),
                  context)
                .outcome(),
            local::v1::IMPORT_OUTCOME_HELD_BACK);
  context.source = "res" + std::string("cue-list");
  EXPECT_FALSE(Planner::Create(Catalogue::Default(), context).ok());
}

TEST(PlannerTest, PublishesRoomOnlyWhileItHolds) {
  const int64_t now = absl::ToUnixSeconds(Now()) / 60;
  const auto draft = [&](int64_t until) {
    return Draft("r1",
                 "capacity { status: CAPACITY_STATUS_HAS_CAPACITY available: 2 updated_minute: " +
                     std::to_string(now - 10) + " valid_until_minute: " + std::to_string(until) +
                     " }");
  };
  EXPECT_FALSE(Judge(draft(now)).has_capacity());
  const ImportEntry entry = Judge(draft(now + 1));
  ASSERT_TRUE(entry.has_capacity());
  EXPECT_EQ(entry.capacity().service_id(), entry.service().service_id());
  // However far ahead the source puts the end: four hours for a place to sleep.
  EXPECT_EQ(Judge(draft(now + 100'000)).capacity().valid_until_minute(), now - 10 + 240);
  ListingDraft to_come = draft(now + 5);
  to_come.record.mutable_capacity()->set_updated_minute(now + 1);
  EXPECT_FALSE(Judge(to_come).has_capacity());
  ImportContext context = After(entry);
  EXPECT_EQ(Judge(draft(now + 1), context).outcome(), local::v1::IMPORT_OUTCOME_CHANGED);
  context.published[0].capacity = entry.capacity();
  EXPECT_EQ(Judge(draft(now + 1), context).outcome(), local::v1::IMPORT_OUTCOME_UNCHANGED);
}

TEST(PlannerTest, RefusesNamesThatAreNone) {
  for (const char* name : {"", "Town", "a b", "a-name-that-is-too-long"}) {
    ImportContext context = Context();
    context.source = name;
    EXPECT_EQ(ReasonOf(Planner::Create(Catalogue::Default(), context).status()),
              v1::REASON_FIELD_INVALID)
        << name;
  }
  ImportContext context = Context();
  context.unit = "other.unit";
  EXPECT_FALSE(Planner::Create(Catalogue::Default(), context).ok());
}

}  // namespace
}  // namespace waymark::node
