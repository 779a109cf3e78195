// The clock's part of SqliteStore: what ends, what is forgotten, whose sender is told.
#include "base/status/status.h"
#include "server/store/sqlite/rows.h"
#include "server/store/sqlite/sqlite_store.h"

namespace waymark::hub {
namespace {

// Reads and verifies the row that `sql` selects by its number. DATA_CORRUPT: it is not there, or
// not as it was written.
template <typename Record>
absl::StatusOr<Record> ReadRow(Connection& connection, const char* sql, int64_t row,
                               absl::StatusOr<Numbered<Record>> (*read)(Statement&)) {
  ASSIGN_OR_RETURN(Statement select, connection.Prepare(sql));
  ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
  if (!found) return Error(v1::REASON_DATA_CORRUPT, "the store has lost a row");
  ASSIGN_OR_RETURN(Numbered<Record> stored, read(select));
  return std::move(stored.record);
}

}  // namespace

absl::StatusOr<std::vector<MailboxItem>> SqliteStore::TakeOfflineNotices(absl::Time before,
                                                                         size_t limit) {
  MutexLock writer(writer_mu_);
  std::vector<uint64_t> due;
  {
    MutexLock index(index_mu_);
    due = mailboxes_.DueNotices(before, limit);
  }
  std::vector<MailboxItem> items;
  if (due.empty()) return items;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
  for (const uint64_t sequence : due) {
    const auto row = static_cast<int64_t>(sequence);
    RETURN_IF_ERROR(MarkTold(*writer_, row));
    ASSIGN_OR_RETURN(Statement select, writer_->Prepare("SELECT * FROM item WHERE sequence = ?"));
    ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
    if (!found) return Error(v1::REASON_DATA_CORRUPT, "the store has lost a row");
    ASSIGN_OR_RETURN(MailboxItem item, ReadItem(select));
    items.push_back(std::move(item));
  }
  RETURN_IF_ERROR(transaction.Commit());
  told_.insert(due.begin(), due.end());
  NoteWork();
  MutexLock index(index_mu_);
  // Whose message was acknowledged meanwhile need not hear of it.
  std::erase_if(items, [&](const MailboxItem& item) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !mailboxes_.Contains(item.sequence);
  });
  for (const uint64_t sequence : due) mailboxes_.MarkTold(sequence);
  return items;
}

absl::StatusOr<SweepResult> SqliteStore::Sweep(absl::Time now, size_t limit) {
  MutexLock writer(writer_mu_);
  SweepResult result;
  Changes changes;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
  RETURN_IF_ERROR(SweepItems(now, limit, changes, result));
  RETURN_IF_ERROR(SweepReferrals(now, limit, changes, result));
  RETURN_IF_ERROR(SweepRecords(now, limit, changes, result));
  RETURN_IF_ERROR(SweepRouting(now, limit, result));
  RETURN_IF_ERROR(transaction.Commit());
  Adopt(std::move(changes));
  NoteWork();
  return result;
}

absl::Status SqliteStore::SweepItems(absl::Time now, size_t limit, Changes& changes,
                                     SweepResult& result) {
  {
    MutexLock index(index_mu_);
    changes.removed = mailboxes_.Expired(now, limit);
  }
  for (const uint64_t sequence : changes.removed) RETURN_IF_ERROR(DeleteItem(sequence));
  result.expired_messages = changes.removed.size();
  return absl::OkStatus();
}

absl::Status SqliteStore::SweepReferrals(absl::Time now, size_t limit, Changes& changes,
                                         SweepResult& result) {
  for (const int64_t row : referrals_.Due(now, limit)) {
    ASSIGN_OR_RETURN(ReferralRecord referral,
                     ReadRow(*writer_, "SELECT * FROM referral WHERE row = ?", row, ReadReferral));
    if (referral.forget_at <= now) {
      RETURN_IF_ERROR(DeleteRow("DELETE FROM referral WHERE row = ?", row));
      changes.forgotten_referrals.push_back(referral.id);
      ++result.forgotten;
      continue;
    }
    referral.state = HubState::kExpired;
    referral.state_until = absl::InfiniteFuture();
    referral.forget_at = now + kEndedReferralRetention;
    result.expired_referrals.push_back(std::move(referral));
  }
  Effects effects;
  effects.put_referrals = result.expired_referrals;
  return WriteEffects(effects, changes);
}

absl::Status SqliteStore::SweepRecords(absl::Time now, size_t limit, Changes& changes,
                                       SweepResult& result) {
  for (const int64_t row : tokens_.Due(now, limit)) {
    ASSIGN_OR_RETURN(TokenRecord token,
                     ReadRow(*writer_, "SELECT * FROM token WHERE row = ?", row, ReadToken));
    RETURN_IF_ERROR(DeleteRow("DELETE FROM token WHERE row = ?", row));
    changes.forgotten_tokens.push_back(std::move(token.hash));
  }
  for (const int64_t row : seen_.Due(now, limit)) {
    ASSIGN_OR_RETURN(const SeenRecord seen,
                     ReadRow(*writer_, "SELECT * FROM seen WHERE row = ?", row, ReadSeen));
    RETURN_IF_ERROR(DeleteRow("DELETE FROM seen WHERE row = ?", row));
    changes.forgotten_seen.push_back(seen.id);
  }
  result.forgotten += changes.forgotten_tokens.size() + changes.forgotten_seen.size();
  return absl::OkStatus();
}

absl::Status SqliteStore::SweepRouting(absl::Time now, size_t limit, SweepResult& result) {
  // Lines lie in the order in which they were written: the first that is young enough ends the
  // search.
  std::vector<int64_t> old;
  {
    ASSIGN_OR_RETURN(Statement rows,
                     writer_->Prepare("SELECT row, minute FROM routing ORDER BY row LIMIT ?"));
    rows.Bind(static_cast<int64_t>(limit));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, rows.Step());
      if (!found) break;
      const int64_t row = rows.Int();
      if (rows.Time() + kRoutingRetention > now) break;
      old.push_back(row);
    }
  }
  for (const int64_t row : old) {
    RETURN_IF_ERROR(DeleteRow("DELETE FROM routing WHERE row = ?", row));
  }
  result.forgotten += old.size();
  return absl::OkStatus();
}

}  // namespace waymark::hub
