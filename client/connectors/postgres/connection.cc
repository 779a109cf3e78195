#include "client/connectors/postgres/connection.h"

#include <poll.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/loopback.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// Types by the numbers that PostgreSQL gives them for good (pg_type.dat).
constexpr Oid kBool = 16;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kNumeric = 1700;
constexpr Oid kJson = 114;
constexpr Oid kJsonb = 3802;

constexpr size_t kSqlStateSize = 5;

bool IsPassing(std::string_view sqlstate) {
  if (sqlstate == "55P03") return true;
  const std::string_view kind = sqlstate.substr(0, 2);
  return kind == "08" || kind == "40" || kind == "53" || kind == "57" || kind == "58";
}

absl::Status FromSqlState(std::string_view sqlstate, const std::string& names) {
  const std::string detail = "PostgreSQL: SQLSTATE " + std::string(sqlstate) + names;
  return IsPassing(sqlstate) ? SystemUnavailable(detail) : SystemRefused(detail);
}

absl::Status FromResult(const PGresult* result, bool with_words) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (sqlstate == nullptr) return SystemUnavailable("PostgreSQL: the connection was lost");
  std::string names;
  constexpr std::pair<int, const char*> kNames[] = {{PG_DIAG_TABLE_NAME, ", table "},
                                                    {PG_DIAG_COLUMN_NAME, ", column "},
                                                    {PG_DIAG_CONSTRAINT_NAME, ", constraint "}};
  for (const auto& [field, word] : kNames) {
    if (const char* name = PQresultErrorField(result, field)) absl::StrAppend(&names, word, name);
  }
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (with_words && message != nullptr) absl::StrAppend(&names, ": ", message);
  return FromSqlState(sqlstate, names);
}

// A failed handshake says no more than a text, which PQERRORS_SQLSTATE makes end with the code.
absl::Status FromHandshake(std::string_view message) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  const size_t mark = message.rfind("FATAL:  ");
  if (mark != std::string_view::npos && message.size() >= mark + 8 + kSqlStateSize) {
    return FromSqlState(message.substr(mark + 8, kSqlStateSize), " at login");
  }
  if (message.find("certificate") != std::string_view::npos ||
      message.find("SSL") != std::string_view::npos) {
    return SystemRefused(
        "PostgreSQL: the server has no certificate that `ca` and `host` vouch for");
  }
  return SystemUnavailable("PostgreSQL: the server cannot be reached");
}

// libpq would print them, and they may repeat a value.
void IgnoreNotice(void* /*unused*/, const PGresult* /*notice*/) {}

}  // namespace

bool IsLocalHost(const std::string& host) {
  // A comma would begin a second host.
  const bool socket = absl::StartsWith(host, "/") && !absl::StrContains(host, ",");
  return socket || IsLoopback(host);
}

std::vector<PgParameter> ConnectionParameters(const PostgresSettings& settings,
                                              absl::Duration time_limit) {
  const std::string limit = std::to_string(absl::ToInt64Milliseconds(time_limit));
  std::vector<PgParameter> parameters = {
      {"host", settings.host},
      {"port", std::to_string(settings.port)},
      {"dbname", settings.database},
      {"user", settings.user},
      {"application_name", "waymark-node"},
      {"client_encoding", "UTF8"},
      {"gssencmode", "disable"},
      {"tcp_user_timeout", limit},
      {"sslmode", settings.ca.empty() ? "prefer" : "verify-full"},
      {"options", absl::StrCat("-c statement_timeout=", limit,
                               " -c idle_in_transaction_session_timeout=", limit,
                               " -c standard_conforming_strings=on -c datestyle=ISO,YMD")},
  };
  if (!settings.ca.empty()) parameters.push_back({"sslrootcert", settings.ca});
  return parameters;
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Connect(
    const PostgresSettings& settings, absl::Duration time_limit, absl::Time deadline) {
  absl::StatusOr<SecretBytes> secret = ReadSecret(settings.password);
  if (!secret.ok()) {
    return SystemRefused(std::string("the password: ") + std::string(secret.status().message()));
  }
  std::string password(secret->view());
  const std::vector<PgParameter> parameters = ConnectionParameters(settings, time_limit);
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const PgParameter& parameter : parameters) {
    names.push_back(parameter.name);
    values.push_back(parameter.value.c_str());
  }
  if (!password.empty()) {
    names.push_back("password");
    values.push_back(password.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<PgConnection> connection(
      new PgConnection(PQconnectStartParams(names.data(), values.data(), 0)));
  Wipe(password);
  RETURN_IF_ERROR(connection->Handshake(deadline));
  return connection;
}

absl::Status PgConnection::Handshake(absl::Time deadline) {
  PGconn* connection = connection_.get();
  if (connection == nullptr) return Lost("there is no memory for a connection");
  PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE);
  PQsetNoticeReceiver(connection, &IgnoreNotice, nullptr);
  if (PQstatus(connection) == CONNECTION_BAD) return FromHandshake(PQerrorMessage(connection));
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return FromHandshake(PQerrorMessage(connection));
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!AwaitSocket(events, deadline)) return Lost("the server does not answer");
    next = PQconnectPoll(connection);
  }
  if (PQsetnonblocking(connection, 1) != 0) return Lost("the connection was lost");
  return absl::OkStatus();
}

