// The clock's part of PostgresStore: what ends, what is forgotten, whose sender is told. Several
// hubs do it once: one sweeps, the others go on; a notice is taken by whoever locks its item.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "server/store/postgres/postgres_store.h"

namespace waymark::hub {
namespace {

constexpr absl::Duration kWithdrawalRetention = absl::Hours(1);

constexpr char kNoWaiting[] = "SET LOCAL synchronous_commit = off";
constexpr char kTrySweep[] = "SELECT pg_try_advisory_xact_lock(1465470283, 3)";
// Whether there is anything to do: items, referrals, tokens, answers, lines, and withdrawals
// that every hub has heard of.
constexpr char kLookForWork[] =
    "SELECT EXISTS (SELECT FROM item WHERE expires_at <= $1::bigint) OR EXISTS (SELECT FROM "
    "referral WHERE due <= $1::bigint) OR EXISTS (SELECT FROM token WHERE valid_until <= "
    "$2::bigint) OR EXISTS (SELECT FROM seen WHERE remember_until <= $1::bigint) OR EXISTS (SELECT "
    "FROM routing WHERE minute <= $3::bigint) OR EXISTS (SELECT FROM withdrawal WHERE written_at "
    "<= "
    "$4::bigint)";
constexpr char kLockExpired[] =
    "SELECT 1 FROM mailbox WHERE organisation IN (SELECT mailbox FROM item WHERE expires_at <= "
    "$1::bigint ORDER BY expires_at LIMIT $2::bigint) ORDER BY organisation FOR NO KEY UPDATE";
constexpr char kDeleteExpired[] =
    "WITH due AS (SELECT mailbox, sequence FROM item WHERE expires_at <= $1::bigint ORDER BY "
    "expires_at LIMIT $2::bigint), gone AS (DELETE FROM item AS i USING due AS d WHERE i.mailbox = "
    "d.mailbox AND i.sequence = d.sequence RETURNING i.mailbox, octet_length(i.message) AS bytes), "
    "counted AS (UPDATE mailbox AS m SET messages = m.messages - g.messages, bytes = m.bytes - "
    "g.bytes "
    "FROM (SELECT mailbox, count(*) AS messages, sum(bytes) AS bytes FROM gone GROUP BY mailbox) "
    "AS g "
    "WHERE m.organisation = g.mailbox) SELECT count(*) FROM gone";
constexpr char kDueReferrals[] =
    "SELECT version, id, origin, provider, state, urgency, token_hash, state_until, forget_at FROM "
    "referral WHERE due <= $1::bigint ORDER BY due LIMIT $2::bigint FOR UPDATE";
constexpr char kForgetReferrals[] = "DELETE FROM referral WHERE id = ANY($1::bytea[])";

// Deletes at most $2 rows whose `column` is at most $1.
std::string Forget(const char* table, const char* key, const char* column) {
  return absl::StrCat("DELETE FROM ", table, " WHERE ", key, " IN (SELECT ", key, " FROM ", table,
                      " WHERE ", column, " <= $1::bigint ORDER BY ", column, " LIMIT $2::bigint)");
}

const std::string& DueNotices() {
  static const auto& sql = *new std::string(absl::StrCat(
      "SELECT ", kItemColumns, " FROM item WHERE notice = 1 AND stored_at < $1::bigint ",
      "ORDER BY stored_at, sequence LIMIT $2::bigint FOR NO KEY UPDATE SKIP LOCKED"));
  return sql;
}

PgCommand UpTo(const char* sql, absl::Time time, size_t limit) {
  return {sql, std::move(PgParams().Add(time).Add(static_cast<int64_t>(limit)))};
}

}  // namespace

absl::StatusOr<std::vector<MailboxItem>> PostgresStore::TakeOfflineNotices(absl::Time before,
                                                                           size_t limit) {
  MutexLock office(office_mu_);
  RETURN_IF_ERROR(FlushAcks());
  ASSIGN_OR_RETURN(PgConnection* const connection, office_.link.Use());
  const PgCommand find[] = {{kPgBegin, {}}, UpTo(DueNotices().c_str(), before, limit)};
  const PgReply found = connection->Run(find, kPgLimit);
  RETURN_IF_ERROR(found.status);
  std::vector<MailboxItem> items;
  PgColumns taken;
  for (int i = 0; i < found.rows[1].size(); ++i) {
    PgRow row = found.rows[1][i];
    items.push_back(ReadItemRow(row));
    taken.Add(items.back().mailbox).Add(static_cast<int64_t>(items.back().sequence));
    taken.EndRow();
  }
  if (items.empty()) {
    RETURN_IF_ERROR(connection->Run(PgCommand{kPgCommit, {}}, kPgLimit).status);
    return items;
  }
  Number(office_);
  PgCommand take{kPgTakeNotices, {}};
  std::move(taken).MoveTo(take.params);
  const PgCommand commands[] = {
      std::move(take), MarkBatch(office_.mark, clock_->Now()), {kPgCommit, {}}};
  std::vector<int64_t> lasts;
  RETURN_IF_ERROR(RunDurably(office_, connection, commands, lasts).status);
  return items;
}

// Sweeping ----------------------------------------------------------------------------------------

// A sweep whose answer is lost may have been done: what it ended is then not counted, and ended all
// the same.
absl::StatusOr<SweepResult> PostgresStore::Sweep(absl::Time now, size_t limit) {
  MutexLock office(office_mu_);
  RETURN_IF_ERROR(FlushAcks());
  ASSIGN_OR_RETURN(PgConnection* const connection, office_.link.Use());
  PgParams ends;
  ends.Add(now)
      .Add(now - kTokenRetention)
      .Add(now - kRoutingRetention)
      .Add(clock_->Now() - kWithdrawalRetention);
  const PgCommand begin[] = {
      {kPgBegin, {}}, {kNoWaiting, {}}, {kTrySweep, {}}, {kLookForWork, std::move(ends)}};
  const PgReply begun = connection->Run(begin, kPgLimit);
  RETURN_IF_ERROR(begun.status);
  const bool mine = begun.rows[2][0].Int() != 0;
  const bool work = begun.rows[3][0].Int() != 0;
  SweepResult result;
  if (mine && work) {
    RETURN_IF_ERROR(connection->Run(PgCommand{kPgLockAlone, {}}, kPgLimit).status);
    RETURN_IF_ERROR(SweepItems(*connection, now, limit, result));
    RETURN_IF_ERROR(SweepReferrals(*connection, now, limit, result));
    RETURN_IF_ERROR(SweepRecords(*connection, now, limit, result));
  }
  RETURN_IF_ERROR(connection->Run(PgCommand{kPgCommit, {}}, kPgLimit).status);
  return result;
}

absl::Status PostgresStore::SweepItems(PgConnection& connection, absl::Time now, size_t limit,
                                       SweepResult& result) {
  const PgCommand commands[] = {UpTo(kLockExpired, now, limit), UpTo(kDeleteExpired, now, limit)};
  const PgReply reply = connection.Run(commands, kPgLimit);
  RETURN_IF_ERROR(reply.status);
  result.expired_messages = static_cast<uint64_t>(reply.rows[1][0].Int());
  return absl::OkStatus();
}

absl::Status PostgresStore::SweepReferrals(PgConnection& connection, absl::Time now, size_t limit,
                                           SweepResult& result) {
  const PgReply due = connection.Run(UpTo(kDueReferrals, now, limit), kPgLimit);
  RETURN_IF_ERROR(due.status);
  PgArray forgotten = PgArray::OfBytes();
  PgColumns expired;
  PgArray versions;
  for (int i = 0; i < due.rows[0].size(); ++i) {
    PgRow row = due.rows[0][i];
    const int64_t version = row.Int();
    ReferralRecord referral;
    ReadRow(row, referral);
    if (referral.forget_at <= now) {
      forgotten.Add(referral.id);
      continue;
    }
    referral.state = HubState::kExpired;
    referral.state_until = absl::InfiniteFuture();
    referral.forget_at = now + kEndedReferralRetention;
    AddRow(referral, expired);
    versions.Add(version);
    result.expired_referrals.push_back(std::move(referral));
  }
  result.forgotten += static_cast<uint64_t>(forgotten.size());
  std::vector<PgCommand> commands;
  commands.push_back({kForgetReferrals, std::move(PgParams().Add(std::move(forgotten)))});
  if (const int64_t count = expired.rows(); count > 0) {
    expired.AddColumn(std::move(versions));
    PgCommand update = ReferralStatements().update.Over(std::move(expired));
    Number(office_);
    update.params.Add(office_.mark.next).Add(count);
    commands.push_back(std::move(update));
  }
  return connection.Run(commands, kPgLimit).status;
}

absl::Status PostgresStore::SweepRecords(PgConnection& connection, absl::Time now, size_t limit,
                                         SweepResult& result) {
  static const auto& tokens = *new std::string(Forget("token", "hash", "valid_until"));
  static const auto& seen = *new std::string(Forget("seen", "id", "remember_until"));
  static const auto& routing = *new std::string(Forget("routing", "ctid", "minute"));
  static const auto& withdrawals = *new std::string(Forget("withdrawal", "id", "written_at"));
  const PgCommand commands[] = {
      UpTo(tokens.c_str(), now - kTokenRetention, limit), UpTo(seen.c_str(), now, limit),
      UpTo(routing.c_str(), now - kRoutingRetention, limit),
      UpTo(withdrawals.c_str(), clock_->Now() - kWithdrawalRetention, limit)};
  const PgReply reply = connection.Run(commands, kPgLimit);
  RETURN_IF_ERROR(reply.status);
  // What hubs tell each other is nobody's.
  for (int i = 0; i < 3; ++i) result.forgotten += static_cast<uint64_t>(reply.rows[i].changed());
  return absl::OkStatus();
}

}  // namespace waymark::hub
