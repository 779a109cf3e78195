#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/schema/catalogue.h"
#include "base/status/status.h"

namespace waymark {
namespace {

using testing::HasSubstr;

const Catalogue& Defaults() { return Catalogue::Default(); }

// A folder of its own for one test.
class CatalogueLoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "catalogue.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

  // The message of the error that loading the folder ends with.
  std::string LoadError() {
    const auto catalogue = Catalogue::Load(directory_);
    EXPECT_EQ(ReasonOf(catalogue.status()), v1::REASON_CONFIG_INVALID);
    return std::string(catalogue.status().message());
  }

  std::filesystem::path directory_;
};

TEST_F(CatalogueLoadTest, TakesWhatIsThereAndTheRestFromTheDefaults) {
  Write("policy_packs.json",
        R"({"version": 7, "packs": [{"id": "here", "capture_kinds": ["CAPTURE_KIND_WRITTEN"],
        "default_days": 1, "max_days": 2, "recipients_per_identifying_consent": 1,
        "recipients_per_inquiry_consent": 1, "vital_interest": "VITAL_INTEREST_OFF",
        "withdrawal_forms": ["WITHDRAWAL_FORM_ORAL"], "minor_consent": "MINOR_CONSENT_NEVER",
        "breach_hours": 1}], "separate_release": {"classes": ["ORGANISATION_CLASS_MEDIA"],
        "max_days": 1, "capture_kinds": ["CAPTURE_KIND_WRITTEN"]}})");
  const auto catalogue = Catalogue::Load(directory_);
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  EXPECT_NE((*catalogue)->FindPack("here"), nullptr);
  EXPECT_EQ((*catalogue)->FindPack("us-vsp"), nullptr);
  EXPECT_EQ((*catalogue)->taxonomy().codes_size(), 61);
}

TEST_F(CatalogueLoadTest, AnEmptyFolderGivesTheDefaults) {
  EXPECT_TRUE(Catalogue::Load(directory_).ok());
  Write(".hidden", "not looked at");
  EXPECT_TRUE(Catalogue::Load(directory_).ok());
}

// A rule that was meant to be replaced and is not would let out what it should hold back.
TEST_F(CatalogueLoadTest, RefusesAFolderThatIsNotThereAndFilesThatReplaceNothing) {
  const auto missing = Catalogue::Load(directory_ / "missing");
  EXPECT_EQ(ReasonOf(missing.status()), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr((directory_ / "missing").string()));
  Write("disclosure-profiles.json", "{}");
  EXPECT_THAT(LoadError(), HasSubstr((directory_ / "disclosure-profiles.json").string()));
  std::filesystem::remove(directory_ / "disclosure-profiles.json");
  std::filesystem::create_symlink(directory_ / "nowhere", directory_ / "urgency.json");
  EXPECT_THAT(LoadError(), HasSubstr("urgency.json cannot be read"));
}

TEST_F(CatalogueLoadTest, NamesTheFileAndLineThatIsNoJsonOrHasUnknownFields) {
  const std::string path = (directory_ / "urgency.json").string();
  Write("urgency.json", "{\n  \"version\": 1,\n  \"clocks\": oops\n}\n");
  EXPECT_THAT(LoadError(), HasSubstr(path + ":3: "));
  Write("urgency.json", R"({"version": 1, "moods": []})");
  EXPECT_THAT(LoadError(), testing::AllOf(HasSubstr(path), HasSubstr("moods")));
  Write("urgency.json", R"({"version": 1, "clocks": [{"urgency": "URGENCY_U9"}]})");
  EXPECT_THAT(LoadError(), HasSubstr("URGENCY_U9"));
  Write("urgency.json", R"({"clocks": []})");
  EXPECT_THAT(LoadError(), HasSubstr("in " + directory_.string() + ": urgency.json"));
}

TEST_F(CatalogueLoadTest, NamesWhatDoesNotExist) {
  Write("disclosure_profiles.json",
        R"({"version": 1, "sections": [{"code": 999, "section": "SECTION_NEED"}]})");
  EXPECT_THAT(LoadError(), testing::AllOf(HasSubstr("disclosure_profiles.json"), HasSubstr("999")));
  Write("disclosure_profiles.json",
        R"({"version": 1, "fields": [{"id": "X", "fields": ["IDEN.shoe_size"]}]})");
  EXPECT_THAT(LoadError(), HasSubstr("IDEN.shoe_size"));
}

