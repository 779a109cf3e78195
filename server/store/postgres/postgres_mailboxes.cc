// What waits: PostgresStore's mailboxes, acknowledgements and counts.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "server/store/postgres/postgres_store.h"

namespace waymark::hub {
namespace {

constexpr absl::Duration kAfterFailedAcks = absl::Seconds(1);

// A page, and how many items it would have without the bound of bytes. The bytes of an item are
// known without reading it.
std::string PageStatement(const char* view) {
  return absl::StrCat(
      "SELECT ", kItemColumns,
      ", found FROM (SELECT *, sum(octet_length(message)) OVER w AS total, "
      "row_number() OVER w AS place, count(*) OVER () AS found FROM (SELECT ",
      kItemColumns,
      " FROM item WHERE mailbox = $1::bytea AND sequence > $2::bigint AND expires_at + 0 > "
      "$3::bigint AND ",
      view,
      " ORDER BY sequence LIMIT $4::bigint + 1) AS page WINDOW w AS (ORDER BY sequence)) AS "
      "counted WHERE place = 1 OR (total <= $5::bigint AND place <= $4::bigint) ORDER BY sequence");
}

const char* StatementOf(MailboxView view) {
  static const auto& all =
      *new std::string(PageStatement("(kind <> $6::bigint OR sequence > $7::bigint)"));
  static const auto& revocations =
      *new std::string(PageStatement("kind = $6::bigint AND sequence > $7::bigint"));
  return (view == MailboxView::kAll ? all : revocations).c_str();
}

constexpr char kWithoutWaiting[] = "SET LOCAL synchronous_commit = off";
// Milliseconds. Whoever waits longer for a mailbox may wait for a withdrawal or a sweep that waits
// for the items, and gives way.
constexpr char kGiveWay[] = "SET LOCAL lock_timeout = 500";
// What was acknowledged before is not looked at again: its rows may still lie there, dead. The
// mailboxes are locked last, in order of organisation (commit_plan.cc), because every commit that
// delivers to one of them waits for it.
constexpr char kDeleteAcked[] =
    "WITH a AS MATERIALIZED (SELECT n.organisation, n.through, n.revocations, m.acked FROM "
    "unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS n(organisation, through, revocations) JOIN "
    "mailbox AS m ON m.organisation = n.organisation), gone AS (DELETE FROM item AS i USING a "
    "WHERE i.mailbox = a.organisation AND i.sequence > a.acked AND i.sequence <= "
    "greatest(a.through, a.revocations) AND (i.sequence <= a.through OR i.kind = $4::bigint) "
    "RETURNING i.mailbox, octet_length(i.message) AS bytes), g AS (SELECT organisation, "
    "sum(messages) AS messages, sum(bytes) AS bytes, max(through) AS through FROM (SELECT mailbox "
    "AS organisation, 1 AS messages, bytes, 0 AS through FROM gone UNION ALL SELECT organisation, "
    "0, 0, through FROM a) AS both_of GROUP BY organisation) UPDATE mailbox AS m SET messages = "
    "m.messages - l.messages, bytes = m.bytes - l.bytes, acked = greatest(m.acked, "
    "least(l.through, m.last)) FROM (SELECT o.organisation, g.messages, g.bytes, g.through FROM g "
    "JOIN mailbox AS o ON o.organisation = g.organisation ORDER BY o.organisation FOR NO KEY "
    "UPDATE OF o) AS l WHERE m.organisation = l.organisation";
constexpr char kCount[] =
    "SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(bytes), 0)::bigint, count(*) FILTER "
    "(WHERE messages > 0), (SELECT min(o.stored_at) FROM mailbox AS f CROSS JOIN LATERAL (SELECT "
    "stored_at FROM item WHERE mailbox = f.organisation AND sequence > f.acked ORDER BY sequence "
    "LIMIT "
    "1) AS o WHERE f.messages > 0) FROM mailbox";

MailboxPage PageOf(const PgRows& rows) {
  MailboxPage page;
  int64_t found = 0;
  for (int i = 0; i < rows.size(); ++i) {
    PgRow row = rows[i];
    page.items.push_back(ReadItemRow(row));
    found = row.Int();
  }
  page.more = found > rows.size();
  return page;
}

int64_t Signed(uint64_t sequence) {
  return static_cast<int64_t>(std::min(sequence, uint64_t{1} << 62));
}

}  // namespace

absl::StatusOr<MailboxPage> PostgresStore::ReadMailbox(const OrganisationId& mailbox,
                                                       MailboxView view, uint64_t after,
                                                       size_t max_items, size_t max_bytes,
                                                       absl::Time now) {
  MutexLock reader(reader_mu_);
  const PgReply reply =
      reader_.Read(PageCommand({mailbox, view, after, max_items, max_bytes}, now));
  RETURN_IF_ERROR(reply.status);
  return PageOf(reply.rows[0]);
}

std::vector<absl::StatusOr<MailboxPage>> PostgresStore::ReadMailboxes(
    std::span<const PageQuery> queries, absl::Time now) {
  std::vector<PgCommand> commands;
  for (const PageQuery& query : queries) commands.push_back(PageCommand(query, now));
  PgReply reply;
  {
    MutexLock reader(reader_mu_);
    reply = reader_.Read(commands);
  }
  // Which one it was is not said: each by itself.
  if (!reply.status.ok()) return Store::ReadMailboxes(queries, now);
  std::vector<absl::StatusOr<MailboxPage>> pages;
  for (const PgRows& rows : reply.rows) pages.emplace_back(PageOf(rows));
  return pages;
}

PgCommand PostgresStore::PageCommand(const PageQuery& query, absl::Time now) {
  const Acked acked = AckedOf(query.mailbox);
  PgParams params;
  params.Add(query.mailbox)
      .Add(Signed(std::max(query.after, acked.all)))
      .Add(now)
      .Add(static_cast<int64_t>(query.max_items))
      .Add(static_cast<int64_t>(query.max_bytes))
      .Add(int64_t{v1::KIND_REVOKE})
      .Add(Signed(acked.revocations));
  return {StatementOf(query.view), std::move(params)};
}

// Acknowledgements --------------------------------------------------------------------------------

absl::Status PostgresStore::Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) {
  MutexLock lock(acks_mu_);
  Acked& acked = acks_[mailbox];
  uint64_t& mark = view == MailboxView::kAll ? acked.all : acked.revocations;
  mark = std::max(mark, through);
  acks_changed_.Signal();
  return absl::OkStatus();
}

