#include "base/schema/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "base/status/status.h"
#include "tests/base/schema/expected_profiles.h"

namespace waymark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Catalogue& Data() { return Catalogue::Default(); }

const FieldInfo& Field(std::string_view name) {
  const FieldInfo* field = FieldByName(name);
  EXPECT_NE(field, nullptr) << name;
  return *field;
}

FieldAccess Out(uint32_t code, std::string_view field) {
  return Data().OutwardAccess(code, Field(field));
}

FieldAccess Back(uint32_t code, std::string_view field) {
  return Data().ReturnAccess(code, Field(field));
}

char Letter(v1::Stage stage) {
  switch (stage) {
    case v1::STAGE_INQUIRY:
      return 'I';
    case v1::STAGE_ACCEPTED:
      return 'A';
    case v1::STAGE_STARTED:
      return 'S';
    default:
      return '?';
  }
}

// A row as the domain reference writes it: "Ic>A", "(S)", "-".
std::string CellOf(const v1::SectionRule& rule) {
  std::string cell;
  if (rule.coarse_from() != v1::STAGE_UNSPECIFIED) {
    cell += Letter(rule.coarse_from());
    cell += 'c';
  }
  if (rule.full_from() != v1::STAGE_UNSPECIFIED) {
    if (!cell.empty()) cell += '>';
    cell += Letter(rule.full_from());
  }
  if (cell.empty()) return "-";
  return rule.addable() ? "(" + cell + ")" : cell;
}

TEST(CatalogueTest, TheMatrixIsThatOfTheDomainReference) {
  int rows = 0;
  for (const ExpectedProfile& profile : kExpectedProfiles) {
    for (size_t i = 0; i < std::size(kProfileSections); ++i) {
      const v1::Section section = SectionFromName(kProfileSections[i]);
      EXPECT_EQ(CellOf(Data().RuleOf(profile.category, section)), profile.cells[i])
          << profile.category << " " << kProfileSections[i];
    }
    EXPECT_EQ(CellOf(Data().RuleOf(profile.category, v1::SECTION_REF)), "I");
    ++rows;
  }
  EXPECT_EQ(rows, 12);
}

TEST(CatalogueTest, ServicesOfACategoryFollowItsRowUnlessTheyHaveTheirOwn) {
  const std::set<std::string> open_to_local_transport = {"NEED", "PARTY", "LOGI", "PROG"};
  for (const auto& service : Data().taxonomy().codes()) {
    for (const char* name : kProfileSections) {
      const v1::Section section = SectionFromName(name);
      const std::string category = CellOf(Data().RuleOf(CategoryOf(service.code()), section));
      const bool own = service.code() == 1201 && open_to_local_transport.count(name) == 0;
      EXPECT_EQ(CellOf(Data().RuleOf(service.code(), section)), own ? "-" : category)
          << service.code() << " " << name;
    }
  }
}

TEST(CatalogueTest, TheTaxonomyHasSixtyOneCodesInTwelveCategories) {
  EXPECT_EQ(Data().taxonomy().version(), 1u);
  EXPECT_EQ(Data().taxonomy().codes_size(), 61);
  EXPECT_EQ(Data().taxonomy().categories_size(), 12);
  const v1::ServiceCode* service = Data().FindService(206);
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->key(), "family_accommodation");
  EXPECT_EQ(service->unit(), v1::CAPACITY_UNIT_FAMILY_ROOM);
  EXPECT_THAT(service->phases(),
              ElementsAre(v1::PHASE_IMMEDIATE, v1::PHASE_SHORT_TERM, v1::PHASE_LONG_TERM));
  EXPECT_EQ(Data().FindService("family_accommodation"), service);
  EXPECT_EQ(Data().FindService(299), nullptr);
}

