// Whole imports: dry runs, repeats, stops at every record, mappings, progress, the journal.
#include "client/listing/import.h"

#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/listing/support.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Record(int number, const std::string& more = "") {
  return "{\"id\":\"s" + std::to_string(number) +
         R"(","name":"n","status":"active","assured_date":"2026-12-01",
             "service_areas":[{"name":"XA-M"}],
             "attributes":[{"taxonomy_term":{"code":"206","taxonomy":"waymark-services"}}],
             "service_at_locations":[{"location":{"location_type":"physical"}}])" +
         more + "}";
}

std::string Records(int count) {
  std::string text = "[";
  for (int i = 1; i <= count; ++i) text += (i > 1 ? "," : "") + Record(i);
  return text + "]";
}

// Says of each record what a mapping that copies ids would.
class FakeMapping final : public MappingRunner {
 public:
  absl::StatusOr<std::vector<std::string>> Run(const MappingProgram&, std::string_view input,
                                               const std::map<std::string, std::string>&) override {
    inputs.emplace_back(input);
    if (input.find("\"fail\"") != std::string_view::npos) {
      return Error(v1::REASON_MAPPING_FAILED, "m.jq");
    }
    if (input.find("\"broken\"") != std::string_view::npos) {
      return Error(v1::REASON_MAPPING_UNAVAILABLE, "m.jq");
    }
    if (input.find("\"none\"") != std::string_view::npos) return std::vector<std::string>();
    if (input.find("\"odd\"") != std::string_view::npos) {
      return std::vector<std::string>{"{\"record_id\":\"odd\",\"shelf\":1}"};
    }
    return std::vector<std::string>{R"({"record_id":")" + std::to_string(inputs.size()) +
                                    R"(","service":{"code":206,
            "provider_kind":"PROVIDER_KIND_SPECIALIST","location_kind":"LOCATION_KIND_VIRTUAL",
            "remote_delivery":true,"last_verified":{"year":2026,"month":12,"day":1}}})"};
  }

  std::vector<std::string> inputs;
};

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() : journal_path_(folder_.path() + "/journal") {
    request_.source.catalogue = &Catalogue::Default();
    request_.context = Context();
    request_.context.defaults.set_provider_kind(v1::PROVIDER_KIND_MAINSTREAM);
  }

  void Use(const std::string& name, const std::string& content) {
    request_.source.path = folder_.Write(name, content);
  }

  absl::StatusOr<local::v1::ImportReport> DryRun() {
    ImportRequest request = request_;
    request.context.published = node_.Shown();
    return RunImport(Catalogue::Default(), std::move(request));
  }

  absl::StatusOr<local::v1::ImportReport> Apply(bool resume = false) {
    auto journal = Journal::Open(journal_path_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    ImportRequest request = request_;
    request.context.published = node_.Shown();
    request.publisher = &node_;
    request.journal = &*journal;
    request.resume = resume;
    return RunImport(Catalogue::Default(), std::move(request));
  }

  const TestFolder folder_;
  const std::string journal_path_;
  FakeNode node_;
  FakeMapping mapping_;
  ImportRequest request_;
};

TEST_F(ImportTest, PublishesNothingInADryRun) {
  Use("s.json", Records(3));
  const auto report = DryRun();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_ADDED), 3U);
  EXPECT_EQ(report->records(), 3U);
  EXPECT_FALSE(report->applied());
  EXPECT_THAT(node_.services, IsEmpty());
}

TEST_F(ImportTest, HasNothingToDoTheSecondTime) {
  Use("s.json", Records(3));
  ASSERT_TRUE(Apply().ok());
  ASSERT_THAT(node_.services, SizeIs(3));
  const auto report = Apply();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_UNCHANGED), 3U);
  EXPECT_THAT(report->entries(), IsEmpty());
  EXPECT_EQ(node_.published, 3);
}

TEST_F(ImportTest, ChangesAddsAndWithdrawsWithTheSource) {
  Use("s.json", Records(3));
  ASSERT_TRUE(Apply().ok());
  Use("s.json", "[" + Record(1) + "," + Record(2, ",\"minimum_age\":18") + "," + Record(4) + "]");
  const auto report = Apply();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_UNCHANGED), 1U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_CHANGED), 1U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_ADDED), 1U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_WITHDRAWN), 1U);
  EXPECT_THAT(node_.Shown(), SizeIs(3));
  // And it comes back with its record.
  Use("s.json", Records(3));
  ASSERT_TRUE(Apply().ok());
  EXPECT_THAT(node_.Shown(), SizeIs(3));
  EXPECT_THAT(node_.services, SizeIs(4));
}

