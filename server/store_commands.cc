#include "server/store_commands.h"

#include <iomanip>
#include <map>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/secret/secret.h"
#include "base/status/status.h"
#include "server/settings.h"
#include "server/store/move.h"
#include "server/store/sqlite/backup.h"
#include "server/store/sqlite/verify.h"

namespace waymark::hub {
namespace {

constexpr char kConfigHelp[] = "The configuration, hub.yaml.";
constexpr char kForget[] =
    "It holds sealed messages and who wrote to whom, which the hub forgets within 7 days: delete "
    "it by then.\n";
constexpr char kNext[] =
    "Next: start the hub. It begins a new epoch: nodes send again what they have no receipt for, "
    "and a token is refused until its issuer has registered it again.\n";
constexpr int kLabelWidth = 28;

// What the rows of a table are to people; the table's own name for one that is not known.
std::string LabelOf(const std::string& table) {
  static const auto& labels = *new std::map<std::string, std::string>{
      {"item", "messages that wait"},
      {"told", "urgent, sender told"},
      {"token", "consent tokens"},
      {"referral", "referrals"},
      {"seen", "answers to messages"},
      {"routing", "lines of the routing log"},
      {"statement", "statements of the directory"},
      {"invitation", "invitations"},
      {"enrolment", "requests to join"},
  };
  const auto label = labels.find(table);
  return label == labels.end() ? table : label->second;
}

std::ostream& Line(std::ostream& out, const std::string& label) {
  return out << "  " << std::left << std::setw(kLabelWidth) << label;
}

void Write(const StoreSight& sight, std::ostream& out) {
  for (const auto& [table, rows] : sight.rows) {
    if (table != "meta") Line(out, LabelOf(table)) << rows << "\n";
  }
  Line(out, "youngest record") << (sight.youngest
                                       ? absl::FormatTime(absl::RFC3339_sec, *sight.youngest,
                                                          absl::LocalTimeZone())
                                       : "none")
                               << "\n";
  Line(out, "schema version") << sight.version << "\n";
  Line(out, "bytes") << sight.bytes << "\n";
  Line(out, "sum over the whole file")
      << (sight.summed ? "holds" : "none: the routing log is not verified line by line") << "\n";
}

// The store of a hub that keeps it in a file. `what` is the command, `instead` what does its work
// for a database.
absl::StatusOr<std::string> FileStore(const Hub::Options& hub, const std::string& what,
                                      const std::string& instead) {
  if (hub.store.empty()) return hub.data + "/hub.sqlite";
  return Error(v1::REASON_CONFIG_INVALID, "this hub stores in PostgreSQL, and " + what +
                                              " is for the file hub.sqlite; " + instead +
                                              " (docs/operations.md, Backups)");
}

// "env:NAME", "file:PATH" or "credential:NAME"; what is empty refers to nothing.
absl::StatusOr<SecretReference> ParseReference(const std::string& text) {
  if (text.empty()) return SecretReference{};
  const std::vector<std::pair<std::string, SecretReference::Kind>> kinds = {
      {"env:", SecretReference::Kind::kEnvironment},
      {"file:", SecretReference::Kind::kFile},
      {"credential:", SecretReference::Kind::kCredential}};
  for (const auto& [prefix, kind] : kinds) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
      return SecretReference{kind, text.substr(prefix.size())};
    }
  }
  return CommandLineError(
      "--to-password says where the password is: env:NAME, file:PATH or credential:NAME");
}

// The lines of hub.yaml that say where the hub stores from now on.
std::string ConfigurationOf(const std::string& url, const std::string& password) {
  std::string lines = "  store: " + url + "\n";
  if (password.empty()) return lines;
  const size_t colon = password.find(':');
  return lines + "  store_password: {" + password.substr(0, colon) + ": " +
         password.substr(colon + 1) + "}\n";
}

}  // namespace

// The command line --------------------------------------------------------------------------------

StoreCommands::StoreCommands(CLI::App& app) {
  AddBackup(app);
  AddVerify(app);
  AddRestore(app);
  AddMove(app);
}

void StoreCommands::AddBackup(CLI::App& app) {
  backup_command_ =
      app.add_subcommand("backup", "Make a verified copy of the store, while the hub runs or not.");
  backup_command_->add_option("--config", backup_.config, kConfigHelp)->required();
  backup_command_->add_option("--to", backup_.file, "The copy, a file that is not there yet.")
      ->required();
}

