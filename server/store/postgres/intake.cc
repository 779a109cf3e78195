#include "server/store/postgres/intake.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/schema.h"

namespace waymark::hub {
namespace {

// For one statement over a page of rows.
constexpr absl::Duration kIntakeLimit = absl::Minutes(5);
constexpr int64_t kPageRows = 1000;
constexpr int64_t kPageItems = 64;

constexpr char kKindTokens[] = "tokens";
constexpr char kKindReferrals[] = "referrals";
constexpr char kKindAnswers[] = "answers";
constexpr char kKindMessages[] = "messages";
constexpr char kKindLogLines[] = "lines of the routing log";
constexpr char kKindStatements[] = "statements";
constexpr char kKindInvitations[] = "invitations";
constexpr char kKindEnrolments[] = "enrolments";

// A hub that opens the database waits for this row, and begins a new epoch when it is empty.
constexpr char kClaimStore[] = "UPDATE meta SET epoch = ''";
constexpr char kOtherHubs[] =
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = "
    "pg_catalog.current_database() AND application_name = 'waymark-hub' AND pid <> "
    "pg_catalog.pg_backend_pid()";
constexpr char kHoldsSomething[] =
    "SELECT EXISTS (SELECT FROM mailbox) OR EXISTS (SELECT FROM item) OR EXISTS (SELECT FROM "
    "token) OR EXISTS (SELECT FROM referral) OR EXISTS (SELECT FROM seen) OR EXISTS (SELECT FROM "
    "routing) OR EXISTS (SELECT FROM statement) OR EXISTS (SELECT FROM invitation) OR EXISTS "
    "(SELECT FROM enrolment)";
constexpr char kNoteRestore[] = "UPDATE meta SET restored_at = $1::bigint";
constexpr char kEndWriter[] = "DELETE FROM writer WHERE id = $1::bytea";

constexpr char kInsertStatements[] =
    "INSERT INTO statement (capacity, revision, subject, organisation, version, statement, digest, "
    "head) SELECT n.* FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], "
    "$5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[]) AS n";
constexpr char kInsertInvitations[] =
    "INSERT INTO invitation (hash, organisation, expires_at, used_by) SELECT n.* FROM "
    "unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[]) AS n";
constexpr char kInsertEnrolments[] =
    "INSERT INTO enrolment (request_id, organisation, invitation_hash, renewal, state, "
    "requested_at, request, response) SELECT n.* FROM unnest($1::bytea[], $2::bytea[], "
    "$3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[]) AS n";

constexpr char kPageOfItems[] =
    "SELECT sequence, stored_at, expires_at, kind, urgency, mailbox, message_id, referral, sender, "
    "token_hash, message, notice FROM item WHERE (mailbox, sequence) > ($1::bytea, $2::bigint) "
    "ORDER BY mailbox, sequence LIMIT $3::bigint";
// Whole minutes, because lines have no key.
constexpr char kPageOfLines[] =
    "SELECT minute, message_id, referral, sender, recipient, kind, stage, urgency FROM routing "
    "WHERE minute > $1::bigint AND minute <= (SELECT max(minute) FROM (SELECT minute FROM routing "
    "WHERE minute > $1::bigint ORDER BY minute LIMIT $2::bigint) AS page) ORDER BY minute";
constexpr char kPageOfStatements[] =
    "SELECT capacity, revision, subject, organisation, version, statement, digest, head FROM "
    "statement WHERE (capacity, revision) > ($1::bigint, $2::bigint) ORDER BY capacity, revision "
    "LIMIT $3::bigint";
constexpr char kPageOfInvitations[] =
    "SELECT hash, organisation, expires_at, used_by FROM invitation WHERE hash > $1::bytea ORDER "
    "BY hash LIMIT $2::bigint";
constexpr char kPageOfEnrolments[] =
    "SELECT request_id, organisation, invitation_hash, renewal, state, requested_at, request, "
    "response FROM enrolment WHERE request_id > $1::bytea ORDER BY request_id LIMIT $2::bigint";

void AddRow(const WaitingItem& waiting, PgColumns& columns) {
  const MailboxItem& item = waiting.item;
  columns.Add(item.mailbox)
      .Add(static_cast<int64_t>(item.sequence))
      .Add(item.stored_at)
      .Add(item.expires_at)
      .Add(static_cast<int64_t>(item.kind))
      .Add(static_cast<int64_t>(item.urgency))
      .Add(int64_t{waiting.notice})
      .Add(item.message_id)
      .Add(item.referral)
      .Add(item.sender)
      .Add(item.token_hash)
      .Add(item.message);
  columns.EndRow();
}

void AddRow(const StatementRow& row, PgColumns& columns) {
  columns.Add(int64_t{row.capacity})
      .Add(static_cast<int64_t>(row.revision))
      .Add(row.subject)
      .Add(row.organisation)
      .Add(static_cast<int64_t>(row.version))
      .Add(row.statement)
      .Add(row.digest)
      .Add(row.head);
  columns.EndRow();
}

void AddRow(const InvitationRow& row, PgColumns& columns) {
  columns.Add(row.hash).Add(row.organisation).Add(row.expires_at).Add(row.used_by);
  columns.EndRow();
}

void AddRow(const EnrolmentRow& row, PgColumns& columns) {
  columns.Add(row.request_id)
      .Add(row.organisation)
      .Add(row.invitation_hash)
      .Add(int64_t{row.renewal})
      .Add(int64_t{row.state})
      .Add(row.requested_at)
      .Add(row.request)
      .Add(row.response);
  columns.EndRow();
}

template <typename Record>
void Count(const char* kind, const Record& record, Tally& tally) {
  PgColumns row;
  AddRow(record, row);
  tally.Add(kind, std::move(row));
}

template <typename Record>
void CountAll(const char* kind, const std::vector<Record>& records, Tally& tally) {
  for (const Record& record : records) Count(kind, record, tally);
}

template <typename Record>
PgColumns RowsOf(const std::vector<Record>& records) {
  PgColumns rows;
  for (const Record& record : records) AddRow(record, rows);
  return rows;
}

int64_t BatchNumber(Random& random) {
  return 1 + static_cast<int64_t>(random.Uniform(uint64_t{1} << 62));
}

}  // namespace

// Beginning ---------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<PgIntake>> PgIntake::Begin(const PgTarget& target, Random* random,
                                                          Clock* clock) {
  RETURN_IF_ERROR(CheckPgUrl(target.url));
  ASSIGN_OR_RETURN(auto connection, PgConnection::Connect(target));
  RETURN_IF_ERROR(PreparePgSchema(*connection));
  auto intake = std::unique_ptr<PgIntake>(new PgIntake(std::move(connection), random, clock));
  RETURN_IF_ERROR(intake->Open());
  return intake;
}

