#include <map>
#include <set>
#include <utility>

#include "base/schema/date.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/document.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct DirectoryOptions {
  std::vector<std::string> duties;
  std::string police;
  std::vector<std::string> practice;
  std::string faith;
  bool volunteers = false;
  std::vector<std::string> training;
  std::string file;
  std::string id;
  std::string service;
  std::string status;
  std::string available;
  std::string maximum;
  std::string until;
  std::string window;
  uint32_t code = 0;
  std::string area;
  std::string organisation;
  std::string fingerprint;
};

std::string Listed(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& entry : SplitLists(values)) list += (list.empty() ? "" : ",") + entry;
  return list;
}

// Reads "TOPIC,GROUP,SHARE,DAY".
absl::Status AddTraining(const ValueReader& reader, const std::string& text, v1::Profile& profile) {
  const std::vector<std::string> values = SplitLists({text});
  const std::vector<std::string> fields = {"topic", "group", "share", "valid_until"};
  if (values.size() != fields.size()) {
    return UsageError("--training takes TOPIC,GROUP,SHARE,DAY: CHILD,STAFF,FROM_75,2027-12-31");
  }
  v1::Training& training = *profile.add_training();
  for (size_t i = 0; i < fields.size(); ++i) {
    RETURN_IF_ERROR(AssignField(reader, "--training", fields[i], values[i], training));
  }
  return absl::OkStatus();
}

absl::Status PublishProfile(Shell& shell, const DirectoryOptions& options) {
  v1::PublishProfileRequest request;
  v1::Profile& profile = *request.mutable_profile();
  const ValueReader reader = shell.reader();
  RETURN_IF_ERROR(
      AssignField(reader, "profile", "reporting_duties", Listed(options.duties), profile));
  RETURN_IF_ERROR(
      AssignField(reader, "profile", "law_enforcement_relationship", options.police, profile));
  RETURN_IF_ERROR(
      AssignField(reader, "profile", "practice_profile", Listed(options.practice), profile));
  RETURN_IF_ERROR(AssignField(reader, "profile", "faith_participation", options.faith, profile));
  profile.set_uses_volunteers(options.volunteers);
  for (const std::string& text : options.training) {
    RETURN_IF_ERROR(AddTraining(reader, text, profile));
  }
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::PublishProfile, request).status());
  shell.PrintDone("the profile is published");
  return absl::OkStatus();
}

absl::Status PublishService(Shell& shell, const DirectoryOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  ValueReader reader = shell.reader();
  reader.resolve = names.Resolver();
  v1::PublishServiceRequest request;
  v1::Service& service = *request.mutable_service();
  RETURN_IF_ERROR(FillFromFile(reader, options.file, service));
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(*service.mutable_service_id(), ParseId(options.id));
  } else if (service.service_id().empty()) {
    ASSIGN_OR_RETURN(const std::string known, names.ServiceWithHandle(service.handle()));
    service.set_service_id(known);
    if (known.empty()) {
      ASSIGN_OR_RETURN(*service.mutable_service_id(), shell.NewId(""));
    }
  }
  RETURN_IF_ERROR(node->Call(&Api::PublishService, request).status());
  shell.PrintCreated("service", service.service_id(), service.handle() + " is published");
  return absl::OkStatus();
}

absl::Status SetCapacity(Shell& shell, const DirectoryOptions& options) {
  RETURN_IF_ERROR(shell.CheckFuture("--until", options.until));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  const ValueReader reader = shell.reader();
  v1::PublishCapacityRequest request;
  v1::Capacity& capacity = *request.mutable_capacity();
  ASSIGN_OR_RETURN(*capacity.mutable_service_id(), names.Service(options.service));
  RETURN_IF_ERROR(AssignField(reader, "capacity", "status", options.status, capacity));
  RETURN_IF_ERROR(AssignField(reader, "capacity", "available", options.available, capacity));
  RETURN_IF_ERROR(AssignField(reader, "capacity", "maximum", options.maximum, capacity));
  RETURN_IF_ERROR(AssignField(reader, "capacity", "window", options.window, capacity));
  if (!options.until.empty()) {
    ASSIGN_OR_RETURN(const absl::Time until, ParseTime("--until", options.until, reader.zone));
    capacity.set_valid_until_minute(absl::ToUnixSeconds(until) / 60);
  }
  ASSIGN_OR_RETURN(const auto published, node->Call(&Api::PublishCapacity, request));
  if (shell.PrintJson(published)) return absl::OkStatus();
  shell.out() << options.service << ": "
              << shell.view().Label(*v1::CapacityStatus_descriptor(), capacity.status())
              << " until " << shell.view().Time(published.valid_until()) << "\n";
  return absl::OkStatus();
}

