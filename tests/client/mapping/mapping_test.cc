#include "client/mapping/mapping.h"

#include "absl/strings/escaping.h"
#include "base/policy/section_fields.h"
#include "base/status/status.h"
#include "client/mapping/json_shape.h"
#include "client/mapping/profile_judge.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/base/policy/scene.h"

namespace waymark::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using waymark::testing::SectionsOf;

constexpr char kReferral[] = "AAECAwQFBgcICQoLDA0ODw==";

// Returns what it was told, and keeps what it was given.
class FakeRunner final : public MappingRunner {
 public:
  explicit FakeRunner(std::vector<std::string> outputs) : outputs_(std::move(outputs)) {}

  absl::StatusOr<std::vector<std::string>> Run(const MappingProgram&, std::string_view input_json,
                                               const std::map<std::string, std::string>&) override {
    input = input_json;
    return outputs_;
  }

  std::string input;

 private:
  const std::vector<std::string> outputs_;
};

std::vector<PolicyFinding> NoObjection(const v1::LocalUpdate&) { return {}; }

std::vector<MappingFinding> FindingsOf(const std::string& output,
                                       const PolicyJudge& judge = NoObjection) {
  FakeRunner runner({output});
  const auto updates = MapInward(runner, {"in.jq", "."}, "{}", {}, judge);
  EXPECT_TRUE(updates.ok()) << updates.status();
  return updates->front().findings;
}

std::string Update(const std::string& rest) {
  return std::string("{\"referral_id\":\"") + kReferral + "\"," + rest + "}";
}

auto About(const std::string& field, v1::Reason reason) {
  return ::testing::AllOf(Field(&MappingFinding::field, field),
                          Field(&MappingFinding::reason, reason));
}

TEST(MapOutwardTest, ShowsOnlyTheFieldsThatMayBeOpened) {
  FakeRunner runner({"{}"});
  v1::LocalReferral referral;
  referral.set_state("STARTED");
  const v1::Sections sections = SectionsOf(
      "need { quantity: 2 } lang { preferred_language: 'ti' } iden { name_to_use: 'private' } "
      "hlth { pregnancy: ANSWER_YES not_said: 6 }");
  const std::set<uint32_t> open = {FieldByName("NEED.quantity")->field_no,
                                   FieldByName("LANG.preferred_language")->field_no};
  ASSERT_TRUE(MapOutward(runner, {"out.jq", "."}, referral, sections, open, {}).ok());
  EXPECT_EQ(runner.input,
            "{\"referral\":{\"state\":\"STARTED\"},"
            "\"sections\":{\"need\":{\"quantity\":2},\"lang\":{\"preferred_language\":\"ti\"}}}");
}

TEST(MapOutwardTest, LeavesNoTraceOfASectionThatIsClosedForEveryField) {
  v1::LocalReferral referral;
  const v1::Sections sections =
      SectionsOf("iden { name_to_use: 'private' } legl { conflict_check_required: true }");
  for (const FieldInfo& field : AllFields()) {
    if (field.section == v1::SECTION_IDEN) continue;
    const auto input = OutwardInput(referral, sections, {field.field_no});
    ASSERT_TRUE(input.ok());
    EXPECT_THAT(*input, Not(HasSubstr("iden"))) << field.name;
    EXPECT_THAT(*input, Not(HasSubstr("private"))) << field.name;
  }
}