bool PgConnection::AwaitSocket(short events, absl::Time deadline) const {
  while (true) {
    const absl::Duration left = deadline - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd ready = {.fd = PQsocket(connection_.get()), .events = events, .revents = 0};
    const int count = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

absl::Status PgConnection::Lost(const char* how) {
  broken_ = true;
  return SystemUnavailable(std::string("PostgreSQL: ") + how);
}

absl::StatusOr<PgResult> PgConnection::Next(absl::Time deadline) {
  PGconn* connection = connection_.get();
  int unsent = PQflush(connection);
  while (unsent == 1 || (unsent == 0 && PQisBusy(connection) != 0)) {
    const auto events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN);
    if (!AwaitSocket(events, deadline)) return Lost("the server did not answer in time");
    if (PQconsumeInput(connection) == 0) break;
    if (unsent == 1) unsent = PQflush(connection);
  }
  // What a lost connection left is a result, too.
  return PgResult(PQgetResult(connection), &PQclear);
}

absl::StatusOr<PgResult> PgConnection::Answer(absl::Time deadline, Words words) {
  PgResult last(nullptr, &PQclear);
  absl::Status failure;
  while (true) {
    ASSIGN_OR_RETURN(PgResult result, Next(deadline));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && failure.ok()) {
      failure = FromResult(result.get(), words == Words::kShown);
    }
    last = std::move(result);
  }
  RETURN_IF_ERROR(failure);
  if (last == nullptr) return Lost("the connection was lost");
  return last;
}

absl::Status PgConnection::Execute(const char* sql, absl::Time deadline) {
  if (PQsendQuery(connection_.get(), sql) == 0) return Lost("the connection was lost");
  return Answer(deadline).status();
}

absl::Status PgConnection::Prepare(const std::string& name, const std::string& sql,
                                   absl::Time deadline) {
  if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 0) {
    return Lost("the connection was lost");
  }
  return Answer(deadline, Words::kShown).status();
}

absl::StatusOr<std::vector<std::string>> PgConnection::Columns(const std::string& name,
                                                               absl::Time deadline) {
  if (PQsendDescribePrepared(connection_.get(), name.c_str()) == 0) {
    return Lost("the connection was lost");
  }
  ASSIGN_OR_RETURN(const PgResult result, Answer(deadline));
  const int count = PQnfields(result.get());
  std::vector<std::string> columns;
  columns.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) columns.emplace_back(PQfname(result.get(), i));
  return columns;
}

absl::StatusOr<PgResult> PgConnection::Run(const std::string& name, const PgValues& values,
                                           absl::Time deadline) {
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                          values.data(), nullptr, nullptr, 0) == 0) {
    return Lost("the connection was lost");
  }
  return Answer(deadline);
}

absl::Status PgConnection::Stream(
    const std::string& name, const PgValues& values, absl::Time deadline,
    const std::function<absl::StatusOr<bool>(const PGresult&)>& take) {
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                          values.data(), nullptr, nullptr, 0) == 0 ||
      PQsetSingleRowMode(connection_.get()) == 0) {
    return Lost("the connection was lost");
  }
  absl::Status failure;
  while (true) {
    ASSIGN_OR_RETURN(const PgResult result, Next(deadline));
    if (result == nullptr) return failure;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_SINGLE_TUPLE) {
      const absl::StatusOr<bool> go_on = take(*result);
      if (go_on.ok() && *go_on) continue;
      broken_ = true;
      return go_on.status();
    }
    if (status != PGRES_TUPLES_OK && failure.ok()) failure = FromResult(result.get(), false);
  }
}

std::string PgJson(const PGresult& result, int column) {
  if (PQgetisnull(&result, 0, column) != 0) return "null";
  const std::string_view text(PQgetvalue(&result, 0, column),
                              static_cast<size_t>(PQgetlength(&result, 0, column)));
  switch (PQftype(&result, column)) {
    case kBool:
      return text == "t" ? "true" : "false";
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
    case kNumeric:
      // There is "NaN", too.
      return IsJsonNumber(text) ? std::string(text) : QuoteJson(text);
    case kJson:
    case kJsonb:
      return std::string(text);
    default:
      return QuoteJson(text);
  }
}

}  // namespace waymark::node
