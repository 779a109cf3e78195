// The clinic's FHIR R4 server, in both flavours of the lifecycle.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status/status.h"
#include "client/connectors/fhir/bundle.h"
#include "client/connectors/fhir/record.h"
#include "client/connectors/json_members.h"
#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/script_server.h"
#include "tests/deploy/integrations/integration.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class MedicalIntegrationTest : public ::testing::TestWithParam<const char*> {
 protected:
  MedicalIntegrationTest() {
    PutFile(token_, "a word that opens the system\n");
    chmod(token_.c_str(), 0600);
    auto started =
        ScriptServer::Start({IntegrationPath("medical/clinic_server.mjs"), "--token-file", token_});
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) std::abort();
    server_ = *std::move(started);
    const std::string flavour = GetParam();
    clinic_.emplace(
        "medical",
        ConfigChanges{{"https://clinic.example/r4",
                       absl::StrCat("http://127.0.0.1:", server_->port(), "/r4")},
                      {"{credential: records-token}", "{file: " + token_ + "}"},
                      {"flavour: sdohcc", "flavour: " + flavour},
                      {"name: flavour, value: sdohcc", "name: flavour, value: " + flavour}});
  }

  std::string Ask(const std::string& method, const std::string& path,
                  std::optional<std::string> body = std::nullopt) const {
    HttpClient client = ClientOf(
        server_->port(), "/r4",
        {.kind = HttpLogin::Kind::kBearer, .secret = {SecretReference::Kind::kFile, token_}});
    return AskServer(client, method, path, std::move(body));
  }

  std::vector<std::string> All(std::string_view type) const {
    const auto page = ReadFhirPage(Ask("GET", "/" + std::string(type)));
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->matches : std::vector<std::string>();
  }

  std::vector<std::string> Everything() const {
    std::vector<std::string> resources;
    for (const std::string_view type : kFhirRecordTypes) {
      const std::vector<std::string> all = All(type);
      resources.insert(resources.end(), all.begin(), all.end());
    }
    return resources;
  }

  static std::string At(const std::string& json, const std::string& pointer) {
    const auto value = JsonAt(json, pointer);
    return value ? value->text : "nothing";
  }

  // Puts members into the one Task, as the clinic's own program does it.
  void Change(const std::map<std::string, std::string>& changes) const {
    const std::string task = All("Task").front();
    JsonObject changed;
    const auto members = ReadJsonObject(task);
    for (const JsonMember& member : *members) {
      if (changes.contains(member.name)) continue;
      changed.Add(member.name, member.value.kind == JsonValue::Kind::kText
                                   ? QuoteJson(member.value.text)
                                   : member.value.text);
    }
    for (const auto& [name, json] : changes) {
      if (!json.empty()) changed.Add(name, json);
    }
    Ask("PUT", "/Task/" + At(task, "/id"), std::move(changed).Finish());
  }

  bool is_bser() const { return std::string_view(GetParam()) == "bser"; }

  TestFolder folder_;
  const std::string token_ = folder_ / "token";
  std::unique_ptr<ScriptServer> server_;
  std::optional<Integration> clinic_;
  const std::string referral_ = ReferralIdOf('\x0a');
};

INSTANTIATE_TEST_SUITE_P(Flavours, MedicalIntegrationTest,
                         ::testing::Values("sdohcc", "bser", "plain"),
                         [](const auto& flavour) { return std::string(flavour.param); });

