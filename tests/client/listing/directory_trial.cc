// Not a test: `./dev trial` runs it over published directories.
//
//   directory_trial DATA WAYMARK_JQ MAPPING
//
// Imports, dry, DATA/directory/unhcr-jordan in both languages through the mapping, and accounts for
// every record; imports it for real into a node of the trial's own, after which there is nothing
// left to do; then reads every example in DATA/hsds, writes what it read in both versions and as
// tables, reads that again, and lists what the directory has no place for. Ends with 1 when a
// record is not accounted for or a field that the directory has did not come back.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "base/status/status.h"
#include "client/listing/hsds_package.h"
#include "client/listing/hsds_reader.h"
#include "client/listing/hsds_writer.h"
#include "client/listing/import.h"
#include "client/listing/record_value.h"
#include "google/protobuf/util/message_differencer.h"

namespace waymark::node {
namespace {

namespace fs = std::filesystem;
using google::protobuf::util::MessageDifferencer;
using local::v1::ImportEntry;

// A day on which the source was current.
constexpr char kToday[] = "2014-12-15";

struct Language {
  std::map<std::string, ImportEntry> by_record;
  local::v1::ImportReport report;
};

ImportRequest RequestFor(const fs::path& file, MappingRunner& runner,
                         const MappingProgram& mapping) {
  ImportRequest request;
  request.source.path = file.string();
  request.source.catalogue = &Catalogue::Default();
  request.source.runner = &runner;
  request.source.mapping = mapping;
  request.source.arguments = {{"today", kToday}};
  request.context.organisation = *OrganisationId::FromBytes(std::string(16, 'o'));
  request.context.units = {{"trial.unit", std::string(16, 'u')}};
  request.context.source = "jordan";
  request.context.now = absl::FromCivil(absl::CivilDay(2014, 12, 15), absl::UTCTimeZone());
  return request;
}

absl::StatusOr<Language> Import(ImportRequest request) {
  Language language;
  ASSIGN_OR_RETURN(language.report, RunImport(Catalogue::Default(), std::move(request)));
  for (const ImportEntry& entry : language.report.entries()) {
    language.by_record[entry.record_id()] = entry;
  }
  return language;
}

// What records lack, with how many lack it.
std::map<std::string, int> Lacking(const local::v1::ImportReport& report) {
  std::map<std::string, int> lacking;
  for (const ImportEntry& entry : report.entries()) {
    if (entry.outcome() != local::v1::IMPORT_OUTCOME_INCOMPLETE) continue;
    std::set<std::string> fields;
    for (const auto& finding : entry.findings()) {
      if (finding.kind() == local::v1::RECORD_FINDING_KIND_LACKS ||
          finding.kind() == local::v1::RECORD_FINDING_KIND_INVALID ||
          finding.kind() == local::v1::RECORD_FINDING_KIND_UNKNOWN_CODE) {
        fields.insert(finding.field());
      }
    }
    for (const std::string& field : fields) ++lacking[field];
  }
  return lacking;
}

// Prints the account of one language; returns whether it is complete.
bool Account(const std::string& name, const Language& language) {
  const local::v1::ImportReport& report = language.report;
  uint64_t sum = 0;
  std::cout << "  " << name << ": " << report.records() << " records\n";
  for (const local::v1::ImportCount& count : report.counts()) {
    std::cout << "    " << OutcomeWord(count.outcome()) << " " << count.count() << "\n";
    sum += count.count();
  }
  for (const auto& [field, count] : Lacking(report)) {
    std::cout << "    incomplete for want of " << field << ": " << count << "\n";
  }
  std::cout << "    sum " << sum << (sum == report.records() ? "" : ", NOT ALL") << "\n";
  return sum == report.records() && language.by_record.size() == report.records();
}

// Matches the two languages by id; returns whether every record has its twin and its outcome.
bool Match(const Language& english, const Language& arabic) {
  int alike = 0;
  int other_outcome = 0;
  std::map<std::string, int> differing;
  for (const auto& [id, entry] : english.by_record) {
    const auto twin = arabic.by_record.find(id);
    if (twin == arabic.by_record.end()) {
      std::cout << "    " << id << " is in English alone\n";
      return false;
    }
    if (twin->second.outcome() != entry.outcome()) ++other_outcome;
    const auto changes = ChangesBetween(entry.service(), twin->second.service());
    if (changes.empty()) ++alike;
    for (const auto& change : changes) ++differing[change.field()];
  }
  std::cout << "  matched by id: " << english.by_record.size()
            << ", the same service in both: " << alike
            << ", with another outcome: " << other_outcome << "\n";
  for (const auto& [field, count] : differing) {
    std::cout << "    said otherwise in Arabic: " << field << " in " << count << "\n";
  }
  return arabic.by_record.size() == english.by_record.size() && other_outcome == 0;
}

// Keeps what is published.
class TrialNode final : public ListingPublisher {
 public:
  absl::Status PublishService(const v1::Service& service) override {
    services_[service.service_id()] = service;
    return absl::OkStatus();
  }
  absl::Status PublishCapacity(const v1::Capacity&) override { return absl::OkStatus(); }