absl::Status PgIntake::Open() {
  mark_ = {.writer = random_->Bytes(16), .last = BatchNumber(*random_)};
  const PgCommand commands[] = {{kPgBegin, {}},        {kClaimStore, {}},
                                {kPgLockAlone, {}},    {kOtherHubs, {}},
                                {kHoldsSomething, {}}, AddWriter(mark_, clock_->Now())};
  const PgReply reply = connection_->Run(commands, kIntakeLimit);
  RETURN_IF_ERROR(reply.status);
  if (reply.rows[3][0].Int() != 0) {
    return Error(v1::REASON_UNAVAILABLE, "a hub uses the database; stop all hubs of it first");
  }
  if (reply.rows[4][0].Int() == 0) return absl::OkStatus();
  return Error(v1::REASON_EXISTS,
               "the database holds a hub's store already, which is never added to; name an empty "
               "one, or if nobody needs what it holds: DROP SCHEMA waymark CASCADE");
}

// Taking in ---------------------------------------------------------------------------------------

absl::Status PgIntake::Run(std::span<const PgCommand> commands) {
  return connection_->Run(commands, kIntakeLimit).status;
}

absl::Status PgIntake::Write(Effects effects) {
  mark_.next = BatchNumber(*random_);
  Effects batch[] = {std::move(effects)};
  CommitPlan plan = PlanCommit(batch, {}, mark_, clock_->Now());
  // The transaction goes on.
  std::erase_if(plan.commands, [](const PgCommand& command) {
    return command.sql == kPgBegin || command.sql == kPgCommit;
  });
  mark_.last = mark_.next;
  return Run(plan.commands);
}