void StoreCommands::AddVerify(CLI::App& app) {
  verify_command_ = app.add_subcommand(
      "verify",
      "Say whether a copy of the store is whole and as it was written, and what it holds. Changes "
      "nothing. Exit status: 0 it is, 1 it is not.");
  verify_command_->add_option("file", verify_.file, "The copy.")->required();
}

void StoreCommands::AddRestore(CLI::App& app) {
  restore_command_ = app.add_subcommand(
      "restore", "Put a copy of the store in place, after verifying it. The hub is stopped.");
  restore_command_->add_option("--config", restore_.config, kConfigHelp)->required();
  restore_command_->add_option("--from", restore_.file, "The copy, which stays.")->required();
  restore_command_->add_flag("--replace", replace_,
                             "Where there is a store, keep it aside as hub.sqlite.replaced-N.");
}

void StoreCommands::AddMove(CLI::App& app) {
  move_command_ = app.add_subcommand(
      "move", "Move the store from hub.sqlite into a PostgreSQL database. The hub is stopped.");
  move_command_->add_option("--config", move_config_, kConfigHelp)->required();
  move_command_->add_option("--to", url_, "The database, postgresql://..., without a password.")
      ->required();
  move_command_->add_option("--to-password", password_,
                            "Where its password is: env:NAME, file:PATH or credential:NAME.");
}

bool StoreCommands::parsed() const {
  return backup_command_->parsed() || verify_command_->parsed() || restore_command_->parsed() ||
         move_command_->parsed();
}

absl::Status StoreCommands::Run(const ProgramOptions& program, std::ostream& out) const {
  if (backup_command_->parsed()) return Backup(program, out);
  if (verify_command_->parsed()) return Verify(out);
  return restore_command_->parsed() ? Restore(program, out) : Move(program, out);
}

// The commands ------------------------------------------------------------------------------------

absl::Status StoreCommands::Backup(const ProgramOptions& program, std::ostream& out) const {
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(backup_.config, program));
  ASSIGN_OR_RETURN(
      const std::string store,
      FileStore(settings.hub, "backup",
                "back the database up with pg_dump --schema=waymark, or with base backups"));
  ASSIGN_OR_RETURN(const StoreSight sight, BackUp(store, backup_.file));
  out << "Made " << backup_.file << " of " << store << ", and verified it:\n";
  Write(sight, out);
  out << kForget;
  return absl::OkStatus();
}

absl::Status StoreCommands::Verify(std::ostream& out) const {
  const absl::StatusOr<StoreSight> verified = VerifyStore(verify_.file);
  if (ReasonOf(verified.status()) == v1::REASON_DATA_CORRUPT) {
    out << "Do not restore it: take another copy, or make one with waymark-hub backup.\n";
  }
  ASSIGN_OR_RETURN(const StoreSight sight, verified);
  out << verify_.file << " is a store of a hub, whole and as it was written:\n";
  Write(sight, out);
  return absl::OkStatus();
}

absl::Status StoreCommands::Restore(const ProgramOptions& program, std::ostream& out) const {
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(restore_.config, program));
  ASSIGN_OR_RETURN(const std::string store,
                   FileStore(settings.hub, "restore",
                             "restore a dump into a new database with pg_restore or psql"));
  ASSIGN_OR_RETURN(const Restored restored, hub::Restore(restore_.file, store, replace_));
  out << "Put a copy of " << restore_.file << " at " << store << ":\n";
  Write(restored.sight, out);
  if (!restored.aside.empty()) {
    out << "The store that was there is kept as " << restored.aside << ". " << kForget;
  }
  out << kNext;
  return absl::OkStatus();
}

absl::Status StoreCommands::Move(const ProgramOptions& program, std::ostream& out) const {
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(move_config_, program));
  ASSIGN_OR_RETURN(
      const std::string store,
      FileStore(settings.hub, "move",
                "to move hub.sqlite after all, take `store` out of the configuration"));
  ASSIGN_OR_RETURN(const SecretReference password, ParseReference(password_));
  ASSIGN_OR_RETURN(const Tally moved,
                   MoveStore(store, {url_, password}, &SystemRandom(), program.clock));
  out << "Moved " << store << " into the database, and read it back:\n";
  for (const auto& [kind, counted] : moved.kinds()) Line(out, kind) << counted.rows << "\n";
  out << "Next: put this into " << move_config_ << ", and start the hub.\n"
      << ConfigurationOf(url_, password_)
      << "It begins a new epoch: nodes send again what they have no receipt for.\n"
      << store << " is as it was, and no hub is to serve it again. " << kForget;
  return absl::OkStatus();
}

}  // namespace waymark::hub
