#include <cstdlib>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/registry_client.h"
#include "client/operator/operator.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/time_util.h"

namespace waymark::node {
namespace {

using google::protobuf::Struct;
using google::protobuf::util::TimeUtil;

struct RegistryOptions {
  std::string dir;
  NetworkPlan network;
  std::string request_path;
  std::string out_path;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  MemberPlan member;
  std::string organisation_class;
  std::string catalogue;
  std::vector<std::string> units;
  std::string id;
  std::string fingerprint;
  std::string handle;
};

// The operator's folder and the hub, as one.
struct Registry {
  std::unique_ptr<Operator> keys;
  std::unique_ptr<RegistryClient> hub;
};

// The operator's folder. The environment counts only where the command names none: CLI11 would
// read it for every command that shares the option, over what the chosen one was given.
absl::StatusOr<std::string> FolderOf(const RegistryOptions& options) {
  if (!options.dir.empty()) return options.dir;
  const char* chosen = std::getenv("WAYMARK_REGISTRY");
  if (chosen != nullptr && *chosen != '\0') return std::string(chosen);
  return UsageError("no operator's folder was chosen: give --dir PATH or set WAYMARK_REGISTRY");
}

absl::StatusOr<std::unique_ptr<Operator>> OpenKeys(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const std::string folder, FolderOf(options));
  return Operator::Open(folder, shell.clock(), shell.random());
}

absl::StatusOr<Registry> Open(Shell& shell, const RegistryOptions& options) {
  Registry registry;
  ASSIGN_OR_RETURN(registry.keys, OpenKeys(shell, options));
  ASSIGN_OR_RETURN(registry.hub, RegistryClient::Create(*registry.keys, shell.clock()));
  return registry;
}

void Set(Struct& object, const std::string& name, const std::string& text) {
  (*object.mutable_fields())[name].set_string_value(text);
}

absl::Status CreateNetwork(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const std::string folder, FolderOf(options));
  ASSIGN_OR_RETURN(const auto keys,
                   Operator::Create(folder, options.network, shell.clock(), shell.random()));
  Struct made;
  Set(made, "network_id", keys->network().id.hex());
  Set(made, "network_file", keys->network_path());
  if (shell.PrintJson(made)) return absl::OkStatus();
  shell.out() << "network " << keys->network().id.hex() << " '" << keys->network().name
              << "' created in " << folder << "\n"
              << "Keep this folder offline and backed up. Give the hub " << keys->network_path()
              << ",\nthen sign its request with 'waymark registry sign-hub'.\n";
  return absl::OkStatus();
}

absl::Status SignHub(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(shell, options));
  ASSIGN_OR_RETURN(const std::string request, ReadPublicFile(options.request_path));
  ASSIGN_OR_RETURN(const std::string certificate,
                   keys->SignHub(request, options.dns_names, options.ip_addresses));
  RETURN_IF_ERROR(WritePublicFile(options.out_path, certificate));
  shell.PrintDone("the hub's certificate is in " + options.out_path);
  return absl::OkStatus();
}

absl::StatusOr<MemberPlan> PlanOf(const RegistryOptions& options) {
  MemberPlan plan = options.member;
  ASSIGN_OR_RETURN(const int number, ParseEnum("--class", *v1::OrganisationClass_descriptor(),
                                               options.organisation_class));
  plan.organisation_class = static_cast<v1::OrganisationClass>(number);
  for (const std::string& unit : options.units) {
    const size_t equals = unit.find('=');
    if (equals == std::string::npos || equals + 1 == unit.size()) {
      return UsageError("--unit " + unit + ": expected NAME=WORDS FOR PEOPLE");
    }
    plan.units.push_back({.name = unit.substr(0, equals), .display_name = unit.substr(equals + 1)});
  }
  return plan;
}

