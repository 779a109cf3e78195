// Scenario 1 told once, over a real hub and six real nodes, and what must be true of it: the
// acceptance checks that look at the whole story. Those that need a story of their own are in
// scenario_1_clock_test.cc and scenario_1_tamper_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/evidence.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// What was seen while the story was told.
struct Story {
  v1::ListConsentsResponse consents_after_asking;
  v1::ListCapacityQueriesResponse queries;
  v1::MatchServicesResponse matches;
  size_t submissions_after_asking = 0;

  absl::Status inquiry_without_consent;

  std::map<std::string, absl::Status> consents_refused;
  v1::PreviewResponse room_preview;
  v1::PreviewResponse preview_with_language;
  v1::PreviewResponse preview_with_name;
  absl::Status inquiry_with_language;
  absl::Status inquiry_with_name;

  v1::GetReferralResponse interpreter_at_pool;
  v1::GetReferralResponse disclosed_at_acceptance;
  v1::GetReferralResponse scheduled_at_lead;
  v1::GetReferralResponse scheduled_at_provider;
  v1::GetReferralResponse started_at_lead;
  v1::GetReferralResponse started_at_provider;
  v1::GetReferralResponse ended_at_lead;
  v1::GetReferralResponse ended_at_provider;
  v1::ListDisclosuresResponse disclosures;
  std::map<std::string, v1::ListReferralsResponse> inboxes;

  std::string metrics;
};

class Scenario1Test : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { told_ = Tell(); }
  static void TearDownTestSuite() {
    walk_.reset();
    network_.reset();
  }
  void SetUp() override { ASSERT_TRUE(told_.ok()) << told_; }

  static absl::Status Tell();
  static void KeepCopyOfRunning();
  static absl::Status TellFirstEvening();
  static absl::Status TryWhatIsRefused();
  static absl::Status TellSecondHalf();
  // The files of the hub or of a node, after the stop and while it ran.
  static std::vector<std::filesystem::path> FilesOf(const std::string& party) {
    std::vector<std::filesystem::path> files = FilesIn(network_->folder() + "/" + party);
    const auto running = FilesIn(network_->folder() + "/running/" + party);
    files.insert(files.end(), running.begin(), running.end());
    return files;
  }
  static absl::StatusOr<std::vector<v1::Submission>> Submissions() {
    ASSIGN_OR_RETURN(const auto frames, network_->hub().Recorded());
    return SubmissionsIn(frames);
  }

  static inline absl::Status told_;
  static inline std::unique_ptr<NetworkFixture> network_;
  static inline SeededRandom random_{7714};
  static inline std::unique_ptr<Walkthrough> walk_;
  static inline Story story_;
};

absl::Status Scenario1Test::Tell() {
  ASSIGN_OR_RETURN(network_, NetworkFixture::Create(Scenario1Organisations()));
  walk_ = std::make_unique<Walkthrough>(*network_, random_, Sara());
  RETURN_IF_ERROR(TellFirstEvening());
  RETURN_IF_ERROR(TellSecondHalf());
  ASSIGN_OR_RETURN(story_.metrics, network_->hub().Metrics());
  KeepCopyOfRunning();
  return network_->StopAll();
}

// What an orderly stop tidies away, such as write-ahead logs, is evidence too.
void Scenario1Test::KeepCopyOfRunning() {
  for (const std::filesystem::path& path : FilesIn(network_->folder())) {
    const auto copy = std::filesystem::path(network_->folder()) / "running" /
                      std::filesystem::relative(path, network_->folder());
    std::filesystem::create_directories(copy.parent_path());
    std::filesystem::copy_file(path, copy);
  }
}