TEST(MapInwardTest, TakesWhatIsInOrder) {
  FakeRunner runner({Update(R"("kind":"KIND_START")"),
                     Update(R"("kind":"KIND_CLOSE","outcome":"CLOSE_OUTCOME_COMPLETED",
                 "sections":{"prog":{"next_need_codes":[102]}})")});
  const auto updates = MapInward(runner, {"in.jq", "."}, "{}", {}, NoObjection);
  ASSERT_TRUE(updates.ok()) << updates.status();
  ASSERT_EQ(updates->size(), 2u);
  for (const MappedUpdate& mapped : *updates) EXPECT_THAT(mapped.findings, IsEmpty());
  EXPECT_EQ(updates->front().update.referral_id().size(), 16u);
  EXPECT_EQ(updates->back().update.outcome(), v1::CLOSE_OUTCOME_COMPLETED);
}

TEST(MapInwardTest, NamesEveryPartThatHasTheWrongShape) {
  EXPECT_THAT(FindingsOf(R"({"referral_id": "no base64!", "kind": "KIND_SECRET", "extra": "private",
        "sections": {"prog": {"offer": {"quantity": "many", "start": "soon", "conditions": "a"},
                              "call_lead": 1, "next_need_codes": [102, 1.5, -1],
                              "started_on": [], "secret": {}}}})"),
              UnorderedElementsAre(About("referral_id", v1::REASON_MALFORMED),
                                   About("kind", v1::REASON_MALFORMED),
                                   About("extra", v1::REASON_MALFORMED),
                                   About("sections.prog.offer.quantity", v1::REASON_MALFORMED),
                                   About("sections.prog.offer.start", v1::REASON_MALFORMED),
                                   About("sections.prog.offer.conditions", v1::REASON_MALFORMED),
                                   About("sections.prog.call_lead", v1::REASON_MALFORMED),
                                   About("sections.prog.next_need_codes[1]", v1::REASON_MALFORMED),
                                   About("sections.prog.next_need_codes[2]", v1::REASON_MALFORMED),
                                   About("sections.prog.started_on", v1::REASON_MALFORMED),
                                   About("sections.prog.secret", v1::REASON_MALFORMED)));
  for (const char* output : {"[]", "7", "null", "\"private\""}) {
    EXPECT_THAT(FindingsOf(output), ElementsAre(About("the document", v1::REASON_MALFORMED)))
        << output;
  }
}

TEST(MapInwardTest, NamesEveryValueThatTheSchemaRefuses) {
  EXPECT_THAT(FindingsOf(Update(R"("kind":"KIND_OFFER","sections":{
        "prog":{"started_on":{"year":2027,"month":2,"day":30},"next_need_codes":[7],
                "review_date":{"year":1,"month":1,"day":1}},
        "logi":{"appointment_at":"2027-03-12T09:00:30Z"}})")),
              UnorderedElementsAre(About("PROG.started_on", v1::REASON_FIELD_INVALID),
                                   About("PROG.next_need_codes", v1::REASON_FIELD_INVALID),
                                   About("PROG.review_date", v1::REASON_FIELD_INVALID),
                                   About("LOGI.appointment_at", v1::REASON_FIELD_INVALID)));
}

TEST(MapInwardTest, NamesWhatIsWrongWithTheStepItself) {
  EXPECT_THAT(FindingsOf(R"({"kind":"KIND_INQUIRY","outcome":"CLOSE_OUTCOME_COMPLETED"})"),
              UnorderedElementsAre(About("referral_id", v1::REASON_FIELD_INVALID),
                                   About("kind", v1::REASON_ENUM_UNKNOWN),
                                   About("outcome", v1::REASON_FIELD_INVALID)));
  EXPECT_THAT(FindingsOf(Update(R"("kind":"KIND_CLOSE")")),
              ElementsAre(About("outcome", v1::REASON_ENUM_UNKNOWN)));
}

TEST(MapInwardTest, NeverRepeatsAValue) {
  const std::string output =
      Update(R"("kind":"private","sections":{"logi":{"meeting_point":7,"remote_join_ref":"private"},
                "iden":{"nationality":"private"}})");
  for (const MappingFinding& finding : FindingsOf(output)) {
    EXPECT_THAT(finding.text, Not(HasSubstr("private")));
  }
  const std::string valid_shape =
      Update(R"("kind":"KIND_START","sections":{"iden":{"nationality":"private"}})");
  EXPECT_THAT(FindingsOf(valid_shape), Not(IsEmpty()));
  for (const MappingFinding& finding : FindingsOf(valid_shape)) {
    EXPECT_THAT(finding.text, Not(HasSubstr("private")));
  }
}