// The file may hold the one copy of an invitation that nobody used yet.
absl::Status CheckNewFile(const RegistryOptions& options) {
  std::error_code unknown;
  if (options.out_path.empty() || !std::filesystem::exists(options.out_path, unknown)) {
    return absl::OkStatus();
  }
  return Error(v1::REASON_EXISTS, "the file " + options.out_path + " is there already");
}

// Prints the invitation, or writes it to the file that was asked for.
absl::Status HandOver(Shell& shell, const RegistryOptions& options, const std::string& handle,
                      std::string invitation) {
  if (options.out_path.empty()) {
    Struct made;
    Set(made, "invitation", invitation);
    if (!shell.PrintJson(made)) shell.out() << invitation << "\n";
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(WriteSecretFile(options.out_path, SecretBytes::TakeFrom(invitation)));
  shell.PrintDone("the invitation of " + handle + " is in " + options.out_path +
                  "; it counts once and for 72 hours");
  return absl::OkStatus();
}

absl::Status Invite(Shell& shell, const RegistryOptions& options) {
  RETURN_IF_ERROR(CheckNewFile(options));
  ASSIGN_OR_RETURN(const MemberPlan plan, PlanOf(options));
  ASSIGN_OR_RETURN(const auto catalogue, Catalogue::Load(options.catalogue));
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  ASSIGN_OR_RETURN(std::string invitation, registry.keys->Invite(*registry.hub, plan, *catalogue));
  return HandOver(shell, options, plan.handle, std::move(invitation));
}

absl::Status InviteAgain(Shell& shell, const RegistryOptions& options) {
  RETURN_IF_ERROR(CheckNewFile(options));
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  ASSIGN_OR_RETURN(std::string invitation,
                   registry.keys->InviteAgain(*registry.hub, options.handle));
  return HandOver(shell, options, options.handle, std::move(invitation));
}

std::string AskedFor(const PendingRequest& request) {
  if (request.renewal) return "renewal";
  if (!request.again) return "admission";
  return request.other_key ? "admission again, another identity key" : "admission again";
}

absl::Status ListRequests(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  ASSIGN_OR_RETURN(const auto requests, registry.keys->Requests(*registry.hub));
  Table table({"ID", "ORGANISATION", "ASKS FOR", "SINCE"});
  Struct list;
  auto& entries = *(*list.mutable_fields())["requests"].mutable_list_value();
  for (const PendingRequest& request : requests) {
    const auto since = TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(request.requested_at));
    const std::string handle =
        request.member_handle.empty() ? "(its proof does not hold)" : request.member_handle;
    table.Add({request.id.substr(0, 8), handle, AskedFor(request), shell.view().Time(since)});
    Struct& entry = *entries.add_values()->mutable_struct_value();
    Set(entry, "id", request.id);
    Set(entry, "handle", request.member_handle);
    Set(entry, "requested_at", TimeUtil::ToString(since));
    (*entry.mutable_fields())["renewal"].set_bool_value(request.renewal);
    (*entry.mutable_fields())["again"].set_bool_value(request.again);
    (*entry.mutable_fields())["other_key"].set_bool_value(request.other_key);
  }
  if (!shell.PrintJson(list)) shell.out() << table.ToString();
  return absl::OkStatus();
}

absl::Status Approve(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  RETURN_IF_ERROR(registry.keys->Approve(*registry.hub, options.id, options.fingerprint));
  shell.PrintDone("request " + options.id + " approved");
  return absl::OkStatus();
}

absl::Status Reject(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  RETURN_IF_ERROR(registry.keys->Reject(*registry.hub, options.id));
  shell.PrintDone("request " + options.id + " rejected");
  return absl::OkStatus();
}

