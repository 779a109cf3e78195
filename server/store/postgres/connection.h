// One connection to PostgreSQL that sends several statements in one go.
//
// Every wait ends at a limit: a server that is stopped or a network that swallows costs the
// connection, never the thread. Not thread-safe.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/secret/secret.h"
#include "server/store/postgres/values.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::hub {

// Where the database is.
struct PgTarget {
  // "postgresql://...", without a password; several hosts may be named.
  std::string url;
  SecretReference password;
};

// Whether `url` is one that names a database. CONFIG_INVALID says what is wrong; a password in it
// is refused, because it would be seen in lists of processes and copies of the configuration.
absl::Status CheckPgUrl(const std::string& url);

// libpq's parameters of a connection: those of `url`, and the hub's own. TLS with a verified server
// is the default to another machine.
std::vector<std::pair<std::string, std::string>> PgParameters(const std::string& url);

// One statement. The connection prepares it once, by the address of `sql`, which therefore never
// goes.
struct PgCommand {
  const char* sql = nullptr;
  PgParams params;
};

// What became of the statements that were sent.
struct PgReply {
  // The first error; the statements after it were not run.
  absl::Status status;
  // Of the first error, empty for none.
  std::string sqlstate;
  // The connection was lost: whether what was sent has been done is not known.
  bool lost = false;
  // The server said that a commit may not be on its standbys.
  bool warned = false;
  // One for each statement if all went well.
  std::vector<PgRows> rows;
};

class PgConnection {
 public:
  // Connects and makes the session fit for commits. UNAVAILABLE: nobody answers, or not now;
  // CONFIG_INVALID: the server refuses this user, password or database, or its certificate is not
  // vouched for; FILE_UNUSABLE and CONFIG_INVALID of the password's reference.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Connect(const PgTarget& target);

  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // Whether it is lost for good.
  bool broken() const { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }
  // The number of the server's process for this connection.
  int server_process() const { return PQbackendPID(connection_.get()); }
  int socket() const { return PQsocket(connection_.get()); }

  // Sends `commands` together and reads what they return, at most for `limit`. A transaction that a
  // failed statement leaves open is rolled back.
  PgReply Run(std::span<const PgCommand> commands, absl::Duration limit);
  PgReply Run(PgCommand command, absl::Duration limit) {
    return Run(std::span(&command, 1), limit);
  }
  // Runs statements without parameters, separated by semicolons, as one transaction.
  absl::Status Execute(const std::string& sql, absl::Duration limit);

  // Takes in what the server sent by itself. Returns the next message of a LISTEN, nullptr when
  // there is none; lost connections are broken() afterwards.
  std::unique_ptr<PGnotify, decltype(&PQfreemem)> NextNotification();

 private:
  explicit PgConnection(PGconn* connection) : connection_(connection, &PQfinish) {}

  absl::Status Prepare();
  // Sends one statement, and before it, the first time, what prepares it. False when it cannot.
  bool Send(const PgCommand& command, std::vector<const char*>& prepared);
  bool AwaitSocket(short events, absl::Time deadline) const;
  // The next result; nullptr after the last of a statement. False in `alive`: lost.
  PgResult Next(absl::Time deadline, bool& alive);
  void Read(std::span<const PgCommand> commands, const std::vector<const char*>& prepared,
            absl::Time deadline, PgReply& reply);
  void Take(PgResult result, bool is_row, PgReply& reply);
  void Lose(PgReply& reply);
  void RollBack(absl::Time deadline);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  bool broken_ = false;
  bool warned_ = false;
  // Names of statements that the server keeps.
  absl::flat_hash_map<const char*, std::string> statements_;
};

// The reason of an error with this SQLSTATE.
v1::Reason PgReason(std::string_view sqlstate);

}  // namespace waymark::hub
