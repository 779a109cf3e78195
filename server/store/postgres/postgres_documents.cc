// The directory's and the registry's part of PostgresStore: few rows, ordinary keys.
#include <algorithm>
#include <map>
#include <utility>

#include "base/status/status.h"
#include "server/store/postgres/postgres_store.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {
namespace {

// Those who append do it one after another.
constexpr char kLockStatements[] = "SELECT pg_advisory_xact_lock(1465470283, 4)";
constexpr char kLastRevisions[] =
    "SELECT coalesce(max(revision) FILTER (WHERE capacity = 0), 0), coalesce(max(revision) FILTER "
    "(WHERE capacity = 1), 0) FROM statement";
constexpr char kNewestVersions[] =
    "SELECT DISTINCT ON (subject) subject, version, capacity, revision FROM statement WHERE "
    "subject = "
    "ANY($1::bytea[]) ORDER BY subject, revision DESC";
constexpr char kInsertStatement[] =
    "INSERT INTO statement (capacity, revision, subject, organisation, version, statement, digest, "
    "head) VALUES ($1::bigint, $2::bigint, $3::bytea, $4::bytea, $5::bigint, $6::bytea, $7::bytea, "
    "$8::bytea)";
constexpr char kClearStatement[] =
    "UPDATE statement SET statement = '' WHERE capacity = 0 AND revision = $1::bigint";
constexpr char kRemoveCapacity[] =
    "DELETE FROM statement WHERE capacity = 1 AND revision = $1::bigint";
constexpr char kNewestOfSubject[] =
    "SELECT capacity, revision, subject, organisation, version, statement, digest, head FROM "
    "statement "
    "WHERE subject = $1::bytea ORDER BY revision DESC LIMIT 1";
// About $3 bytes: the rows before the one that goes beyond it, and that one.
constexpr char kReadStatements[] =
    "SELECT capacity, revision, subject, organisation, version, statement, digest, head FROM "
    "(SELECT "
    "*, sum(octet_length(statement) + 256) OVER (ORDER BY revision) - octet_length(statement) - "
    "256 AS "
    "before FROM (SELECT * FROM statement WHERE capacity = $1::bigint AND revision > $2::bigint "
    "ORDER "
    "BY revision LIMIT 4096) AS page) AS counted WHERE before < $3::bigint ORDER BY revision";
constexpr char kPutInvitation[] =
    "INSERT INTO invitation VALUES ($1::bytea, $2::bytea, $3::bigint, $4::bytea) ON CONFLICT "
    "(hash) DO "
    "UPDATE SET organisation = excluded.organisation, expires_at = excluded.expires_at, used_by = "
    "excluded.used_by";
constexpr char kFindInvitation[] =
    "SELECT hash, organisation, expires_at, used_by FROM invitation WHERE hash = $1::bytea";
constexpr char kPutEnrolment[] =
    "INSERT INTO enrolment VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bigint, $5::bigint, "
    "$6::bigint, $7::bytea, $8::bytea) ON CONFLICT (request_id) DO UPDATE SET organisation = "
    "excluded.organisation, invitation_hash = excluded.invitation_hash, renewal = "
    "excluded.renewal, "
    "state = excluded.state, requested_at = excluded.requested_at, request = excluded.request, "
    "response "
    "= excluded.response";
constexpr char kFindEnrolment[] =
    "SELECT request_id, organisation, invitation_hash, renewal, state, requested_at, request, "
    "response "
    "FROM enrolment WHERE request_id = $1::bytea";
constexpr char kListEnrolments[] =
    "SELECT request_id, organisation, invitation_hash, renewal, state, requested_at, request, "
    "response "
    "FROM enrolment WHERE $1::bigint = 1 OR state = $2::bigint ORDER BY requested_at, request_id";

PgParams Key(const std::string& key) { return std::move(PgParams().Add(key)); }

PgCommand ByRevision(const char* sql, uint64_t revision) {
  return {sql, std::move(PgParams().Add(static_cast<int64_t>(revision)))};
}

PgCommand Insert(const StatementRow& row) {
  PgParams params;
  params.Add(int64_t{row.capacity})
      .Add(static_cast<int64_t>(row.revision))
      .Add(row.subject)
      .Add(row.organisation)
      .Add(static_cast<int64_t>(row.version))
      .Add(row.statement)
      .Add(row.digest)
      .Add(row.head);
  return {kInsertStatement, std::move(params)};
}

// The newest statement of a subject.
struct Newest {
  uint64_t version = 0;
  bool capacity = false;
  uint64_t revision = 0;
};

template <typename Row, typename Read>
absl::StatusOr<std::optional<Row>> FirstOf(const PgReply& reply, Read read) {
  RETURN_IF_ERROR(reply.status);
  if (reply.rows[0].size() == 0) return std::nullopt;
  PgRow row = reply.rows[0][0];
  return read(row);
}

// Judges `rows` on what is there, numbers them, and adds what writes them.
absl::Status NumberStatements(std::span<StatementRow> rows, uint64_t previous_revision,
                              const PgReply& state, std::vector<PgCommand>& commands) {
  PgRow revisions = state.rows[2][0];
  uint64_t last[2] = {static_cast<uint64_t>(revisions.Int()), 0};
  last[1] = static_cast<uint64_t>(revisions.Int());
  std::map<std::string, Newest> newest;
  for (int i = 0; i < state.rows[3].size(); ++i) {
    PgRow row = state.rows[3][i];
    Newest& known = newest[row.Bytes()];
    known.version = static_cast<uint64_t>(row.Int());
    known.capacity = row.Int() != 0;
    known.revision = static_cast<uint64_t>(row.Int());
  }
  bool first = true;
  for (StatementRow& row : rows) {
    if (!row.capacity && std::exchange(first, false) && last[0] != previous_revision) {
      return Error(v1::REASON_STATEMENT_INVALID,
                   "statement " + row.subject + " continues revision " +
                       std::to_string(previous_revision) + " and the log is at " +
                       std::to_string(last[0]));
    }
    const auto known = newest.find(row.subject);
    if (known != newest.end()) {
      if (row.version <= known->second.version) {
        return Error(v1::REASON_STATEMENT_INVALID,
                     "statement " + row.subject + " has version " + std::to_string(row.version) +
                         " and version " + std::to_string(known->second.version) + " is known");
      }
      commands.push_back(ByRevision(known->second.capacity ? kRemoveCapacity : kClearStatement,
                                    known->second.revision));
    }
    row.revision = ++last[row.capacity ? 1 : 0];
    newest[row.subject] = {row.version, row.capacity, row.revision};
    commands.push_back(Insert(row));
  }
  return absl::OkStatus();
}

}  // namespace