absl::Status ListMembers(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  ASSIGN_OR_RETURN(const auto members, registry.keys->Members(*registry.hub));
  const View& view = shell.view();
  v1::ListDirectoryResponse list;
  Table table({"HANDLE", "NAME", "CLASS", "WHERE", "STATUS", "UNITS", "STATEMENT UNTIL"});
  for (const MemberView& shown : members) {
    const v1::Member& member = shown.member;
    std::vector<std::string> units;
    for (const v1::Unit& unit : member.units()) units.push_back(unit.handle());
    table.Add({member.handle(), member.display_name(),
               view.Label(*v1::OrganisationClass_descriptor(), member.organisation_class()),
               member.jurisdiction(), view.Label(*v1::MemberStatus_descriptor(), member.status()),
               Join(units),
               view.Time(TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(shown.valid_until)))});
    v1::DirectoryMember* entry = list.add_members();
    entry->set_organisation_id(shown.organisation.bytes());
    *entry->mutable_member() = member;
  }
  if (!shell.PrintJson(list)) shell.out() << table.ToString();
  return absl::OkStatus();
}

absl::Status SetStatus(Shell& shell, const RegistryOptions& options, v1::MemberStatus status) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  RETURN_IF_ERROR(registry.keys->SetStatus(*registry.hub, options.handle, status));
  shell.PrintDone(options.handle + (status == v1::MEMBER_STATUS_ACTIVE
                                        ? " is active again"
                                        : " is suspended; it takes effect now"));
  return absl::OkStatus();
}

absl::Status Refresh(Shell& shell, const RegistryOptions& options) {
  ASSIGN_OR_RETURN(const Registry registry, Open(shell, options));
  ASSIGN_OR_RETURN(const RefreshResult result, registry.keys->Refresh(*registry.hub));
  Struct counts;
  (*counts.mutable_fields())["statements"].set_number_value(result.statements);
  (*counts.mutable_fields())["certificates"].set_number_value(result.certificates);
  if (!shell.PrintJson(counts)) {
    shell.out() << result.statements << " statements signed again, " << result.certificates
                << " certificates renewed\n";
  }
  return absl::OkStatus();
}

void AddDir(CLI::App* command, RegistryOptions& options) {
  command->add_option(
      "--dir", options.dir,
      "The operator's folder with the network's keys; WAYMARK_REGISTRY if not given");
}

void AddNetworkCommands(CLI::App& app, Shell& shell, RegistryOptions& options) {
  CLI::App* network = shell.AddGroup(app, "network", "Create a network (registry operator)");
  CLI::App* create = shell.Add(
      *network, "create",
      "Creates a network: its certificate authority, its registry key and the file that the hub\n"
      "and all members share. The keys never leave this folder.",
      "waymark network create --dir registry --name 'Harbour network' --hub hub.example:7443 "
      "--enrolment hub.example:7444",
      [&shell, &options] { return CreateNetwork(shell, options); });
  AddDir(create, options);
  create->add_option("--name", options.network.name, "A name for people")->required();
  AddEach(create, "--hub", options.network.hub_addresses, "HOST:PORT where members connect")
      ->required();
  AddEach(create, "--enrolment", options.network.enrolment_addresses,
          "HOST:PORT where new members ask to join")
      ->required();
}

