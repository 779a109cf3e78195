// Properties over every field, every service and every stage, by reflection.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/schema/field_registry.h"
#include "base/schema/validate.h"
#include "google/protobuf/descriptor.h"
#include "tests/base/policy/scene.h"

namespace waymark::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kNow[] = "2027-03-09T20:00";

std::string StringFor(const FieldDescriptor& field) {
  switch (field.options().GetExtension(v1::limits).format()) {
    case v1::VALUE_FORMAT_LANGUAGE_TAG:
      return "en";
    case v1::VALUE_FORMAT_AREA_CODE:
      return "XA-N2";
    case v1::VALUE_FORMAT_COUNTRY_CODE:
      return "XA";
    case v1::VALUE_FORMAT_CONDITION_ID:
      return "lin206-age";
    default:
      return field.type() == FieldDescriptor::TYPE_BYTES ? std::string(16, 'x') : "x";
  }
}

uint32_t NumberFor(const FieldDescriptor& field, uint32_t service_code) {
  if (field.options().GetExtension(v1::limits).format() == v1::VALUE_FORMAT_SERVICE_CODE) {
    return service_code;
  }
  if (field.name() == "year") return 2027;
  if (field.name() == "month") return 3;
  if (field.name() == "day") return 9;
  return field.name().rfind("to_", 0) == 0 ? 2 : 1;
}

// Gives every field of `message` a value that the schema allows.
void Fill(Message& message, uint32_t service_code) {
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
    time->set_seconds(absl::ToUnixSeconds(At(kNow)));
    return;
  }
  const auto& reflection = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->number() == kNotSaidNumber) continue;
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Fill(many ? *reflection.AddMessage(&message, field)
                  : *reflection.MutableMessage(&message, field),
             service_code);
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto& values = *field->enum_type();
        const auto* last = values.value(values.value_count() - 1);
        many ? reflection.AddEnum(&message, field, last)
             : reflection.SetEnum(&message, field, last);
        break;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        many ? reflection.AddString(&message, field, StringFor(*field))
             : reflection.SetString(&message, field, StringFor(*field));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        many ? reflection.AddUInt32(&message, field, NumberFor(*field, service_code))
             : reflection.SetUInt32(&message, field, NumberFor(*field, service_code));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, static_cast<int32_t>(NumberFor(*field, service_code)));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        // Minutes since the Unix epoch.
        reflection.SetInt64(&message, field,
                            absl::ToUnixSeconds(At(kNow)) / 60 + NumberFor(*field, service_code));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        // CONT.via_lead_only among them: direct contact is chosen.
        reflection.SetBool(&message, field, false);
        break;
      default:
        FAIL() << field->full_name();
    }
  }
}

v1::Sections Everything(uint32_t service_code) {
  v1::Sections sections;
  Fill(sections, service_code);
  return sections;
}

// A consent that lists every field, with every yes and every reason, for `service_code`.
Scene GenerousScene(uint32_t service_code, Direction direction, v1::Stage stage) {
  Scene scene = RoomInquiryScene();
  scene.context.service_code = service_code;
  scene.context.direction = direction;
  scene.context.stage = scene.context.reached = stage;
  scene.context.kind = direction == Direction::kProviderToOrigin ? v1::KIND_PROGRESS
                       : stage == v1::STAGE_INQUIRY              ? v1::KIND_INQUIRY
                                                                 : v1::KIND_DISCLOSE;
  v1::ConsentRecord& consent = scene.consent;
  consent.clear_purposes();
  consent.add_purposes(service_code);
  consent.clear_recipient_units();
  consent.add_recipient_units(scene.context.provider.unit.bytes());
  consent.set_stage_ceiling(v1::STAGE_STARTED);
  consent.clear_scope_fields();
  for (const FieldInfo& field : AllFields()) {
    consent.add_scope_fields(field.field_no);
    consent.add_special_fields(field.field_no);
    consent.add_return_fields(field.field_no);
    scene.context.provider.required_identity.insert(field.field_no);
  }
  for (int section = v1::SECTION_REF; section <= v1::SECTION_PROG; ++section) {
    v1::ProfileException& exception = *consent.add_profile_exceptions();
    exception.set_section(static_cast<v1::Section>(section));
    exception.set_reason(v1::EXCEPTION_REASON_PERSON_ASKS);
  }
  return scene;
}

