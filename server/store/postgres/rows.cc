#include "server/store/postgres/rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/lifecycle/lifecycle.h"

namespace waymark::hub {
namespace {

template <typename Enum>
int64_t AsNumber(Enum value) {
  return static_cast<int64_t>(value);
}

template <typename Enum>
Enum EnumIn(PgRow& row) {
  return static_cast<Enum>(row.Int());
}

// What the statements of one table are made of.
struct Table {
  std::string name;
  // All but the version, key first.
  std::vector<PgColumn> columns;
  // What follows the check of a record that is not written: tokens and answers that are there are
  // changed by those alone who hold the store's lock for themselves (commit_plan.h); referrals
  // change all the time, and are held one by one.
  const char* hold = "";

  const char* key() const { return columns[0].name; }
  // The `after`th parameter after so many.
  static std::string Parameter(size_t count, int after) {
    return absl::StrCat("$", static_cast<int>(count) + after, "::bigint");
  }
  std::string Names() const {
    return absl::StrJoin(columns, ", ", [](std::string* out, const PgColumn& column) {
      absl::StrAppend(out, column.name);
    });
  }
  // `, column = source.column` for all but the key.
  std::string Changes(const char* source) const {
    std::string changes;
    for (size_t i = 1; i < columns.size(); ++i) {
      absl::StrAppend(&changes, ", ", columns[i].name, " = ", source, ".", columns[i].name);
    }
    return changes;
  }