TEST(CatalogueTest, AnUnknownCodeCountsAsItsCategoryAndSaysSo) {
  EXPECT_EQ(CategoryOf(1204), 1200u);
  EXPECT_EQ(CellOf(Data().RuleOf(299, v1::SECTION_IDEN)), "S");
  EXPECT_EQ(Data().QuasiBudget(299), 6u);
  EXPECT_EQ(Data().ServiceLabel(299), "Accommodation (299)");
  EXPECT_EQ(Data().ServiceLabel(9901), "service (9901)");
  EXPECT_EQ(CellOf(Data().RuleOf(9901, v1::SECTION_NEED)), "-");
  EXPECT_TRUE(Out(9901, "NEED.quantity").blocked());
}

TEST(CatalogueTest, CoarseFieldsMayGoBeforeTheOthers) {
  EXPECT_EQ(Out(206, "NEED.area_wanted").from, v1::STAGE_INQUIRY);
  EXPECT_EQ(Out(206, "NEED.person_rank").from, v1::STAGE_ACCEPTED);
  EXPECT_EQ(Out(302, "PARTY.adults_band").from, v1::STAGE_INQUIRY);
  EXPECT_TRUE(Out(302, "PARTY.animal").blocked());
  EXPECT_EQ(Out(702, "LEGL.deadlines").from, v1::STAGE_ACCEPTED);
  EXPECT_EQ(Out(702, "LEGL.status_code").from, v1::STAGE_STARTED);
  EXPECT_TRUE(Out(104, "IDEN.name_to_use").addable);
}

TEST(CatalogueTest, E1OpensIdentityOnlyForAStatedReason) {
  EXPECT_FALSE(Out(702, "IDEN.name_to_use").needs_required_identity);
  for (const char* field :
       {"IDEN.legal_name", "IDEN.date_of_birth", "IDEN.document_type", "IDEN.document_number",
        "IDEN.public_service_number", "IDEN.nationality", "IDEN.pronouns"}) {
    EXPECT_EQ(Out(702, field).from, v1::STAGE_STARTED) << field;
    EXPECT_TRUE(Out(702, field).needs_required_identity) << field;
    for (const uint32_t code : {201, 202, 203, 301, 601, 1101}) {
      EXPECT_TRUE(Out(code, field).blocked()) << code << field;
    }
  }
  EXPECT_FALSE(Out(204, "IDEN.legal_name").blocked());
  EXPECT_FALSE(Out(201, "IDEN.name_to_use").blocked());
}

TEST(CatalogueTest, E2ShowsHostsFourHealthFields) {
  for (const char* field : {"HLTH.critical_allergies", "HLTH.continuing_medicines",
                            "HLTH.infection_control", "HLTH.immediate_self_harm_risk"}) {
    EXPECT_EQ(Out(201, field).from, v1::STAGE_STARTED) << field;
  }
  for (const char* field : {"HLTH.time_critical", "HLTH.pregnancy", "HLTH.support_during_care",
                            "HLTH.record_transfer"}) {
    EXPECT_TRUE(Out(206, field).blocked()) << field;
  }
}

TEST(CatalogueTest, E3LetsUrgentCareKnowTheHoursEarlier) {
  EXPECT_EQ(Out(401, "HLTH.time_critical").from, v1::STAGE_ACCEPTED);
  EXPECT_EQ(Out(404, "HLTH.time_critical").from, v1::STAGE_ACCEPTED);
  EXPECT_EQ(Out(402, "HLTH.time_critical").from, v1::STAGE_STARTED);
  EXPECT_EQ(Out(401, "HLTH.pregnancy").from, v1::STAGE_STARTED);
}

TEST(CatalogueTest, E4KeepsDirectContactClosed) {
  for (const FieldInfo& field : FieldsOf(v1::SECTION_CONT)) {
    const bool open = field.name == "CONT.via_lead_only" || field.name == "CONT.if_no_answer";
    EXPECT_EQ(Data().OutwardAccess(206, field).needs_direct_contact, !open) << field.name;
  }
}

TEST(CatalogueTest, E5SendsAvoidedAreasOnlyToHostsAndLongDistanceTransport) {
  for (const uint32_t code : {201, 206, 1202}) {
    EXPECT_EQ(Out(code, "SAFE.areas_to_avoid").from, v1::STAGE_ACCEPTED);
    EXPECT_TRUE(Out(code, "SAFE.areas_to_avoid").addable);
    EXPECT_FALSE(Out(code, "SAFE.place_conflict").addable);
  }
  for (const uint32_t code : {101, 401, 702, 1201, 1203}) {
    EXPECT_TRUE(Out(code, "SAFE.areas_to_avoid").blocked()) << code;
  }
}

