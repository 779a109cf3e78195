#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/session_file.h"
#include "client/cli/terminal.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct StaffOptions {
  std::string name;
  std::string passphrase_file;
  std::string role;
  std::vector<std::string> units;
  bool keep_passphrase = false;
};

absl::Status Login(Shell& shell, const StaffOptions& options) {
  ASSIGN_OR_RETURN(const std::string socket, shell.Socket());
  ASSIGN_OR_RETURN(SecretBytes passphrase,
                   ReadPassphrase(options.passphrase_file, "Passphrase of " + options.name));
  v1::LoginRequest request;
  request.set_name(options.name);
  request.set_passphrase(std::string(passphrase.view()));
  NodeClient node(socket, "");
  const auto login = node.Call(&Api::Login, request);
  Wipe(*request.mutable_passphrase());
  if (!login.ok()) return login.status();
  RETURN_IF_ERROR(WriteSession(SessionPath(socket), login->token()));
  v1::LoginResponse shown = *login;
  shown.clear_token();
  if (shell.PrintJson(shown)) return absl::OkStatus();
  shell.out() << "logged in as " << options.name << " ("
              << shell.view().Label(*v1::StaffRole_descriptor(), login->role()) << ") until "
              << shell.view().Time(login->expires_at()) << "\n";
  return absl::OkStatus();
}

// Ends the session in the node, so that a copy of its token is worth nothing, and forgets it here
// whatever the node says. A session lives in the node's memory: one that does not know it, or does
// not run, has none.
absl::Status Logout(Shell& shell) {
  ASSIGN_OR_RETURN(const std::string socket, shell.Socket());
  const std::string path = SessionPath(socket);
  ASSIGN_OR_RETURN(const std::string token, ReadSession(path));
  absl::Status ended;
  if (!token.empty()) {
    ended = NodeClient(socket, token).Call(&Api::Logout, v1::LogoutRequest()).status();
  }
  RETURN_IF_ERROR(RemoveSession(path));
  const v1::Reason reason = ReasonOf(ended);
  if (reason != v1::REASON_STAFF_NOT_ALLOWED && reason != v1::REASON_UNAVAILABLE) {
    RETURN_IF_ERROR(ended);
  }
  shell.PrintDone("logged out");
  return absl::OkStatus();
}

absl::Status PutStaff(Shell& shell, const StaffOptions& options) {
  v1::PutStaffRequest request;
  request.set_name(options.name);
  ASSIGN_OR_RETURN(const int role, ParseEnum("--role", *v1::StaffRole_descriptor(), options.role));
  request.set_role(static_cast<v1::StaffRole>(role));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  for (const std::string& unit : SplitLists(options.units)) {
    ASSIGN_OR_RETURN(*request.add_unit_ids(), names.Unit(unit));
  }
  if (!options.keep_passphrase) {
    ASSIGN_OR_RETURN(const SecretBytes passphrase,
                     ReadPassphrase(options.passphrase_file, "New passphrase of " + options.name));
    request.set_passphrase(std::string(passphrase.view()));
  }
  const auto put = node->Call(&Api::PutStaff, request);
  Wipe(*request.mutable_passphrase());
  if (!put.ok()) return put.status();
  shell.PrintDone("staff member " + options.name + " is set");
  return absl::OkStatus();
}

std::string LinkText(const v1::GetStatusResponse& status) {
  if (status.connected()) return status.restricted() ? "up, for withdrawals only" : "up";
  return "down" + (status.link_error().empty() ? "" : ": " + status.link_error());
}

absl::Status ListStaff(Shell& shell) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto listed, node->Call(&Api::ListStaff, v1::ListStaffRequest()));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  Table table({"NAME", "ROLE", "UNITS"});
  for (const v1::StaffMember& member : listed.staff()) {
    std::vector<std::string> units;
    for (const std::string& unit : member.unit_ids()) {
      ASSIGN_OR_RETURN(units.emplace_back(), names.UnitHandle(unit));
    }
    table.Add({member.name(), shell.view().Label(*v1::StaffRole_descriptor(), member.role()),
               Join(units)});
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

absl::Status RemoveStaff(Shell& shell, const StaffOptions& options) {
  v1::RemoveStaffRequest request;
  request.set_name(options.name);
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::RemoveStaff, request).status());
  shell.PrintDone("staff member " + options.name + " is removed and logged out");
  return absl::OkStatus();
}

// From acceptance to the local record: as a rule, and at worst.
std::string TimeToRecord(const v1::LocalSystemStatus& system) {
  if (!system.has_longest_time_to_record()) return "-";
  const auto text = [](const google::protobuf::Duration& duration) {
    return absl::FormatDuration(absl::Seconds(duration.seconds()) +
                                absl::Nanoseconds(duration.nanos()));
  };
  return text(system.median_time_to_record()) + ", at most " +
         text(system.longest_time_to_record());
}