  std::string Insert(const std::string& rows) const {
    return absl::StrCat("INSERT INTO ", name, " (version, ", Names(), ") SELECT ",
                        Parameter(columns.size(), 1), ", n.* FROM ", rows);
  }
  std::string Put(const std::string& rows) const {
    return absl::StrCat(Insert(rows), " ON CONFLICT (", key(),
                        ") DO UPDATE SET version = excluded.version", Changes("excluded"));
  }
  std::string Update(const std::string& rows) const {
    const size_t count = columns.size() + 1;
    return absl::StrCat("WITH done AS (UPDATE ", name, " AS t SET version = ", Parameter(count, 1),
                        Changes("n"), " FROM ", rows, " WHERE t.", key(), " = n.", key(),
                        " AND t.version = n.loaded RETURNING 1) SELECT 1 / (CASE WHEN (SELECT "
                        "count(*) FROM done) = ",
                        Parameter(count, 2), " THEN 1 ELSE 0 END)");
  }
  std::string CheckPresent(const std::string& rows) const {
    return absl::StrCat("SELECT 1 / (CASE WHEN (SELECT count(*) FROM (SELECT 1 FROM ", rows,
                        " JOIN ", name, " AS t ON t.", key(), " = n.key AND t.version = n.version",
                        hold, ") AS held) = ", Parameter(2, 1), " THEN 1 ELSE 0 END)");
  }
};

RecordStatements MakeStatements(const Table& table) {
  std::vector<PgColumn> with_loaded = table.columns;
  with_loaded.push_back({"loaded"});
  const std::string select = absl::StrCat("SELECT version, ", table.Names(), " FROM ", table.name);
  return {
      .load = absl::StrCat(select, " WHERE ", table.key(), " = ANY($1::bytea[])"),
      .insert = RowStatement(table.columns, [&](const auto& rows) { return table.Insert(rows); }),
      .update = RowStatement(with_loaded, [&](const auto& rows) { return table.Update(rows); }),
      .put = RowStatement(table.columns, [&](const auto& rows) { return table.Put(rows); }),
      .check_present = RowStatement({{"key", false}, {"version"}},
                                    [&](const auto& rows) { return table.CheckPresent(rows); }),
      .check_absent =
          absl::StrCat("SELECT 1 / (CASE WHEN EXISTS (SELECT FROM ", table.name, " WHERE ",
                       table.key(), " = ANY($1::bytea[])) THEN 0 ELSE 1 END)"),
      .page = absl::StrCat(select, " WHERE ", table.key(), " > $1::bytea ORDER BY ", table.key(),
                           " LIMIT $2::bigint"),
  };
}

}  // namespace

// Statements --------------------------------------------------------------------------------------

const RecordStatements& TokenStatements() {
  static const auto& statements =
      *new RecordStatements(MakeStatements({.name = "token",
                                            .columns = {{"hash", false},
                                                        {"issuer", false},
                                                        {"presenter", false},
                                                        {"recipient", false},
                                                        {"ceiling"},
                                                        {"valid_until"},
                                                        {"separate_release"},
                                                        {"revocation_lock", false},
                                                        {"registered_at"},
                                                        {"revoked"}}}));
  return statements;
}

const RecordStatements& ReferralStatements() {
  static const auto& statements =
      *new RecordStatements(MakeStatements({.name = "referral",
                                            .columns = {{"id", false},
                                                        {"origin", false},
                                                        {"provider", false},
                                                        {"state"},
                                                        {"urgency"},
                                                        {"token_hash", false},
                                                        {"state_until"},
                                                        {"forget_at"},
                                                        {"due"}},
                                            .hold = " FOR SHARE OF t"}));
  return statements;
}

const RecordStatements& SeenStatements() {
  static const auto& statements = *new RecordStatements(MakeStatements(
      {.name = "seen",
       .columns = {{"id", false}, {"digest", false}, {"answer"}, {"remember_until"}}}));
  return statements;
}

// Records -----------------------------------------------------------------------------------------

const std::string& KeyOf(const TokenRecord& token) { return token.hash; }
std::string KeyOf(const ReferralRecord& referral) { return referral.id.bytes(); }
std::string KeyOf(const SeenRecord& seen) { return seen.id.bytes(); }

void AddRow(const TokenRecord& token, PgColumns& columns) {
  columns.Add(token.hash)
      .Add(token.issuer)
      .Add(token.presenter)
      .Add(token.recipient)
      .Add(AsNumber(token.ceiling))
      .Add(token.valid_until)
      .Add(int64_t{token.separate_release})
      .Add(token.revocation_lock)
      .Add(token.registered_at)
      .Add(int64_t{token.revoked});
  columns.EndRow();
}

void ReadRow(PgRow& row, TokenRecord& token) {
  token.hash = row.Bytes();
  token.issuer = row.Read<UnitId>();
  token.presenter = row.Read<UnitId>();
  token.recipient = row.Read<UnitId>();
  token.ceiling = EnumIn<v1::Stage>(row);
  token.valid_until = row.Time();
  token.separate_release = row.Int() != 0;
  token.revocation_lock = row.Bytes();
  token.registered_at = row.Time();
  token.revoked = row.Int() != 0;
}

void AddRow(const ReferralRecord& referral, PgColumns& columns) {
  columns.Add(referral.id)
      .Add(referral.origin)
      .Add(referral.provider)
      .Add(AsNumber(referral.state))
      .Add(AsNumber(referral.urgency))
      .Add(referral.token_hash)
      .Add(referral.state_until)
      .Add(referral.forget_at)
      .Add(std::min(referral.state_until, referral.forget_at));
  columns.EndRow();
}

void ReadRow(PgRow& row, ReferralRecord& referral) {
  referral.id = row.Read<ReferralId>();
  referral.origin = row.Read<UnitId>();
  referral.provider = row.Read<UnitId>();
  referral.state = EnumIn<HubState>(row);
  referral.urgency = EnumIn<v1::Urgency>(row);
  referral.token_hash = row.Bytes();
  referral.state_until = row.Time();
  referral.forget_at = row.Time();
}

void AddRow(const SeenRecord& seen, PgColumns& columns) {
  columns.Add(seen.id).Add(seen.digest).Add(AsNumber(seen.answer)).Add(seen.remember_until);
  columns.EndRow();
}

void ReadRow(PgRow& row, SeenRecord& seen) {
  seen.id = row.Read<MessageId>();
  seen.digest = row.Bytes();
  seen.answer = EnumIn<v1::Reason>(row);
  seen.remember_until = row.Time();
}

void AddRow(const RoutingRecord& line, PgColumns& columns) {
  columns.Add(line.minute)
      .Add(line.message_id)
      .Add(line.referral)
      .Add(line.sender)
      .Add(line.recipient)
      .Add(AsNumber(line.kind))
      .Add(AsNumber(line.stage))
      .Add(AsNumber(line.urgency));
  columns.EndRow();
}

RoutingRecord ReadLineRow(PgRow& row) {
  RoutingRecord line;
  line.minute = row.Time();
  line.message_id = row.Read<MessageId>();
  line.referral = row.Read<ReferralId>();
  line.sender = row.Read<UnitId>();
  line.recipient = row.Read<UnitId>();
  line.kind = EnumIn<v1::Kind>(row);
  line.stage = EnumIn<v1::Stage>(row);
  line.urgency = EnumIn<v1::Urgency>(row);
  return line;
}

// Items -------------------------------------------------------------------------------------------

MailboxItem ReadItemRow(PgRow& row) {
  MailboxItem item;
  item.sequence = static_cast<uint64_t>(row.Int());
  item.stored_at = row.Time();
  item.expires_at = row.Time();
  item.kind = EnumIn<v1::Kind>(row);
  item.urgency = EnumIn<v1::Urgency>(row);
  item.mailbox = row.Read<OrganisationId>();
  item.message_id = row.Read<MessageId>();
  item.referral = row.Read<ReferralId>();
  item.sender = row.Read<OrganisationId>();
  item.token_hash = row.Bytes();
  item.message = row.Bytes();
  return item;
}

bool OutlivesItsToken(const MailboxItem& item) {
  return item.token_hash.empty() || OutlivesWithdrawal(item.kind);
}

int64_t TokenKey(const std::string& token_hash) {
  int64_t key = 0;
  std::memcpy(&key, token_hash.data(), std::min(sizeof(key), token_hash.size()));
  return key;
}

// Documents ---------------------------------------------------------------------------------------

StatementRow ReadStatementRow(PgRow& row) {
  StatementRow statement;
  statement.capacity = row.Int() != 0;
  statement.revision = static_cast<uint64_t>(row.Int());
  statement.subject = row.Bytes();
  statement.organisation = row.Read<OrganisationId>();
  statement.version = static_cast<uint64_t>(row.Int());
  statement.statement = row.Bytes();
  statement.digest = row.Bytes();
  statement.head = row.Bytes();
  return statement;
}

InvitationRow ReadInvitationRow(PgRow& row) {
  InvitationRow invitation;
  invitation.hash = row.Bytes();
  invitation.organisation = row.Read<OrganisationId>();
  invitation.expires_at = row.Time();
  invitation.used_by = row.Bytes();
  return invitation;
}

EnrolmentRow ReadEnrolmentRow(PgRow& row) {
  EnrolmentRow enrolment;
  enrolment.request_id = row.Bytes();
  enrolment.organisation = row.Read<OrganisationId>();
  enrolment.invitation_hash = row.Bytes();
  enrolment.renewal = row.Int() != 0;
  enrolment.state = static_cast<int>(row.Int());
  enrolment.requested_at = row.Time();
  enrolment.request = row.Bytes();
  enrolment.response = row.Bytes();
  return enrolment;
}

}  // namespace waymark::hub