TEST(MapInwardTest, AsksTheEvaluatorAsForWhatWasTyped) {
  const auto judge = JudgeByProfile(Catalogue::Default(), 206, absl::FromUnixSeconds(1804000000));
  EXPECT_THAT(FindingsOf(Update(R"("kind":"KIND_START",
                "sections":{"prog":{"started_on":{"year":2027,"month":3,"day":9}}})"),
                         judge),
              IsEmpty());
  // A provider never writes who somebody is, and a capacity query carries no sections.
  EXPECT_THAT(FindingsOf(Update(R"("kind":"KIND_PROGRESS",
                "sections":{"iden":{"name_to_use":"Robin"},"need":{"quantity":1}})"),
                         judge),
              UnorderedElementsAre(About("IDEN.name_to_use", v1::REASON_RETURN_FIELD),
                                   About("NEED.quantity", v1::REASON_RETURN_FIELD)));
}

TEST(JudgeOutwardTest, NamesFieldsThatNoProviderHasAtThatStage) {
  v1::LocalOutward sample;
  sample.mutable_referral()->set_service_code(601);
  sample.mutable_referral()->set_stage(v1::STAGE_INQUIRY);
  *sample.mutable_sections() = SectionsOf(
      "need { service_id: '0123456789abcdef' service_code: 601 } "
      "lang { preferred_language: 'ti' } iden { name_to_use: 'Robin' }");
  const absl::Time now = absl::FromUnixSeconds(1804000000);
  const auto findings = ToMappingFindings(JudgeOutward(Catalogue::Default(), sample, now));
  EXPECT_THAT(findings, ElementsAre(About("IDEN.name_to_use", v1::REASON_PROFILE_FIELD)));
}

TEST(FindRoomFaultsTest, NamesWhatCannotBePublished) {
  const absl::Time now = absl::FromUnixSeconds(1804000000);
  v1::Capacity room;
  room.set_service_id("0123456789abcdef");
  room.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
  room.set_available(2);
  EXPECT_THAT(FindRoomFaults(room, now), IsEmpty());
  room.set_valid_until_minute(absl::ToUnixSeconds(now) / 60 - 1);
  EXPECT_THAT(FindRoomFaults(room, now), ElementsAre(About("", v1::REASON_FIELD_INVALID)));
  room.clear_valid_until_minute();
  room.set_maximum(1);
  EXPECT_THAT(FindRoomFaults(room, now), ElementsAre(About("", v1::REASON_FIELD_INVALID)));
  room.clear_maximum();
  room.clear_status();
  EXPECT_THAT(FindRoomFaults(room, now), ElementsAre(About("", v1::REASON_ENUM_UNKNOWN)));
}

TEST(ToStatusTest, ListsEverything) {
  EXPECT_TRUE(ToStatus("row 7", std::vector<MappingFinding>()).ok());
  const absl::Status status =
      ToStatus("row 7", {{v1::REASON_RETURN_FIELD, "IDEN.name_to_use", "does not come back"},
                         {v1::REASON_FIELD_INVALID, "", "is empty"}});
  EXPECT_EQ(ReasonOf(status), v1::REASON_RETURN_FIELD);
  EXPECT_THAT(status.message(), HasSubstr("row 7: IDEN.name_to_use does not come back; is empty"));
}

TEST(FindShapeFaultsTest, TakesEveryFormThatTheParserTakes) {
  for (const char* json :
       {R"({"kind":7,"sections":{"prog":{"nextNeedCodes":["102",103],"offer":null}}})",
        R"({"referralId":"AAECAwQFBgcICQoLDA0ODw"})", "{}",
        R"({"sections":{"logi":{"appointment_at":"2027-03-12T10:00:00.5+01:00",
            "arrival_window":{"from_minute":"5","to_minute":6e0}}}})"}) {
    v1::LocalUpdate update;
    EXPECT_THAT(FindShapeFaults(json, *v1::LocalUpdate::descriptor()), IsEmpty()) << json;
    EXPECT_THAT(ReadCanonical(json, update), IsEmpty()) << json;
  }
}

}  // namespace
}  // namespace waymark::node