TEST(CatalogueTest, E6AsksForAWishOfThePerson) {
  for (const char* field : {"PREF.faith_setting", "PREF.diet", "PREF.sobriety_setting"}) {
    EXPECT_EQ(Out(206, field).from, v1::STAGE_ACCEPTED);
    EXPECT_TRUE(Out(206, field).needs_request);
    EXPECT_TRUE(Out(601, field).blocked());
  }
  EXPECT_FALSE(Out(206, "PREF.worker_gender").needs_request);
}

TEST(CatalogueTest, E7ShowsInterpretersNothingSensitive) {
  for (const uint32_t code : {601, 602, 603, 604, 605}) {
    for (const v1::Section section : {v1::SECTION_SAFE, v1::SECTION_CONT, v1::SECTION_IDEN,
                                      v1::SECTION_HLTH, v1::SECTION_LEGL, v1::SECTION_DEPN}) {
      for (const FieldInfo& field : FieldsOf(section)) {
        EXPECT_TRUE(Data().OutwardAccess(code, field).blocked()) << field.name;
      }
    }
  }
}

TEST(CatalogueTest, E8LetsChildProtectionKnowEarlier) {
  for (const char* field : {"DEPN.age_years", "DEPN.care_status", "DEPN.contact_restrictions"}) {
    EXPECT_EQ(Out(902, field).from, v1::STAGE_ACCEPTED);
    EXPECT_EQ(Out(903, field).from, v1::STAGE_STARTED);
  }
  EXPECT_EQ(Out(902, "DEPN.name_to_use").from, v1::STAGE_STARTED);
}

TEST(CatalogueTest, E9ShowsLocalTransportBandsAndLogistics) {
  EXPECT_EQ(Out(1201, "PARTY.adults_band").from, v1::STAGE_INQUIRY);
  EXPECT_EQ(Out(1201, "LOGI.arrival_window").from, v1::STAGE_ACCEPTED);
  for (const char* field : {"PARTY.gender_for_placement", "PARTY.animal", "IDEN.name_to_use",
                            "XBOR.travel_window", "HLTH.pregnancy", "DEPN.age_years"}) {
    EXPECT_TRUE(Out(1201, field).blocked()) << field;
  }
  EXPECT_FALSE(Out(1202, "IDEN.name_to_use").blocked());
}

TEST(CatalogueTest, E11CountsAgainstABudget) {
  EXPECT_EQ(Data().QuasiBudget(601), 4u);
  EXPECT_EQ(Data().QuasiBudget(702), 4u);
  for (const uint32_t code : {206, 902, 1203}) EXPECT_EQ(Data().QuasiBudget(code), 6u);
  EXPECT_EQ(Data().LanguageWeight("ti"), 2u);
  EXPECT_EQ(Data().LanguageWeight("TI-er"), 2u);
  EXPECT_EQ(Data().LanguageWeight("en"), 1u);
  EXPECT_EQ(Data().LeaveOutOrder(206).front()->name, "LANG.preferred_language");
  EXPECT_EQ(Data().LeaveOutOrder(601).back()->name, "LANG.preferred_language");
}

// What can be over the budget can be proposed to be left out.
TEST(CatalogueTest, EveryCoarseQuasiFieldHasAPlaceInTheLeaveOutOrder) {
  const auto& order = Data().LeaveOutOrder(206);
  for (const FieldInfo& field : AllFields()) {
    if (field.data_class != v1::DATA_CLASS_QUASI || !field.coarse) continue;
    EXPECT_NE(std::find(order.begin(), order.end(), &field), order.end()) << field.name;
  }
}