constexpr v1::Stage kStages[] = {v1::STAGE_INQUIRY, v1::STAGE_ACCEPTED, v1::STAGE_STARTED};

void Without(google::protobuf::RepeatedField<uint32_t>& list, uint32_t field_no) {
  list.erase(std::remove(list.begin(), list.end(), field_no), list.end());
}

class EveryServiceTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(EveryServiceTest, PermittedHoldsNothingThatIsRefusedAndTheRecipientAgrees) {
  const uint32_t code = GetParam();
  const v1::Sections everything = Everything(code);
  for (const v1::Stage stage : kStages) {
    const Scene scene = GenerousScene(code, Direction::kOriginToProvider, stage);
    const v1::Sections permitted = Permitted(scene.context, scene.consent, everything);
    EXPECT_TRUE(permitted.need().has_service_code());
    EXPECT_TRUE(scene.AsSender(permitted).allowed()) << Show(scene.AsSender(permitted).findings);
    EXPECT_TRUE(scene.AsRecipient(permitted).allowed())
        << Show(scene.AsRecipient(permitted).findings);

    const std::set<uint32_t> numbers = FieldNumbersIn(permitted);
    for (const PolicyFinding& finding : scene.AsSender(everything).findings) {
      EXPECT_EQ(numbers.count(finding.field_no), 0) << Show({finding});
    }
    const std::set<uint32_t> unlocked = Unlocked(scene.context, scene.consent);
    EXPECT_EQ(unlocked, Unlocked(scene.context, scene.Token()));
    for (const uint32_t field_no : numbers) {
      EXPECT_TRUE(unlocked.count(field_no)) << field_no;
      const v1::SectionRule& rule =
          scene.context.catalogue->RuleOf(code, FieldByNumber(field_no)->section);
      EXPECT_TRUE(rule.full_from() != 0 || rule.coarse_from() != 0) << field_no;
    }
    // Beyond the inquiry there is no budget: all that is unlocked and has a value goes.
    if (stage != v1::STAGE_INQUIRY) {
      for (const uint32_t field_no : unlocked) EXPECT_TRUE(numbers.count(field_no)) << field_no;
    }
  }
}

TEST_P(EveryServiceTest, LaterStagesOnlyAdd) {
  std::set<uint32_t> before;
  for (const v1::Stage stage : kStages) {
    const Scene scene = GenerousScene(GetParam(), Direction::kOriginToProvider, stage);
    const std::set<uint32_t> unlocked = Unlocked(scene.context, scene.consent);
    EXPECT_TRUE(std::includes(unlocked.begin(), unlocked.end(), before.begin(), before.end()));
    before = unlocked;
  }
}

TEST_P(EveryServiceTest, TheInquiryHasNothingIdentifying) {
  const Scene scene = GenerousScene(GetParam(), Direction::kOriginToProvider, v1::STAGE_INQUIRY);
  for (const uint32_t field_no : Unlocked(scene.context, scene.consent)) {
    EXPECT_NE(FieldByNumber(field_no)->data_class, v1::DATA_CLASS_IDENTIFYING) << field_no;
  }
}

TEST_P(EveryServiceTest, WhatComesBackIsProgressAndLogisticsAlone) {
  for (const v1::Stage stage : kStages) {
    const Scene scene = GenerousScene(GetParam(), Direction::kProviderToOrigin, stage);
    const v1::Sections permitted =
        Permitted(scene.context, scene.Token(), /*revoked=*/false, Everything(GetParam()));
    EXPECT_TRUE(scene.AsRecipient(permitted).allowed());
    for (const uint32_t field_no : FieldNumbersIn(permitted)) {
      const v1::Section section = FieldByNumber(field_no)->section;
      EXPECT_TRUE(section == v1::SECTION_PROG ||
                  (section == v1::SECTION_LOGI && stage >= v1::STAGE_ACCEPTED))
          << field_no;
    }
  }
}

