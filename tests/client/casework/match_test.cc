#include "client/casework/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random/random.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A directory of scenario 1's kind, one service a unit.
class MatchTest : public ::testing::Test {
 protected:
  struct Entry {
    v1::Service service;
    v1::Unit unit;
    v1::Member member;
    OrganisationId organisation;
    v1::Profile profile;
    v1::CapacityStatus capacity = v1::CAPACITY_STATUS_HAS_CAPACITY;
  };

  MatchTest() {
    need_.set_service_code(206);
    need_.mutable_section()->set_area_wanted("XA-M");
    need_.mutable_section()->set_min_duration_days(14);
    person_.mutable_sections()->mutable_pref()->set_faith_setting(v1::SETTING_PREFERENCE_AVOID);
    person_.mutable_sections()->mutable_party()->set_children_band(v1::CHILDREN_BAND_ONE);
  }

  Entry& Add(const std::string& handle, uint32_t code) {
    entries_.push_back(std::make_unique<Entry>());
    Entry& entry = *entries_.back();
    entry.service.set_handle(handle);
    entry.service.set_code(code);
    entry.service.add_service_areas("XA-M");
    entry.unit.set_unit_id(UnitId::Generate(SystemRandom()).bytes());
    entry.unit.set_handle(handle + ".unit");
    entry.organisation = OrganisationId::Generate(SystemRandom());
    entry.member.set_status(v1::MEMBER_STATUS_ACTIVE);
    entry.member.set_organisation_class(v1::ORGANISATION_CLASS_NGO);
    entry.profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
    return entry;
  }

  std::vector<v1::ServiceMatch> Run() {
    std::vector<Candidate> candidates;
    for (const auto& entry : entries_) {
      Candidate candidate;
      candidate.service = &entry->service;
      candidate.unit = &entry->unit;
      candidate.member = &entry->member;
      candidate.organisation = entry->organisation;
      candidate.profile = &entry->profile;
      candidate.capacity = entry->capacity;
      candidates.push_back(candidate);
    }
    return Match(Catalogue::Default(), person_, need_, candidates);
  }

  std::vector<std::string> Handles() {
    std::vector<std::string> handles;
    for (const v1::ServiceMatch& match : Run()) {
      handles.push_back(match.entry().service().handle());
    }
    return handles;
  }

  // The criteria of the only match that speak against it.
  std::vector<std::string> Conflicts() {
    std::vector<std::string> criteria;
    for (const v1::ServiceMatch& match : Run()) {
      for (const v1::MatchFinding& finding : match.findings()) {
        if (finding.verdict() == v1::MATCH_VERDICT_CONFLICTS) {
          criteria.push_back(finding.criterion());
        }
      }
    }
    return criteria;
  }