TEST(CatalogueTest, ProgressFlowsBackAndNeverOut) {
  EXPECT_TRUE(Out(206, "PROG.offer").blocked());
  EXPECT_EQ(Back(206, "PROG.offer").from, v1::STAGE_INQUIRY);
  EXPECT_EQ(Back(206, "PROG.started_on").from, v1::STAGE_ACCEPTED);
  EXPECT_EQ(Back(402, "PROG.attendance").from, v1::STAGE_STARTED);
  EXPECT_TRUE(Back(1101, "PROG.attendance").addable);
  EXPECT_TRUE(Back(206, "NEED.quantity").blocked());
}

TEST(CatalogueTest, OnlyTheProviderWritesTheMeetingPoint) {
  EXPECT_TRUE(Out(206, "LOGI.meeting_point").blocked());
  EXPECT_EQ(Out(206, "LOGI.arrival_window").from, v1::STAGE_ACCEPTED);
  for (const char* field : {"LOGI.meeting_point_kind", "LOGI.meeting_point", "LOGI.arrival_window",
                            "LOGI.appointment_at", "LOGI.remote_join_ref"}) {
    EXPECT_EQ(Back(206, field).from, v1::STAGE_ACCEPTED);
  }
  EXPECT_TRUE(Back(206, "LOGI.accompanied_by_lead").blocked());
  EXPECT_THAT(Data().EraseAtStart(), ElementsAre(FieldByName("LOGI.meeting_point")));
}

TEST(CatalogueTest, SomeClassesDependOnTheService) {
  EXPECT_EQ(Data().ClassOf(402, Field("PROG.attendance")), v1::DATA_CLASS_SPECIAL);
  EXPECT_EQ(Data().ClassOf(502, Field("PROG.attendance")), v1::DATA_CLASS_SPECIAL);
  EXPECT_EQ(Data().ClassOf(1003, Field("PROG.attendance")), v1::DATA_CLASS_QUASI);
  EXPECT_EQ(Data().ClassOf(1003, Field("PREF.diet")), v1::DATA_CLASS_SPECIAL);
  EXPECT_TRUE(Data().IsSpecialCondition(v1::CONDITION_KIND_SOBRIETY_RULE));
  EXPECT_FALSE(Data().IsSpecialCondition(v1::CONDITION_KIND_AGE));
}

TEST(CatalogueTest, SafetyContactAndRiskMustBeFresh) {
  EXPECT_EQ(Data().FreshnessOf(v1::SECTION_SAFE)->max_days(), 14u);
  EXPECT_EQ(Data().FreshnessOf(v1::SECTION_CONT)->max_days(), 14u);
  EXPECT_EQ(Data().FreshnessOf(v1::SECTION_XBOR)->max_days(), 30u);
  EXPECT_EQ(Data().FreshnessOf(v1::SECTION_NEED), nullptr);
  EXPECT_THAT(Data().RequiredFields(1203),
              ElementsAre(FieldByName("XBOR.risk_assessment_attested")));
  EXPECT_THAT(Data().RequiredFields(1204), IsEmpty());
}

TEST(CatalogueTest, MinorsHaveANarrowerProfile) {
  EXPECT_TRUE(Data().AllowsMinor(902));
  EXPECT_TRUE(Data().AllowsMinor(1202));
  EXPECT_FALSE(Data().AllowsMinor(1203));
  EXPECT_FALSE(Data().AllowsMinor(1004));
  EXPECT_EQ(Data().profiles().minor().max_days(), 30u);
}

TEST(CatalogueTest, PacksAreThoseOfTheDomainReference) {
  EXPECT_EQ(Data().packs().packs_size(), 4);
  EXPECT_EQ(Data().FindPack("mars"), nullptr);
  const v1::PolicyPack& strict = *Data().FindPack("us-vsp");
  EXPECT_THAT(strict.capture_kinds(), ElementsAre(v1::CAPTURE_KIND_WRITTEN));
  EXPECT_EQ(strict.default_days(), 15u);
  EXPECT_EQ(strict.max_days(), 90u);
  EXPECT_EQ(strict.breach_hours(), 24u);
  EXPECT_EQ(Data().FindPack("baseline")->default_days(), 30u);
  EXPECT_EQ(Data().FindPack("uk")->max_days(), 180u);
  EXPECT_EQ(Data().FindPack("eu-gdpr")->vital_interest(), v1::VITAL_INTEREST_IF_UNABLE_TO_CONSENT);
  for (const auto& pack : Data().packs().packs()) {
    EXPECT_EQ(pack.recipients_per_identifying_consent(), 1u);
    EXPECT_EQ(pack.recipients_per_inquiry_consent(), 5u);
  }
}

