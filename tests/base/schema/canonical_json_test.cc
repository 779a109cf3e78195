#include "base/schema/canonical_json.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/base/schema/fill.h"
#include "waymark/v1/sections.pb.h"

namespace waymark {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CanonicalJsonTest, EverySectionComesBackAsItWas) {
  for (int i = v1::SECTION_REF; i <= v1::Section_MAX; ++i) {
    const auto* type = SectionDescriptor(static_cast<v1::Section>(i));
    const auto* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
    const std::unique_ptr<google::protobuf::Message> before(prototype->New());
    const std::unique_ptr<google::protobuf::Message> after(prototype->New());
    Fill(*before);
    const auto json = ToJson(*before);
    ASSERT_TRUE(json.ok());
    ASSERT_EQ(FromJson(*json, *after), absl::OkStatus()) << type->name();
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*before, *after));
  }
}

TEST(CanonicalJsonTest, KeepsTheNamesOfFields) {
  v1::LangSection lang;
  lang.set_preferred_language("ti");
  lang.set_interpreter_required(v1::ANSWER_YES);
  EXPECT_EQ(*ToJson(lang), R"({"preferred_language":"ti","interpreter_required":"ANSWER_YES"})");
}

TEST(CanonicalJsonTest, RejectsWhatTheMessageDoesNotHave) {
  v1::LangSection lang;
  for (const char* json : {"", "[]", "{", R"({"mother_tongue":"ti"})", R"({"reading_support":"X"})",
                           R"({"preferred_language":["ti"]})"}) {
    lang.set_preferred_language("en");
    EXPECT_EQ(ReasonOf(FromJson(json, lang)), v1::REASON_MALFORMED) << json;
    EXPECT_FALSE(lang.has_preferred_language());
  }
}

TEST(CanonicalJsonTest, ErrorsRepeatNoValue) {
  v1::LangSection lang;
  const absl::Status status = FromJson(R"({"reading_support":"canary"})", lang);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("canary")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("LangSection"));
}

TEST(CanonicalJsonTest, WholeJsonHasEveryList) {
  v1::LangSection lang;
  lang.set_preferred_language("ti");
  const std::string json = *ToWholeJson(lang);
  EXPECT_THAT(json, HasSubstr(R"("preferred_language":"ti")"));
  EXPECT_THAT(json, HasSubstr(R"("other_languages":[])"));
  EXPECT_THAT(json, HasSubstr(R"("not_said":[])"));
  EXPECT_THAT(json, Not(HasSubstr("interpreter_required"))) << "it is optional and not set";
}

}  // namespace
}  // namespace waymark