TEST_P(MedicalIntegrationTest, AReferralIsOneRequestWithItsTaskUntilItIsErased) {
  v1::LocalOutward referral = clinic_->Sample(referral_, "ACCEPTED");
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  const std::vector<std::string> first = Everything();
  EXPECT_THAT(first, SizeIs(3));
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Everything(), SizeIs(3));
  EXPECT_EQ(At(All("Task").front(), "/status"), "accepted");

  referral.mutable_referral()->set_state("STARTED");
  referral.mutable_sections()->mutable_iden()->set_legal_name("Robin Q. Sample");
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Everything(), SizeIs(3));
  EXPECT_EQ(At(All("Task").front(), "/status"), "in-progress");
  EXPECT_EQ(At(All("Task").front(), "/for/reference"),
            "Patient/" + At(All("Patient").front(), "/id"));
  EXPECT_EQ(At(All("Patient").front(), "/name/1/text"), "Robin Q. Sample");

  EXPECT_EQ(clinic_->Erase(referral_).outcome, WriteOutcome::kDone);
  EXPECT_EQ(clinic_->Erase(referral_).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Everything(), IsEmpty());
}

// By an independent validator, in every state and with as little as a referral can have.
TEST_P(MedicalIntegrationTest, EveryResourceIsValid) {
  std::vector<std::string> resources;
  for (const char* state : {"INQUIRED", "OFFERED", "WAITLISTED", "ACCEPTED", "SCHEDULED", "STARTED",
                            "ONGOING", "COMPLETED", "DECLINED", "CANCELLED"}) {
    v1::LocalOutward full = clinic_->Sample(referral_, state);
    full.mutable_referral()->mutable_respond_by()->set_seconds(1804680000);
    full.mutable_sections()->mutable_cont()->set_via_lead_only(true);
    full.mutable_sections()->mutable_iden()->mutable_date_of_birth()->set_year(1999);
    full.mutable_sections()->mutable_iden()->mutable_date_of_birth()->set_month(2);
    full.mutable_sections()->mutable_iden()->mutable_date_of_birth()->set_day(3);
    v1::LocalOutward least = clinic_->Sample(ReferralIdOf('\x0b'), state);
    least.clear_sections();
    for (const v1::LocalOutward& referral : {full, least}) {
      const WriteResult written = clinic_->Write(referral);
      EXPECT_EQ(written.outcome, WriteOutcome::kDone) << written.detail;
    }
    const std::vector<std::string> all = Everything();
    EXPECT_THAT(all, SizeIs(5)) << "without a section there is no Patient";
    resources.insert(resources.end(), all.begin(), all.end());
    EXPECT_EQ(clinic_->Erase(referral_).outcome, WriteOutcome::kDone);
    EXPECT_EQ(clinic_->Erase(ReferralIdOf('\x0b')).outcome, WriteOutcome::kDone);
  }
  PutFile(folder_ / "resources", "[" + absl::StrJoin(resources, ",") + "]");
  EXPECT_EQ(::waymark::testing::RunToEnd(
                {.command = {"/usr/bin/env", "node", WAYMARK_FHIR_CHECK, folder_ / "resources"},
                 .output = folder_ / "findings"}),
            absl::OkStatus());
}

