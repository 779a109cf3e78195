#include "tests/scenarios/scenario_1.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/schema/date.h"
#include "google/protobuf/text_format.h"
#include "tests/support/scenario_terms.h"

namespace waymark::testing {
namespace {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) {
    std::cerr << "not a message: " << text << "\n";
    std::abort();
  }
  return message;
}

OrganisationPlan Organisation(const std::string& handle, const std::string& unit,
                              const std::string& name, v1::OrganisationClass organisation_class,
                              v1::ReportingDuty duty) {
  OrganisationPlan plan;
  plan.member = {.handle = handle,
                 .display_name = name,
                 .organisation_class = organisation_class,
                 .jurisdiction = "XA",
                 .policy_pack = "us-vsp",
                 .units = {{.name = unit, .display_name = name}}};
  plan.profile.add_reporting_duties(duty);
  plan.profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
  plan.profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
  return plan;
}

ServicePlan Offer(const std::string& unit, const std::string& service) {
  ServicePlan plan;
  plan.unit = unit;
  plan.service = FromText<v1::Service>(service);
  plan.service.set_provider_kind(v1::PROVIDER_KIND_SPECIALIST);
  plan.service.add_phases(v1::PHASE_IMMEDIATE);
  *plan.service.mutable_last_verified() = DateOf(At(0, 0));
  plan.room = v1::CAPACITY_STATUS_HAS_CAPACITY;
  return plan;
}

void SetWindow(v1::TimeWindow* window, absl::Time from, absl::Time to) {
  window->set_from_minute(absl::ToUnixSeconds(from) / 60);
  window->set_to_minute(absl::ToUnixSeconds(to) / 60);
}

v1::NeedSection Place(const std::string& text, absl::Time earliest, absl::Time latest) {
  auto need = FromText<v1::NeedSection>(text);
  SetTime(*need.mutable_earliest_start(), earliest);
  SetTime(*need.mutable_latest_start(), latest);
  return need;
}

OrganisationPlan Quayside() {
  return Organisation("qso", "night", "Quayside Outreach", v1::ORGANISATION_CLASS_NGO,
                      v1::REPORTING_DUTY_CHILD_HARM);
}