  std::vector<PublishedService> Published() const {
    std::vector<PublishedService> published;
    for (const auto& [id, service] : services_) published.push_back({service, {}});
    return published;
  }

 private:
  std::map<std::string, v1::Service> services_;
};

// Imports for real, and then once more; returns whether the second time changes nothing.
absl::StatusOr<bool> Repeat(ImportRequest request) {
  std::string folder = (fs::temp_directory_path() / "trial.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return false;
  ASSIGN_OR_RETURN(Journal journal, Journal::Open(folder + "/journal"));
  TrialNode node;
  request.publisher = &node;
  request.journal = &journal;
  ASSIGN_OR_RETURN(const Language first, Import(request));
  request.context.published = node.Published();
  ASSIGN_OR_RETURN(const Language second, Import(request));
  fs::remove_all(folder);
  bool changes = false;
  for (const ImportEntry& entry : second.report.entries()) changes = changes || entry.has_service();
  std::cout << "  imported: " << node.Published().size()
            << " services; imported again: " << (changes ? "NOT THE SAME" : "nothing to change")
            << "\n";
  return !changes && first.report.records() == second.report.records();
}

absl::StatusOr<bool> TryMapping(const fs::path& folder, const std::string& jq,
                                const std::string& mapping_file) {
  ASSIGN_OR_RETURN(const auto runner, JqRunner::Create({.program = jq}));
  ASSIGN_OR_RETURN(const MappingProgram mapping, ReadMapping(mapping_file));
  std::cout << "directory/unhcr-jordan, as of " << kToday << "\n";
  const fs::path english_file = folder / "services_en.json";
  ASSIGN_OR_RETURN(const Language undated, Import(RequestFor(english_file, *runner, mapping)));
  std::cout << "  without a day of verification: " << Lacking(undated.report)["last_verified"]
            << " records lack it\n";
  bool complete = Account("English, undated", undated);
  std::map<std::string, Language> languages;
  for (const auto& [name, file] :
       {std::pair{"English", english_file}, std::pair{"Arabic", folder / "services_ar.json"}}) {
    ImportRequest request = RequestFor(file, *runner, mapping);
    v1::Date& day = *request.context.defaults.mutable_last_verified();
    day.set_year(2014);
    day.set_month(12);
    day.set_day(1);
    ASSIGN_OR_RETURN(languages[name], Import(request));
    complete = Account(name, languages[name]) && complete;
    ASSIGN_OR_RETURN(const bool repeated, Repeat(std::move(request)));
    complete = repeated && complete;
  }
  return Match(languages["English"], languages["Arabic"]) && complete;
}

// --- HSDS --------------------------------------------------------------------------------------

class ExampleTrial {
 public:
  explicit ExampleTrial(const fs::path& scratch) : scratch_(scratch) {}

  // One example, a file or a folder of tables. Returns whether all came back.
  bool Try(const fs::path& example) {
    Source::Options options;
    options.path = example.string();
    options.catalogue = &Catalogue::Default();
    Source source(options);
    std::vector<ListingDraft> drafts;
    const absl::Status read = source.Read([&drafts](ListingDraft draft) {
      drafts.push_back(std::move(draft));
      return absl::OkStatus();
    });
    std::cout << "  " << example.parent_path().filename().string() << "/"
              << example.filename().string() << ": ";
    if (!read.ok()) {
      std::cout << "NOT READ: " << read.message() << "\n";
      return false;
    }
    left_behind_.insert(source.left_behind().begin(), source.left_behind().end());
    bool equal = true;
    for (const ListingDraft& draft : drafts) equal = ComesBack(draft) && equal;
    std::cout << drafts.size() << (drafts.size() == 1 ? " service" : " services")
              << (drafts.empty() ? ""
                  : equal        ? ", equal in both versions and as tables"
                                 : ", NOT EQUAL")
              << "; " << source.left_behind().size() << " paths left behind\n";
    services_ += drafts.size();
    return equal;
  }

  void List() const {
    std::cout << "  of " << services_ << " services, without a counterpart in the directory:\n";
    for (const std::string& path : left_behind_) std::cout << "    " << path << "\n";
  }

  size_t services() const { return services_; }

 private:
  bool ComesBack(const ListingDraft& draft) const {
    ExportedService exported;
    exported.service = draft.record.service();
    if (draft.record.has_capacity()) exported.capacity = draft.record.capacity();
    exported.organisation_id = std::string(16, 'o');
    exported.organisation_name = "Trial";
    for (const HsdsVersion version : {HsdsVersion::k30, HsdsVersion::k31}) {
      const auto value = WriteHsds(Catalogue::Default(), exported, version);
      // What another example left must not be joined to this one.
      fs::remove_all(scratch_);
      fs::create_directory(scratch_);
      for (const auto& [name, content] : WriteHsdsPackage({value}, version)) {
        std::ofstream(scratch_ / name, std::ios::binary) << content;
      }
      auto package = HsdsPackage::Open(scratch_);
      if (!package.ok() || package->size() != 1) return false;
      if (!IsSame(value, draft) || !IsSame(package->Service(0), draft)) return false;
    }
    return true;
  }

  static bool IsSame(const google::protobuf::Value& value, const ListingDraft& draft) {
    const TermTables terms;
    std::set<std::string> left_behind;
    const auto back = HsdsReader(Catalogue::Default(), terms).Read(value, left_behind);
    return back.size() == 1 &&
           MessageDifferencer::Equals(back[0].record.service(), draft.record.service()) &&
           MessageDifferencer::Equals(back[0].record.capacity(), draft.record.capacity());
  }

  const fs::path scratch_;
  size_t services_ = 0;
  std::set<std::string> left_behind_;
};

bool TryExamples(const fs::path& folder) {
  std::string scratch = (fs::temp_directory_path() / "trial.XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr) return false;
  std::cout << "hsds\n";
  ExampleTrial trial{scratch};
  bool equal = true;
  for (const char* version : {"hsds-3.0", "hsds-3.1"}) {
    std::vector<fs::path> examples;
    for (const auto& entry : fs::directory_iterator(folder / version)) {
      const bool package = entry.is_directory() && fs::exists(entry.path() / "services.csv");
      if (package || entry.path().extension() == ".json") examples.push_back(entry.path());
    }
    std::sort(examples.begin(), examples.end());
    for (const fs::path& example : examples) equal = trial.Try(example) && equal;
  }
  trial.List();
  fs::remove_all(scratch);
  return equal && trial.services() > 0;
}

int Main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: directory_trial DATA WAYMARK_JQ MAPPING\n";
    return 2;
  }
  const fs::path data = argv[1];
  const auto complete = TryMapping(data / "directory" / "unhcr-jordan", argv[2], argv[3]);
  if (!complete.ok()) {
    std::cerr << "directory_trial: " << complete.status().message() << "\n";
    return 1;
  }
  const bool equal = TryExamples(data / "hsds");
  std::cout << (*complete && equal ? "every record is accounted for\n" : "NOT COMPLETE\n");
  return *complete && equal ? 0 : 1;
}

}  // namespace
}  // namespace waymark::node

int main(int argc, char** argv) { return waymark::node::Main(argc, argv); }
