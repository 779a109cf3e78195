#include "tests/base/policy/scene.h"

#include <cstdlib>
#include <iostream>

#include "base/schema/date.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "google/protobuf/text_format.h"
#include "tests/support/scenario_terms.h"

namespace waymark::testing {
namespace {

template <typename IdType>
IdType IdOf(std::string text) {
  text.resize(16, '.');
  return *IdType::FromBytes(text);
}

PolicyContext Context(const std::string& provider, uint32_t service_code, v1::Kind kind,
                      v1::Stage stage, const std::string& now) {
  PolicyContext context;
  context.catalogue = &Catalogue::Default();
  context.now = At(now);
  context.kind = kind;
  context.stage = stage;
  context.reached = stage;
  context.service_code = service_code;
  context.origin_pack = "us-vsp";
  context.origin = UnitOf("qso.night");
  context.provider.unit = UnitOf(provider);
  context.provider.organisation = OrganisationOf(provider);
  context.provider.organisation_class = v1::ORGANISATION_CLASS_NGO;
  context.provider.policy_pack = "us-vsp";
  context.provider.offers_service = true;
  return context;
}

v1::ConsentRecord Consent(const std::string& recipient, uint32_t purpose, v1::Stage ceiling,
                          const std::string& from, const std::string& until) {
  v1::ConsentRecord consent = UnderstoodAndWritten();
  consent.set_consent_id(IdOf<ConsentId>("consent").bytes());
  consent.set_version(1);
  consent.set_case_id(IdOf<CaseId>("QSO-c-7714").bytes());
  consent.set_controller_unit(UnitOf("qso.night").bytes());
  consent.add_recipient_units(UnitOf(recipient).bytes());
  consent.add_purposes(purpose);
  consent.set_stage_ceiling(ceiling);
  SetTime(*consent.mutable_valid_from(), At(from));
  SetTime(*consent.mutable_valid_until(), At(until));
  consent.set_policy_pack("us-vsp");
  return consent;
}

void AddLindenFacts(PolicyContext& context) {
  context.provider.conditions = {{"lin206-age", v1::CONDITION_KIND_AGE},
                                 {"lin206-sober", v1::CONDITION_KIND_SOBRIETY_RULE}};
}

}  // namespace

absl::Time At(const std::string& rfc3339_minute) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M", rfc3339_minute, &time, &error)) {
    std::cerr << error << "\n";
    std::abort();
  }
  return time;
}

UnitId UnitOf(const std::string& handle) { return IdOf<UnitId>(handle); }
OrganisationId OrganisationOf(const std::string& handle) {
  return IdOf<OrganisationId>(handle.substr(0, handle.find('.')));
}

v1::Sections SectionsOf(const std::string& text) {
  v1::Sections sections;
  if (!google::protobuf::TextFormat::ParseFromString(text, &sections)) std::abort();
  return sections;
}

v1::ConsentToken Scene::Token() const {
  v1::ConsentToken token = TokenTermsOf(consent);
  token.set_issuer_unit(consent.controller_unit());
  token.set_presenter_unit(consent.controller_unit());
  token.set_recipient_unit(context.provider.unit.bytes());
  return token;
}

Evaluation Scene::AsSender(const v1::Sections& sections) const {
  return EvaluateRelease(context, consent, sections);
}

Evaluation Scene::AsRecipient(const v1::Sections& sections) const {
  return EvaluateUnderToken(context, Token(), revoked, sections);
}

void Scene::Allow(const std::string& names) { Append(names, consent.mutable_scope_fields()); }

void Scene::AllowSpecial(const std::string& names) {
  Allow(names);
  Append(names, consent.mutable_special_fields());
}

void Scene::AllowReturn(const std::string& names) {
  Append(names, consent.mutable_return_fields());
}

Scene InterpreterScene() {
  Scene scene;
  scene.context = Context("bwi.pool", 601, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, "2027-03-09T19:43");
  scene.context.provider.organisation_class = v1::ORGANISATION_CLASS_INTERPRETER_POOL;
  scene.consent =
      Consent("bwi.pool", 601, v1::STAGE_STARTED, "2027-03-09T19:42", "2027-03-10T06:00");
  scene.Allow(kNeedFields);
  scene.Allow(kInterpreterFields);
  return scene;
}

