#include "tests/support/node_process.h"

#include <csignal>
#include <filesystem>
#include <utility>

#include "base/identity/files.h"
#include "base/status/status.h"
#include "tests/support/poll.h"

namespace waymark::testing {
namespace {

using Stub = v1::NodeService::StubInterface;

constexpr absl::Duration kLoginMargin = absl::Minutes(10);
// What `waymark-node join` ends with while the operator has not decided.
constexpr int kNotYet = 5;
constexpr char kPassphrase[] = "a passphrase of invented staff";

// The fingerprint stands alone on an indented line.
std::string FingerprintIn(const std::string& output) {
  constexpr char kIndent[] = "\n    ";
  const size_t begin = output.find(kIndent);
  if (begin == std::string::npos) return "";
  const size_t from = begin + sizeof(kIndent) - 1;
  return output.substr(from, output.find('\n', from) - from);
}

}  // namespace

absl::Status NodeProcess::Run(std::vector<std::string> arguments, int expected_status) const {
  arguments.insert(arguments.begin(), WAYMARK_NODE_TEST);
  return RunToEnd({.command = std::move(arguments),
                   .environment = {{"WAYMARK_TEST_CLOCK", options_.clock_file}},
                   .output = Path("setup.out")},
                  expected_status);
}

absl::Status NodeProcess::Join(
    const std::string& invitation,
    absl::FunctionRef<absl::Status(const std::string& fingerprint)> approve, Joining joining) {
  std::filesystem::create_directories(options_.folder);
  RETURN_IF_ERROR(WriteSecretFile(Path("invitation"), SecretBytes::CopyOf(invitation)));
  RETURN_IF_ERROR(WriteSecretFile(Path("passphrase"), SecretBytes::CopyOf(kPassphrase)));
  RETURN_IF_ERROR(WritePublicFile(Path("node.yaml"),
                                  "data: data\n"
                                  "master_key:\n  file: master.key\n"
                                  "delays: false\n"
                                  "log:\n  level: debug\n  file: node.log\n"));
  const std::vector<std::string> join = {
      "join", "--data", data(), "--invitation", Path("invitation"), "--key-file", key_file()};
  RETURN_IF_ERROR(Run(join, kNotYet));
  ASSIGN_OR_RETURN(std::string output, ReadPublicFile(Path("setup.out")));
  // The output is appended to: what the last run said comes last.
  output.erase(0, output.rfind("Joining network"));
  RETURN_IF_ERROR(approve(FingerprintIn(output)));
  RETURN_IF_ERROR(Run(join));
  if (joining == Joining::kAgain) return absl::OkStatus();
  return Run({"staff-init", "--config", Path("node.yaml"), "--passphrase-file", Path("passphrase"),
              administrator_.name});
}

absl::Status NodeProcess::Configure(const std::string& lines) const {
  ASSIGN_OR_RETURN(const std::string text, ReadPublicFile(Path("node.yaml")));
  return WritePublicFile(Path("node.yaml"), text + lines);
}

absl::Status NodeProcess::Start() {
  std::filesystem::remove(Path("ready"));
  std::vector<std::string> command = entrance_;
  command.insert(command.end(), {WAYMARK_NODE_TEST, "serve", "--config", Path("node.yaml"),
                                 "--ready-file", Path("ready")});
  ASSIGN_OR_RETURN(process_,
                   Process::Start({.command = std::move(command),
                                   .environment = {{"WAYMARK_TEST_CLOCK", options_.clock_file},
                                                   {"WAYMARK_TEST_KILL", Path("kill")}},
                                   .output = Path("node.out")}));
  Eventually([&] { return std::filesystem::exists(Path("ready")) || !process_->running(); },
             kStartLimit);
  if (!std::filesystem::exists(Path("ready"))) {
    const auto output = ReadPublicFile(Path("node.out"));
    return Failed("a node did not start: " + (output.ok() ? *output : ""));
  }
  return has_caseworker_ ? absl::OkStatus() : TakeOnCaseworker();
}

absl::Status NodeProcess::TakeOnCaseworker() {
  v1::PutStaffRequest request;
  request.set_name(caseworker_.name);
  request.set_passphrase(kPassphrase);
  request.set_role(v1::STAFF_ROLE_CASEWORKER);
  request.add_unit_ids(options_.unit.bytes());
  // The unit is known as ours once the node has seen the directory.
  absl::Status taken;
  Eventually(
      [&] {
        taken = administrator().Call(&Stub::PutStaff, request).status();
        return ReasonOf(taken) != v1::REASON_UNIT_NOT_OWN;
      },
      kStartLimit);
  has_caseworker_ = taken.ok();
  return taken;
}

absl::Status NodeProcess::Stop() {
  administrator_.client.reset();
  caseworker_.client.reset();
  process_->Signal(SIGTERM);
  const auto status = process_->Wait(absl::Seconds(30));
  process_.reset();
  if (status == 0) return absl::OkStatus();
  return Failed("a node did not stop in order");
}

void NodeProcess::Kill() {
  administrator_.client.reset();
  caseworker_.client.reset();
  process_.reset();
}

absl::Status NodeProcess::KillAtNextDelivery() { return WritePublicFile(Path("kill"), ""); }

void NodeProcess::Spare() { std::filesystem::remove(Path("kill")); }

absl::Status NodeProcess::AwaitKilled() {
  const auto status = process_->Wait(absl::Seconds(30));
  const bool at_the_point = !std::filesystem::exists(Path("kill"));
  Kill();
  if (status == 128 + SIGKILL && at_the_point) return absl::OkStatus();
  return Failed("a node was not killed between inbox and acknowledgement");
}

node::NodeClient& NodeProcess::Client(StaffMember& member) {
  const bool lasts = member.login_ends - kLoginMargin > options_.clock->Now();
  if (member.client != nullptr && lasts) return *member.client;
  node::NodeClient door(socket(), "");
  v1::LoginRequest request;
  request.set_name(member.name);
  request.set_passphrase(kPassphrase);
  const auto login = door.Call(&Stub::Login, request);
  member.login_ends = absl::InfinitePast();
  if (login.ok()) member.login_ends = absl::FromUnixSeconds(login->expires_at().seconds());
  member.client = std::make_unique<node::NodeClient>(socket(), login.ok() ? login->token() : "");
  return *member.client;
}

}  // namespace waymark::testing
