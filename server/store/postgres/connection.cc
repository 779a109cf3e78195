#include "server/store/postgres/connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status/status.h"
#include "base/time/clock.h"

namespace waymark::hub {
namespace {

constexpr char kUrlShape[] =
    "expected postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE";

// A session of the hub. Whatever a batch holds, its rows are found through their keys: a plan that
// was made while a table was small must not be one that reads the whole table.
constexpr char kSession[] =
    " -c search_path=waymark -c synchronous_commit=on -c statement_timeout=0 -c lock_timeout=0"
    " -c idle_in_transaction_session_timeout=20000 -c client_connection_check_interval=2000"
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=20000 -c standard_conforming_strings=on -c bytea_output=hex"
    " -c client_min_messages=warning -c jit=off -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off -c enable_bitmapscan=off -c plan_cache_mode=force_generic_plan";

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options Parse(const std::string& url) {
  char* error = nullptr;
  Options options(PQconninfoParse(url.c_str(), &error), &PQconninfoFree);
  PQfreemem(error);
  return options;
}

bool IsThisMachine(const std::string& host) {
  return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || host == "::1" ||
         absl::StartsWith(host, "127.");
}

bool AllOnThisMachine(const std::string& hosts) {
  for (const auto& host : absl::StrSplit(hosts, ',')) {
    if (!IsThisMachine(std::string(host))) return false;
  }
  return true;
}

// What was not sent because something before it failed has no state of its own.
absl::Status PgError(const PGresult* result, std::string& sqlstate) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  sqlstate = state == nullptr ? "08006" : state;
  std::string detail = "PostgreSQL: SQLSTATE " + sqlstate;
  // The words of a server name tables and keys; values stand in the detail, which is left out.
  if (const char* words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)) {
    absl::StrAppend(&detail, ", ", words);
  }
  return Error(PgReason(sqlstate), detail);
}

// A failed login says no more than a text.
absl::Status LoginError(PGconn* connection) {
  const std::string text = PQerrorMessage(connection);
  std::string line = text.substr(0, text.find('\n'));
  const bool refused = absl::StrContains(text, "authentication") ||
                       absl::StrContains(text, "pg_hba.conf") ||
                       absl::StrContains(text, "does not exist") ||
                       absl::StrContains(text, "certificate") || absl::StrContains(text, "SSL");
  // A socket or file that is not there is a server that is not there.
  const bool away = absl::StrContains(text, "No such file") || absl::StrContains(text, "refused");
  return Error(refused && !away ? v1::REASON_CONFIG_INVALID : v1::REASON_UNAVAILABLE,
               "the database: " + line);
}

void NoteWarning(void* warned, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && std::string_view(severity) == "WARNING") {
    *static_cast<bool*>(warned) = true;
  }
}

}  // namespace

v1::Reason PgReason(std::string_view sqlstate) {
  if (sqlstate == "53100") return v1::REASON_QUOTA_EXCEEDED;
  // A check of ours divides by zero, and a key that should be new is there.
  if (sqlstate == "22012" || sqlstate == "23505") return v1::REASON_CONFLICT;
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "40") return v1::REASON_CONFLICT;
  if (sqlstate == "XX001" || sqlstate == "XX002") return v1::REASON_DATA_CORRUPT;
  const bool passing = kind == "08" || kind == "53" || kind == "57" || kind == "58";
  // A standby takes no writes, and a lock may be had later.
  if (passing || kind == "25" || sqlstate == "55P03") return v1::REASON_UNAVAILABLE;
  return v1::REASON_INTERNAL;
}

absl::Status CheckPgUrl(const std::string& url) {
  const bool scheme =
      absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
  const Options options = scheme ? Parse(url) : Options(nullptr, &PQconninfoFree);
  if (options == nullptr) return Error(v1::REASON_CONFIG_INVALID, kUrlShape);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || std::string_view(option->keyword) != "password") continue;
    return Error(v1::REASON_CONFIG_INVALID,
                 "a password does not stand in the URL; say where it is in store_password");
  }
  return absl::OkStatus();
}

