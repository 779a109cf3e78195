#include "base/envelope/header.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/status/status.h"
#include "tests/base/envelope/fixture.h"

namespace waymark {
namespace {

using Change = std::function<void(v1::Header&)>;

struct HeaderCase {
  std::string name;
  Change change;
  v1::Reason expected;
};

class HeaderShapeTest : public ::testing::TestWithParam<HeaderCase> {};

TEST_P(HeaderShapeTest, SaysWhatIsWrong) {
  v1::Header header = testing::Envelope().Header();
  ASSERT_TRUE(CheckHeaderShape(header).ok());
  GetParam().change(header);
  EXPECT_EQ(ReasonOf(CheckHeaderShape(header)), GetParam().expected);
  EXPECT_EQ(ReasonOf(ParseHeader(header.SerializeAsString()).status()), GetParam().expected);
}

const std::string kZeroId(16, '\0');

INSTANTIATE_TEST_SUITE_P(
    Rows, HeaderShapeTest,
    ::testing::Values(
        HeaderCase{"Whole", [](v1::Header&) {}, v1::REASON_UNSPECIFIED},
        HeaderCase{"MessageIdShort", [](auto& h) { h.set_message_id("short"); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"MessageIdZero", [](auto& h) { h.set_message_id(kZeroId); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"ReferralIdAbsent", [](auto& h) { h.clear_referral_id(); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"SenderAbsent", [](auto& h) { h.clear_sender_unit(); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"RecipientAbsent", [](auto& h) { h.clear_recipient_unit(); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"ToItself", [](auto& h) { h.set_recipient_unit(h.sender_unit()); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"KindUnspecified", [](auto& h) { h.clear_kind(); }, v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"KindUnknown", [](auto& h) { h.set_kind(static_cast<v1::Kind>(99)); },
                   v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"StageUnspecified", [](auto& h) { h.clear_stage(); }, v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"StageUnknown", [](auto& h) { h.set_stage(static_cast<v1::Stage>(9)); },
                   v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"UrgencyUnknown", [](auto& h) { h.set_urgency(static_cast<v1::Urgency>(9)); },
                   v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"BucketUnspecified", [](auto& h) { h.clear_size_bucket(); },
                   v1::REASON_ENUM_UNKNOWN},
        HeaderCase{"SentAbsent", [](auto& h) { h.clear_sent_minute(); }, v1::REASON_TIME_INVALID},
        HeaderCase{"SentNegative", [](auto& h) { h.set_sent_minute(-1); }, v1::REASON_TIME_INVALID},
        HeaderCase{"DueBeforeSent", [](auto& h) { h.set_respond_by(h.sent_minute() - 1); },
                   v1::REASON_TIME_INVALID},
        HeaderCase{"DueFarAway", [](auto& h) { h.set_respond_by(kEndOfMinutes); },
                   v1::REASON_TIME_INVALID},
        HeaderCase{"ExpiresWhenSent", [](auto& h) { h.set_expires_at(h.sent_minute()); },
                   v1::REASON_TIME_INVALID},
        HeaderCase{"ExpiresNever", [](auto& h) { h.set_expires_at(INT64_MAX); },
                   v1::REASON_TIME_INVALID},
        HeaderCase{"TokenHashShort", [](auto& h) { h.set_token_hash("short"); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"TokenWithoutEnd", [](auto& h) { h.set_token_hash(std::string(32, 't')); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"EndWithoutToken", [](auto& h) { h.set_token_valid_until(500'000); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"Token",
                   [](auto& h) {
                     h.set_token_hash(std::string(32, 't'));
                     h.set_token_valid_until(500'000);
                   },
                   v1::REASON_UNSPECIFIED},
        HeaderCase{"SchemaOld", [](auto& h) { h.clear_schema_version(); },
                   v1::REASON_VERSION_UNSUPPORTED},
        HeaderCase{"SchemaNew", [](auto& h) { h.set_schema_version(kSchemaVersion + 1); },
                   v1::REASON_VERSION_UNSUPPORTED},
        HeaderCase{"TaxonomyAbsent", [](auto& h) { h.clear_taxonomy_version(); },
                   v1::REASON_FIELD_INVALID},
        HeaderCase{"ExtraField",
                   [](auto& h) { h.GetReflection()->MutableUnknownFields(&h)->AddVarint(77, 1); },
                   v1::REASON_MALFORMED}),
    [](const auto& tested) { return tested.param.name; });

TEST(ParseHeaderTest, RefusesWhatIsNoHeader) {
  EXPECT_EQ(ReasonOf(ParseHeader("\xff\xff").status()), v1::REASON_MALFORMED);
  EXPECT_EQ(ReasonOf(ParseHeader(std::string(kMaxHeaderBytes + 1, '\0')).status()),
            v1::REASON_MALFORMED);
}

TEST(TravelTest, EveryKindOfAReferralHasItsWay) {
  EXPECT_EQ(TravelOf(v1::KIND_INQUIRY), Travel::kForward);
  EXPECT_EQ(TravelOf(v1::KIND_DISCLOSE), Travel::kForward);
  EXPECT_EQ(TravelOf(v1::KIND_OFFER), Travel::kReturn);
  EXPECT_EQ(TravelOf(v1::KIND_PROGRESS), Travel::kReturn);
  EXPECT_EQ(TravelOf(v1::KIND_CANCEL), Travel::kEither);
  EXPECT_EQ(TravelOf(v1::KIND_NOTICE), Travel::kEither);
}

}  // namespace
}  // namespace waymark
