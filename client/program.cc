#include "client/program.h"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "base/config/config.h"
#include "base/directory/invitation.h"
#include "base/identity/files.h"
#include "base/log/log.h"
#include "base/program/program.h"
#include "base/program/terminal.h"
#include "base/random/random.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "client/casework/staff.h"
#include "client/directory/replica.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/identity.h"
#include "client/enrolment/join.h"
#include "client/link/enrolment_client.h"
#include "client/local_systems.h"
#include "client/mapping/mapper.h"
#include "client/node.h"
#include "client/vault/master_key.h"
#include "client/vault/vault.h"

namespace waymark::node {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr int kNotYet = 5;
constexpr absl::Duration kAskAgain = absl::Seconds(2);

struct JoinArguments {
  std::string data;
  std::string invitation;
  std::string key_file;
  std::string passphrase_file;
  std::string wait = "0s";
};

struct StaffArguments {
  std::string config;
  std::string name;
  std::string passphrase_file;
};

struct CheckArguments {
  std::string config;
};

struct AcceptArguments {
  std::string config;
};

struct ServeArguments {
  std::string config;
  std::string ready_file;
};

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << ErrorLine("waymark-node", status);
  return kFailed;
}

// --- Keys and passphrases
// -------------------------------------------------------------------------

absl::StatusOr<SecretBytes> ReadPassphraseFile(const std::string& path) {
  ASSIGN_OR_RETURN(SecretBytes passphrase, ReadSecretFile(path));
  const std::string_view text = passphrase.view();
  if (!text.empty() && text.back() == '\n') passphrase.Truncate(text.size() - 1);
  return passphrase;
}

absl::StatusOr<SecretBytes> AskPassphrase(const std::string& prompt) {
  if (IsInteractive()) return AskHidden(prompt);
  return Error(v1::REASON_FIELD_INVALID,
               "there is no terminal to ask for the passphrase; give --passphrase-file");
}

// Whoever copies the data folder must not get its key along.
absl::Status CheckOutside(const DataFolder& folder, const std::string& secret_path) {
  if (!folder.Contains(secret_path)) return absl::OkStatus();
  return Error(v1::REASON_FILE_UNUSABLE,
               secret_path + " lies in the data folder " + folder.path() +
                   ", where a copy of the folder would take the key along; keep it elsewhere");
}

absl::StatusOr<MasterKey> PassphraseKey(const DataFolder& folder, const std::string& path) {
  RETURN_IF_ERROR(CheckOutside(folder, path));
  ASSIGN_OR_RETURN(SecretBytes passphrase, ReadPassphraseFile(path));
  return MasterKey::FromPassphrase(std::move(passphrase));
}

// --- Configuration
// --------------------------------------------------------------------------------

// Where the master key is.
struct KeySource {
  std::string file;
  std::string credential;
  std::string passphrase_file;
};

absl::StatusOr<KeySource> ReadKeySource(ConfigSection& root) {
  KeySource source;
  ASSIGN_OR_RETURN(ConfigSection section, root.Section("master_key"));
  ASSIGN_OR_RETURN(source.file, section.Path("file", ""));
  ASSIGN_OR_RETURN(source.credential, section.String("credential", ""));
  ASSIGN_OR_RETURN(source.passphrase_file, section.Path("passphrase_file", ""));
  const int given = static_cast<int>(!source.file.empty()) +
                    static_cast<int>(!source.credential.empty()) +
                    static_cast<int>(!source.passphrase_file.empty());
  if (given == 1) return source;
  return root.Invalid("master_key", "expected exactly one of file, credential, passphrase_file");
}

absl::StatusOr<MasterKey> OpenKey(const KeySource& source, const DataFolder& folder) {
  if (!source.file.empty()) {
    RETURN_IF_ERROR(CheckOutside(folder, source.file));
    return MasterKey::FromFile(source.file);
  }
  if (!source.passphrase_file.empty()) return PassphraseKey(folder, source.passphrase_file);
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) {
    return Error(v1::REASON_CONFIG_INVALID,
                 "master_key.credential is for a service that systemd started with "
                 "LoadCredential; there is no CREDENTIALS_DIRECTORY");
  }
  return MasterKey::FromCredential(directory, source.credential);
}

struct Settings {
  Node::Options node;
  KeySource key;
  LogOptions log;
};