std::vector<uint32_t> AllCodes() {
  std::vector<uint32_t> codes;
  for (const v1::ServiceCode& service : Catalogue::Default().taxonomy().codes()) {
    codes.push_back(service.code());
  }
  return codes;
}

INSTANTIATE_TEST_SUITE_P(Services, EveryServiceTest, ::testing::ValuesIn(AllCodes()),
                         [](const auto& tested) { return "Code" + std::to_string(tested.param); });

TEST(EverythingTest, IsValid) {
  const absl::Status valid = ValidateSections(Everything(206));
  EXPECT_TRUE(valid.ok()) << valid;
}

TEST(EveryFieldTest, GoesOnlyIfTheConsentListsItAndItsYesIsThere) {
  const v1::Sections everything = Everything(702);
  for (const FieldInfo& field : AllFields()) {
    Scene scene = GenerousScene(702, Direction::kOriginToProvider, v1::STAGE_STARTED);
    Without(*scene.consent.mutable_scope_fields(), field.field_no);
    const auto unlisted = FieldNumbersIn(Permitted(scene.context, scene.consent, everything));
    EXPECT_EQ(unlisted.count(field.field_no) > 0, field.section == v1::SECTION_REF) << field.name;

    if (field.data_class != v1::DATA_CLASS_SPECIAL) continue;
    scene.consent.add_scope_fields(field.field_no);
    Without(*scene.consent.mutable_special_fields(), field.field_no);
    const auto silent = FieldNumbersIn(Permitted(scene.context, scene.consent, everything));
    EXPECT_EQ(silent.count(field.field_no), 0) << field.name;
  }
}

TEST(EveryFieldTest, NotSaidNeedsTheSameConsent) {
  for (const FieldInfo& field : AllFields()) {
    Scene scene = GenerousScene(206, Direction::kOriginToProvider, v1::STAGE_STARTED);
    if (field.section == v1::SECTION_REF || field.section >= v1::SECTION_PROG) continue;
    Without(*scene.consent.mutable_scope_fields(), field.field_no);
    v1::Sections sections;
    const auto* place = v1::Sections::descriptor()->FindFieldByNumber(field.section);
    const auto& reflection = *v1::Sections::GetReflection();
    Message& section = place->is_repeated() ? *reflection.AddMessage(&sections, place)
                                            : *reflection.MutableMessage(&sections, place);
    section.GetReflection()->AddUInt32(&section,
                                       section.GetDescriptor()->FindFieldByNumber(kNotSaidNumber),
                                       static_cast<uint32_t>(field.descriptor->number()));
    EXPECT_TRUE(Has(scene.AsSender(sections).findings, v1::REASON_CONSENT_FIELD, field.name));
    EXPECT_EQ(Permitted(scene.context, scene.consent, sections).ByteSizeLong(), 0) << field.name;
  }
}

TEST(SectionFieldsTest, KeepFieldsKeepsExactlyThese) {
  const v1::Sections everything = Everything(206);
  const std::set<uint32_t> all = FieldNumbersIn(everything);
  EXPECT_EQ(KeepFields(everything, all).SerializeAsString(), everything.SerializeAsString());
  EXPECT_EQ(KeepFields(everything, {}).ByteSizeLong(), 0);
  for (const uint32_t field_no : all) {
    EXPECT_EQ(FieldNumbersIn(KeepFields(everything, {field_no})), std::set<uint32_t>{field_no});
  }
}

TEST(SectionFieldsTest, EntriesThatBecomeEmptyGo) {
  const v1::Sections sections = SectionsOf(R"pb(
    depn { age_years: 4 }
    depn { name_to_use: "Dani" }
    depn { age_years: 9 name_to_use: "Abel" })pb");
  const v1::Sections kept = KeepFields(sections, {FieldByName("DEPN.name_to_use")->field_no});
  ASSERT_EQ(kept.depn_size(), 2);
  EXPECT_EQ(kept.depn(0).name_to_use(), "Dani");
  EXPECT_EQ(kept.depn(1).name_to_use(), "Abel");
  EXPECT_FALSE(kept.depn(1).has_age_years());
}

}  // namespace
}  // namespace waymark::testing