std::vector<std::pair<std::string, std::string>> PgParameters(const std::string& url) {
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string hosts;
  std::string session;
  bool tls = false;
  const Options options = Parse(url);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string keyword = option->keyword;
    if (keyword == "host" || (keyword == "hostaddr" && hosts.empty())) hosts = option->val;
    if (keyword == "sslmode") tls = true;
    if (keyword == "options") {
      session = option->val;
      continue;
    }
    parameters.emplace_back(keyword, option->val);
  }
  const auto add = [&](const char* keyword, const std::string& value) {
    const bool given = std::any_of(parameters.begin(), parameters.end(),
                                   [&](const auto& known) { return known.first == keyword; });
    if (!given) parameters.emplace_back(keyword, value);
  };
  if (!tls) add("sslmode", AllOnThisMachine(hosts) ? "prefer" : "verify-full");
  add("application_name", "waymark-hub");
  add("client_encoding", "UTF8");
  add("gssencmode", "disable");
  // A standby would take no writes.
  add("target_session_attrs", "read-write");
  add("connect_timeout", "5");
  add("tcp_user_timeout", "10000");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  parameters.emplace_back("options", session + kSession);
  return parameters;
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Connect(const PgTarget& target) {
  ASSIGN_OR_RETURN(const SecretBytes secret, ReadSecret(target.password));
  std::string password(secret.view());
  const auto parameters = PgParameters(target.url);
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  if (!password.empty()) {
    names.push_back("password");
    values.push_back(password.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<PgConnection> connection(
      new PgConnection(PQconnectdbParams(names.data(), values.data(), 0)));
  Wipe(password);
  RETURN_IF_ERROR(connection->Prepare());
  return connection;
}

absl::Status PgConnection::Prepare() {
  PGconn* connection = connection_.get();
  if (connection == nullptr) return Error(v1::REASON_UNAVAILABLE, "no memory for a connection");
  if (PQstatus(connection) != CONNECTION_OK) return LoginError(connection);
  PQsetNoticeReceiver(connection, &NoteWarning, &warned_);
  if (PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1) {
    return absl::OkStatus();
  }
  return LoginError(connection);
}

bool PgConnection::AwaitSocket(short events, absl::Time deadline) const {
  while (true) {
    const absl::Duration left = deadline - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd ready = {.fd = socket(), .events = events, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

PgResult PgConnection::Next(absl::Time deadline, bool& alive) {
  PGconn* connection = connection_.get();
  int unsent = PQflush(connection);
  while (unsent == 1 || (unsent == 0 && PQisBusy(connection) != 0)) {
    const auto events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN);
    alive = AwaitSocket(events, deadline);
    if (!alive) return {nullptr, &PQclear};
    if (PQconsumeInput(connection) == 0) break;
    if (unsent == 1) unsent = PQflush(connection);
  }
  // What a lost connection left is a result, too.
  return {PQgetResult(connection), &PQclear};
}

bool PgConnection::Send(const PgCommand& command, std::vector<const char*>& prepared) {
  PGconn* connection = connection_.get();
  const auto known = statements_.find(command.sql);
  std::string name;
  if (known != statements_.end()) {
    name = known->second;
  } else {
    name = absl::StrCat("s", reinterpret_cast<uintptr_t>(command.sql));
    if (std::find(prepared.begin(), prepared.end(), command.sql) == prepared.end()) {
      if (PQsendPrepare(connection, name.c_str(), command.sql, 0, nullptr) == 0) return false;
      prepared.push_back(command.sql);
    }
  }
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& value : command.params.values()) {
    values.push_back(value ? value->data() : nullptr);
    lengths.push_back(value ? static_cast<int>(value->size()) : 0);
  }
  const std::vector<int> formats(values.size(), 1);
  return PQsendQueryPrepared(connection, name.c_str(), static_cast<int>(values.size()),
                             values.data(), lengths.data(), formats.data(), 1) == 1;
}

void PgConnection::Lose(PgReply& reply) {
  broken_ = true;
  reply.lost = true;
  if (reply.status.ok()) {
    reply.status = Error(v1::REASON_UNAVAILABLE, "the connection to the database was lost");
  }
}

void PgConnection::Take(PgResult result, bool is_row, PgReply& reply) {
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    if (is_row) reply.rows.emplace_back(std::move(result));
    return;
  }
  if (status == PGRES_PIPELINE_ABORTED || !reply.status.ok()) return;
  reply.status = PgError(result.get(), reply.sqlstate);
}

void PgConnection::Read(std::span<const PgCommand> commands,
                        const std::vector<const char*>& prepared, absl::Time deadline,
                        PgReply& reply) {
  // Which of what was sent are statements whose rows are wanted, in order.
  size_t next_prepared = 0;
  std::vector<bool> is_row;
  for (const PgCommand& command : commands) {
    if (next_prepared < prepared.size() && prepared[next_prepared] == command.sql) {
      is_row.push_back(false);
      ++next_prepared;
    }
    is_row.push_back(true);
  }
  size_t at = 0;
  while (true) {
    bool alive = true;
    PgResult result = Next(deadline, alive);
    if (!alive || broken()) return Lose(reply);
    if (result == nullptr) {
      if (++at > is_row.size()) return Lose(reply);
      continue;
    }
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
    if (at >= is_row.size()) return Lose(reply);
    Take(std::move(result), is_row[at], reply);
  }
  if (!reply.status.ok()) return;
  for (const char* sql : prepared) {
    statements_[sql] = absl::StrCat("s", reinterpret_cast<uintptr_t>(sql));
  }
}

PgReply PgConnection::Run(std::span<const PgCommand> commands, absl::Duration limit) {
  const absl::Time deadline = SteadyClock().Now() + limit;
  PgReply reply;
  warned_ = false;
  std::vector<const char*> prepared;
  for (const PgCommand& command : commands) {
    if (!Send(command, prepared)) {
      Lose(reply);
      return reply;
    }
  }
  if (PQpipelineSync(connection_.get()) != 1) {
    Lose(reply);
    return reply;
  }
  Read(commands, prepared, deadline, reply);
  reply.warned = warned_;
  if (reply.lost || reply.status.ok()) return reply;
  // Statements that were prepared before the error are there, and which is not worth knowing.
  if (!prepared.empty()) broken_ = true;
  if (ReasonOf(reply.status) == v1::REASON_UNAVAILABLE) broken_ = true;
  if (!broken_) RollBack(deadline);
  return reply;
}

void PgConnection::RollBack(absl::Time deadline) {
  if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
  static constexpr char kRollBack[] = "ROLLBACK";
  const PgCommand command{kRollBack, {}};
  PgReply reply;
  std::vector<const char*> prepared;
  if (!Send(command, prepared) || PQpipelineSync(connection_.get()) != 1) return Lose(reply);
  Read(std::span(&command, 1), prepared, deadline, reply);
  if (!reply.status.ok()) broken_ = true;
}

absl::Status PgConnection::Execute(const std::string& sql, absl::Duration limit) {
  const absl::Time deadline = SteadyClock().Now() + limit;
  PGconn* connection = connection_.get();
  PgReply reply;
  if (PQexitPipelineMode(connection) != 1 || PQsendQuery(connection, sql.c_str()) == 0) {
    Lose(reply);
    return reply.status;
  }
  while (true) {
    bool alive = true;
    PgResult result = Next(deadline, alive);
    if (!alive) Lose(reply);
    if (result == nullptr) break;
    Take(std::move(result), false, reply);
  }
  if (broken() || PQenterPipelineMode(connection) != 1) Lose(reply);
  return reply.status;
}

std::unique_ptr<PGnotify, decltype(&PQfreemem)> PgConnection::NextNotification() {
  if (PQconsumeInput(connection_.get()) == 0) broken_ = true;
  return {PQnotifies(connection_.get()), &PQfreemem};
}

}  // namespace waymark::hub
