// A real PostgreSQL server of the test program: made in a folder of its own, reached through a
// socket there, ended with the program.
//
// Debian's package `postgresql` must be installed; without it Start fails. Nothing outlives the
// program, so that a test's server is not durable; one that is measured is. PostgreSQL refuses to
// run as root, so that root's tests run it as the user postgres. Roles: `administrator` (all
// rights, no password) and `keeper` (password "keeper's word"). Not thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/process.h"

namespace waymark::testing {

class PostgresServer {
 public:
  static constexpr char kKeeper[] = "keeper";
  static constexpr char kKeeperPassword[] = "keeper's word";

  // REASON_INTERNAL or REASON_FILE_UNUSABLE says why there is none.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start();
  // One in a folder in `parent`, as it is when installed: what it confirms is on the disk.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> StartDurable(const std::string& parent);
  // One that follows `primary`, which it knows as its standby "standby", until it is promoted.
  static absl::StatusOr<std::unique_ptr<PostgresServer>> StartStandby(
      const PostgresServer& primary);
  // Stops the server and removes its folder.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // The folder of the socket, as libpq's `host`.
  const std::string& host() const { return folder_; }
  int port() const { return port_; }
  // A database's, for libpq, as the administrator.
  std::string Url(const std::string& database) const;
  // Its certificate, which is its own authority and says "localhost" and no address.
  std::string certificate() const { return folder_ + "/server.crt"; }

  // Makes an empty database.
  absl::Status CreateDatabase(const std::string& name);
  // Runs SQL as the administrator and returns the first column of its rows.
  absl::StatusOr<std::vector<std::string>> Query(const std::string& database,
                                                 const std::string& sql) const;

  // Ends the server, all connections with it.
  void Stop();
  // Starts it again on the same data. After a kill what was committed is there: only a loss of
  // power would take what was not synced.
  absl::Status Resume();
  // As the loss of its machine: without a word to anybody.
  void Kill();
  // Whether the server has not died.
  bool running() const { return server_ != nullptr && server_->running(); }
  // Of the process that all others of the server come from, and end soon after; valid until Stop or
  // Kill.
  pid_t pid() const { return server_->pid(); }
  // Makes a standby a primary.
  absl::Status Promote();

 private:
  PostgresServer(std::string folder, bool durable)
      : folder_(std::move(folder)), durable_(durable) {}

  static absl::StatusOr<std::unique_ptr<PostgresServer>> Make(const std::string& parent,
                                                              bool durable);
  static absl::StatusOr<std::unique_ptr<PostgresServer>> StartNew(const std::string& parent,
                                                                  bool durable);

  // Finds the programs, and who may run them.
  absl::Status Prepare();
  absl::Status Initialise();
  absl::Status MakeCertificate() const;
  // Whether no process of an earlier server uses the data and its memory any more.
  bool Vacated() const;
  // What libpq needs to reach a database as the administrator.
  std::string Target(const std::string& database) const;
  // The command as the user that may run PostgreSQL.
  std::vector<std::string> AsServerUser(std::vector<std::string> command) const;

  const std::string folder_;
  const bool durable_;
  std::string programs_;
  std::string user_;
  int port_ = 0;
  std::unique_ptr<Process> server_;
};

}  // namespace waymark::testing