CatalogueFiles SoundFiles() {
  CatalogueFiles copy;
  copy.taxonomy = Defaults().taxonomy();
  copy.labels.set_version(1);
  copy.labels.set_language("en");
  copy.profiles = Defaults().profiles();
  copy.packs = Defaults().packs();
  copy.clocks = Defaults().clocks();
  copy.ends = Defaults().ends();
  copy.traffic = Defaults().traffic();
  return copy;
}

// Each change breaks one rule of one file.
TEST(CatalogueCheckTest, RejectsFilesThatContradictThemselves) {
  ASSERT_TRUE(Catalogue::Create(SoundFiles()).ok());
  const struct {
    const char* expected;
    void (*change)(CatalogueFiles&);
  } cases[] = {
      {"taxonomy.json: version", [](auto& f) { f.taxonomy.clear_version(); }},
      {"a code stands twice", [](auto& f) { f.taxonomy.mutable_codes(1)->set_code(101); }},
      {"code 9901 has no category", [](auto& f) { f.taxonomy.mutable_codes(0)->set_code(9901); }},
      {"code 101 needs a key", [](auto& f) { f.taxonomy.mutable_codes(0)->clear_phases(); }},
      {"code 101 is replaced", [](auto& f) { f.taxonomy.mutable_codes(0)->set_replaced_by(199); }},
      {"labels.en.json: there is no stage",
       [](auto& f) { (*f.labels.mutable_ceilings())["STAGE_LATER"] = "Later."; }},
      {"labels.en.json: there is no section",
       [](auto& f) { (*f.labels.mutable_sections())["MOOD"] = "Mood"; }},
      {"stands twice", [](auto& f) { *f.profiles.add_sections() = f.profiles.sections(0); }},
      {"names no sealed section",
       [](auto& f) { f.profiles.mutable_sections(0)->set_section(v1::SECTION_CON); }},
      {"before the coarse ones",
       [](auto& f) { f.profiles.mutable_sections(0)->set_coarse_from(v1::STAGE_STARTED); }},
      {"leave_out for all codes",
       [](auto& f) { f.profiles.mutable_quasi_budget()->clear_leave_out(); }},
      {"minor needs max_days", [](auto& f) { f.profiles.mutable_minor()->clear_max_days(); }},
      {"policy_packs.json: pack baseline needs default_days",
       [](auto& f) { f.packs.mutable_packs(0)->set_default_days(91); }},
      {"stands twice", [](auto& f) { f.packs.mutable_packs(1)->set_id("baseline"); }},
      {"separate_release needs", [](auto& f) { f.packs.clear_separate_release(); }},
      {"URGENCY_U0 lacks a required span",
       [](auto& f) { f.clocks.mutable_clocks(0)->mutable_hold()->set_working_days(1); }},
      {"URGENCY_U1 has an offline_notice_after that is not in minutes",
       [](auto& f) {
         f.clocks.mutable_clocks(1)->mutable_offline_notice_after()->set_working_days(1);
       }},
      {"URGENCY_U2 has offline_notice_after",
       [](auto& f) { f.clocks.mutable_clocks(2)->mutable_offline_notice_after()->set_minutes(2); }},
      {"the same offline_notice_after",
       [](auto& f) { f.clocks.mutable_clocks(1)->clear_offline_notice_after(); }},
      {"an urgency has no clocks", [](auto& f) { f.clocks.mutable_clocks()->RemoveLast(); }},
      {"a decline code is missing", [](auto& f) { f.ends.mutable_declines()->RemoveLast(); }},
      {"traffic.json: version", [](auto& f) { f.traffic.clear_version(); }},
      {"a rate or a burst is 0", [](auto& f) { f.traffic.clear_sessions_per_second(); }},
      {"smaller than a frame", [](auto& f) { f.traffic.set_burst_items(63); }},
      {"smaller than a frame", [](auto& f) { f.traffic.set_burst_bytes(1000); }},
      {"decline code D02", [](auto& f) { f.ends.mutable_declines(1)->clear_barrier(); }},
  };
  for (const auto& test : cases) {
    CatalogueFiles changed = SoundFiles();
    test.change(changed);
    const auto catalogue = Catalogue::Create(std::move(changed));
    EXPECT_EQ(ReasonOf(catalogue.status()), v1::REASON_CONFIG_INVALID) << test.expected;
    EXPECT_THAT(std::string(catalogue.status().message()), HasSubstr(test.expected));
  }
}

}  // namespace
}  // namespace waymark
