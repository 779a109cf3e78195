// One connection to a PostgreSQL server whose every step ends at a deadline.
//
// libpq's blocking calls wait for ever on a server that is stopped or a network that swallows;
// these wait on the socket with the time that is left, and give the connection up. Errors:
// LOCAL_SYSTEM_UNAVAILABLE for SQLSTATE classes 08, 40, 53, 57, 58, for 55P03 and for a connection
// that is lost; LOCAL_SYSTEM_REFUSED for all others. A message holds the SQLSTATE and names of the
// schema, never what the server says in words, which may repeat a value. Not thread-safe.
#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/json_members.h"
#include "client/connectors/postgres/postgres_settings.h"

namespace waymark::node {

// libpq's parameters of a connection and their values, without the password.
struct PgParameter {
  const char* name;
  std::string value;
};
std::vector<PgParameter> ConnectionParameters(const PostgresSettings& settings,
                                              absl::Duration time_limit);

// Whether a server with this host is on this machine, where its certificate proves nothing.
bool IsLocalHost(const std::string& host);

using PgResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

// The values of a statement as libpq takes them; NULL for null. They outlive their use.
using PgValues = std::vector<const char*>;

class PgConnection {
 public:
  // Statements of a transaction end with `time_limit` at the server, too.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Connect(const PostgresSettings& settings,
                                                               absl::Duration time_limit,
                                                               absl::Time deadline);

  // Whether it is lost for good.
  bool broken() const { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }

  // Runs a statement of ours.
  absl::Status Execute(const char* sql, absl::Time deadline);
  // Has the server judge a statement and keep it by a name.
  absl::Status Prepare(const std::string& name, const std::string& sql, absl::Time deadline);
  // The columns that a prepared statement returns.
  absl::StatusOr<std::vector<std::string>> Columns(const std::string& name, absl::Time deadline);
  // Runs a prepared statement and returns its one result.
  absl::StatusOr<PgResult> Run(const std::string& name, const PgValues& values,
                               absl::Time deadline);
  // Runs a prepared statement and hands over row by row (row 0 of each result), until `take` says
  // false or fails; the connection is then broken.
  absl::Status Stream(const std::string& name, const PgValues& values, absl::Time deadline,
                      const std::function<absl::StatusOr<bool>(const PGresult&)>& take);

 private:
  // What the server says in words stands in an error only when no value was sent along.
  enum class Words { kHidden, kShown };

  explicit PgConnection(PGconn* connection) : connection_(connection, &PQfinish) {}

  absl::Status Handshake(absl::Time deadline);
  bool AwaitSocket(short events, absl::Time deadline) const;
  // The next result of what was sent; nullptr after the last.
  absl::StatusOr<PgResult> Next(absl::Time deadline);
  // The last result of what was sent, or the first error.
  absl::StatusOr<PgResult> Answer(absl::Time deadline, Words words = Words::kHidden);
  absl::Status Lost(const char* how);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  bool broken_ = false;
};

// The value of a column of row 0 as JSON: numbers, booleans and json as such, all else as text.
std::string PgJson(const PGresult& result, int column);

}  // namespace waymark::node
