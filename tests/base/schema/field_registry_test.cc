#include "base/schema/field_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status/status.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/sections.pb.h"

namespace waymark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Names(const std::vector<const FieldInfo*>& fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const FieldInfo* field : fields) names.push_back(field->name);
  return names;
}

TEST(FieldRegistryTest, FindsAFieldByNumberNameAndDescriptor) {
  const FieldInfo* field = FieldByNumber(301);
  ASSERT_NE(field, nullptr);
  EXPECT_EQ(field->name, "LANG.preferred_language");
  EXPECT_EQ(field->section, v1::SECTION_LANG);
  EXPECT_EQ(field->data_class, v1::DATA_CLASS_QUASI);
  EXPECT_TRUE(field->coarse);
  EXPECT_FALSE(field->locating);
  EXPECT_EQ(field->format, v1::VALUE_FORMAT_LANGUAGE_TAG);
  EXPECT_EQ(FieldByName("LANG.preferred_language"), field);
  EXPECT_EQ(FieldByDescriptor(*field->descriptor), field);
}

TEST(FieldRegistryTest, AnswersNullForWhatIsNoField) {
  EXPECT_EQ(FieldByNumber(0), nullptr);
  EXPECT_EQ(FieldByNumber(399), nullptr);
  EXPECT_EQ(FieldByName("LANG.not_said"), nullptr);
  EXPECT_EQ(FieldByName("lang.preferred_language"), nullptr);
  EXPECT_EQ(FieldByDescriptor(*v1::Offer::descriptor()->field(0)), nullptr);
  EXPECT_THAT(FieldsOf(v1::SECTION_UNSPECIFIED), IsEmpty());
}

TEST(FieldRegistryTest, NamesSections) {
  EXPECT_EQ(SectionName(v1::SECTION_XBOR), "XBOR");
  EXPECT_EQ(SectionName(v1::SECTION_UNSPECIFIED), "");
  EXPECT_EQ(SectionFromName("RTE"), v1::SECTION_RTE);
  EXPECT_EQ(SectionFromName("rte"), v1::SECTION_UNSPECIFIED);
  EXPECT_EQ(SectionFromName("UNSPECIFIED"), v1::SECTION_UNSPECIFIED);
  EXPECT_EQ(SectionOf(*v1::Header::descriptor()), v1::SECTION_RTE);
  EXPECT_EQ(SectionOf(*v1::Payload::descriptor()), v1::SECTION_UNSPECIFIED);
  EXPECT_EQ(SectionDescriptor(v1::SECTION_GOAL), v1::GoalSection::descriptor());
}

TEST(FieldRegistryTest, ReadsListsOfNames) {
  const auto fields = ParseFieldList(" PARTY.age_band,LANG.preferred_language , PARTY.age_band,");
  ASSERT_TRUE(fields.ok());
  EXPECT_THAT(Names(*fields), ElementsAre("PARTY.age_band", "LANG.preferred_language"));
  EXPECT_THAT(*ParseFieldList("  "), IsEmpty());
}

TEST(FieldRegistryTest, NamesTheFirstNameThatIsNoField) {
  const auto fields = ParseFieldList("PARTY.age_band, PARTY.shoe_size");
  EXPECT_EQ(ReasonOf(fields.status()), v1::REASON_FIELD_INVALID);
  EXPECT_THAT(std::string(fields.status().message()), HasSubstr("PARTY.shoe_size"));
  EXPECT_FALSE(ParseFieldList(",PARTY.age_band").ok());
}

TEST(FieldRegistryTest, FieldsInCountsWhatThePersonPreferredNotToSay) {
  v1::PartySection party;
  EXPECT_THAT(FieldsIn(party), IsEmpty());
  party.set_adults_band(v1::ADULTS_BAND_ONE);
  party.add_not_said(v1::PartySection::kAgeBandFieldNumber);
  party.add_not_said(49);
  EXPECT_THAT(Names(FieldsIn(party)), ElementsAre("PARTY.adults_band", "PARTY.age_band"));
}

TEST(FieldRegistryTest, FieldsInSeesZeroesThatWereSet) {
  v1::GoalSection goal;
  goal.set_self_rating(0);
  EXPECT_THAT(Names(FieldsIn(goal)), ElementsAre("GOAL.self_rating"));
}

}  // namespace
}  // namespace waymark