// What those of a member are trained in, by the handles of its units; what has run out says so
// (R67).
std::map<std::string, std::string> TrainingByUnit(const View& view,
                                                  const v1::ListDirectoryResponse& directory,
                                                  absl::Time now) {
  std::map<std::string, std::string> by_unit;
  for (const v1::DirectoryMember& shown : directory.members()) {
    std::set<std::string> tags;
    for (const v1::Training& training : shown.profile().training()) {
      std::string tag = view.Label(*v1::TrainingTopic_descriptor(), training.topic());
      if (training.group() != v1::TRAINED_GROUP_STAFF) {
        tag += " (" + view.Label(*v1::TrainedGroup_descriptor(), training.group()) + ")";
      }
      if (StartOf(training.valid_until()) + absl::Hours(24) <= now) tag += ": run out";
      tags.insert(std::move(tag));
    }
    for (const v1::Unit& unit : shown.member().units()) {
      by_unit[unit.handle()] = Join({tags.begin(), tags.end()});
    }
  }
  return by_unit;
}

std::string ServiceTable(const View& view, const v1::ListDirectoryResponse& directory,
                         absl::Time now) {
  const auto training = TrainingByUnit(view, directory, now);
  Table table({"SERVICE", "UNIT", "WHAT", "AREAS", "ROOM", "FREE", "KNOWN UNTIL", "TRAINED IN"});
  for (const v1::DirectoryListing& listing : directory.services()) {
    const v1::Service& service = listing.service();
    std::vector<std::string> areas(service.service_areas().begin(), service.service_areas().end());
    if (service.remote_delivery()) areas.emplace_back("remote");
    const auto trained = training.find(listing.unit_handle());
    table.Add({service.handle(), listing.unit_handle(), view.Service(service.code()), Join(areas),
               view.Label(*v1::CapacityStatus_descriptor(), listing.status()),
               listing.has_available() ? std::to_string(listing.available()) : "-",
               view.Time(listing.valid_until(), listing.has_valid_until()),
               trained == training.end() ? Join({}) : trained->second});
  }
  return table.ToString();
}

std::string MemberTable(const View& view, const v1::ListDirectoryResponse& directory) {
  Table table({"UNIT", "NAME", "CLASS", "STATUS", "MUST REPORT", "KEY", "FINGERPRINT"});
  for (const v1::DirectoryMember& shown : directory.members()) {
    const v1::Member& member = shown.member();
    std::vector<std::string> duties;
    for (const int duty : shown.profile().reporting_duties()) {
      duties.push_back(view.Label(*v1::ReportingDuty_descriptor(), duty));
    }
    for (const v1::Unit& unit : member.units()) {
      table.Add({unit.handle(), unit.display_name(),
                 view.Label(*v1::OrganisationClass_descriptor(), member.organisation_class()),
                 view.Label(*v1::MemberStatus_descriptor(), member.status()), Join(duties),
                 shown.identity_key_changed() ? "CHANGED" : "ok",
                 shown.identity_key_fingerprint()});
    }
  }
  return table.ToString();
}

absl::Status ShowDirectory(Shell& shell, const DirectoryOptions& options, bool with_members) {
  v1::ListDirectoryRequest request;
  request.set_code(options.code);
  request.set_area(options.area);
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto directory, node->Call(&Api::ListDirectory, request));
  if (shell.PrintJson(directory)) return absl::OkStatus();
  if (with_members) shell.out() << MemberTable(shell.view(), directory) << "\n";
  shell.out() << ServiceTable(shell.view(), directory, shell.clock().Now());
  return absl::OkStatus();
}

absl::Status ConfirmIdentityKey(Shell& shell, const DirectoryOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::ConfirmIdentityKeyRequest request;
  ASSIGN_OR_RETURN(*request.mutable_organisation_id(), names.Organisation(options.organisation));
  request.set_fingerprint(options.fingerprint);
  RETURN_IF_ERROR(node->Call(&Api::ConfirmIdentityKey, request).status());
  shell.PrintDone("the identity key of " + options.organisation + " is confirmed");
  return absl::OkStatus();
}

