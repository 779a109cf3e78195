#include "base/schema/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/base/schema/fill.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/sections.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename Section>
Section Filled() {
  Section section;
  Fill(section);
  return section;
}

void ExpectInvalid(const google::protobuf::Message& section, const std::string& field,
                   v1::Reason reason = v1::REASON_FIELD_INVALID) {
  const absl::Status status = ValidateSection(section);
  EXPECT_EQ(ReasonOf(status), reason) << field;
  EXPECT_THAT(std::string(status.message()), HasSubstr(field));
}

TEST(ValidateTest, TakesEverySectionEmptyAndFull) {
  for (int i = v1::SECTION_REF; i <= v1::Section_MAX; ++i) {
    const auto* type = SectionDescriptor(static_cast<v1::Section>(i));
    const std::unique_ptr<google::protobuf::Message> section(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    const bool sealed = i != v1::SECTION_RTE && i != v1::SECTION_CON;
    EXPECT_EQ(ValidateSection(*section).ok(), sealed) << type->name();
    Fill(*section);
    EXPECT_EQ(ValidateSection(*section), absl::OkStatus());
  }
}

// One wrong value each; the first part of the name is the field that the error must name.
TEST(ValidateTest, NamesTheFieldOfAWrongText) {
  for (const char* tag : {"", "t", "tigrinya", "ti_ER", "ti-", "ti--ER", "ti-123456789", "1i"}) {
    v1::LangSection lang;
    lang.set_preferred_language(tag);
    ExpectInvalid(lang, "LANG.preferred_language");
  }
  for (const char* area : {"", "XA", "XA-", "xa-N2", "XA-n2", "XA-N2-3", "XA-123456789"}) {
    v1::NeedSection need;
    need.set_area_wanted(area);
    ExpectInvalid(need, "NEED.area_wanted");
  }
  for (const char* country : {"", "X", "XAA", "xa", "X1"}) {
    v1::IdenSection iden;
    iden.set_nationality(country);
    ExpectInvalid(iden, "IDEN.nationality");
  }
  for (const char* id : {"", "LIN", "lin_1", "01234567890123456789012345678901234567890"}) {
    v1::EligSection elig;
    elig.set_condition_id(id);
    ExpectInvalid(elig, "ELIG.condition_id");
  }
  for (const char* ref : {"", "https://x", "a b"}) {
    v1::LogiSection logi;
    logi.set_remote_join_ref(ref);
    ExpectInvalid(logi, "LOGI.remote_join_ref");
  }
}

TEST(ValidateTest, TakesOrdinaryTexts) {
  v1::LangSection lang;
  lang.set_preferred_language("ti");
  lang.add_other_languages("zh-Hant-TW");
  EXPECT_EQ(ValidateSection(lang), absl::OkStatus());
  v1::IdenSection iden;
  iden.set_name_to_use("\xE1\x88\xB3\xE1\x88\xAB");
  EXPECT_EQ(ValidateSection(iden), absl::OkStatus());
}

TEST(ValidateTest, BoundsFreeTextInCharactersAndKeepsItOnOneLine) {
  v1::GoalSection goal;
  std::string umlauts;
  for (int i = 0; i < 140; ++i) umlauts += "\xC3\xBC";
  goal.set_wording(umlauts);
  EXPECT_EQ(ValidateSection(goal), absl::OkStatus());
  goal.set_wording(umlauts + "x");
  ExpectInvalid(goal, "GOAL.wording");
  goal.set_wording("two\nlines");
  ExpectInvalid(goal, "GOAL.wording");
}

TEST(ValidateTest, ErrorsRepeatNoValue) {
  v1::LangSection lang;
  lang.set_preferred_language("secret value");
  EXPECT_THAT(std::string(ValidateSection(lang).message()), Not(HasSubstr("secret")));
}

TEST(ValidateTest, RejectsIdsThatAreNotSixteenBytes) {
  for (const size_t size : {0, 15, 17}) {
    v1::NeedSection need;
    need.set_need_ref(std::string(size, 'x'));
    ExpectInvalid(need, "NEED.need_ref");
  }
  v1::NeedSection need;
  need.add_linked_need_refs(std::string(16, '\0'));
  ExpectInvalid(need, "NEED.linked_need_refs");
}

TEST(ValidateTest, RejectsEnumValuesThatAreUnspecifiedOrUnknown) {
  v1::PrefSection pref;
  pref.set_worker_gender(v1::GENDER_PREFERENCE_UNSPECIFIED);
  ExpectInvalid(pref, "PREF.worker_gender", v1::REASON_ENUM_UNKNOWN);
  pref.set_worker_gender(static_cast<v1::GenderPreference>(99));
  ExpectInvalid(pref, "PREF.worker_gender", v1::REASON_ENUM_UNKNOWN);
  pref.set_worker_gender(v1::GENDER_PREFERENCE_FEMALE);
  pref.add_diet(v1::DIET_NO_PORK);
  pref.add_diet(v1::DIET_UNSPECIFIED);
  ExpectInvalid(pref, "PREF.diet", v1::REASON_ENUM_UNKNOWN);
}

TEST(ValidateTest, RejectsNumbersOutOfRange) {
  v1::GoalSection goal;
  goal.set_importance(0);
  ExpectInvalid(goal, "GOAL.importance");
  goal.set_importance(6);
  ExpectInvalid(goal, "GOAL.importance");
  goal.set_importance(5);
  goal.set_self_rating(5);
  ExpectInvalid(goal, "GOAL.self_rating");
  v1::NeedSection need;
  need.set_service_code(100);
  ExpectInvalid(need, "NEED.service_code");
  v1::ProgSection prog;
  prog.add_next_need_codes(10000);
  ExpectInvalid(prog, "PROG.next_need_codes");
}

TEST(ValidateTest, RejectsTimesThatAreNotWholeMinutesOrOutOfOrder) {
  v1::NeedSection need = Filled<v1::NeedSection>();
  need.mutable_earliest_start()->set_seconds(need.earliest_start().seconds() + 1);
  ExpectInvalid(need, "NEED.earliest_start");
  need.mutable_earliest_start()->set_seconds(need.latest_start().seconds() + 60);
  ExpectInvalid(need, "NEED.latest_start");
  v1::SafeSection safe;
  safe.mutable_confirmed_at()->set_nanos(1);
  ExpectInvalid(safe, "SAFE.confirmed_at");
}

TEST(ValidateTest, RejectsDatesThatDoNotExist) {
  v1::IdenSection iden;
  for (const auto& [year, month, day] :
       {std::tuple{2027, 2, 29}, {2027, 0, 1}, {2027, 13, 1}, {1899, 1, 1}, {2200, 1, 1}}) {
    iden.mutable_date_of_birth()->set_year(year);
    iden.mutable_date_of_birth()->set_month(month);
    iden.mutable_date_of_birth()->set_day(day);
    ExpectInvalid(iden, "IDEN.date_of_birth");
  }
}

TEST(ValidateTest, RejectsSpansThatEndBeforeTheyBegin) {
  v1::LogiSection logi = Filled<v1::LogiSection>();
  logi.mutable_arrival_window()->set_to_minute(logi.arrival_window().from_minute());
  ExpectInvalid(logi, "LOGI.arrival_window");
  v1::XborSection xbor = Filled<v1::XborSection>();
  xbor.mutable_travel_window()->mutable_from()->set_day(10);
  ExpectInvalid(xbor, "XBOR.travel_window");
  v1::ContSection cont = Filled<v1::ContSection>();
  cont.mutable_safe_windows(0)->set_weekday(8);
  ExpectInvalid(cont, "CONT.safe_windows");
}

TEST(ValidateTest, WantsTheRequiredFieldsOfMessagesInsideASection) {
  v1::ProgSection prog = Filled<v1::ProgSection>();
  prog.mutable_offer()->clear_hold_until();
  ExpectInvalid(prog, "PROG.offer.hold_until is missing");
  prog = Filled<v1::ProgSection>();
  prog.mutable_offer()->clear_quantity();
  ExpectInvalid(prog, "PROG.offer.quantity");
  prog = Filled<v1::ProgSection>();
  prog.mutable_milestone_update()->clear_status();
  ExpectInvalid(prog, "PROG.milestone_update.status", v1::REASON_ENUM_UNKNOWN);
}

TEST(ValidateTest, BoundsLists) {
  v1::LangSection lang;
  for (int i = 0; i < 9; ++i) lang.add_other_languages("en");
  ExpectInvalid(lang, "LANG.other_languages has more than 8 entries");
}

TEST(ValidateTest, ChecksWhatThePersonPreferredNotToSay) {
  v1::PartySection party;
  party.add_not_said(v1::PartySection::kAgeBandFieldNumber);
  EXPECT_EQ(ValidateSection(party), absl::OkStatus());
  party.set_age_band(v1::AGE_BAND_25_TO_39);
  ExpectInvalid(party, "PARTY.age_band");
  party.clear_age_band();
  party.add_not_said(v1::PartySection::kAgeBandFieldNumber);
  ExpectInvalid(party, "PARTY.not_said");
  party.clear_not_said();
  party.add_not_said(kNotSaidNumber);
  ExpectInvalid(party, "PARTY.not_said");
}

TEST(ValidateTest, RejectsUnknownFieldsAtAnyDepth) {
  v1::ProgSection prog = Filled<v1::ProgSection>();
  v1::Offer::GetReflection()->MutableUnknownFields(prog.mutable_offer())->AddVarint(9, 1);
  ExpectInvalid(prog, "PROG.offer has a field");
  v1::NeedSection need;
  v1::NeedSection::GetReflection()->MutableUnknownFields(&need)->AddVarint(49, 1);
  ExpectInvalid(need, "NEED has a field");
}

TEST(ValidateTest, ChecksHeaderAndToken) {
  v1::Header header = Filled<v1::Header>();
  header.clear_kind();
  ExpectInvalid(header, "RTE.kind", v1::REASON_ENUM_UNKNOWN);
  v1::ConsentToken token = Filled<v1::ConsentToken>();
  token.mutable_valid_until()->set_seconds(token.valid_until().seconds() + 60);
  ExpectInvalid(token, "CON.valid_until");
  token = Filled<v1::ConsentToken>();
  token.clear_valid_from();
  ExpectInvalid(token, "CON.valid_from is missing");
  token = Filled<v1::ConsentToken>();
  token.add_scope_fields(1801);
  ExpectInvalid(token, "CON.scope_fields");
}

TEST(ValidateTest, ChecksEverySectionOfAContainer) {
  v1::Sections sections;
  EXPECT_EQ(ValidateSections(sections), absl::OkStatus());
  sections.mutable_need()->set_quantity(1);
  sections.add_elig()->set_answer(v1::ANSWER_YES);
  EXPECT_EQ(ValidateSections(sections), absl::OkStatus());
  sections.add_elig()->set_condition_id("NO");
  EXPECT_EQ(ReasonOf(ValidateSections(sections)), v1::REASON_FIELD_INVALID);
  sections.clear_elig();
  for (int i = 0; i < 17; ++i) sections.add_depn()->set_age_years(4);
  EXPECT_EQ(ReasonOf(ValidateSections(sections)), v1::REASON_FIELD_INVALID);
  sections.clear_depn();
  v1::Sections::GetReflection()->MutableUnknownFields(&sections)->AddVarint(99, 1);
  EXPECT_EQ(ReasonOf(ValidateSections(sections)), v1::REASON_FIELD_INVALID);
}

}  // namespace
}  // namespace waymark
