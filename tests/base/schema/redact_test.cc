#include "base/schema/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/base/schema/fill.h"
#include "waymark/v1/message.pb.h"

namespace waymark {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RedactTest, ShowsWhatDoesNotPointToAPerson) {
  v1::LangSection lang;
  lang.set_preferred_language("ti");
  lang.set_interpreter_mode(v1::INTERPRETER_MODE_PHONE);
  EXPECT_EQ(Redacted(lang),
            "preferred_language: [redacted] interpreter_mode: INTERPRETER_MODE_PHONE");
}

TEST(RedactTest, ShowsTheWholeValueOfANonIdentifyingField) {
  v1::ProgSection prog;
  prog.mutable_offer()->set_quantity(2);
  prog.mutable_offer()->add_conditions("lin206-age");
  prog.set_end_reason(v1::END_REASON_NOT_NOW);
  EXPECT_EQ(Redacted(prog),
            "offer: { quantity: 2 conditions: [\"lin206-age\"] } end_reason: [redacted]");
}

TEST(RedactTest, HidesWhatThePersonPreferredNotToSay) {
  v1::HlthSection hlth;
  hlth.add_not_said(v1::HlthSection::kPregnancyFieldNumber);
  EXPECT_EQ(Redacted(hlth), "not_said: [redacted]");
}

TEST(RedactTest, ReachesSectionsInsideOtherMessages) {
  v1::Payload payload;
  payload.set_token("canary");
  Fill(*payload.mutable_sections());
  payload.mutable_clarification()->set_condition_id("canary");
  const std::string text = Redacted(payload);
  EXPECT_THAT(text, HasSubstr("token: [redacted]"));
  EXPECT_THAT(text, HasSubstr("condition_id: [redacted]"));
  EXPECT_THAT(text, HasSubstr("name_to_use: [redacted]"));
  EXPECT_THAT(text, HasSubstr("interpreter_mode: INTERPRETER_MODE_ANY"));
}

TEST(RedactTest, NeverShowsUnknownFields) {
  v1::NeedSection need;
  v1::NeedSection::GetReflection()->MutableUnknownFields(&need)->AddLengthDelimited(49, "canary");
  EXPECT_THAT(Redacted(need), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace waymark