absl::Status Scenario1Test::TellFirstEvening() {
  RETURN_IF_ERROR(walk_->OpenCase());
  v1::MatchServicesRequest match;
  match.set_case_id(walk_->Id("case"));
  match.set_need_id(walk_->Id("room"));
  ASSIGN_OR_RETURN(story_.matches, walk_->lead().Call(&NodeStub::MatchServices, match));
  RETURN_IF_ERROR(walk_->AskForRoom());
  v1::ListConsentsRequest consents;
  consents.set_case_id(walk_->Id("case"));
  ASSIGN_OR_RETURN(story_.consents_after_asking,
                   walk_->lead().Call(&NodeStub::ListConsents, consents));
  ASSIGN_OR_RETURN(story_.queries, walk_->lead().Call(&NodeStub::ListCapacityQueries,
                                                      v1::ListCapacityQueriesRequest()));
  ASSIGN_OR_RETURN(const auto submissions, Submissions());
  story_.submissions_after_asking = submissions.size();

  RETURN_IF_ERROR(walk_->RecordInterpreterConsent());
  RETURN_IF_ERROR(walk_->InquireInterpreter());
  RETURN_IF_ERROR(walk_->InterpreterAnswersAndStarts());
  ASSIGN_OR_RETURN(story_.interpreter_at_pool, walk_->View("bwi", "bwi"));

  story_.inquiry_without_consent = walk_->Inquire(
      "too early", walk_->InquiryContent("room", "lin-206", walk_->InquiryConsent()));
  RETURN_IF_ERROR(walk_->RecordInquiryConsent());
  RETURN_IF_ERROR(TryWhatIsRefused());
  RETURN_IF_ERROR(walk_->InquireRooms());
  return walk_->RoomsAnswer();
}

absl::Status Scenario1Test::TryWhatIsRefused() {
  v1::ConsentRecord consent = walk_->InquiryConsent();
  consent.set_consent_id(walk_->Id("with a companion"));
  consent.set_companion_present(true);
  story_.consents_refused["companion"] = walk_->Record(consent);
  consent = walk_->InquiryConsent();
  consent.set_consent_id(walk_->Id("with somebody interpreting"));
  consent.set_interpreter_kind(v1::INTERPRETER_KIND_OTHER);
  story_.consents_refused["interpreter"] = walk_->Record(consent);

  v1::PreviewRequest content = walk_->InquiryContent("room", "lin-206", walk_->InquiryConsent());
  ASSIGN_OR_RETURN(story_.room_preview, walk_->lead().Call(&NodeStub::Preview, content));
  for (const auto& [name, field, preview, inquiry] :
       {std::tuple{"language", "LANG.preferred_language", &story_.preview_with_language,
                   &story_.inquiry_with_language},
        std::tuple{"name", "IDEN.name_to_use", &story_.preview_with_name,
                   &story_.inquiry_with_name}}) {
    v1::ConsentRecord wider = walk_->InquiryConsent();
    wider.set_consent_id(walk_->Id(std::string("with the ") + name));
    wider.add_scope_fields(FieldByName(field)->field_no);
    RETURN_IF_ERROR(walk_->Record(wider));
    content = walk_->InquiryContent("room", "lin-206", wider);
    *content.mutable_field_nos() = wider.scope_fields();
    ASSIGN_OR_RETURN(*preview, walk_->lead().Call(&NodeStub::Preview, content));
    *inquiry = walk_->Inquire(std::string("refused ") + name, content);
  }
  return absl::OkStatus();
}