absl::StatusOr<Settings> ReadConfig(const std::string& path, const ProgramOptions& program) {
  ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Load(path));
  ConfigSection root = file.root();
  Settings settings;
  Node::Options& node = settings.node;
  node.version = WAYMARK_VERSION;
  ASSIGN_OR_RETURN(node.data, root.Path("data"));
  ASSIGN_OR_RETURN(node.socket, root.Path("socket", node.data + "/node.sock"));
  ASSIGN_OR_RETURN(settings.key, ReadKeySource(root));
  ASSIGN_OR_RETURN(node.hubs, root.PeerAddresses("hubs"));
  ASSIGN_OR_RETURN(node.catalogue, root.Path("catalogue", ""));
  ASSIGN_OR_RETURN(node.delays, root.Bool("delays", true));
  ASSIGN_OR_RETURN(node.local_systems, ReadLocalSystems(root, path));
  ASSIGN_OR_RETURN(settings.log, ReadLogOptions(root));
  RETURN_IF_ERROR(file.Finish());
  if (!program.jq_program.empty()) node.local_systems.jq_program = program.jq_program;
  node.clock = program.clock;
  node.random = &SystemRandom();
  node.staff_cost = program.cost;
  node.maintenance_interval = program.maintenance_interval;
  node.tls_refresh = program.tls_refresh;
  node.on_stored = program.on_stored;
  return settings;
}

// --- check
// ----------------------------------------------------------------------------------------

// The own units as the registry admitted them; nullopt, with a word about it, while a node that
// runs has the vault.
absl::StatusOr<std::optional<UnitsByHandle>> AdmittedUnits(const Settings& settings) {
  const DataFolder folder(settings.node.data);
  RETURN_IF_ERROR(folder.CheckJoined());
  ASSIGN_OR_RETURN(const MasterKey key, OpenKey(settings.key, folder));
  const auto vault = Vault::Open({.path = folder.vault()}, key, SystemRandom());
  if (ReasonOf(vault.status()) == v1::REASON_FILE_UNUSABLE) {
    std::cout << "The units of connectors were not looked up: " << vault.status().message() << "\n";
    return std::optional<UnitsByHandle>();
  }
  RETURN_IF_ERROR(vault.status());
  ASSIGN_OR_RETURN(const std::optional<v1::Member> admission, LoadAdmission(**vault));
  if (!admission.has_value()) return std::optional<UnitsByHandle>();
  return std::optional(UnitsOf(*admission));
}

// Says everything that is wrong, and starts nothing.
int RunCheck(const CheckArguments& arguments, const ProgramOptions& program) {
  const absl::StatusOr<Settings> settings = ReadConfig(arguments.config, program);
  if (!settings.ok()) return Report(settings.status());
  const LocalSystemsSettings& local = settings->node.local_systems;
  const auto units = AdmittedUnits(*settings);
  int result = Report(units.status());
  auto runner = JqRunner::Create({.program = local.jq_program, .limits = local.limits});
  if (!runner.ok()) return Report(runner.status());
  const UnitsByHandle* known = units.ok() && units->has_value() ? &**units : nullptr;
  for (const absl::Status& wrong : CheckLocalSystems(local, known, **runner, SteadyClock())) {
    result = Report(wrong);
  }
  if (result == 0) {
    std::cout << arguments.config << " is in order; " << local.systems.size()
              << (local.systems.size() == 1 ? " connector\n" : " connectors\n");
  }
  return result;
}

// --- join
// -----------------------------------------------------------------------------------------

absl::StatusOr<MasterKey> MakeKey(const JoinArguments& arguments, const DataFolder& folder) {
  if (!arguments.passphrase_file.empty()) {
    return PassphraseKey(folder, arguments.passphrase_file);
  }
  RETURN_IF_ERROR(CheckOutside(folder, arguments.key_file));
  if (!FileExists(arguments.key_file)) {
    RETURN_IF_ERROR(MasterKey::CreateFile(arguments.key_file, SystemRandom()));
    std::cout << "Made the master key " << arguments.key_file
              << ". Keep a copy in a safe place, apart from backups of the data folder: without it "
                 "the vault cannot be opened by anyone.\n";
  }
  return MasterKey::FromFile(arguments.key_file);
}

absl::StatusOr<v1::Invitation> ReadInvitation(const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, ReadPublicFile(path));
  const SecretBytes secret = SecretBytes::TakeFrom(text);
  return ParseInvitation(secret.view());
}

// Asks until there is an answer or the time is up. A hub out of reach may come back in that time.
absl::StatusOr<bool> AwaitApproval(Join& join, absl::Duration wait) {
  InvitationClient desk(join.network());
  const absl::Time deadline = SteadyClock().Now() + wait;
  while (true) {
    absl::StatusOr<bool> joined = join.Advance(desk);
    const bool final = joined.ok() ? *joined : ReasonOf(joined.status()) != v1::REASON_UNAVAILABLE;
    if (final || SteadyClock().Now() + kAskAgain > deadline) return joined;
    absl::SleepFor(kAskAgain);
  }
}

