#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/identity/files.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/listing/hsds_writer.h"
#include "client/listing/import.h"

namespace waymark::node {
namespace {

namespace fs = std::filesystem;
using Api = v1::NodeService::StubInterface;
using local::v1::ImportEntry;
using local::v1::ImportReport;

constexpr uint64_t kProgressEvery = 1000;
constexpr size_t kMaxSourceName = 20;
constexpr int kPercent = 100;

struct ListingOptions {
  std::string file;
  std::string format;
  std::string mapping;
  std::string source;
  std::string unit;
  std::vector<std::string> defaults;
  std::vector<std::string> terms;
  std::vector<std::string> areas;
  std::vector<std::string> arguments;
  std::vector<std::string> reviewed;
  std::string licence;
  std::string journal;
  std::string program;
  bool apply = false;
  bool resume = false;
  std::string folder;
  bool tables = false;
  bool everybody = false;
};

// The own organisation and what it has published.
struct Own {
  std::string organisation_id;
  v1::Member member;
  std::vector<v1::DirectoryMember> members;
  std::vector<v1::DirectoryListing> services;
};

// Where NAME=VALUE is split: names of terms and areas may hold an equals sign.
enum class Split { kFirst, kLast };

absl::StatusOr<std::pair<std::string, std::string>> Pair(const std::string& option,
                                                         const std::string& text, Split split) {
  const size_t equals = split == Split::kFirst ? text.find('=') : text.rfind('=');
  if (equals == 0 || equals == std::string::npos) return UsageError(option + " is NAME=VALUE");
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

absl::StatusOr<Own> AskNode(Shell& shell) {
  Own own;
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto status, node->Call(&Api::GetStatus, v1::GetStatusRequest()));
  own.organisation_id = status.organisation_id();
  own.member = status.member();
  ASSIGN_OR_RETURN(const auto directory,
                   node->Call(&Api::ListDirectory, v1::ListDirectoryRequest()));
  own.members = {directory.members().begin(), directory.members().end()};
  own.services = {directory.services().begin(), directory.services().end()};
  return own;
}

v1::Capacity RoomIn(const v1::DirectoryListing& listing) {
  v1::Capacity capacity;
  if (!listing.has_valid_until()) return capacity;
  capacity.set_service_id(listing.service().service_id());
  capacity.set_status(listing.status());
  if (listing.has_available()) capacity.set_available(listing.available());
  capacity.set_valid_until_minute(listing.valid_until().seconds() / 60);
  return capacity;
}

bool IsOf(const v1::Member& member, const v1::Service& service) {
  for (const v1::Unit& unit : member.units()) {
    if (unit.unit_id() == service.unit_id()) return true;
  }
  return false;
}

// --- Import ------------------------------------------------------------------------------------

class NodePublisher final : public ListingPublisher {
 public:
  explicit NodePublisher(NodeClient& node) : node_(node) {}

  absl::Status PublishService(const v1::Service& service) override {
    v1::PublishServiceRequest request;
    *request.mutable_service() = service;
    return node_.Call(&Api::PublishService, request).status();
  }
  absl::Status PublishCapacity(const v1::Capacity& capacity) override {
    v1::PublishCapacityRequest request;
    *request.mutable_capacity() = capacity;
    return node_.Call(&Api::PublishCapacity, request).status();
  }