absl::Status PgIntake::Insert(const char* sql, PgColumns rows) {
  if (rows.rows() == 0) return absl::OkStatus();
  PgCommand insert{sql, {}};
  std::move(rows).MoveTo(insert.params);
  return Run(std::span(&insert, 1));
}

absl::Status PgIntake::TakeRestore(std::optional<absl::Time> restored_at) {
  if (!restored_at) return absl::OkStatus();
  const PgCommand note{kNoteRestore, std::move(PgParams().Add(*restored_at))};
  return Run(std::span(&note, 1));
}

absl::Status PgIntake::Take(std::vector<TokenRecord> tokens) {
  CountAll(kKindTokens, tokens, taken_);
  return Write({.put_tokens = std::move(tokens)});
}

absl::Status PgIntake::Take(std::vector<ReferralRecord> referrals) {
  CountAll(kKindReferrals, referrals, taken_);
  return Write({.put_referrals = std::move(referrals)});
}

absl::Status PgIntake::Take(std::vector<SeenRecord> seen) {
  CountAll(kKindAnswers, seen, taken_);
  return Write({.put_seen = std::move(seen)});
}

absl::Status PgIntake::Take(std::vector<RoutingRecord> lines) {
  CountAll(kKindLogLines, lines, taken_);
  return Write({.log = std::move(lines)});
}

absl::Status PgIntake::Take(std::vector<WaitingItem> items) {
  Effects effects;
  PgColumns told;
  for (WaitingItem& waiting : items) {
    // What the store will number it: without gaps, in this order.
    waiting.item.sequence = ++lasts_[waiting.item.mailbox];
    Count(kKindMessages, waiting, taken_);
    if (IsUrgent(waiting.item.urgency) && !waiting.notice) {
      told.Add(waiting.item.mailbox).Add(static_cast<int64_t>(waiting.item.sequence));
      told.EndRow();
    }
    effects.deliver.push_back(std::move(waiting.item));
  }
  RETURN_IF_ERROR(Write(std::move(effects)));
  return Insert(kPgTakeNotices, std::move(told));
}

absl::Status PgIntake::Take(const std::vector<StatementRow>& statements) {
  CountAll(kKindStatements, statements, taken_);
  return Insert(kInsertStatements, RowsOf(statements));
}

absl::Status PgIntake::Take(const std::vector<InvitationRow>& invitations) {
  CountAll(kKindInvitations, invitations, taken_);
  return Insert(kInsertInvitations, RowsOf(invitations));
}

absl::Status PgIntake::Take(const std::vector<EnrolmentRow>& enrolments) {
  CountAll(kKindEnrolments, enrolments, taken_);
  return Insert(kInsertEnrolments, RowsOf(enrolments));
}

// Reading back ------------------------------------------------------------------------------------

absl::StatusOr<PgRows> PgIntake::Read(const char* sql, PgParams params) {
  PgReply reply = connection_->Run(PgCommand{sql, std::move(params)}, kIntakeLimit);
  RETURN_IF_ERROR(reply.status);
  return std::move(reply.rows[0]);
}

template <typename Record>
absl::Status PgIntake::CountPages(const std::string& sql, const char* kind, Tally& tally) {
  std::string last;
  while (true) {
    ASSIGN_OR_RETURN(const PgRows rows,
                     Read(sql.c_str(), std::move(PgParams().Add(last).Add(kPageRows))));
    if (rows.size() == 0) return absl::OkStatus();
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      row.Int();  // The version.
      Record record;
      ReadRow(row, record);
      Count(kind, record, tally);
      last = KeyOf(record);
    }
  }
}