absl::StatusOr<int> RunJoin(const JoinArguments& arguments, const ProgramOptions& program) {
  absl::Duration wait;
  if (!absl::ParseDuration(arguments.wait, &wait) || wait < absl::ZeroDuration()) {
    Report(CommandLineError("--wait expects a time such as 10m or 72h"));
    return kWrongUse;
  }
  ASSIGN_OR_RETURN(const v1::Invitation invitation, ReadInvitation(arguments.invitation));
  const DataFolder folder(arguments.data);
  ASSIGN_OR_RETURN(const MasterKey key, MakeKey(arguments, folder));
  ASSIGN_OR_RETURN(
      const std::unique_ptr<Join> join,
      Join::Open(invitation, folder, key, program.cost, *program.clock, SystemRandom()));
  const std::string& handle = invitation.member().handle();
  if (!join->joined()) {
    std::cout << "Joining network '" << join->network().name << "' as '" << handle << "'"
              << (join->again() ? " again" : "") << ".\n"
              << "Fingerprint of this organisation's identity key:\n\n    " << join->fingerprint()
              << "\n\nThe registry operator compares it with you, on a number that you both know, "
                 "and approves the request.\n"
              << std::flush;
  }
  ASSIGN_OR_RETURN(const bool joined, AwaitApproval(*join, wait));
  if (!joined) {
    std::cout << "The request waits for the operator. Run the same command again later; --wait 1h "
                 "waits that long.\n";
    return kNotYet;
  }
  std::cout << "Joined as '" << handle << "'; the certificate is in " << folder.path() << ".\n"
            << (join->again() ? "Next: run 'waymark-node serve' as before.\n"
                              : "Next: write node.yaml, make the first administrator with "
                                "'waymark-node staff-init' and run 'waymark-node serve'.\n");
  return 0;
}

// --- staff-init
// -----------------------------------------------------------------------------------

absl::Status RunStaffInit(const StaffArguments& arguments, const ProgramOptions& program) {
  ASSIGN_OR_RETURN(const Settings settings, ReadConfig(arguments.config, program));
  const DataFolder folder(settings.node.data);
  RETURN_IF_ERROR(folder.CheckJoined());
  ASSIGN_OR_RETURN(const MasterKey key, OpenKey(settings.key, folder));
  ASSIGN_OR_RETURN(const std::unique_ptr<Vault> vault,
                   Vault::Open({.path = folder.vault()}, key, SystemRandom()));
  StaffRegister staff(*vault, *program.clock, SystemRandom(), program.cost);
  ASSIGN_OR_RETURN(const bool empty, staff.IsEmpty());
  if (!empty) {
    return Error(v1::REASON_STAFF_NOT_ALLOWED,
                 "this node has staff already; its administrator adds more with 'waymark staff "
                 "put'");
  }
  SecretBytes passphrase;
  if (arguments.passphrase_file.empty()) {
    ASSIGN_OR_RETURN(passphrase, AskPassphrase("Passphrase of " + arguments.name));
    ASSIGN_OR_RETURN(const SecretBytes again, AskPassphrase("Once more"));
    if (again.view() != passphrase.view()) {
      return Error(v1::REASON_FIELD_INVALID, "the two passphrases differ");
    }
  } else {
    ASSIGN_OR_RETURN(passphrase, ReadPassphraseFile(arguments.passphrase_file));
  }
  v1::PutStaffRequest request;
  request.set_name(arguments.name);
  request.set_role(v1::STAFF_ROLE_ADMINISTRATOR);
  request.set_passphrase(std::string(passphrase.view()));
  const absl::Status put = staff.Put(request);
  Wipe(*request.mutable_passphrase());
  RETURN_IF_ERROR(put);
  std::cout << "Made the administrator '" << arguments.name
            << "'. Start the node with 'waymark-node serve', then log in with 'waymark login'.\n";
  return absl::OkStatus();
}

// --- accept-directory
// -----------------------------------------------------------------------------

absl::Status RunAccept(const AcceptArguments& arguments, const ProgramOptions& program) {
  ASSIGN_OR_RETURN(const Settings settings, ReadConfig(arguments.config, program));
  const DataFolder folder(settings.node.data);
  RETURN_IF_ERROR(folder.CheckJoined());
  ASSIGN_OR_RETURN(const MasterKey key, OpenKey(settings.key, folder));
  ASSIGN_OR_RETURN(const std::unique_ptr<Vault> vault,
                   Vault::Open({.path = folder.vault()}, key, SystemRandom()));
  RETURN_IF_ERROR(Replica::FollowAnew(*vault));
  std::cout << "The node will read the hub's directory from its beginning. Start it with "
               "'waymark-node serve'.\n";
  return absl::OkStatus();
}

