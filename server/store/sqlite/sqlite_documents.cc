// The directory's and the registry's part of SqliteStore: few rows, ordinary keys.
#include "base/status/status.h"
#include "server/store/sqlite/rows.h"
#include "server/store/sqlite/sqlite_store.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {
namespace {

constexpr char kPutStatement[] =
    "INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kNewestOfSubject[] =
    "SELECT * FROM statement WHERE subject = ? ORDER BY revision DESC LIMIT 1";

absl::StatusOr<std::optional<StatementRow>> NewestOf(Connection& connection,
                                                     const std::string& subject) {
  ASSIGN_OR_RETURN(Statement select, connection.Prepare(kNewestOfSubject));
  ASSIGN_OR_RETURN(const bool found, select.Bind(subject).Step());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(StatementRow row, ReadStatement(select));
  return row;
}

// Reads the one row that `sql` selects by `key`.
template <typename Row, typename Read>
absl::StatusOr<std::optional<Row>> FindByKey(Connection& connection, const char* sql,
                                             const std::string& key, Read read) {
  ASSIGN_OR_RETURN(Statement select, connection.Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, select.Bind(key).Step());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(Row row, read(select));
  return row;
}

template <typename Row>
absl::Status Put(Connection& connection, const char* sql, const Row& row) {
  ASSIGN_OR_RETURN(Statement put, connection.Prepare(sql));
  return BindRow(put, row).Run();
}

}  // namespace

// Directory ---------------------------------------------------------------------------------------

absl::StatusOr<std::optional<StatementRow>> SqliteStore::FindStatement(const std::string& subject) {
  MutexLock reader(reader_mu_);
  return NewestOf(*reader_, subject);
}

absl::Status SqliteStore::AppendStatements(std::span<StatementRow> rows,
                                           uint64_t previous_revision) {
  MutexLock writer(writer_mu_);
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
  bool first = true;
  for (StatementRow& row : rows) {
    if (!row.capacity && first) {
      ASSIGN_OR_RETURN(const uint64_t last, LastRevision(false));
      if (last != previous_revision) {
        return Error(v1::REASON_STATEMENT_INVALID,
                     "statement " + row.subject + " continues revision " +
                         std::to_string(previous_revision) + " and the log is at " +
                         std::to_string(last));
      }
      first = false;
    }
    RETURN_IF_ERROR(AppendStatement(row));
  }
  RETURN_IF_ERROR(transaction.Commit());
  NoteWork();
  return absl::OkStatus();
}

absl::Status SqliteStore::AppendStatement(StatementRow& row) {
  ASSIGN_OR_RETURN(std::optional<StatementRow> replaced, NewestOf(*writer_, row.subject));
  if (replaced && row.version <= replaced->version) {
    return Error(v1::REASON_STATEMENT_INVALID, "statement " + row.subject + " has version " +
                                                   std::to_string(row.version) + " and version " +
                                                   std::to_string(replaced->version) + " is known");
  }
  ASSIGN_OR_RETURN(const uint64_t last, LastRevision(row.capacity));
  row.revision = last + 1;
  RETURN_IF_ERROR(Put(*writer_, kPutStatement, row));
  if (!replaced) return absl::OkStatus();
  if (replaced->capacity) {
    return DeleteRow("DELETE FROM statement WHERE capacity = 1 AND revision = ?",
                     static_cast<int64_t>(replaced->revision));
  }
  replaced->statement.clear();
  return Put(*writer_, kPutStatement, *replaced);
}

absl::StatusOr<uint64_t> SqliteStore::LastRevision(bool capacity) {
  ASSIGN_OR_RETURN(Statement select,
                   writer_->Prepare("SELECT max(revision) FROM statement WHERE capacity = ?"));
  ASSIGN_OR_RETURN(const bool found, select.Bind(int64_t{capacity}).Step());
  return found ? static_cast<uint64_t>(select.Int()) : 0;
}

absl::StatusOr<std::vector<StatementRow>> SqliteStore::ReadStatements(bool capacity, uint64_t after,
                                                                      size_t max_bytes) {
  MutexLock reader(reader_mu_);
  ASSIGN_OR_RETURN(Statement select,
                   reader_->Prepare("SELECT * FROM statement WHERE capacity = ? AND revision > ? "
                                    "ORDER BY revision"));
  select.Bind(int64_t{capacity}).Bind(static_cast<int64_t>(after));
  std::vector<StatementRow> rows;
  size_t bytes = 0;
  while (bytes < max_bytes) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) break;
    ASSIGN_OR_RETURN(StatementRow row, ReadStatement(select));
    bytes += sizeof(StatementRow) + row.statement.size();
    rows.push_back(std::move(row));
  }
  return rows;
}

// Registry ----------------------------------------------------------------------------------------

absl::Status SqliteStore::PutInvitation(const InvitationRow& row) {
  MutexLock writer(writer_mu_);
  RETURN_IF_ERROR(Put(*writer_, "INSERT OR REPLACE INTO invitation VALUES (?, ?, ?, ?, ?)", row));
  NoteWork();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<InvitationRow>> SqliteStore::FindInvitation(const std::string& hash) {
  MutexLock reader(reader_mu_);
  return FindByKey<InvitationRow>(*reader_, "SELECT * FROM invitation WHERE hash = ?", hash,
                                  ReadInvitation);
}

absl::Status SqliteStore::PutEnrolment(const EnrolmentRow& row) {
  MutexLock writer(writer_mu_);
  RETURN_IF_ERROR(
      Put(*writer_, "INSERT OR REPLACE INTO enrolment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row));
  NoteWork();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<EnrolmentRow>> SqliteStore::FindEnrolment(const std::string& id) {
  MutexLock reader(reader_mu_);
  return FindByKey<EnrolmentRow>(*reader_, "SELECT * FROM enrolment WHERE request_id = ?", id,
                                 ReadEnrolment);
}

absl::StatusOr<std::vector<EnrolmentRow>> SqliteStore::ListEnrolments(bool include_decided) {
  MutexLock reader(reader_mu_);
  ASSIGN_OR_RETURN(Statement select,
                   reader_->Prepare("SELECT * FROM enrolment WHERE ? OR state = ? "
                                    "ORDER BY requested_at, request_id"));
  select.Bind(int64_t{include_decided}).Bind(int64_t{v1::ENROLMENT_STATE_PENDING});
  std::vector<EnrolmentRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return rows;
    ASSIGN_OR_RETURN(EnrolmentRow row, ReadEnrolment(select));
    rows.push_back(std::move(row));
  }
}

}  // namespace waymark::hub
