#include "tests/support/scenario_terms.h"

#include <cstdlib>
#include <iostream>
#include <set>
#include <vector>

#include "base/policy/section_fields.h"
#include "base/schema/field_registry.h"
#include "google/protobuf/text_format.h"

namespace waymark::testing {
namespace {

v1::Sections SectionsFrom(const std::string& text) {
  v1::Sections sections;
  if (!google::protobuf::TextFormat::ParseFromString(text, &sections)) std::abort();
  return sections;
}

std::vector<const FieldInfo*> Fields(const std::string& names) {
  const auto fields = ParseFieldList(names);
  if (fields.ok()) return *fields;
  std::cerr << fields.status() << "\n";
  std::abort();
}

}  // namespace

v1::Sections WhatSaraSays() {
  return SectionsFrom(R"pb(
    lang {
      preferred_language: "ti"
      other_languages: "en"
      interpreter_required: ANSWER_YES
      interpreter_mode: INTERPRETER_MODE_PHONE
      interpreter_gender: GENDER_PREFERENCE_FEMALE
      interpreter_exclusions: [
        INTERPRETER_EXCLUSION_REMOTE_ONLY,
        INTERPRETER_EXCLUSION_DIFFERENT_AREA,
        INTERPRETER_EXCLUSION_NO_CAMERA,
        INTERPRETER_EXCLUSION_PROFESSIONAL_ONLY
      ]
      reading_support: READING_SUPPORT_READ_ALOUD
    }
    elig { condition_id: "lin206-age" answer: ANSWER_YES alternatives_seen: true }
    party {
      adults_band: ADULTS_BAND_ONE
      children_band: CHILDREN_BAND_ONE
      youngest_age_band: CHILD_AGE_BAND_2_TO_4
      gender_for_placement: GENDER_FEMALE
      age_band: AGE_BAND_25_TO_39
    }
    access { quiet_or_private_space: ANSWER_YES device_access: DEVICE_ACCESS_OWN }
    pref {
      worker_gender: GENDER_PREFERENCE_FEMALE
      single_sex_setting: SINGLE_SEX_SETTING_PREFERRED
      faith_setting: SETTING_PREFERENCE_AVOID
      diet: DIET_NO_PORK
    }
    safe {
      being_looked_for: ANSWER_YES
      areas_to_avoid: "XA-N1"
      staff_advice: [ STAFF_ADVICE_NO_CALLER_ID, STAFF_ADVICE_DO_NOT_DISCUSS_IN_SHARED_SPACE ]
      do_not_contact: [
        CONTACT_TO_AVOID_POLICE,
        CONTACT_TO_AVOID_PARTNER,
        CONTACT_TO_AVOID_COMMUNITY
      ]
      device_may_be_monitored: ANSWER_UNKNOWN
    }
    cont {
      via_lead_only: true
      handle: "+00 555 0147"
      code_phrase: "seven swans"
      if_no_answer: IF_NO_ANSWER_TELL_LEAD
    }
    logi { accompanied_by_lead: true }
    iden { name_to_use: "Sara" legal_name: "Selam Invented" }
    depn {
      relation: DEPENDANT_RELATION_CHILD
      age_years: 4
      name_to_use: "Dani"
      health_alerts: HEALTH_ALERT_ALLERGY_PENICILLIN
      care_status: CARE_STATUS_WITH_PARENT
    })pb");
}

v1::ConsentRecord UnderstoodAndWritten() {
  v1::ConsentRecord consent;
  consent.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
  consent.set_notice_id("N-601");
  consent.set_notice_version(3);
  consent.set_notice_language("ti");
  consent.set_notice_form(v1::NOTICE_FORM_AUDIO);
  consent.set_notice_understood(true);
  consent.set_transport_named(true);
  consent.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
  consent.set_private_setting(true);
  consent.set_companion_present(false);
  consent.set_interpreter_kind(v1::INTERPRETER_KIND_NONE);
  consent.set_readback_confirmed(true);
  consent.set_condition_of_service(false);
  consent.set_state(v1::CONSENT_STATE_GIVEN);
  return consent;
}

void Append(const std::string& names, google::protobuf::RepeatedField<uint32_t>* list) {
  for (const FieldInfo* field : Fields(names)) list->Add(field->field_no);
}

v1::Sections Only(const v1::Sections& sections, const std::string& names) {
  std::set<uint32_t> field_nos;
  for (const FieldInfo* field : Fields(names)) field_nos.insert(field->field_no);
  return KeepFields(sections, field_nos);
}

}  // namespace waymark::testing