TEST_F(ImportTest, WithdrawsNothingWhenTheFileIsCut) {
  Use("s.json", Records(3));
  ASSERT_TRUE(Apply().ok());
  const std::string whole = Records(3);
  Use("s.json", whole.substr(0, whole.size() - 20));
  EXPECT_EQ(ReasonOf(Apply().status()), v1::REASON_MALFORMED);
  EXPECT_THAT(node_.Shown(), SizeIs(3));
}

// Stopped after each record in turn, it goes on to the same end as without a stop.
TEST_F(ImportTest, GoesOnAfterAStopAtAnyRecord) {
  constexpr int kCount = 6;
  Use("old.json", "[" + Record(9) + "]");
  for (int stop = 0; stop <= kCount; ++stop) {
    std::filesystem::remove(journal_path_);
    node_ = FakeNode();
    Use("s.json", "[" + Record(9) + "]");
    ASSERT_TRUE(Apply().ok());
    Use("s.json", Records(kCount));
    node_.fail_after = 1 + stop;
    ASSERT_FALSE(Apply().ok());
    node_.fail_after = -1;
    const auto report = Apply(/*resume=*/true);
    ASSERT_TRUE(report.ok()) << stop << report.status();
    EXPECT_EQ(report->records(), static_cast<uint64_t>(kCount));
    EXPECT_EQ(report->resumed(), static_cast<uint64_t>(std::max(0, stop - 1))) << stop;
    EXPECT_THAT(node_.Shown(), SizeIs(kCount));
    EXPECT_EQ(node_.published, 1 + kCount + 1);
    EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_WITHDRAWN), 1U);
    uint64_t settled = 0;
    for (const auto& count : report->counts()) settled += count.count();
    EXPECT_EQ(settled, static_cast<uint64_t>(kCount + 1));
  }
}

TEST_F(ImportTest, DoesNotGoOnWithAnotherSourceOrAfterTheEnd) {
  Use("s.json", Records(3));
  EXPECT_EQ(ReasonOf(Apply(true).status()), v1::REASON_STATE_FORBIDS);
  node_.fail_after = 1;
  ASSERT_FALSE(Apply().ok());
  node_.fail_after = -1;
  Use("s.json", Records(4));
  EXPECT_EQ(ReasonOf(Apply(true).status()), v1::REASON_STATE_FORBIDS);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(ReasonOf(Apply(true).status()), v1::REASON_STATE_FORBIDS);
}

TEST_F(ImportTest, DoesNotGoOnWithAnotherMapping) {
  request_.source.runner = &mapping_;
  request_.source.mapping.text = ".";
  Use("s.json", "[{\"a\":1},{\"a\":2}]");
  node_.fail_after = 1;
  ASSERT_FALSE(Apply().ok());
  node_.fail_after = -1;
  request_.source.mapping.text = ". // empty";
  EXPECT_EQ(ReasonOf(Apply(true).status()), v1::REASON_STATE_FORBIDS);
  request_.source.mapping.text = ".";
  EXPECT_TRUE(Apply(true).ok());
}

// A record that cannot be told apart may be any of those that are published.
TEST_F(ImportTest, WithdrawsNothingWhileARecordHasNoId) {
  request_.source.runner = &mapping_;
  Use("s.json", "[{\"a\":1},{\"a\":2},{\"a\":3}]");
  ASSERT_TRUE(Apply().ok());
  mapping_.inputs.clear();
  Use("s.json", "[{\"a\":1},{\"a\":\"fail\"}]");
  auto report = Apply();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_WITHDRAWN), 0U);
  EXPECT_EQ(report->not_withdrawn(), 2U);
  EXPECT_THAT(node_.Shown(), SizeIs(3));
  // Left out on purpose is another matter.
  mapping_.inputs.clear();
  Use("s.json", "[{\"a\":1},{\"a\":\"none\"}]");
  report = Apply();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_WITHDRAWN), 2U);
  EXPECT_EQ(report->not_withdrawn(), 0U);
}