absl::Status Scenario1Test::TellSecondHalf() {
  RETURN_IF_ERROR(walk_->Decide());
  RETURN_IF_ERROR(walk_->DiscloseAtAcceptance());
  ASSIGN_OR_RETURN(story_.disclosed_at_acceptance, walk_->View("lin", "lin"));
  RETURN_IF_ERROR(walk_->Schedule());
  ASSIGN_OR_RETURN(story_.scheduled_at_lead, walk_->View("qso", "lin"));
  ASSIGN_OR_RETURN(story_.scheduled_at_provider, walk_->View("lin", "lin"));
  RETURN_IF_ERROR(walk_->Start());
  ASSIGN_OR_RETURN(story_.started_at_lead, walk_->View("qso", "lin"));
  ASSIGN_OR_RETURN(story_.started_at_provider, walk_->View("lin", "lin"));
  RETURN_IF_ERROR(walk_->DiscloseAtStart());
  RETURN_IF_ERROR(walk_->ReportProgress());
  ASSIGN_OR_RETURN(story_.ended_at_lead, walk_->View("qso", "lin"));
  ASSIGN_OR_RETURN(story_.ended_at_provider, walk_->View("lin", "lin"));
  v1::ListDisclosuresRequest disclosures;
  disclosures.set_case_id(walk_->Id("case"));
  ASSIGN_OR_RETURN(story_.disclosures, walk_->lead().Call(&NodeStub::ListDisclosures, disclosures));
  for (const char* handle : {"stb", "cpl"}) {
    v1::ListReferralsRequest request;
    request.set_box(v1::REFERRAL_BOX_INBOX);
    request.set_include_ended(true);
    ASSIGN_OR_RETURN(story_.inboxes[handle],
                     network_->node(handle).caseworker().Call(&NodeStub::ListReferrals, request));
  }
  return absl::OkStatus();
}

std::set<v1::Reason> ReasonsFor(const v1::PreviewResponse& preview, const std::string& field) {
  std::set<v1::Reason> reasons;
  for (const v1::Finding& finding : preview.findings()) {
    if (finding.field() == field) reasons.insert(finding.reason());
  }
  return reasons;
}

std::string Show(const google::protobuf::Message& message) { return message.ShortDebugString(); }

TEST_F(Scenario1Test, AC1_1_CapacityIsAskedWithoutAPersonAndWithoutAConsent) {
  EXPECT_EQ(story_.consents_after_asking.consents_size(), 0);
  ASSERT_EQ(story_.queries.queries_size(), 2);
  for (const v1::CapacityQueryRecord& query : story_.queries.queries()) {
    EXPECT_EQ(query.reply().status(), v1::CAPACITY_STATUS_HAS_CAPACITY) << Show(query);
  }
  const auto submissions = Submissions();
  ASSERT_TRUE(submissions.ok());
  for (size_t i = 0; i < story_.submissions_after_asking; ++i) {
    EXPECT_FALSE((*submissions)[i].has_registration()) << "no token is needed, none is known";
  }
  for (const auto& [handle, unit] : {std::pair{"lin", "lin.family"}, {"bea", "bea.intake"}}) {
    const auto opened = OpenRecorded(*network_, handle, network_->unit(unit));
    ASSERT_TRUE(opened.ok()) << opened.status();
    const auto asked = std::find_if(opened->begin(), opened->end(), [](const Opened& message) {
      return message.header.kind() == v1::KIND_CAPACITY_QUERY;
    });
    ASSERT_NE(asked, opened->end());
    EXPECT_TRUE(asked->header.token_hash().empty());
    v1::Payload expected;
    v1::CapacityQuery& query = *expected.mutable_capacity_query();
    const bool is_lin = std::string(handle) == "lin";
    query.set_service_id(network_->service(is_lin ? "lin-206" : "bea-201").bytes());
    query.set_service_code(is_lin ? 206 : 201);
    query.set_quantity(1);
    query.set_unit(is_lin ? v1::CAPACITY_UNIT_FAMILY_ROOM : v1::CAPACITY_UNIT_BED);
    query.mutable_window()->set_from_minute(absl::ToUnixSeconds(At(20, 30)) / 60);
    query.mutable_window()->set_to_minute(absl::ToUnixSeconds(At(0, 30, 1)) / 60);
    v1::Payload said = asked->payload;
    said.clear_directory_head();
    EXPECT_EQ(Show(said), Show(expected)) << "nothing but service, code, window, quantity, unit";
  }
}