PostgresStore::Acked PostgresStore::AckedOf(const OrganisationId& mailbox) {
  MutexLock lock(acks_mu_);
  const auto found = acks_.find(mailbox);
  return found == acks_.end() ? Acked{} : found->second;
}

absl::Status PostgresStore::FlushAcks() {
  Acks taken;
  {
    MutexLock lock(acks_mu_);
    taken = acks_;
  }
  if (taken.empty()) return absl::OkStatus();
  PgColumns rows;
  for (const auto& [mailbox, acked] : taken) {
    rows.Add(mailbox).Add(Signed(acked.all)).Add(Signed(acked.revocations));
    rows.EndRow();
  }
  PgCommand remove{kDeleteAcked, {}};
  std::move(rows).MoveTo(remove.params);
  remove.params.Add(int64_t{v1::KIND_REVOKE});
  const PgCommand commands[] = {
      {kPgBegin, {}}, {kWithoutWaiting, {}}, {kGiveWay, {}}, std::move(remove), {kPgCommit, {}}};
  // What is not known to be written is written again, which does no harm.
  RETURN_IF_ERROR(office_.link.Run(commands).status);
  MutexLock lock(acks_mu_);
  for (const auto& [mailbox, acked] : taken) {
    const auto now = acks_.find(mailbox);
    if (now != acks_.end() && now->second == acked) acks_.erase(now);
  }
  return absl::OkStatus();
}

void PostgresStore::PauseAcks(absl::Duration pause) {
  const absl::Time until = SteadyClock().Now() + pause;
  while (!stopping_) {
    const absl::Duration left = until - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return;
    acks_changed_.WaitFor(acks_mu_, left);
  }
}

void PostgresStore::RunAcks() {
  acks_mu_.Lock();
  while (true) {
    while (acks_.empty() && !stopping_) acks_changed_.Wait(acks_mu_);
    if (acks_.empty()) break;
    PauseAcks(ack_delay_);
    const bool last = stopping_;
    acks_mu_.Unlock();
    absl::Status flushed;
    {
      MutexLock office(office_mu_);
      flushed = FlushAcks();
    }
    acks_mu_.Lock();
    // What cannot be written at the end is delivered again.
    if (last) break;
    if (!flushed.ok()) PauseAcks(kAfterFailedAcks);
  }
  acks_mu_.Unlock();
}

// Counts ------------------------------------------------------------------------------------------

absl::StatusOr<WaitingTotals> PostgresStore::CountWaiting() {
  MutexLock office(office_mu_);
  RETURN_IF_ERROR(FlushAcks());
  const PgReply reply = office_.link.Read({kCount, {}});
  RETURN_IF_ERROR(reply.status);
  PgRow row = reply.rows[0][0];
  WaitingTotals totals;
  totals.messages = static_cast<uint64_t>(row.Int());
  totals.bytes = static_cast<uint64_t>(row.Int());
  totals.mailboxes = static_cast<uint64_t>(row.Int());
  // NULL without a message.
  const absl::Time oldest = row.Time();
  if (totals.messages > 0) totals.oldest = oldest;
  return totals;
}

}  // namespace waymark::hub