TEST(CatalogueTest, WhereTwoPacksMeetTheStricterValueHolds) {
  const v1::PolicyPack& us = *Data().FindPack("us-vsp");
  const v1::PolicyPack& eu = *Data().FindPack("eu-gdpr");
  const v1::PolicyPack both = StricterOf(eu, us);
  EXPECT_EQ(both.id(), "eu-gdpr+us-vsp");
  EXPECT_THAT(both.capture_kinds(), ElementsAre(v1::CAPTURE_KIND_WRITTEN));
  EXPECT_EQ(both.default_days(), 15u);
  EXPECT_EQ(both.max_days(), 90u);
  EXPECT_EQ(both.vital_interest(), v1::VITAL_INTEREST_OFF);
  EXPECT_EQ(both.withdrawal_forms_size(), 3);
  EXPECT_EQ(both.compelled_disclosure_size(), 4);
  EXPECT_EQ(both.minor_consent(), v1::MINOR_CONSENT_WHERE_SERVICE_ALLOWED);
  EXPECT_TRUE(both.transfer_basis_required());
  EXPECT_EQ(both.breach_hours(), 24u);
  EXPECT_EQ(StricterOf(us, us).SerializeAsString(), us.SerializeAsString());
}

TEST(CatalogueTest, SomeClassesOfRecipientsAreBlocked) {
  EXPECT_TRUE(Data().NeedsSeparateRelease(v1::ORGANISATION_CLASS_LAW_ENFORCEMENT));
  EXPECT_TRUE(Data().NeedsSeparateRelease(v1::ORGANISATION_CLASS_CONSULAR));
  EXPECT_FALSE(Data().NeedsSeparateRelease(v1::ORGANISATION_CLASS_NGO));
  EXPECT_TRUE(Data().NeverReceives(v1::ORGANISATION_CLASS_MEDIA));
  EXPECT_FALSE(Data().NeverReceives(v1::ORGANISATION_CLASS_LAW_ENFORCEMENT));
  EXPECT_EQ(Data().packs().separate_release().max_days(), 7u);
}

TEST(CatalogueTest, ClocksFollowTheUrgency) {
  const v1::UrgencyClock& now = *Data().ClockOf(v1::URGENCY_U0);
  EXPECT_EQ(now.answer_due().minutes(), 30u);
  EXPECT_EQ(now.prompt_after().minutes(), 15u);
  EXPECT_EQ(now.expires_after().minutes(), 240u);
  EXPECT_EQ(now.hold().minutes(), 60u);
  EXPECT_EQ(now.revoke_ack_due().minutes(), 120u);
  EXPECT_EQ(now.offline_notice_after().minutes(), 2u);
  EXPECT_EQ(now.max_delay_seconds(), 0u);
  EXPECT_EQ(now.max_asked_at_once(), 3u);
  const v1::UrgencyClock& planned = *Data().ClockOf(v1::URGENCY_U4);
  EXPECT_EQ(planned.answer_due().working_days(), 10u);
  EXPECT_EQ(planned.hold().working_days(), 10u);
  EXPECT_FALSE(planned.has_service_aim());
  EXPECT_FALSE(planned.has_offline_notice_after());
  EXPECT_EQ(planned.max_delay_seconds(), 1200u);
  EXPECT_EQ(Data().ClockOf(v1::URGENCY_UNSPECIFIED), nullptr);
  EXPECT_EQ(Data().clocks().max_asked_in_turn(), 5u);
}