TEST_F(Scenario1Test, AC1_2_AnInquiryBeforeItsConsentFailsLocally) {
  EXPECT_EQ(ReasonOf(story_.inquiry_without_consent), v1::REASON_CONSENT_MISSING);
  EXPECT_THAT(std::string(story_.inquiry_without_consent.message()), ::testing::HasSubstr("C1"));
  const auto submissions = Submissions();
  ASSERT_TRUE(submissions.ok());
  for (const RecordedMessage& message : MessagesIn(*submissions)) {
    EXPECT_NE(message.header.referral_id(), walk_->Id("too early"));
  }
}

TEST_F(Scenario1Test, AC1_3_TheLanguageExceedsTheBudgetAndTheNameStageAndProfile) {
  EXPECT_THAT(story_.room_preview.findings(), IsEmpty());
  EXPECT_EQ(story_.room_preview.budget_spent(), 6);
  EXPECT_EQ(story_.room_preview.budget(), 6);

  EXPECT_EQ(story_.preview_with_language.budget_spent(), 8);
  EXPECT_THAT(ReasonsFor(story_.preview_with_language, ""),
              UnorderedElementsAre(v1::REASON_BUDGET_EXCEEDED));
  EXPECT_THAT(story_.preview_with_language.proposed_without(),
              Contains(FieldByName("LANG.preferred_language")->field_no));
  EXPECT_EQ(ReasonOf(story_.inquiry_with_language), v1::REASON_BUDGET_EXCEEDED);

  EXPECT_THAT(ReasonsFor(story_.preview_with_name, "IDEN.name_to_use"),
              UnorderedElementsAre(v1::REASON_CONSENT_STAGE, v1::REASON_PROFILE_FIELD));
  EXPECT_FALSE(story_.inquiry_with_name.ok());
  const auto submissions = Submissions();
  ASSERT_TRUE(submissions.ok());
  for (const RecordedMessage& message : MessagesIn(*submissions)) {
    EXPECT_NE(message.header.referral_id(), walk_->Id("refused language"));
    EXPECT_NE(message.header.referral_id(), walk_->Id("refused name"));
  }
}

TEST_F(Scenario1Test, AC1_4_TheFaithHouseAndThePoliceDeskReceiveNothing) {
  std::map<std::string, v1::MatchVerdict> verdicts;
  for (const v1::ServiceMatch& match : story_.matches.matches()) {
    verdicts[match.entry().unit_handle()] = match.verdict();
  }
  ASSERT_TRUE(verdicts.contains("stb.house"));
  EXPECT_EQ(verdicts["stb.house"], v1::MATCH_VERDICT_CONFLICTS);
  ASSERT_EQ(story_.inboxes.size(), 2);
  for (const auto& [handle, inbox] : story_.inboxes) {
    EXPECT_EQ(inbox.referrals_size(), 0) << handle;
  }
  const auto log = RoutingLog(network_->hub());
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_FALSE(log->empty());
  for (const RoutedMessage& routed : *log) {
    for (const char* unit : {"stb.house", "cpl.desk"}) {
      EXPECT_NE(routed.recipient, network_->unit(unit)) << v1::Kind_Name(routed.kind);
      EXPECT_NE(routed.sender, network_->unit(unit)) << v1::Kind_Name(routed.kind);
    }
  }
  for (const auto& [handle, unit] : {std::pair{"stb", "stb.house"}, {"cpl", "cpl.desk"}}) {
    const auto opened = OpenRecorded(*network_, handle, network_->unit(unit));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->empty());
  }
}

TEST_F(Scenario1Test, AC1_5_AConsentGivenBesideACompanionOrThroughAnybodyIsUnusable) {
  ASSERT_EQ(story_.consents_refused.size(), 2);
  for (const auto& [name, status] : story_.consents_refused) {
    EXPECT_EQ(ReasonOf(status), v1::REASON_CONSENT_CAPTURE) << name << ": " << status;
  }
}

