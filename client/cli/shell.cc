#include "client/cli/shell.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "client/cli/exit_code.h"
#include "client/cli/session_file.h"

namespace waymark::node {

Shell::Shell(std::ostream& out, Clock& clock, Random& random)
    : out_(out), clock_(clock), random_(random), zone_(absl::LocalTimeZone()) {}

void Shell::AddGlobalOptions(CLI::App& app) {
  app.add_option("--socket", socket_, "The node's local socket")->envname("WAYMARK_SOCKET");
  app.add_flag("--json", json_, "Write JSON for programs instead of tables for people");
}

CLI::App* Shell::Add(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example, Action action) {
  // Lists of commands show the first sentence only; a full stop within a name ends none.
  const size_t first =
      std::min(description.find(". "), std::min(description.find(".\n"), description.size() - 1));
  const size_t rest = description.find_first_not_of(" \n", first + 1);
  CLI::App* command = parent.add_subcommand(name, description.substr(0, first + 1));
  const std::string more = rest == std::string::npos ? "" : description.substr(rest) + "\n\n";
  command->footer(more + "Example:\n  " + example);
  // A command may hold others too: what was asked for is then the one below.
  command->callback([this, command, action = std::move(action)] {
    if (command->get_subcommands().empty()) chosen_ = action;
  });
  return command;
}

CLI::App* Shell::AddGroup(CLI::App& parent, const std::string& name,
                          const std::string& description) {
  CLI::App* group = parent.add_subcommand(name, description);
  group->require_subcommand(1);
  return group;
}

absl::StatusOr<std::string> Shell::Socket() const {
  if (!socket_.empty()) return socket_;
  return UsageError("no node was chosen: give --socket PATH or set WAYMARK_SOCKET");
}

absl::StatusOr<NodeClient*> Shell::Node() {
  if (node_ == nullptr) {
    ASSIGN_OR_RETURN(const std::string socket, Socket());
    ASSIGN_OR_RETURN(std::string token, ReadSession(SessionPath(socket)));
    node_ = std::make_unique<NodeClient>(socket, std::move(token));
  }
  return node_.get();
}

absl::StatusOr<Lookup> Shell::Names() {
  ASSIGN_OR_RETURN(NodeClient * node, Node());
  return Lookup(*node);
}

const View& Shell::view() {
  if (view_) return *view_;
  // An error shows again where the command itself calls the node; words alone are no reason to
  // fail.
  const absl::StatusOr<NodeClient*> node = Node();
  if (node.ok() && (*node)->has_session()) {
    const auto given =
        (*node)->Call(&v1::NodeService::StubInterface::GetLabels, v1::GetLabelsRequest());
    if (given.ok()) labelled_ = Catalogue::Default().WithLabels(given->labels());
  }
  view_.emplace(
      View{.catalogue = labelled_ == nullptr ? Catalogue::Default() : *labelled_, .zone = zone_});
  return *view_;
}

absl::StatusOr<View> Shell::ViewWithNames() {
  ASSIGN_OR_RETURN(Lookup names, Names());
  View named = view();
  ASSIGN_OR_RETURN(named.name_of, names.Namer());
  return named;
}

absl::Status Shell::CheckFuture(const std::string& option, const std::string& text) {
  if (text.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const absl::Time time, ParseTime(option, text, zone_));
  if (time > clock_.Now()) return absl::OkStatus();
  return UsageError(option + " has passed; give a time that is still to come");
}

absl::StatusOr<std::string> Shell::NewId(const std::string& given) {
  constexpr size_t kIdSize = 16;
  if (given.empty()) return random_.Bytes(kIdSize);
  return ParseId(given);
}

bool Shell::PrintJson(const google::protobuf::Message& message) {
  if (!json_) return false;
  const auto text = ToWholeJson(message);
  out_ << (text.ok() ? *text : "{}") << "\n";
  return true;
}

void Shell::PrintCreated(const std::string& what, const std::string& id, const std::string& text) {
  const std::string digits = absl::BytesToHexString(id);
  if (json_) {
    out_ << "{\"" << what << "_id\":\"" << absl::Base64Escape(id) << "\",\"id\":\"" << digits
         << "\"}\n";
  } else {
    out_ << what << " " << digits << ": " << text << "\n";
  }
}

void Shell::PrintDone(const std::string& text) {
  out_ << (json_ ? "{\"done\":true}" : text) << "\n";
}

std::vector<std::string> SplitLists(const std::vector<std::string>& values) {
  std::vector<std::string> entries;
  for (const std::string& value : values) {
    for (const std::string& entry :
         std::vector<std::string>(absl::StrSplit(value, ',', absl::SkipWhitespace()))) {
      entries.emplace_back(absl::StripAsciiWhitespace(entry));
    }
  }
  return entries;
}

}  // namespace waymark::node
