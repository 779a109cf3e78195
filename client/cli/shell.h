// What every command works with: global options, the node behind them, and how results are shown.
//
// Commands are registered as subcommands of CLI11 with the values that their options fill (Keep)
// and one action (Add); parsing chooses the action and Execute runs it. One run, one thread.
#pragma once

#include <any>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "client/cli/lookup.h"
#include "client/cli/node_client.h"
#include "client/cli/output.h"
#include "client/cli/values.h"

namespace waymark::node {

class Shell {
 public:
  using Action = std::function<absl::Status()>;

  // Everything outlives the shell. Results go to `out`.
  Shell(std::ostream& out, Clock& clock, Random& random);

  // Adds the options that every command has.
  void AddGlobalOptions(CLI::App& app);

  // Returns values for options to fill, which live as long as the shell.
  template <typename Options>
  Options& Keep() {
    return std::any_cast<Options&>(kept_.emplace_back(std::in_place_type<Options>));
  }

  // Adds a command to `parent`. The first sentence of `description` stands in lists of commands,
  // the rest and `example` end its help.
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& description,
                const std::string& example, Action action);

  // Adds a command that only holds others.
  CLI::App* AddGroup(CLI::App& parent, const std::string& name, const std::string& description);

  // Runs what was chosen.
  absl::Status Execute() { return chosen_ ? chosen_() : absl::OkStatus(); }

  // The node, with the token of the present session. FIELD_INVALID: no socket was given.
  absl::StatusOr<NodeClient*> Node();
  absl::StatusOr<Lookup> Names();
  absl::StatusOr<std::string> Socket() const;

  // How the program exits when the command succeeds; 0 unless a command says otherwise.
  int exit_code() const { return exit_code_; }
  void set_exit_code(int code) { exit_code_ = code; }

  bool json() const { return json_; }
  std::ostream& out() { return out_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  // How things are shown: with the labels that the node gives, or those of this program when there
  // is no session with a node.
  const View& view();
  ValueReader reader() const { return {.zone = zone_, .resolve = {}}; }

  // The view that shows units, organisations and services by their handles. Errors are the node's.
  absl::StatusOr<View> ViewWithNames();

  // OK if the time is still to come, or empty. FIELD_INVALID names `option`.
  absl::Status CheckFuture(const std::string& option, const std::string& text);

  // Returns 16 bytes: `given` if there is one, else a new random id.
  absl::StatusOr<std::string> NewId(const std::string& given);

  // Writes the message as JSON if that was asked for; returns whether it was.
  bool PrintJson(const google::protobuf::Message& message);
  // Tells of something new: "<what> <id>: <text>", or {"<what>_id": base64, "id": digits}.
  void PrintCreated(const std::string& what, const std::string& id, const std::string& text);
  // Tells that something was done; with --json {"done":true}.
  void PrintDone(const std::string& text);

 private:
  std::ostream& out_;
  Clock& clock_;
  Random& random_;
  const absl::TimeZone zone_;
  std::string socket_;
  bool json_ = false;
  int exit_code_ = 0;
  std::deque<std::any> kept_;
  Action chosen_;
  std::unique_ptr<NodeClient> node_;
  // Made with the first view.
  std::unique_ptr<const Catalogue> labelled_;
  std::optional<View> view_;
};

// Adds an option that may be repeated and takes one value each time.
template <typename Values>
CLI::Option* AddEach(CLI::App* command, const std::string& name, Values& values,
                     const std::string& description) {
  return command->add_option(name, values, description)->allow_extra_args(false);
}

// Returns the entries of a repeated option, each of which may be a list separated by commas.
std::vector<std::string> SplitLists(const std::vector<std::string>& values);

}  // namespace waymark::node