void AddProfile(CLI::App& app, Shell& shell, DirectoryOptions& options) {
  CLI::App* group = shell.AddGroup(app, "profile", "Publish facts about the own organisation");
  CLI::App* publish =
      shell.Add(*group, "publish",
                "Publishes what people are told about this organisation before they consent.",
                "waymark profile publish --duty CHILD_HARM --police NONE --faith NONE",
                [&shell, &options] { return PublishProfile(shell, options); });
  AddEach(publish, "--duty", options.duties,
          "What the law makes you report: CHILD_HARM, STATUTORY_NOTIFICATION, COURT_ORDER_ONLY, "
          "NONE_KNOWN")
      ->required();
  publish
      ->add_option("--police", options.police,
                   "How you stand to law enforcement: NONE, CASE_BY_CASE, CO_LOCATED, FUNDED_BY")
      ->required();
  publish
      ->add_option("--faith", options.faith,
                   "What is expected in matters of faith: NONE, OPTIONAL, EXPECTED")
      ->required();
  AddEach(publish, "--practice", options.practice, "How you work, for example PEER_LED");
  publish->add_flag("--volunteers", options.volunteers, "You work with volunteers");
  AddEach(publish, "--training", options.training,
          "Who is trained in what, and how long it counts: TOPIC,GROUP,SHARE,DAY, for example "
          "CHILD,STAFF,FROM_75,2027-12-31");
}

void AddService(CLI::App& app, Shell& shell, DirectoryOptions& options) {
  CLI::App* group = shell.AddGroup(app, "service", "Publish and list services");
  CLI::App* publish =
      shell.Add(*group, "publish",
                "Publishes a service, or changes one, from a file in YAML or JSON with the fields\n"
                "of a Service; 'unit: lin.family' names the unit. A new one gets a random id.",
                "waymark service publish lin-206.yaml",
                [&shell, &options] { return PublishService(shell, options); });
  publish->add_option("FILE", options.file, "The file")->required();
  publish->add_option("--id", options.id, "Its id, for scripts that repeat the call");
  shell.Add(*group, "list", "Lists the services of the network.", "waymark service list",
            [&shell, &options] { return ShowDirectory(shell, options, /*with_members=*/false); });
}

}  // namespace

void AddDirectoryCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<DirectoryOptions>();
  AddProfile(app, shell, options);
  AddService(app, shell, options);

  CLI::App* capacity = shell.AddGroup(app, "capacity", "Publish room, and ask others for it");
  CLI::App* set = shell.Add(*capacity, "set", "Publishes whether an own service has room.",
                            "waymark capacity set lin-206 HAS_CAPACITY --until 2027-03-09T20:30",
                            [&shell, &options] { return SetCapacity(shell, options); });
  set->add_option("SERVICE", options.service, "Handle of the service")->required();
  set->add_option("STATUS", options.status,
                  "HAS_CAPACITY, NO_CAPACITY, WAITLIST or ASSESSMENT_REQUIRED")
      ->required();
  set->add_option("--available", options.available,
                  "How many nobody has; of a hidden place the number stays here");
  set->add_option("--maximum", options.maximum,
                  "How many there are; of a hidden place the number stays here");
  set->add_option("--window", options.window, "When it holds: FROM/TO");
  set->add_option("--until", options.until, "When it becomes unknown; the usual time by default");

  CLI::App* directory =
      shell.Add(app, "directory", "Shows members, their keys and services as this node knows them.",
                "waymark directory --code 206 --area XA-M",
                [&shell, &options] { return ShowDirectory(shell, options, true); });
  directory->add_option("--code", options.code, "Only services with this taxonomy code");
  directory->add_option("--area", options.area, "Only services in this area, or remote");

  CLI::App* key = shell.AddGroup(app, "key", "Look after partners' identity keys");
  CLI::App* confirm = shell.Add(
      *key, "confirm",
      "Confirms the changed identity key of a partner, which speaks for all its units, after you\n"
      "compared the fingerprint with the organisation on a number that you knew before.",
      "waymark key confirm lin --fingerprint 'AB12 CD34 ...'",
      [&shell, &options] { return ConfirmIdentityKey(shell, options); });
  confirm->add_option("ORGANISATION", options.organisation, "The partner")->required();
  confirm->add_option("--fingerprint", options.fingerprint, "What the partner read out")
      ->required();
}

}  // namespace waymark::node