absl::Status PgIntake::CountRecords(Tally& tally) {
  RETURN_IF_ERROR(CountPages<TokenRecord>(TokenStatements().page, kKindTokens, tally));
  RETURN_IF_ERROR(CountPages<ReferralRecord>(ReferralStatements().page, kKindReferrals, tally));
  return CountPages<SeenRecord>(SeenStatements().page, kKindAnswers, tally);
}

absl::Status PgIntake::CountItems(Tally& tally) {
  std::string mailbox;
  int64_t sequence = 0;
  while (true) {
    ASSIGN_OR_RETURN(
        const PgRows rows,
        Read(kPageOfItems, std::move(PgParams().Add(mailbox).Add(sequence).Add(kPageItems))));
    if (rows.size() == 0) return absl::OkStatus();
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      WaitingItem waiting{.item = ReadItemRow(row)};
      waiting.notice = row.Int() != 0;
      Count(kKindMessages, waiting, tally);
      mailbox = waiting.item.mailbox.bytes();
      sequence = static_cast<int64_t>(waiting.item.sequence);
    }
  }
}

absl::Status PgIntake::CountLines(Tally& tally) {
  int64_t minute = std::numeric_limits<int64_t>::min();
  while (true) {
    ASSIGN_OR_RETURN(const PgRows rows,
                     Read(kPageOfLines, std::move(PgParams().Add(minute).Add(kPageRows))));
    if (rows.size() == 0) return absl::OkStatus();
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      const RoutingRecord line = ReadLineRow(row);
      Count(kKindLogLines, line, tally);
      minute = PgMicros(line.minute);
    }
  }
}

absl::Status PgIntake::CountDocuments(Tally& tally) {
  int64_t capacity = 0;
  int64_t revision = 0;
  while (true) {
    ASSIGN_OR_RETURN(
        const PgRows rows,
        Read(kPageOfStatements, std::move(PgParams().Add(capacity).Add(revision).Add(kPageRows))));
    if (rows.size() == 0) break;
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      const StatementRow statement = ReadStatementRow(row);
      Count(kKindStatements, statement, tally);
      capacity = int64_t{statement.capacity};
      revision = static_cast<int64_t>(statement.revision);
    }
  }
  const auto count_by_key = [&](const char* sql, const char* kind, auto read, auto key) {
    std::string last;
    while (true) {
      ASSIGN_OR_RETURN(const PgRows rows,
                       this->Read(sql, std::move(PgParams().Add(last).Add(kPageRows))));
      if (rows.size() == 0) return absl::OkStatus();
      for (int i = 0; i < rows.size(); ++i) {
        PgRow row = rows[i];
        const auto document = read(row);
        Count(kind, document, tally);
        last = key(document);
      }
    }
  };
  RETURN_IF_ERROR(count_by_key(kPageOfInvitations, kKindInvitations, ReadInvitationRow,
                               [](const InvitationRow& row) { return row.hash; }));
  return count_by_key(kPageOfEnrolments, kKindEnrolments, ReadEnrolmentRow,
                      [](const EnrolmentRow& row) { return row.request_id; });
}

absl::StatusOr<Tally> PgIntake::Finish() {
  Tally found;
  RETURN_IF_ERROR(CountRecords(found));
  RETURN_IF_ERROR(CountItems(found));
  RETURN_IF_ERROR(CountLines(found));
  RETURN_IF_ERROR(CountDocuments(found));
  if (const std::string kind = taken_.DifferenceTo(found); !kind.empty()) {
    return Error(v1::REASON_INTERNAL,
                 "the database does not hold the " + kind + " that it was given; nothing was kept");
  }
  const PgCommand commands[] = {{kEndWriter, std::move(PgParams().Add(mark_.writer))},
                                {kPgCommit, {}}};
  const PgReply reply = connection_->Run(commands, kIntakeLimit);
  if (reply.lost) {
    return Error(v1::REASON_UNAVAILABLE,
                 "the database went away at the very end, and may hold everything or nothing; try "
                 "again: if it then says that it holds a store, that one is whole");
  }
  RETURN_IF_ERROR(reply.status);
  return std::move(taken_);
}

}  // namespace waymark::hub