 private:
  NodeClient& node_;
};

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// "services_en.json" is "services-en".
std::string SourceName(const std::string& path) {
  std::string name = absl::AsciiStrToLower(fs::path(WithoutSlash(path)).stem().string());
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '-';
  }
  return name.substr(0, kMaxSourceName);
}

absl::StatusOr<TermTables> ReadTerms(const ListingOptions& options) {
  TermTables tables;
  for (const std::string& text : options.terms) {
    ASSIGN_OR_RETURN(const auto term, Pair("--term", text, Split::kLast));
    uint32_t code = 0;
    if (!absl::SimpleAtoi(term.second, &code)) return UsageError("--term is TERM=CODE");
    tables.services[term.first] = code;
  }
  for (const std::string& text : options.areas) {
    ASSIGN_OR_RETURN(const auto area, Pair("--area", text, Split::kLast));
    if (!IsAreaCode(area.second)) return UsageError("--area is NAME=CODE, for example North=XA-N");
    tables.areas[area.first] = area.second;
  }
  return tables;
}

absl::StatusOr<ImportContext> ContextOf(Shell& shell, const ListingOptions& options,
                                        const Own& own) {
  ImportContext context;
  const auto organisation = OrganisationId::FromBytes(own.organisation_id);
  if (!organisation) return Error(v1::REASON_INTERNAL, "the node told no organisation");
  context.organisation = *organisation;
  for (const v1::Unit& unit : own.member.units()) context.units[unit.handle()] = unit.unit_id();
  context.unit = options.unit;
  context.source = options.source.empty() ? SourceName(options.file) : options.source;
  context.reviewed = {options.reviewed.begin(), options.reviewed.end()};
  context.now = shell.clock().Now();
  for (const v1::DirectoryListing& listing : own.services) {
    if (!IsOf(own.member, listing.service())) continue;
    context.published.push_back({listing.service(), RoomIn(listing)});
  }
  const ValueReader reader = shell.reader();
  for (const std::string& text : options.defaults) {
    ASSIGN_OR_RETURN(const auto given, Pair("--default", text, Split::kFirst));
    const std::string& field = given.first;
    if (field == "service_id" || field == "unit_id" || field == "handle") {
      return UsageError("--default sets no id and no handle; there is --unit");
    }
    RETURN_IF_ERROR(AssignField(reader, "--default", field, given.second, context.defaults));
  }
  return context;
}

// What speaks against an entry, or what changes.
std::string What(const ImportEntry& entry) {
  std::vector<std::string> parts;
  if (entry.stale()) parts.emplace_back("stale");
  for (const auto& change : entry.changes()) {
    parts.push_back(absl::StrCat(change.field(), ": ",
                                 change.before().empty() ? "-" : change.before(), " -> ",
                                 change.after().empty() ? "-" : change.after()));
  }
  for (const auto& finding : entry.findings()) {
    std::string part = finding.kind() == local::v1::RECORD_FINDING_KIND_LACKS ? "lacks " : "";
    part += finding.field();
    if (!finding.text().empty()) part += (part.empty() ? "" : ": ") + finding.text();
    parts.push_back(std::move(part));
  }
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text.empty() ? "-" : text;
}

void WriteReport(Shell& shell, const ImportReport& report) {
  Table table({"RECORD", "OUTCOME", "SERVICE", "WHAT"});
  for (const ImportEntry& entry : report.entries()) {
    std::string record = entry.record_id();
    if (record.empty() && entry.ordinal() > 0) record = absl::StrCat("#", entry.ordinal());
    table.Add({record.empty() ? "-" : record, OutcomeWord(entry.outcome()),
               entry.has_service() ? entry.service().handle() : "-", What(entry)});
  }
  if (report.entries_size() > 0) shell.out() << table.ToString() << "\n";
  if (report.left_behind_size() > 0) {
    shell.out() << "without a counterpart in the directory, and left behind:\n";
    for (const std::string& path : report.left_behind()) shell.out() << "  " << path << "\n";
    shell.out() << "\n";
  }
  shell.out() << report.source().name() << ": " << report.records() << " records";
  for (const local::v1::ImportCount& count : report.counts()) {
    shell.out() << ", " << count.count() << " " << OutcomeWord(count.outcome());
  }
  shell.out() << "\n";
  if (report.not_withdrawn() > 0) {
    shell.out() << Counted(static_cast<int>(report.not_withdrawn()), "published service")
                << " without a record stay until every record can be told apart\n";
  }
  shell.out() << (report.applied() ? "done" : "nothing was published; --apply publishes") << "\n";
}

absl::Status Judge(const ImportReport& report) {
  for (const local::v1::ImportCount& count : report.counts()) {
    if (count.outcome() != local::v1::IMPORT_OUTCOME_REFUSED) continue;
    return UsageError(absl::StrCat(count.count(), count.count() == 1 ? " record" : " records",
                                   " would uncover a confidential place; take the address or the "
                                   "numbers out of the source"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<JqRunner>> UseMapping(Shell& shell, const ListingOptions& options,
                                                     Source::Options& source) {
  ASSIGN_OR_RETURN(source.mapping, ReadMapping(options.mapping));
  source.arguments["today"] =
      absl::FormatTime("%Y-%m-%d", shell.clock().Now(), absl::UTCTimeZone());
  for (const std::string& text : options.arguments) {
    ASSIGN_OR_RETURN(const auto argument, Pair("--arg", text, Split::kFirst));
    source.arguments[argument.first] = argument.second;
  }
  ASSIGN_OR_RETURN(
      auto runner,
      JqRunner::Create({.program = options.program.empty() ? FindJqProgram() : options.program}));
  source.runner = runner.get();
  return runner;
}

absl::Status Import(Shell& shell, const ListingOptions& options) {
  if (options.format == "map" && options.mapping.empty()) {
    return UsageError("--format map needs --mapping FILE");
  }
  if (options.format == "hsds" && !options.mapping.empty()) {
    return UsageError("--format hsds takes no --mapping");
  }
  if (options.resume && !options.apply) return UsageError("--resume goes on with --apply");
  ImportRequest request;
  std::unique_ptr<JqRunner> runner;
  request.source.path = WithoutSlash(options.file);
  request.source.catalogue = &Catalogue::Default();
  ASSIGN_OR_RETURN(request.source.terms, ReadTerms(options));
  if (!options.mapping.empty()) {
    ASSIGN_OR_RETURN(runner, UseMapping(shell, options, request.source));
  }
  ASSIGN_OR_RETURN(const Own own, AskNode(shell));
  ASSIGN_OR_RETURN(request.context, ContextOf(shell, options, own));
  request.licence = options.licence;
  request.resume = options.resume;
  if (!shell.json()) {
    request.progress = [](uint64_t bytes, uint64_t total, uint64_t records) {
      if (records == 0 || records % kProgressEvery != 0 || total == 0) return;
      std::cerr << records << " records, " << bytes * kPercent / total << " %\n";
    };
  }
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  NodePublisher publisher(*node);
  std::optional<Journal> journal;
  if (options.apply) {
    const std::string path =
        options.journal.empty() ? request.source.path + ".imported.jsonl" : options.journal;
    ASSIGN_OR_RETURN(journal, Journal::Open(path));
    request.journal = &*journal;
    request.publisher = &publisher;
  }
  ASSIGN_OR_RETURN(const ImportReport report, RunImport(Catalogue::Default(), std::move(request)));
  if (!shell.PrintJson(report)) WriteReport(shell, report);
  return Judge(report);
}

// --- Export ------------------------------------------------------------------------------------

// The name and id of the organisation whose unit offers the service; empty if none does.
std::pair<std::string, std::string> OrganisationOf(const Own& own, const v1::Service& service) {
  for (const v1::DirectoryMember& shown : own.members) {
    if (IsOf(shown.member(), service)) {
      return {shown.organisation_id(), shown.member().display_name()};
    }
  }
  return {own.organisation_id, own.member.display_name()};
}

absl::Status MakeEmptyFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error(v1::REASON_FILE_UNUSABLE, folder + " cannot be made");
  const bool empty = fs::is_empty(folder, error);
  if (error) return Error(v1::REASON_FILE_UNUSABLE, folder + " cannot be read");
  // Tables of another day would be joined to those of today.
  return empty ? absl::OkStatus() : Error(v1::REASON_EXISTS, folder + " is not empty");
}

absl::Status Export(Shell& shell, const ListingOptions& options) {
  const HsdsVersion version = options.format == "hsds-3.0" ? HsdsVersion::k30 : HsdsVersion::k31;
  ASSIGN_OR_RETURN(const Own own, AskNode(shell));
  std::vector<google::protobuf::Value> services;
  for (const v1::DirectoryListing& listing : own.services) {
    if (!options.everybody && !IsOf(own.member, listing.service())) continue;
    ExportedService exported;
    exported.service = listing.service();
    if (listing.has_valid_until()) exported.capacity = RoomIn(listing);
    std::tie(exported.organisation_id, exported.organisation_name) =
        OrganisationOf(own, listing.service());
    services.push_back(WriteHsds(Catalogue::Default(), exported, version));
  }
  RETURN_IF_ERROR(MakeEmptyFolder(options.folder));
  std::map<std::string, std::string> files;
  if (options.tables) {
    files = WriteHsdsPackage(services, version);
  } else {
    ASSIGN_OR_RETURN(files["services.json"], ToJson(HsdsPage(services)));
  }
  for (const auto& [name, content] : files) {
    RETURN_IF_ERROR(
        WriteSecretFile((fs::path(options.folder) / name).string(), SecretBytes::CopyOf(content)));
  }
  shell.PrintDone(absl::StrCat(Counted(static_cast<int>(services.size()), "service"), " in ",
                               options.folder, "; the directory is for members only"));
  return absl::OkStatus();
}

void AddImport(CLI::App& directory, Shell& shell) {
  auto& options = shell.Keep<ListingOptions>();
  CLI::App* command = shell.Add(
      directory, "import",
      "Publishes services from another directory: HSDS, or any JSON or CSV through a mapping.\n"
      "Without --apply it is a dry run: what would be added, changed and withdrawn, what records\n"
      "lack, what is held back. Importing the same again changes nothing. Ends with 0 when the\n"
      "source was read to its end, with 2 when a record would uncover a confidential place.",
      "waymark directory import services.json --source town --unit lin.family",
      [&shell, &options] { return Import(shell, options); });
  command->add_option("FILE", options.file, "A file, or the folder of HSDS's CSV tables")
      ->required();
  command->add_option("--format", options.format, "hsds or map; map with --mapping by default")
      ->check(CLI::IsMember({"hsds", "map"}));
  command->add_option("--mapping", options.mapping, "The mapping, a jq program");
  command->add_option("--source", options.source,
                      "Name of the source, the same each time; that of the file by default");
  command->add_option("--unit", options.unit, "The own unit that offers what names no unit");
  AddEach(command, "--default", options.defaults,
          "FIELD=VALUE for records without that field, for example last_verified=2027-03-01");
  AddEach(command, "--term", options.terms, "TERM=CODE: a term of the source in our taxonomy");
  AddEach(command, "--area", options.areas, "NAME=CODE: an area of the source as an area code");
  AddEach(command, "--arg", options.arguments, "NAME=VALUE, which the mapping sees as $args.NAME");
  AddEach(command, "--reviewed", options.reviewed, "Id of a record whose texts you looked at");
  command->add_option("--licence", options.licence, "Under which licence the data came");
  command->add_flag("--apply", options.apply, "Publish");
  command->add_flag("--resume", options.resume, "Go on where the last import stopped");
  command->add_option("--journal", options.journal,
                      "Where to note what was imported; FILE.imported.jsonl by default");
  command->add_option("--jq", options.program, "The waymark-jq to use, if not the installed one");
}

void AddExport(CLI::App& directory, Shell& shell) {
  auto& options = shell.Keep<ListingOptions>();
  CLI::App* command = shell.Add(
      directory, "export",
      "Writes the own services as HSDS. Confidential places go without location and numbers.",
      "waymark directory export --format hsds-3.1 --to export-2027-03-09",
      [&shell, &options] { return Export(shell, options); });
  command->add_option("--format", options.format, "hsds-3.0 or hsds-3.1")
      ->required()
      ->check(CLI::IsMember({"hsds-3.0", "hsds-3.1"}));
  command->add_option("--to", options.folder, "A new or empty folder")->required();
  command->add_flag("--csv", options.tables, "As CSV tables instead of JSON");
  command->add_flag("--all", options.everybody, "Services of all members");
}

}  // namespace

void AddListingCommands(CLI::App& app, Shell& shell) {
  CLI::App* directory = app.get_subcommand("directory");
  AddImport(*directory, shell);
  AddExport(*directory, shell);
}

}  // namespace waymark::node