TEST_F(Scenario1Test, AC1_6_TheInterpretersHoldNothingAboutSafetyContactIdentityOrDependants) {
  const v1::Sections& held = story_.interpreter_at_pool.sections();
  EXPECT_EQ(held.lang().preferred_language(), "ti") << Show(held);
  EXPECT_EQ(held.need().topic_class(), v1::TOPIC_CLASS_GENERAL);
  const auto vault = OpenVault(network_->node("bwi"));
  ASSERT_TRUE(vault.ok()) << vault.status();
  const ReferralId referral = *ReferralId::FromBytes(walk_->Id("bwi"));
  const absl::Status read = (*vault)->Read([&](const node::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto sections,
                     reader.ReadSections(referral, node::SectionDirection::kReceived));
    for (const node::SectionRecord& section : sections) {
      EXPECT_THAT(section.section,
                  ::testing::AnyOf(v1::SECTION_REF, v1::SECTION_NEED, v1::SECTION_LANG))
          << "section " << section.section;
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

TEST_F(Scenario1Test, AC1_9_TheMeetingPointIsGoneAtBothNodesAfterTheStart) {
  const std::string place = walk_->person().meeting.meeting_point();
  EXPECT_EQ(story_.scheduled_at_lead.sections().logi().meeting_point(), place);
  EXPECT_EQ(story_.scheduled_at_provider.sections().logi().meeting_point(), place);
  for (const v1::GetReferralResponse* view : {&story_.started_at_lead, &story_.started_at_provider,
                                              &story_.ended_at_lead, &story_.ended_at_provider}) {
    EXPECT_FALSE(view->sections().logi().has_meeting_point());
  }
  const ReferralId referral = *ReferralId::FromBytes(walk_->Id("lin"));
  for (const char* handle : {"qso", "lin"}) {
    const auto vault = OpenVault(network_->node(handle));
    ASSERT_TRUE(vault.ok()) << vault.status();
    for (const auto direction :
         {node::SectionDirection::kReceived, node::SectionDirection::kSent}) {
      const absl::Status read = (*vault)->Read([&](const node::Reader& reader) -> absl::Status {
        ASSIGN_OR_RETURN(const auto sections, reader.ReadSections(referral, direction));
        for (const node::SectionRecord& section : sections) {
          EXPECT_EQ(section.content.view().find(place), std::string_view::npos) << handle;
        }
        return absl::OkStatus();
      });
      EXPECT_TRUE(read.ok()) << read;
    }
  }
}

// The values as bytes that could only come from them: free texts, and whole serialised sections.
std::vector<std::string> ValuesOf(Walkthrough& walk, const Story& story) {
  std::vector<std::string> values = walk.person().Canaries();
  values.push_back(walk.person().sections.safe().areas_to_avoid(0));
  for (const v1::GetReferralResponse* view :
       {&story.interpreter_at_pool, &story.disclosed_at_acceptance, &story.ended_at_provider}) {
    values.push_back(view->sections().need().need_ref());
    for (const google::protobuf::Message* section :
         std::initializer_list<const google::protobuf::Message*>{
             &view->sections().need(), &view->sections().lang(), &view->sections().party(),
             &view->sections().access(), &view->sections().pref(), &view->sections().safe(),
             &view->sections().logi()}) {
      values.push_back(section->SerializeAsString());
    }
  }
  // Shorter ones could stand anywhere by accident.
  std::erase_if(values, [](const std::string& value) { return value.size() < 5; });
  return values;
}

TEST_F(Scenario1Test, AC1_10_TheHubHoldsNoValueInWhateverItReceivedOrWrote) {
  const auto files = FilesOf("hub");
  EXPECT_FALSE(FilesWith(files, "hub.sqlite-wal").empty());
  std::vector<std::string> values = ValuesOf(*walk_, story_);
  // Ids that mean something at the originating node alone.
  for (const char* name : {"case", "room", "bed", "interpreter", "c-a", "c-b", "c-c"}) {
    values.push_back(walk_->Id(name));
  }
  for (const std::string& value : values) {
    EXPECT_THAT(FilesWith(files, value), IsEmpty());
    EXPECT_EQ(story_.metrics.find(value), std::string::npos);
  }
  // The routing fields are all that it can read: no header holds anything besides them.
  const auto submissions = Submissions();
  ASSERT_TRUE(submissions.ok());
  EXPECT_GE(MessagesIn(*submissions).size(), 20);
  for (const RecordedMessage& message : MessagesIn(*submissions)) {
    EXPECT_TRUE(v1::Header::GetReflection()->GetUnknownFields(message.header).empty());
    EXPECT_EQ(message.header.size_bucket(), v1::SIZE_BUCKET_2_KIB);
    EXPECT_EQ(message.message.sealed().size(), 2048);
  }
}

TEST_F(Scenario1Test, NoNodeKeepsAValueInClear) {
  for (const char* handle : {"qso", "bwi", "bea", "lin", "stb", "cpl"}) {
    const auto files = FilesOf(handle);
    EXPECT_FALSE(FilesWith(files, "vault.db-wal").empty());
    for (const std::string& value : ValuesOf(*walk_, story_)) {
      EXPECT_THAT(FilesWith(files, value), IsEmpty());
    }
  }
}

TEST_F(Scenario1Test, AC1_12_NoForbiddenWordStandsAnywhere) {
  std::ifstream list(WAYMARK_FORBIDDEN_WORDS);
  std::vector<std::string> words;
  for (std::string line; std::getline(list, line);) {
    if (!line.empty() && line.front() != '#') words.push_back(line);
  }
  ASSERT_GE(words.size(), 6);
  const auto files = FilesIn(network_->folder());
  for (const std::string& word : words) {
    EXPECT_THAT(FilesWith(files, word, /*any_case=*/true), IsEmpty());
    EXPECT_EQ(story_.metrics.find(word), std::string::npos);
  }
}

TEST_F(Scenario1Test, EachStageUnlocksWhatWasAgreedForIt) {
  const v1::Sections& accepted = story_.disclosed_at_acceptance.sections();
  EXPECT_EQ(accepted.lang().preferred_language(), "ti");
  EXPECT_EQ(accepted.pref().diet(0), v1::DIET_NO_PORK);
  EXPECT_EQ(accepted.safe().place_conflict(), v1::ANSWER_NO);
  EXPECT_EQ(accepted.safe().areas_to_avoid_size(), 0);
  EXPECT_TRUE(accepted.cont().via_lead_only());
  EXPECT_FALSE(accepted.cont().has_handle());
  EXPECT_FALSE(accepted.has_iden());
  EXPECT_EQ(accepted.depn_size(), 0);
  const v1::Sections& started = story_.ended_at_provider.sections();
  EXPECT_EQ(started.iden().name_to_use(), walk_->person().sections.iden().name_to_use());
  EXPECT_FALSE(started.iden().has_legal_name());
  ASSERT_EQ(started.depn_size(), 1);
  EXPECT_EQ(started.depn(0).age_years(), 4);
}

TEST_F(Scenario1Test, TheLeadLearnsHowItGoesAndTheLogSaysWhoReceivedWhat) {
  EXPECT_EQ(story_.ended_at_lead.summary().state(), "ONGOING");
  const v1::ProgSection& prog = story_.ended_at_lead.sections().prog();
  EXPECT_EQ(prog.status(), v1::PROGRESS_STATUS_ONGOING);
  EXPECT_THAT(prog.next_need_codes(), ::testing::ElementsAre(102, 402, 801));
  std::map<std::string, std::set<std::string>> received;
  for (const v1::Disclosure& disclosure : story_.disclosures.disclosures()) {
    received[disclosure.recipient()].insert(disclosure.fields().begin(), disclosure.fields().end());
  }
  EXPECT_THAT(received["lin.family"], Contains("IDEN.name_to_use"));
  EXPECT_THAT(received["bwi.pool"], Contains("LANG.preferred_language"));
  EXPECT_THAT(received["bea.intake"], Not(Contains("LANG.preferred_language")));
  EXPECT_EQ(received.size(), 3);
}

}  // namespace
}  // namespace waymark::testing