  v1::Case person_;
  v1::Need need_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

TEST_F(MatchTest, OnlyServicesOfTheCodeAreListed) {
  Add("lin-206", 206);
  Add("bwi-601", 601);
  Add("two-in-one", 201).service.add_secondary_codes(206);
  Add("closed", 206).service.set_withdrawn(true);
  EXPECT_THAT(Handles(), ElementsAre("lin-206", "two-in-one"));
}

TEST_F(MatchTest, FitsWhenNothingSpeaksAgainstIt) {
  Add("lin-206", 206);
  EXPECT_THAT(Conflicts(), IsEmpty());
  EXPECT_EQ(Run().front().verdict(), v1::MATCH_VERDICT_FITS);
}

TEST_F(MatchTest, UnconditionalComesFirstThenRoomThenHandle) {
  Add("a-conditional", 206).service.add_conditions()->set_kind(v1::CONDITION_KIND_LE_COOPERATION);
  entries_.back()->service.mutable_conditions(0)->set_strength(v1::CONDITION_STRENGTH_REQUIRED);
  Add("b-unknown", 206).capacity = v1::CAPACITY_STATUS_UNKNOWN;
  Add("d-room", 206);
  Add("c-room", 206);
  EXPECT_THAT(Handles(), ElementsAre("c-room", "d-room", "b-unknown", "a-conditional"));
}

TEST_F(MatchTest, ConflictsComeLastAndSayWhy) {
  Add("a-elsewhere", 206).service.set_service_areas(0, "XA-N2");
  Add("lin-206", 206);
  EXPECT_THAT(Handles(), ElementsAre("lin-206", "a-elsewhere"));
  EXPECT_THAT(Conflicts(), ElementsAre("AREA"));
}

TEST_F(MatchTest, ExpectedFaithConflictsWithAvoiding) {
  Add("stb-206", 206).profile.set_faith_participation(v1::FAITH_PARTICIPATION_EXPECTED);
  EXPECT_THAT(Conflicts(), ElementsAre("FAITH"));
  person_.mutable_sections()->mutable_pref()->set_faith_setting(v1::SETTING_PREFERENCE_ACCEPT);
  EXPECT_THAT(Conflicts(), IsEmpty());
}

TEST_F(MatchTest, AnExcludedUnitOrOrganisationConflicts) {
  Entry& entry = Add("lin-206", 206);
  person_.add_excluded(entry.unit.unit_id());
  EXPECT_THAT(Conflicts(), ElementsAre("EXCLUDED"));
  person_.set_excluded(0, entry.organisation.bytes());
  EXPECT_THAT(Conflicts(), ElementsAre("EXCLUDED"));
}

TEST_F(MatchTest, ABlockedClassIsMarked) {
  Add("cpl-206", 206).member.set_organisation_class(v1::ORGANISATION_CLASS_LAW_ENFORCEMENT);
  EXPECT_TRUE(Run().front().blocked_class());
  EXPECT_THAT(Conflicts(), ElementsAre("CLASS"));
}

TEST_F(MatchTest, AnAvoidedAreaConflicts) {
  Add("lin-206", 206);
  person_.mutable_sections()->mutable_safe()->add_areas_to_avoid("XA-M");
  EXPECT_THAT(Conflicts(), ElementsAre("AREA_TO_AVOID"));
}

TEST_F(MatchTest, WhatNobodySaidIsNeverHeldAgainstAnybody) {
  Entry& entry = Add("bea-206", 206);
  EXPECT_THAT(Conflicts(), IsEmpty());
  entry.service.mutable_populations()->set_children(false);
  EXPECT_THAT(Conflicts(), ElementsAre("HOUSEHOLD"));
  person_.mutable_sections()->mutable_party()->set_children_band(v1::CHILDREN_BAND_UNKNOWN);
  EXPECT_THAT(Conflicts(), IsEmpty());
}

TEST_F(MatchTest, ConditionsAreAskedMetOrNotMet) {
  Entry& entry = Add("lin-206", 206);
  v1::Condition& condition = *entry.service.add_conditions();
  condition.set_condition_id("lin206-age");
  condition.set_kind(v1::CONDITION_KIND_AGE);
  condition.set_strength(v1::CONDITION_STRENGTH_REQUIRED);
  EXPECT_EQ(Run().front().verdict(), v1::MATCH_VERDICT_ASK);
  v1::EligSection& answer = *person_.mutable_sections()->add_elig();
  answer.set_condition_id("lin206-age");
  answer.set_answer(v1::ANSWER_PREFER_NOT_TO_SAY);
  EXPECT_EQ(Run().front().verdict(), v1::MATCH_VERDICT_ASK);
  answer.set_answer(v1::ANSWER_YES);
  EXPECT_EQ(Run().front().verdict(), v1::MATCH_VERDICT_FITS);
  answer.set_answer(v1::ANSWER_NO);
  EXPECT_THAT(Conflicts(), ElementsAre("CONDITION"));
}

TEST_F(MatchTest, ATooShortStayConflictsUnlessItCanBeExtended) {
  Entry& entry = Add("lin-206", 206);
  entry.service.set_max_stay_days(7);
  EXPECT_THAT(Conflicts(), ElementsAre("DURATION"));
  entry.service.set_extendable(true);
  EXPECT_EQ(Run().front().verdict(), v1::MATCH_VERDICT_ASK);
}

TEST_F(MatchTest, AMissingLanguageConflictsForLanguageServicesAlone) {
  person_.mutable_sections()->mutable_lang()->set_preferred_language("ti");
  Add("lin-206", 206).service.add_languages()->set_tag("en");
  EXPECT_THAT(Conflicts(), IsEmpty());
  Add("bwi-601", 601).service.add_languages()->set_tag("ar");
  need_.set_service_code(601);
  EXPECT_THAT(Conflicts(), ElementsAre("LANGUAGE"));
}

}  // namespace
}  // namespace waymark::node