TEST_F(ImportTest, KeepsWhereEachServiceCameFrom) {
  request_.licence = "CC BY 4.0";
  Use("s.json", Records(2));
  ASSERT_TRUE(Apply().ok());
  const auto journal = Journal::Open(journal_path_);
  ASSERT_TRUE(journal.ok());
  EXPECT_TRUE(journal->last().finished);
  EXPECT_EQ(journal->last().source.licence(), "CC BY 4.0");
  EXPECT_EQ(journal->last().source.digest().size(), 32U);
  ASSERT_THAT(journal->last().settled, SizeIs(2));
  const local::v1::ImportedRecord& settled = journal->last().settled[1];
  EXPECT_EQ(settled.record_id(), "s2");
  EXPECT_EQ(settled.service_id(), ImportedServiceId(Lin(), "town", "s2").bytes());
  EXPECT_EQ(settled.verified().year(), 2026);
  EXPECT_TRUE(settled.verified_by_source());
}

TEST_F(ImportTest, TakesACutLineOffTheJournalAndRefusesWhatIsNone) {
  {
    auto journal = Journal::Open(journal_path_);
    local::v1::ImportSource source;
    source.set_name("town");
    ASSERT_TRUE(journal->Begin(source).ok());
  }
  std::ofstream(journal_path_, std::ios::app) << "{\"settled\":{\"ordi";
  {
    auto journal = Journal::Open(journal_path_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(journal->last().source.name(), "town");
    ASSERT_TRUE(journal->Finish().ok());
  }
  EXPECT_TRUE(Journal::Open(journal_path_)->last().finished);
  EXPECT_EQ(ReasonOf(Journal::Open(folder_.Write("other", "some text\n")).status()),
            v1::REASON_FILE_UNUSABLE);
}

TEST_F(ImportTest, AccountsForEveryRecordOfAMapping) {
  request_.source.runner = &mapping_;
  const std::string word = std::string("surviv") + "ors";
  Use("s.json", "[{\"a\":1},{\"a\":\"fail\"},{\"a\":\"none\"},{\"a\":\"odd\"},{\"a\":\"" + word +
                    "\"},{\"a\":2}]");
  const auto report = Apply();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->records(), 6U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_ADDED), 2U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_INCOMPLETE), 2U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_LEFT_OUT), 1U);
  EXPECT_EQ(CountOf(*report, local::v1::IMPORT_OUTCOME_HELD_BACK), 1U);
}

TEST_F(ImportTest, StopsWhenTheMappingCannotRun) {
  request_.source.runner = &mapping_;
  Use("s.json", "[{\"a\":1},{\"a\":\"broken\"}]");
  EXPECT_EQ(ReasonOf(Apply().status()), v1::REASON_MAPPING_UNAVAILABLE);
}

TEST_F(ImportTest, GivesAMappingTheRowsOfATable) {
  request_.source.runner = &mapping_;
  Use("s.csv", "id,name\r\n1,\"a\nb\"\r\n2,\r\n");
  uint64_t bytes = 0;
  uint64_t total = 0;
  request_.progress = [&](uint64_t so_far, uint64_t of, uint64_t) {
    EXPECT_GE(so_far, bytes);
    bytes = so_far;
    total = of;
  };
  ASSERT_TRUE(DryRun().ok());
  ASSERT_THAT(mapping_.inputs, SizeIs(2));
  google::protobuf::Struct row;
  ASSERT_TRUE(FromJson(mapping_.inputs[0], row).ok());
  EXPECT_EQ(row.fields().at("name").string_value(), "a\nb");
  EXPECT_EQ(bytes, total);
  EXPECT_GT(total, 0U);
}

TEST_F(ImportTest, SaysWhatKindOfSourceItNeeds) {
  Use("s.csv", "id\n1\n");
  EXPECT_THAT(std::string(DryRun().status().message()), HasSubstr("folder"));
  request_.source.runner = &mapping_;
  request_.source.path = folder_.path();
  EXPECT_THAT(std::string(DryRun().status().message()), HasSubstr("needs a file"));
  request_.source.path = folder_.path() + "/nowhere.json";
  EXPECT_EQ(ReasonOf(DryRun().status()), v1::REASON_FILE_UNUSABLE);
}

}  // namespace
}  // namespace waymark::node