void AddMemberCommands(CLI::App& registry, Shell& shell, RegistryOptions& options) {
  CLI::App* invite = shell.Add(
      registry, "invite",
      "Makes an invitation for an organisation: one line of text that holds a secret. It counts\n"
      "once and for 72 hours; hand it over in person or on a channel that you trust.",
      "waymark registry invite --handle lin --name 'Linden House' --class NGO --jurisdiction XA "
      "--pack us-vsp --unit family='Linden House, family rooms' --out lin.invitation",
      [&shell, &options] { return Invite(shell, options); });
  AddDir(invite, options);
  invite->add_option("--handle", options.member.handle, "Short name, a-z 0-9 -")->required();
  invite->add_option("--name", options.member.display_name, "Neutral name for people")->required();
  invite->add_option("--class", options.organisation_class, "NGO, HEALTH, LEGAL, ...")->required();
  invite->add_option("--jurisdiction", options.member.jurisdiction, "Country code")->required();
  invite->add_option("--pack", options.member.policy_pack, "Policy pack")->required();
  invite->add_option("--catalogue", options.catalogue,
                     "Folder with data files of the network's own, if it has some");
  AddEach(invite, "--unit", options.units, "NAME=WORDS FOR PEOPLE; once per unit")->required();
  invite->add_option("--out", options.out_path, "Write it to this file, for its owner alone");

  CLI::App* again = shell.Add(registry, "invite-again",
                              "Makes an invitation for a present member, under its id: for one "
                              "whose certificate has ended\n"
                              "or whose keys are lost. It keeps its units and its standing.",
                              "waymark registry invite-again lin --out lin.invitation",
                              [&shell, &options] { return InviteAgain(shell, options); });
  AddDir(again, options);
  again->add_option("HANDLE", options.handle, "The organisation")->required();
  again->add_option("--out", options.out_path, "Write it to this file, for its owner alone");

  const auto add_member = [&](const std::string& name, const std::string& text,
                              v1::MemberStatus status) {
    CLI::App* command =
        shell.Add(registry, name, text, "waymark registry " + name + " lin",
                  [&shell, &options, status] { return SetStatus(shell, options, status); });
    AddDir(command, options);
    command->add_option("HANDLE", options.handle, "The organisation")->required();
  };
  add_member("suspend",
             "Suspends an organisation at once: it may only receive and confirm withdrawals.",
             v1::MEMBER_STATUS_SUSPENDED);
  add_member("reinstate", "Ends a suspension.", v1::MEMBER_STATUS_ACTIVE);
  AddDir(shell.Add(registry, "members", "Lists the members and their units.",
                   "waymark registry members",
                   [&shell, &options] { return ListMembers(shell, options); }),
         options);
  AddDir(
      shell.Add(registry, "refresh",
                "Signs again what runs out and renews certificates; run it every day.",
                "waymark registry refresh", [&shell, &options] { return Refresh(shell, options); }),
      options);
}

void AddRequestCommands(CLI::App& registry, Shell& shell, RegistryOptions& options) {
  AddDir(shell.Add(registry, "requests", "Lists who waits for admission or renewal.",
                   "waymark registry requests",
                   [&shell, &options] { return ListRequests(shell, options); }),
         options);
  CLI::App* approve = shell.Add(
      registry, "approve",
      "Admits an organisation, after you compared the fingerprint that it reads out to you on a\n"
      "number that you knew before.",
      "waymark registry approve 5e0c71aa --fingerprint 'AB12 CD34 ...'",
      [&shell, &options] { return Approve(shell, options); });
  AddDir(approve, options);
  approve->add_option("ID", options.id, "The request, or its first digits")->required();
  approve->add_option("--fingerprint", options.fingerprint, "What the organisation read out")
      ->required();
  CLI::App* reject =
      shell.Add(registry, "reject", "Turns a request down.", "waymark registry reject 5e0c71aa",
                [&shell, &options] { return Reject(shell, options); });
  AddDir(reject, options);
  reject->add_option("ID", options.id, "The request, or its first digits")->required();
}

}  // namespace

void AddRegistryCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<RegistryOptions>();
  AddNetworkCommands(app, shell, options);
  CLI::App* registry =
      shell.AddGroup(app, "registry", "Admit, suspend and renew members (registry operator)");
  CLI::App* sign =
      shell.Add(*registry, "sign-hub", "Issues the hub's certificate from its request.",
                "waymark registry sign-hub hub.csr --out hub.crt --dns hub.example",
                [&shell, &options] { return SignHub(shell, options); });
  AddDir(sign, options);
  sign->add_option("CSR", options.request_path, "The hub's certificate request (PEM)")->required();
  sign->add_option("--out", options.out_path, "Where to write the certificate")->required();
  AddEach(sign, "--dns", options.dns_names, "Host name of the hub");
  AddEach(sign, "--ip", options.ip_addresses, "Address of the hub");
  AddMemberCommands(*registry, shell, options);
  AddRequestCommands(*registry, shell, options);
}

}  // namespace waymark::node