TEST_P(MedicalIntegrationTest, WhatTheClinicDoesWithTheTaskAreStepsOfTheReferral) {
  v1::LocalOutward referral = clinic_->Sample(referral_, "INQUIRED");
  referral.mutable_referral()->mutable_respond_by()->set_seconds(1804680000);
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_THAT(clinic_->ReadUpdates(), IsEmpty()) << "what the node writes is no answer";
  const std::string scheduled =
      is_bser()
          ? R"({"coding":[{"system":"http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS","code":"5.1.1"}]})"
          : R"({"text":"Scheduled"})";
  const std::pair<std::map<std::string, std::string>, v1::Kind> steps[] = {
      {{{"status", R"("received")"}}, v1::KIND_UNSPECIFIED},
      {{{"status", R"("on-hold")"}}, v1::KIND_WAITLIST},
      {{{"status", R"("accepted")"},
        {"executionPeriod", R"({"start":"2027-03-15T08:30:00.000+01:00"})"}},
       v1::KIND_OFFER},
      {{{"status", R"("accepted")"}, {"businessStatus", scheduled}}, v1::KIND_SCHEDULE},
      {{{"status", R"("in-progress")"}}, v1::KIND_START},
      {{{"status", R"("failed")"}}, v1::KIND_CLOSE},
      {{{"status", R"("cancelled")"}}, v1::KIND_CLOSE},
      {{{"status", R"("completed")"}}, v1::KIND_CLOSE},
      {{{"status", R"("rejected")"}, {"statusReason", R"({"text":"No capacity"})"}},
       v1::KIND_DECLINE},
  };
  for (const auto& [changes, kind] : steps) {
    Change(changes);
    const std::vector<MappedUpdate> updates = clinic_->ReadUpdates();
    const std::string& status = changes.at("status");
    ASSERT_THAT(updates, SizeIs(kind == v1::KIND_UNSPECIFIED ? 0 : 1)) << status;
    if (updates.empty()) continue;
    EXPECT_EQ(updates.front().update.kind(), kind) << status;
    EXPECT_EQ(updates.front().update.referral_id(), referral_);
    const v1::Sections& sections = updates.front().update.sections();
    if (kind == v1::KIND_OFFER) {
      EXPECT_EQ(absl::FormatTime(absl::FromUnixSeconds(sections.prog().offer().start().seconds()),
                                 absl::UTCTimeZone()),
                "2027-03-15T07:30:00+00:00");
    }
    if (kind == v1::KIND_DECLINE) {
      EXPECT_EQ(sections.prog().decline_code(), v1::DECLINE_CODE_NO_CAPACITY);
    }
  }
}

// What the clinic has done is not undone when the referral is written again.
TEST_P(MedicalIntegrationTest, TheClinicsStatusStays) {
  v1::LocalOutward referral = clinic_->Sample(referral_, "ACCEPTED");
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  const std::string authored = At(All("Task").front(), "/authoredOn");
  EXPECT_THAT(authored, HasSubstr("2027-03-09"));
  Change({{"status", R"("in-progress")"}, {"authoredOn", R"("2027-03-01T10:00:00Z")"}});
  referral.mutable_referral()->set_state("SCHEDULED");
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(At(All("Task").front(), "/status"), "in-progress");

  referral.mutable_referral()->set_state("COMPLETED");
  EXPECT_EQ(clinic_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(At(All("Task").front(), "/status"), "completed");
  EXPECT_EQ(At(All("Task").front(), "/authoredOn"), "2027-03-01T10:00:00Z") << "it was made once";
}

TEST_P(MedicalIntegrationTest, RoomIsWhatTheClinicsServiceSays) {
  const auto put = [this](const std::string& id, const std::string& code) {
    Ask("PUT", "/HealthcareService/" + id,
        absl::StrCat(
            R"({"resourceType":"HealthcareService","id":")", id,
            R"(","active":true,"extension":[{"url":"http://hl7.org/fhir/us/sdoh-clinicalcare/)"
            R"(StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus","extension":)"
            R"([{"url":"capacityStatus","valueCodeableConcept":{"coding":[{"system":)"
            R"("http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes",)"
            R"("code":")",
            code, R"("}]}}]}]})"));
  };
  put("dentist", "capacity");
  const std::pair<const char*, v1::CapacityStatus> codes[] = {
      {"capacity", v1::CAPACITY_STATUS_HAS_CAPACITY},
      {"no-capacity", v1::CAPACITY_STATUS_NO_CAPACITY},
      {"no-capacity-has-waitlist", v1::CAPACITY_STATUS_WAITLIST},
      {"closed", v1::CAPACITY_STATUS_UNKNOWN},
  };
  for (const auto& [code, status] : codes) {
    put("general-practice", code);
    const std::vector<v1::Capacity> room = clinic_->ReadRoom(absl::Now());
    ASSERT_THAT(room, SizeIs(1)) << "nobody knows the dentist";
    EXPECT_EQ(room.front().status(), status);
  }
}

}  // namespace
}  // namespace waymark::node
