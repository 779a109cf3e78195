// A real node in a process of its own, and the staff that works with it.
//
// Collaborators: process.h; the program waymark-node-test; NodeClient for the local API. Not
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/time/clock.h"
#include "client/cli/node_client.h"
#include "tests/support/process.h"
#include "waymark/v1/node.pb.h"

namespace waymark::testing {

class NodeProcess {
 public:
  struct Options {
    // A folder of the node's own.
    std::string folder;
    // The unit that its caseworker works for.
    UnitId unit;
    // The file that holds the clock's offset, and the clock that follows it.
    std::string clock_file;
    Clock* clock = nullptr;
  };

  // Whether the organisation joins for the first time, or again with the vault and staff that it
  // has.
  enum class Joining { kFirst, kAgain };

  explicit NodeProcess(Options options) : options_(std::move(options)) {}

  // Makes keys, asks to join under the invitation, and takes in the certificate once `approve` has
  // approved the request; `approve` is given the fingerprint that the organisation reads out. The
  // first time it then makes the first administrator.
  absl::Status Join(const std::string& invitation,
                    absl::FunctionRef<absl::Status(const std::string& fingerprint)> approve,
                    Joining joining = Joining::kFirst);

  // Adds lines to the configuration, for the next Start.
  absl::Status Configure(const std::string& lines) const;
  // What the program's command begins with from the next Start on: it leads the node into another
  // network and becomes the node itself.
  void set_entrance(std::vector<std::string> entrance) { entrance_ = std::move(entrance); }
  // Starts serving and waits until it is ready; the first time it takes on a caseworker.
  absl::Status Start();
  // SIGTERM, and waits for the orderly end.
  absl::Status Stop();
  // SIGKILL.
  void Kill();
  // Whether the process that serves has not died.
  bool running() const { return process_ != nullptr && process_->running(); }
  // From now on the next delivery kills the node between its way into the inbox and its
  // acknowledgement.
  absl::Status KillAtNextDelivery();
  // Takes that back, if it has not happened yet.
  void Spare();
  // Waits until that has happened. INTERNAL: it has not, or the node ended in another way.
  absl::Status AwaitKilled();

  // The local API as the administrator and the caseworker use it, logged in. Valid until the next
  // call of either, Stop or Kill.
  node::NodeClient& administrator() { return Client(administrator_); }
  node::NodeClient& caseworker() { return Client(caseworker_); }

  // Of the process that serves; valid until Stop or Kill.
  pid_t pid() const { return process_->pid(); }
  const std::string& folder() const { return options_.folder; }
  std::string data() const { return Path("data"); }
  std::string key_file() const { return Path("master.key"); }
  std::string socket() const { return Path("data/node.sock"); }
  // Holds what every member of the staff logs in with.
  std::string passphrase_file() const { return Path("passphrase"); }

 private:
  struct StaffMember {
    std::string name;
    std::unique_ptr<node::NodeClient> client;
    absl::Time login_ends;
  };

  std::string Path(const std::string& name) const { return options_.folder + "/" + name; }
  absl::Status Run(std::vector<std::string> arguments, int expected_status = 0) const;
  absl::Status TakeOnCaseworker();
  // Logs in when there is no login that lasts; a failed login shows as the failure of what follows.
  node::NodeClient& Client(StaffMember& member);

  const Options options_;
  std::vector<std::string> entrance_;
  std::unique_ptr<Process> process_;
  bool has_caseworker_ = false;
  StaffMember administrator_{.name = "admin"};
  StaffMember caseworker_{.name = "lead"};
};

}  // namespace waymark::testing