// Directory ---------------------------------------------------------------------------------------

absl::StatusOr<std::optional<StatementRow>> PostgresStore::FindStatement(
    const std::string& subject) {
  MutexLock office(office_mu_);
  return FirstOf<StatementRow>(office_.link.Read({kNewestOfSubject, Key(subject)}),
                               ReadStatementRow);
}

absl::Status PostgresStore::AppendStatements(std::span<StatementRow> rows,
                                             uint64_t previous_revision) {
  {
    MutexLock office(office_mu_);
    ASSIGN_OR_RETURN(PgConnection* const connection, office_.link.Use());
    PgArray subjects = PgArray::OfBytes();
    for (const StatementRow& row : rows) subjects.Add(std::string_view(row.subject));
    const PgCommand look[] = {{kPgBegin, {}},
                              {kLockStatements, {}},
                              {kLastRevisions, {}},
                              {kNewestVersions, std::move(PgParams().Add(std::move(subjects)))}};
    const PgReply state = connection->Run(look, kPgLimit);
    RETURN_IF_ERROR(state.status);
    std::vector<PgCommand> commands;
    if (absl::Status judged = NumberStatements(rows, previous_revision, state, commands);
        !judged.ok()) {
      RETURN_IF_ERROR(connection->Run(PgCommand{kPgRollBack, {}}, kPgLimit).status);
      return judged;
    }
    Number(office_);
    commands.push_back(MarkBatch(office_.mark, clock_->Now()));
    commands.push_back({kPgCommit, {}});
    std::vector<int64_t> lasts;
    RETURN_IF_ERROR(RunDurably(office_, connection, commands, lasts).status);
  }
  news_->Appended();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StatementRow>> PostgresStore::ReadStatements(bool capacity,
                                                                        uint64_t after,
                                                                        size_t max_bytes) {
  PgParams params;
  params.Add(int64_t{capacity})
      .Add(static_cast<int64_t>(after))
      .Add(static_cast<int64_t>(std::max<size_t>(max_bytes, 1)));
  MutexLock office(office_mu_);
  const PgReply reply = office_.link.Read({kReadStatements, std::move(params)});
  RETURN_IF_ERROR(reply.status);
  std::vector<StatementRow> rows;
  for (int i = 0; i < reply.rows[0].size(); ++i) {
    PgRow row = reply.rows[0][i];
    rows.push_back(ReadStatementRow(row));
  }
  return rows;
}

// Registry ----------------------------------------------------------------------------------------

absl::Status PostgresStore::PutInvitation(const InvitationRow& row) {
  PgParams params;
  params.Add(row.hash).Add(row.organisation).Add(row.expires_at).Add(row.used_by);
  MutexLock office(office_mu_);
  return WriteDurably({kPutInvitation, std::move(params)});
}

absl::StatusOr<std::optional<InvitationRow>> PostgresStore::FindInvitation(
    const std::string& hash) {
  MutexLock office(office_mu_);
  return FirstOf<InvitationRow>(office_.link.Read({kFindInvitation, Key(hash)}), ReadInvitationRow);
}

absl::Status PostgresStore::PutEnrolment(const EnrolmentRow& row) {
  PgParams params;
  params.Add(row.request_id)
      .Add(row.organisation)
      .Add(row.invitation_hash)
      .Add(int64_t{row.renewal})
      .Add(int64_t{row.state})
      .Add(row.requested_at)
      .Add(row.request)
      .Add(row.response);
  MutexLock office(office_mu_);
  return WriteDurably({kPutEnrolment, std::move(params)});
}

absl::StatusOr<std::optional<EnrolmentRow>> PostgresStore::FindEnrolment(const std::string& id) {
  MutexLock office(office_mu_);
  return FirstOf<EnrolmentRow>(office_.link.Read({kFindEnrolment, Key(id)}), ReadEnrolmentRow);
}

absl::StatusOr<std::vector<EnrolmentRow>> PostgresStore::ListEnrolments(bool include_decided) {
  PgParams params;
  params.Add(int64_t{include_decided}).Add(int64_t{v1::ENROLMENT_STATE_PENDING});
  MutexLock office(office_mu_);
  const PgReply reply = office_.link.Read({kListEnrolments, std::move(params)});
  RETURN_IF_ERROR(reply.status);
  std::vector<EnrolmentRow> rows;
  for (int i = 0; i < reply.rows[0].size(); ++i) {
    PgRow row = reply.rows[0][i];
    rows.push_back(ReadEnrolmentRow(row));
  }
  return rows;
}

}  // namespace waymark::hub