TEST(CatalogueTest, WorkingDaysLeaveOutWeekends) {
  const auto at = [](int day, int hour) {
    return absl::FromCivil(absl::CivilHour(2027, 3, day, hour), absl::UTCTimeZone());
  };
  v1::Span span;
  span.set_working_days(3);
  // 2027-03-09 is a Tuesday.
  EXPECT_EQ(After(at(9, 20), span), at(12, 20));
  EXPECT_EQ(After(at(11, 20), span), at(16, 20));
  EXPECT_EQ(After(at(13, 20), span), at(17, 20));
  span.set_working_days(5);
  EXPECT_EQ(After(at(12, 0), span), at(19, 0));
  span.clear_working_days();
  span.set_minutes(90);
  EXPECT_EQ(After(at(9, 20), span), at(9, 20) + absl::Minutes(90));
}

TEST(CatalogueTest, EveryEndHasACode) {
  EXPECT_EQ(Data().ends().declines_size(), 22);
  const v1::DeclineInfo* household = Data().FindDecline("D07");
  ASSERT_NE(household, nullptr);
  EXPECT_EQ(household->code(), v1::DECLINE_CODE_HOUSEHOLD_NOT_ACCOMMODATED);
  EXPECT_EQ(household->barrier(), v1::BARRIER_COVERAGE);
  EXPECT_EQ(Data().FindDecline(v1::DECLINE_CODE_HOUSEHOLD_NOT_ACCOMMODATED), household);
  for (const auto& decline : Data().ends().declines()) {
    EXPECT_EQ(decline.id(), (decline.code() < 10 ? "D0" : "D") + std::to_string(decline.code()));
  }
  EXPECT_EQ(Data().ends().ends_size(), 8);
  EXPECT_EQ(Data().FindEnd("SY1")->reason(), v1::END_REASON_NO_ANSWER);
  EXPECT_EQ(Data().FindEnd(v1::END_REASON_NOT_NOW)->id(), "PE2");
  EXPECT_EQ(Data().FindEnd("PE9"), nullptr);
}

TEST(CatalogueTest, SomeDeclinesNeedAStageOrAService) {
  EXPECT_TRUE(Data().AllowsDecline(v1::DECLINE_CODE_NO_CAPACITY, 206, v1::STAGE_INQUIRY));
  EXPECT_FALSE(Data().AllowsDecline(v1::DECLINE_CODE_ALREADY_SERVING, 206, v1::STAGE_INQUIRY));
  EXPECT_TRUE(Data().AllowsDecline(v1::DECLINE_CODE_ALREADY_SERVING, 206, v1::STAGE_ACCEPTED));
  EXPECT_TRUE(Data().AllowsDecline(v1::DECLINE_CODE_CLINICALLY_UNSUITABLE, 502, v1::STAGE_INQUIRY));
  EXPECT_FALSE(
      Data().AllowsDecline(v1::DECLINE_CODE_CLINICALLY_UNSUITABLE, 206, v1::STAGE_INQUIRY));
  EXPECT_FALSE(Data().AllowsDecline(v1::DECLINE_CODE_UNSPECIFIED, 206, v1::STAGE_INQUIRY));
}

TEST(CatalogueTest, EverythingAPersonMayReadHasALabel) {
  for (const auto& service : Data().taxonomy().codes()) {
    EXPECT_THAT(Data().ServiceLabel(service.code()),
                Not(HasSubstr("(" + std::to_string(service.code()))));
  }
  for (const FieldInfo& field : AllFields()) {
    EXPECT_TRUE(Data().labels().sections().contains(std::string(SectionName(field.section))));
    if (field.section == v1::SECTION_RTE || field.section == v1::SECTION_CON) continue;
    EXPECT_NE(Data().FieldLabel(field), field.name);
    const auto* type = field.descriptor->enum_type();
    for (int i = 1; type != nullptr && i < type->value_count(); ++i) {
      EXPECT_NE(Data().ValueLabel(*type->value(i)), type->value(i)->name());
    }
  }
  for (const auto& decline : Data().ends().declines()) {
    EXPECT_NE(Data().EndLabel(decline.id()), decline.id());
  }
  for (const auto& end : Data().ends().ends()) EXPECT_NE(Data().EndLabel(end.id()), end.id());
}

}  // namespace
}  // namespace waymark