OrganisationPlan Bridgeway() {
  OrganisationPlan plan =
      Organisation("bwi", "pool", "Bridgeway Interpreters", v1::ORGANISATION_CLASS_INTERPRETER_POOL,
                   v1::REPORTING_DUTY_NONE_KNOWN);
  plan.services.push_back(Offer("bwi.pool", R"pb(
    handle: "bwi-601"
    code: 601
    remote_delivery: true
    location_kind: LOCATION_KIND_VIRTUAL
    languages { tag: "ti" }
    languages { tag: "fr" }
    after_hours_intake: true
    capacity_unit: CAPACITY_UNIT_HOUR)pb"));
  plan.services.back().room_until = At(23, 0);
  return plan;
}

OrganisationPlan Beacon() {
  OrganisationPlan plan = Organisation("bea", "intake", "Beacon Shelter",
                                       v1::ORGANISATION_CLASS_NGO, v1::REPORTING_DUTY_CHILD_HARM);
  plan.services.push_back(Offer("bea.intake", R"pb(
    handle: "bea-201"
    code: 201
    service_areas: "XA-N2"
    location_kind: LOCATION_KIND_ADDRESSED
    capacity_unit: CAPACITY_UNIT_BED)pb"));
  return plan;
}

OrganisationPlan Linden() {
  OrganisationPlan plan = Organisation("lin", "family", "Linden House", v1::ORGANISATION_CLASS_NGO,
                                       v1::REPORTING_DUTY_CHILD_HARM);
  plan.services.push_back(Offer("lin.family", R"pb(
    handle: "lin-206"
    code: 206
    service_areas: "XA-M"
    location_kind: LOCATION_KIND_REDACTED
    conditions {
      condition_id: "lin206-age"
      kind: CONDITION_KIND_AGE
      value: "MIN_18"
      strength: CONDITION_STRENGTH_REQUIRED
    }
    conditions {
      condition_id: "lin206-sober"
      kind: CONDITION_KIND_SOBRIETY_RULE
      value: "ON_SITE"
      strength: CONDITION_STRENGTH_REQUIRED
    }
    conditions {
      condition_id: "lin206-rules"
      kind: CONDITION_KIND_HOUSE_RULES
      strength: CONDITION_STRENGTH_REQUIRED
    }
    populations { children: true }
    capacity_unit: CAPACITY_UNIT_FAMILY_ROOM)pb"));
  plan.services.back().room_until = At(20, 30);
  return plan;
}

OrganisationPlan StBrannoc() {
  OrganisationPlan plan =
      Organisation("stb", "house", "St Brannoc House", v1::ORGANISATION_CLASS_FAITH_BODY,
                   v1::REPORTING_DUTY_NONE_KNOWN);
  plan.profile.set_faith_participation(v1::FAITH_PARTICIPATION_EXPECTED);
  plan.services.push_back(Offer("stb.house", R"pb(
    handle: "stb-206"
    code: 206
    service_areas: "XA-M"
    location_kind: LOCATION_KIND_ADDRESSED
    conditions {
      condition_id: "stb206-faith"
      kind: CONDITION_KIND_FAITH_PARTICIPATION
      value: "EXPECTED"
      strength: CONDITION_STRENGTH_REQUIRED
    }
    capacity_unit: CAPACITY_UNIT_FAMILY_ROOM)pb"));
  return plan;
}

OrganisationPlan PoliceDesk() {
  OrganisationPlan plan =
      Organisation("cpl", "desk", "City Police Liaison", v1::ORGANISATION_CLASS_LAW_ENFORCEMENT,
                   v1::REPORTING_DUTY_STATUTORY_NOTIFICATION);
  plan.services.push_back(Offer("cpl.desk", R"pb(
    handle: "cpl-101"
    code: 101
    service_areas: "XA-M"
    location_kind: LOCATION_KIND_ADDRESSED
    capacity_unit: CAPACITY_UNIT_CASE)pb"));
  return plan;
}

v1::Sections WhatSomebodyElseSays() {
  return FromText<v1::Sections>(R"pb(
    lang {
      preferred_language: "fr"
      other_languages: "de"
      interpreter_required: ANSWER_NO
      interpreter_mode: INTERPRETER_MODE_VIDEO
      interpreter_gender: GENDER_PREFERENCE_MALE
      interpreter_exclusions: [ INTERPRETER_EXCLUSION_NOT_SAME_COMMUNITY ]
      reading_support: READING_SUPPORT_PLAIN_TEXT
    }
    elig { condition_id: "lin206-age" answer: ANSWER_PREFER_NOT_TO_SAY alternatives_seen: false }
    party {
      adults_band: ADULTS_BAND_TWO
      children_band: CHILDREN_BAND_TWO
      youngest_age_band: CHILD_AGE_BAND_5_TO_11
      gender_for_placement: GENDER_MALE
      age_band: AGE_BAND_40_TO_59
    }
    access { quiet_or_private_space: ANSWER_NO device_access: DEVICE_ACCESS_SHARED }
    pref {
      worker_gender: GENDER_PREFERENCE_MALE
      single_sex_setting: SINGLE_SEX_SETTING_NO_PREFERENCE
      faith_setting: SETTING_PREFERENCE_ACCEPT
      diet: DIET_VEGAN
    }
    safe {
      being_looked_for: ANSWER_NO
      areas_to_avoid: "XA-M"
      staff_advice: [ STAFF_ADVICE_TWO_STAFF ]
      do_not_contact: [ CONTACT_TO_AVOID_EMPLOYER ]
      device_may_be_monitored: ANSWER_YES
    }
    cont {
      via_lead_only: true
      handle: "someone@example.org canary-G3L8"
      code_phrase: "a grey canal canary-Y7C2"
      if_no_answer: IF_NO_ANSWER_STOP
    }
    logi { accompanied_by_lead: false }
    iden { name_to_use: "Marek canary-W4S6" legal_name: "Marek Example canary-R9K2" }
    depn {
      relation: DEPENDANT_RELATION_SIBLING
      age_years: 9
      name_to_use: "Ola canary-X6B4"
      health_alerts: HEALTH_ALERT_ASTHMA
      care_status: CARE_STATUS_GUARDIAN
    })pb");
}

}  // namespace

absl::Time At(int hour, int minute, int days_later) {
  const absl::CivilDay day = absl::ToCivilDay(NetworkFixture::Evening(), absl::UTCTimeZone());
  return absl::FromCivil(day + days_later, absl::UTCTimeZone()) + absl::Hours(hour) +
         absl::Minutes(minute);
}

std::vector<OrganisationPlan> Scenario1Organisations() {
  return {Quayside(), Bridgeway(), Beacon(), Linden(), StBrannoc(), PoliceDesk()};
}

std::vector<OrganisationPlan> Scenario1Organisations(const std::vector<std::string>& handles) {
  std::vector<OrganisationPlan> chosen;
  for (OrganisationPlan& plan : Scenario1Organisations()) {
    if (std::find(handles.begin(), handles.end(), plan.member.handle) != handles.end()) {
      chosen.push_back(std::move(plan));
    }
  }
  return chosen;
}

std::vector<std::string> Person::Canaries() const {
  return {label,
          sections.iden().name_to_use(),
          sections.iden().legal_name(),
          sections.depn(0).name_to_use(),
          sections.cont().handle(),
          sections.cont().code_phrase(),
          meeting.meeting_point()};
}

Person Sara() {
  Person person;
  person.label = "QSO-c-7714-canary-K3W8";
  person.sections = WhatSaraSays();
  person.sections.mutable_cont()->set_handle("+00 555 0147 canary-H6R2");
  person.sections.mutable_cont()->set_code_phrase("seven swans canary-J9X4");
  person.sections.mutable_iden()->set_name_to_use("Sara canary-Q7M5");
  person.sections.mutable_iden()->set_legal_name("Selam Invented canary-T2V6");
  person.sections.mutable_depn(0)->set_name_to_use("Dani canary-Z8N3");
  SetTime(*person.sections.mutable_safe()->mutable_confirmed_at(), At(19, 41));
  SetTime(*person.sections.mutable_cont()->mutable_confirmed_at(), At(19, 41));
  SetWindow(person.sections.mutable_logi()->mutable_arrival_window(), At(21, 15), At(21, 45));
  person.interpreter = Place(R"pb(
                               phase: PHASE_IMMEDIATE
                               quantity: 1
                               unit: CAPACITY_UNIT_HOUR
                               mode: DELIVERY_MODE_REMOTE
                               topic_class: TOPIC_CLASS_GENERAL
                             )pb",
                             At(19, 50), At(20, 30));
  person.room = Place(R"pb(
                        phase: PHASE_IMMEDIATE
                        quantity: 1
                        unit: CAPACITY_UNIT_FAMILY_ROOM
                        min_duration_days: 14
                        area_wanted: "XA-M"
                        mode: DELIVERY_MODE_IN_PERSON
                        recurring: false
                      )pb",
                      At(20, 30), At(0, 30, 1));
  person.bed = person.room;
  person.bed.set_unit(v1::CAPACITY_UNIT_BED);
  person.bed.set_area_wanted("XA-N2");
  person.meeting = FromText<v1::LogiSection>(R"pb(
    meeting_point_kind: MEETING_POINT_KIND_PUBLIC_NEUTRAL
    meeting_point: "Pharmacy entrance, Tollgate Square, canary-P4D7")pb");
  SetWindow(person.meeting.mutable_arrival_window(), At(21, 15), At(21, 30));
  return person;
}

Person SomebodyElse() {
  Person person = Sara();
  person.label = "QSO-c-8025-canary-B5F9";
  person.sections = WhatSomebodyElseSays();
  SetTime(*person.sections.mutable_safe()->mutable_confirmed_at(), At(19, 40));
  SetTime(*person.sections.mutable_cont()->mutable_confirmed_at(), At(19, 40));
  SetWindow(person.sections.mutable_logi()->mutable_arrival_window(), At(22, 0), At(22, 20));
  person.interpreter.set_quantity(2);
  person.interpreter.set_topic_class(v1::TOPIC_CLASS_LEGAL);
  SetTime(*person.interpreter.mutable_earliest_start(), At(19, 55));
  person.room.set_quantity(2);
  person.room.set_min_duration_days(21);
  SetTime(*person.room.mutable_latest_start(), At(0, 45, 1));
  person.meeting = FromText<v1::LogiSection>(R"pb(
    meeting_point_kind: MEETING_POINT_KIND_LEAD_SITE
    meeting_point: "North platform, Mill Lane, canary-E2H9")pb");
  SetWindow(person.meeting.mutable_arrival_window(), At(22, 0), At(22, 10));
  return person;
}

}  // namespace waymark::testing