// --- serve
// ----------------------------------------------------------------------------------------

absl::Status RunServe(const ServeArguments& arguments, const ProgramOptions& program) {
  const EndSignals signals;
  ASSIGN_OR_RETURN(const Settings settings, ReadConfig(arguments.config, program));
  RETURN_IF_ERROR(StartLog(settings.log));
  const DataFolder folder(settings.node.data);
  RETURN_IF_ERROR(folder.CheckJoined());
  ASSIGN_OR_RETURN(const MasterKey key, OpenKey(settings.key, folder));
  ASSIGN_OR_RETURN(const std::unique_ptr<Node> node, Node::Start(settings.node, key));
  Log(LogLevel::kInfo, "node_ready", {{"socket", settings.node.socket}});
  if (!arguments.ready_file.empty()) {
    RETURN_IF_ERROR(WritePublicFile(
        arguments.ready_file,
        "{" + FormatJson("node_ready", {{"socket", settings.node.socket}}) + "}\n"));
  }
  NotifyServiceManager("READY=1");
  signals.Wait();
  NotifyServiceManager("STOPPING=1");
  Log(LogLevel::kInfo, "node_stopping");
  node->Stop();
  Log(LogLevel::kInfo, "node_stopped");
  return absl::OkStatus();
}

CLI::App* AddJoin(CLI::App& app, JoinArguments& join) {
  CLI::App* command = app.add_subcommand(
      "join", "Become a member with an invitation. May be repeated until the operator approved.");
  command->add_option("--data", join.data, "The node's data folder; made if need be.")->required();
  command->add_option("--invitation", join.invitation, "File with the invitation of the operator.")
      ->required();
  CLI::Option_group* secret = command->add_option_group("master key", "Exactly one of:");
  secret->add_option("--key-file", join.key_file,
                     "The vault's master key; made if need be. Not in the data folder.");
  secret->add_option("--passphrase-file", join.passphrase_file,
                     "File with a passphrase that opens the vault instead of a key file.");
  secret->require_option(1);
  command->add_option("--wait", join.wait, "How long to wait for the approval: 10m, 72h.");
  return command;
}

// A command that works with the node's configuration.
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& help,
                     std::string& config) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--config", config, "The configuration, node.yaml.")->required();
  return command;
}

}  // namespace

int RunNodeProgram(int argc, char** argv, const ProgramOptions& options) {
  RequireTls13();
  CLI::App app("The node of one organisation in a Waymark network.", "waymark-node");
  app.set_version_flag("--version", std::string("waymark-node " WAYMARK_VERSION));
  app.require_subcommand(1);

  JoinArguments join;
  CLI::App* join_command = AddJoin(app, join);

  StaffArguments staff;
  CLI::App* staff_command = AddCommand(
      app, "staff-init",
      "Make the first administrator of a node that has no staff. Not while it runs.", staff.config);
  staff_command->add_option("name", staff.name, "The administrator's login name.")->required();
  staff_command->add_option("--passphrase-file", staff.passphrase_file,
                            "File with the passphrase; without it the terminal asks.");

  CheckArguments check;
  CLI::App* check_command = AddCommand(
      app, "check",
      "Say what is wrong with a configuration: keys, units, mappings, connectors. Starts nothing.",
      check.config);

  AcceptArguments accept;
  CLI::App* accept_command = AddCommand(
      app, "accept-directory",
      "Go on with the hub's directory although it shows another history: when the registry "
      "operator has confirmed that the hub was restored. Not while the node runs.",
      accept.config);

  ServeArguments serve;
  CLI::App* serve_command =
      AddCommand(app, "serve", "Serve until SIGTERM or SIGINT.", serve.config);
  serve_command->add_option("--ready-file", serve.ready_file, "Written when ready.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    Report(CommandLineError(error.what()));
    return kWrongUse;
  }
  if (join_command->parsed()) {
    const absl::StatusOr<int> result = RunJoin(join, options);
    return result.ok() ? *result : Report(result.status());
  }
  if (check_command->parsed()) return RunCheck(check, options);
  if (accept_command->parsed()) return Report(RunAccept(accept, options));
  return Report(staff_command->parsed() ? RunStaffInit(staff, options) : RunServe(serve, options));
}

}  // namespace waymark::node