void PrintLocalSystems(Shell& shell, const v1::GetStatusResponse& status) {
  if (status.local_systems().empty()) return;
  Table systems({"LOCAL SYSTEM", "WAITING", "UNCERTAIN", "DEAD", "WRITTEN", "ERASED", "FAILED",
                 "TIME TO RECORD"});
  for (const v1::LocalSystemStatus& system : status.local_systems()) {
    systems.Add({system.connector(), std::to_string(system.waiting()),
                 std::to_string(system.uncertain()), std::to_string(system.dead()),
                 std::to_string(system.written()), std::to_string(system.erased()),
                 std::to_string(system.failed()), TimeToRecord(system)});
  }
  shell.out() << "\n" << systems.ToString();
}

void PrintStatus(Shell& shell, const v1::GetStatusResponse& status) {
  const View& view = shell.view();
  Table facts({"WHAT", "IS"});
  facts.Add({"organisation", status.member().handle() + ", " + status.member().display_name()});
  facts.Add({"standing", view.Label(*v1::MemberStatus_descriptor(), status.member().status())});
  facts.Add({"link to the hub", LinkText(status)});
  facts.Add({"directory revision", std::to_string(status.directory_revision())});
  facts.Add({"waiting to leave", std::to_string(status.outbox())});
  facts.Add({"waiting for a receipt", std::to_string(status.awaiting_receipt())});
  facts.Add({"certificate until",
             view.Time(status.certificate_expires_at(), status.has_certificate_expires_at())});
  facts.Add({"clock against the hub", std::to_string(status.clock_skew_ms()) + " ms"});
  shell.out() << facts.ToString();
  PrintLocalSystems(shell, status);
  if (status.restricted() || status.member().status() == v1::MEMBER_STATUS_SUSPENDED) {
    shell.out()
        << "\nThis organisation is suspended. Withdrawals still arrive and are acknowledged; "
           "everything else waits.\nCall the registry operator, who alone can end it with "
           "'waymark registry reinstate "
        << status.member().handle() << "'.\n";
  }
  if (status.alerts().empty()) return;
  Table alerts({"SINCE", "ALERT", "REFERRAL"});
  for (const v1::Alert& alert : status.alerts()) {
    alerts.Add({view.Time(alert.raised_at()), alert.text(),
                alert.referral_id().empty() ? "-" : ShortId(alert.referral_id())});
  }
  shell.out() << "\n" << alerts.ToString();
}

absl::Status Status(Shell& shell) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto status, node->Call(&Api::GetStatus, v1::GetStatusRequest()));
  if (!shell.PrintJson(status)) PrintStatus(shell, status);
  return absl::OkStatus();
}

}  // namespace

void AddStaffCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<StaffOptions>();
  const auto add_passphrase = [&](CLI::App* command) {
    command->add_option("--passphrase-file", options.passphrase_file,
                        "Read it from the first line of this file (0600), '-' for standard input; "
                        "without it you are asked");
  };
  CLI::App* login = shell.Add(app, "login", "Opens a staff session on the node.",
                              "waymark login ana", [&] { return Login(shell, options); });
  login->add_option("NAME", options.name, "Staff name")->required();
  add_passphrase(login);
  shell.Add(app, "logout", "Ends the staff session, here and in the node.", "waymark logout",
            [&] { return Logout(shell); });
  shell.Add(app, "status", "Tells how the node is doing and what needs a person's attention.",
            "waymark status", [&] { return Status(shell); });

  CLI::App* staff = shell.AddGroup(app, "staff", "Manage staff of this node (administrator)");
  CLI::App* put = shell.Add(*staff, "put", "Adds a staff member, or changes one.",
                            "waymark staff put ana --role caseworker --unit lin.family",
                            [&] { return PutStaff(shell, options); });
  put->add_option("NAME", options.name, "Staff name: a-z 0-9 . _ -")->required();
  put->add_option("--role", options.role, "caseworker, logistics or administrator")->required();
  AddEach(put, "--unit", options.units, "Own unit that they work for; may be repeated");
  put->add_flag("--keep-passphrase", options.keep_passphrase,
                "Leave the passphrase of an existing member as it is");
  add_passphrase(put);
  shell.Add(*staff, "list", "Lists who may log in.", "waymark staff list",
            [&] { return ListStaff(shell); });
  CLI::App* remove =
      shell.Add(*staff, "remove", "Removes a staff member and ends their sessions, at once.",
                "waymark staff remove ana", [&] { return RemoveStaff(shell, options); });
  remove->add_option("NAME", options.name, "Staff name")->required();
}

}  // namespace waymark::node
