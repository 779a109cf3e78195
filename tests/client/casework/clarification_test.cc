#include "client/casework/clarification.h"

#include "base/random/random.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "gmock/gmock.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Clarification Of(v1::ClarificationCode code, const std::string& condition = "",
                     const std::vector<uint32_t>& fields = {}) {
  v1::Clarification clarification;
  clarification.set_code(code);
  clarification.set_condition_id(condition);
  clarification.mutable_field_nos()->Assign(fields.begin(), fields.end());
  return clarification;
}

uint32_t NumberOf(const char* name) { return FieldByName(name)->field_no; }

TEST(ClarificationTest, ACodeComesWithWhatItNeeds) {
  const auto check = [](const v1::Clarification& clarification) {
    return ReasonOf(CheckClarification(clarification));
  };
  const uint32_t language = NumberOf("LANG.preferred_language");
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_UNSPECIFIED)), v1::REASON_ENUM_UNKNOWN);
  EXPECT_EQ(check(Of(static_cast<v1::ClarificationCode>(99))), v1::REASON_ENUM_UNKNOWN);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_CALL_UNIT)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_FIELDS_NEEDED)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_FIELDS_NEEDED, "", {language})),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_FIELDS_NEEDED, "", {4242})), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(
      check(Of(v1::CLARIFICATION_CODE_FIELDS_NEEDED, "", std::vector<uint32_t>(17, language))),
      v1::REASON_FIELD_INVALID);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_CONDITION_ANSWER)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_CONDITION_ANSWER, "lin206-age")),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(check(Of(v1::CLARIFICATION_CODE_CONDITION_ANSWER, "Is she over 18?")),
            v1::REASON_FIELD_INVALID)
      << "no free text";
}

TEST(ClarificationTest, AQuestionIsAboutFields) {
  EXPECT_THAT(FieldsAskedFor(Of(v1::CLARIFICATION_CODE_FIELDS_NEEDED, "", {7, 3})),
              ElementsAre(3, 7));
  EXPECT_THAT(FieldsAskedFor(Of(v1::CLARIFICATION_CODE_SMALLER_QUANTITY)),
              ElementsAre(NumberOf("NEED.quantity")));
  EXPECT_EQ(FieldsAskedFor(Of(v1::CLARIFICATION_CODE_OTHER_DATES)),
            (std::set<uint32_t>{NumberOf("NEED.earliest_start"), NumberOf("NEED.latest_start")}));
  EXPECT_EQ(FieldsAskedFor(Of(v1::CLARIFICATION_CODE_CONDITION_ANSWER, "lin206-age")),
            (std::set<uint32_t>{NumberOf("ELIG.condition_id"), NumberOf("ELIG.answer")}));
  EXPECT_THAT(FieldsAskedFor(Of(v1::CLARIFICATION_CODE_CALL_UNIT)), IsEmpty());
}

TEST(ClarificationTest, AQuestionIsOpenUntilItIsAnswered) {
  local::v1::Referral referral;
  const auto say = [&](v1::ClarificationCode code, bool sent) -> local::v1::Event& {
    local::v1::Event& event = *referral.add_events();
    event.set_sent(sent);
    *event.mutable_clarification() = Of(code);
    return event;
  };
  EXPECT_EQ(OpenQuestion(referral), nullptr);
  say(v1::CLARIFICATION_CODE_CALL_UNIT, /*sent=*/true);
  EXPECT_EQ(OpenQuestion(referral), nullptr) << "an own question waits for the others";
  say(v1::CLARIFICATION_CODE_OTHER_DATES, /*sent=*/false);
  ASSERT_NE(OpenQuestion(referral), nullptr);
  EXPECT_EQ(OpenQuestion(referral)->code(), v1::CLARIFICATION_CODE_OTHER_DATES);
  referral.add_events()->set_kind(v1::KIND_DISCLOSE);
  EXPECT_NE(OpenQuestion(referral), nullptr);
  local::v1::Event& answer = say(v1::CLARIFICATION_CODE_ANSWERED, /*sent=*/true);
  EXPECT_EQ(OpenQuestion(referral), nullptr);
  answer.set_delivery(v1::DELIVERY_STATE_REFUSED);
  EXPECT_NE(OpenQuestion(referral), nullptr);
  say(v1::CLARIFICATION_CODE_PREFER_NOT_TO_SAY, /*sent=*/false);
  EXPECT_EQ(OpenQuestion(referral), nullptr) << "an answer asks for none";
}

}  // namespace
}  // namespace waymark::node