v1::Sections InterpreterInquiry() {
  v1::Sections sections = Only(WhatSaraSays(), kInterpreterFields);
  sections.MergeFrom(SectionsOf(R"pb(
    need {
      need_ref: "n-41f2..........",
      service_id: "bwi-601.........",
      service_code: 601
      phase: PHASE_IMMEDIATE
      quantity: 1
      unit: CAPACITY_UNIT_HOUR
      earliest_start { seconds: 1804621800 }
      latest_start { seconds: 1804624200 }
      mode: DELIVERY_MODE_REMOTE
      topic_class: TOPIC_CLASS_GENERAL
    })pb"));
  return sections;
}

Scene RoomInquiryScene() {
  Scene scene;
  scene.context =
      Context("lin.family", 206, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, "2027-03-09T20:00");
  AddLindenFacts(scene.context);
  scene.consent =
      Consent("bea.intake", 201, v1::STAGE_INQUIRY, "2027-03-09T19:58", "2027-03-10T08:00");
  scene.consent.add_recipient_units(UnitOf("lin.family").bytes());
  scene.consent.add_purposes(206);
  scene.consent.add_excluded(OrganisationOf("cpl.desk").bytes());
  scene.consent.set_interpreter_kind(v1::INTERPRETER_KIND_PROFESSIONAL_REMOTE);
  scene.consent.set_interpreter_independent(true);
  scene.consent.set_copy_given(v1::COPY_GIVEN_DECLINED_FOR_SAFETY);
  scene.consent.add_alternatives_offered(v1::ALTERNATIVE_OFFERED_NO_DISCLOSURE_SELF_CALL);
  scene.consent.add_alternatives_offered(v1::ALTERNATIVE_OFFERED_WAIT_AT_LEAD_SITE);
  scene.Allow(kNeedFields);
  scene.Allow(kRoomInquiryFields);
  return scene;
}

v1::Sections RoomInquiry() {
  v1::Sections sections = Only(WhatSaraSays(), kRoomInquiryFields);
  sections.MergeFrom(SectionsOf(R"pb(
    need {
      need_ref: "n-70c4..........",
      service_id: "lin-206.........",
      service_code: 206
      phase: PHASE_IMMEDIATE
      quantity: 1
      unit: CAPACITY_UNIT_FAMILY_ROOM
      earliest_start { seconds: 1804624200 }
      latest_start { seconds: 1804638600 }
      min_duration_days: 14
      area_wanted: "XA-M"
      mode: DELIVERY_MODE_IN_PERSON
      recurring: false
    })pb"));
  return sections;
}

Scene RoomAcceptedScene() {
  Scene scene;
  scene.context =
      Context("lin.family", 206, v1::KIND_DISCLOSE, v1::STAGE_ACCEPTED, "2027-03-09T20:15");
  AddLindenFacts(scene.context);
  scene.consent =
      Consent("lin.family", 206, v1::STAGE_STARTED, "2027-03-09T20:12", "2027-03-24T20:00");
  scene.consent.set_interpreter_kind(v1::INTERPRETER_KIND_PROFESSIONAL_REMOTE);
  scene.consent.set_interpreter_independent(true);
  scene.consent.set_onward_mode(v1::ONWARD_MODE_NONE);
  scene.Allow(kAcceptedFields);
  scene.Allow(kStartedFields);
  scene.AllowSpecial(kAcceptedSpecialFields);
  scene.AllowSpecial(kStartedSpecialFields);
  scene.AllowReturn(kReturnFields);
  return scene;
}

v1::Sections RoomDisclosure() {
  v1::Sections sections =
      Only(WhatSaraSays(), std::string(kAcceptedFields) + ", " + kAcceptedSpecialFields);
  sections.MergeFrom(SectionsOf(R"pb(
    need { person_rank: 1 }
    safe {
      place_conflict: ANSWER_NO
      confirmed_at { seconds: 1804623180 }
    }
    logi { arrival_window { from_minute: 30077115 to_minute: 30077145 } })pb"));
  return sections;
}

Scene RoomStartedScene() {
  Scene scene = RoomAcceptedScene();
  scene.context.stage = scene.context.reached = v1::STAGE_STARTED;
  scene.context.now = At("2027-03-09T21:40");
  return scene;
}

v1::Sections RoomStartedDisclosure() {
  return Only(WhatSaraSays(), std::string(kStartedFields) + ", " + kStartedSpecialFields);
}

Scene RoomReturnScene(v1::Kind kind, v1::Stage stage) {
  Scene scene = RoomAcceptedScene();
  scene.context.kind = kind;
  scene.context.direction = Direction::kProviderToOrigin;
  scene.context.stage = scene.context.reached = stage;
  return scene;
}

bool Has(const std::vector<PolicyFinding>& findings, v1::Reason reason, const std::string& field) {
  const uint32_t field_no = field.empty() ? 0 : FieldByName(field)->field_no;
  for (const PolicyFinding& finding : findings) {
    if (finding.reason == reason && finding.field_no == field_no) return true;
  }
  return false;
}

std::string Show(const std::vector<PolicyFinding>& findings) {
  std::string shown;
  for (const PolicyFinding& finding : findings) {
    const FieldInfo* field = FieldByNumber(finding.field_no);
    shown += std::string(ReasonName(finding.reason)) + " " + (field ? field->name : "message") +
             ": " + finding.text + "\n";
  }
  return shown;
}

}  // namespace waymark::testing
