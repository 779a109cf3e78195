// The outbox, the inbox and what was seen.
#include <algorithm>
#include <utility>

#include "base/status/status.h"
#include "client/vault/database.h"
#include "client/vault/vault.h"

namespace waymark::node {
namespace {

constexpr char kOutbox[] = "outbox";
constexpr char kInbox[] = "inbox";
constexpr char kPosition[] = "link.position";
constexpr size_t kEpochSize = 16;

constexpr auto kWaiting = static_cast<int64_t>(OutboxState::kWaiting);
constexpr auto kConfirmed = static_cast<int64_t>(OutboxState::kConfirmed);
constexpr auto kRefused = static_cast<int64_t>(OutboxState::kRefused);

// Infinite times become the ends of the range.
int64_t Millis(absl::Time time) { return absl::ToUnixMillis(time); }

// Deletes outbox rows after their keys; both statements take one blob. State 3 is refused.
absl::Status DeleteOutbox(VaultDatabase& database, const char* delete_keys, const char* delete_rows,
                          std::string_view parameter) {
  RETURN_IF_ERROR(database.Prepare(delete_keys).Blob(parameter).Run());
  return database.Prepare(delete_rows).Blob(parameter).Run();
}

absl::Status DeleteItem(VaultDatabase& database, std::string_view item_id) {
  return DeleteOutbox(database,
                      "DELETE FROM keys WHERE number = (SELECT key FROM outbox WHERE item_id = ?)",
                      "DELETE FROM outbox WHERE item_id = ?", item_id);
}

}  // namespace

absl::StatusOr<std::vector<OutboxItem>> Reader::NextOutbox(absl::Time now,
                                                           const std::set<int64_t>& in_flight,
                                                           size_t max_items,
                                                           size_t max_bytes) const {
  Statement rows = database_
                       .Prepare(
                           "SELECT number, item_id, referral, key, box FROM outbox "
                           "WHERE state = ? AND not_before <= ? ORDER BY number")
                       .Bind(kWaiting)
                       .Bind(Millis(now));
  std::vector<OutboxItem> items;
  size_t bytes = 0;
  while (items.size() < max_items) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    if (in_flight.count(rows.Int(0)) > 0) continue;
    // A box is a little larger than what it holds, so the bound is kept.
    bytes += rows.Bytes(4).size();
    if (!items.empty() && bytes > max_bytes) break;
    OutboxItem& item = items.emplace_back();
    item.number = rows.Int(0);
    item.item_id = rows.Bytes(1);
    item.referral = ReferralId::FromBytes(rows.Bytes(2)).value_or(ReferralId());
    ASSIGN_OR_RETURN(
        const SecretBytes submission,
        database_.Unseal(kOutbox, {rows.Bytes(1), rows.Bytes(2)}, rows.Int(3), rows.Bytes(4)));
    item.submission = submission.view();
  }
  return items;
}

absl::StatusOr<std::optional<absl::Time>> Reader::NextOutboxTime(absl::Time now) const {
  Statement rows =
      database_.Prepare("SELECT MIN(not_before) FROM outbox WHERE state = ? AND not_before > ?")
          .Bind(kWaiting)
          .Bind(Millis(now));
  ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row || rows.IsNull(0)) return std::optional<absl::Time>();
  return std::optional<absl::Time>(absl::FromUnixMillis(rows.Int(0)));
}

absl::StatusOr<std::vector<RefusedItem>> Reader::RefusedOutbox() const {
  Statement rows =
      database_
          .Prepare("SELECT item_id, referral, reason FROM outbox WHERE state = ? ORDER BY number")
          .Bind(kRefused);
  std::vector<RefusedItem> items;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return items;
    RefusedItem& item = items.emplace_back();
    item.item_id = rows.Bytes(0);
    item.referral = ReferralId::FromBytes(rows.Bytes(1)).value_or(ReferralId());
    item.reason = static_cast<v1::Reason>(rows.Int(2));
  }
}

absl::StatusOr<std::optional<OutboxState>> Reader::StateOfOutbox(std::string_view item_id) const {
  Statement rows = database_.Prepare("SELECT state FROM outbox WHERE item_id = ?").Blob(item_id);
  ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row) return std::optional<OutboxState>();
  return std::optional<OutboxState>(static_cast<OutboxState>(rows.Int(0)));
}

absl::StatusOr<OutboxCounters> Reader::CountOutbox() const {
  Statement rows =
      database_.Prepare("SELECT state, COUNT(*), SUM(expects_receipt) FROM outbox GROUP BY state");
  OutboxCounters counters;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return counters;
    switch (static_cast<OutboxState>(rows.Int(0))) {
      case OutboxState::kWaiting:
        counters.waiting = rows.Int(1);
        break;
      case OutboxState::kConfirmed:
        counters.confirmed = rows.Int(1);
        counters.awaiting_receipt = rows.Int(2);
        break;
      case OutboxState::kRefused:
        counters.refused = rows.Int(1);
        break;
    }
  }
}

absl::Status Transaction::AppendOutbox(const OutboxEntry& entry) {
  ASSIGN_OR_RETURN(const std::optional<OutboxState> present, StateOfOutbox(entry.item_id));
  if (present.has_value()) return Error(v1::REASON_ID_REUSED, "an entry of the outbox");

  int64_t not_before = Millis(entry.not_before);
  if (entry.urgent) {
    RETURN_IF_ERROR(database()
                        .Prepare("UPDATE outbox SET not_before = MIN(not_before, ?) "
                                 "WHERE referral = ? AND state = ?")
                        .Bind(not_before)
                        .Blob(entry.referral.view())
                        .Bind(kWaiting)
                        .Run());
  } else {
    Statement rows =
        database()
            .Prepare("SELECT MAX(not_before) FROM outbox WHERE referral = ? AND state = ?")
            .Blob(entry.referral.view())
            .Bind(kWaiting);
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (row && !rows.IsNull(0)) not_before = std::max(not_before, rows.Int(0));
  }

  ASSIGN_OR_RETURN(
      const SealedRecord sealed,
      database().Seal(kOutbox, {entry.item_id, entry.referral.view()}, entry.submission));
  return database()
      .Prepare(
          "INSERT INTO outbox (item_id, referral, not_before, keep_until, outlives_withdrawal, "
          "expects_receipt, state, reason, key, box) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)")
      .Blob(entry.item_id)
      .Blob(entry.referral.view())
      .Bind(not_before)
      .Bind(Millis(entry.keep_until))
      .Bind(entry.outlives_withdrawal ? 1 : 0)
      .Bind(entry.expects_receipt ? 1 : 0)
      .Bind(kWaiting)
      .Bind(sealed.key)
      .Blob(sealed.box)
      .Run();
}

absl::StatusOr<std::vector<std::string>> Transaction::DropWaiting(const ReferralId& referral) {
  std::vector<std::string> dropped;
  Statement rows = database()
                       .Prepare(
                           "SELECT item_id FROM outbox "
                           "WHERE referral = ? AND state = ? AND outlives_withdrawal = 0")
                       .Blob(referral.view())
                       .Bind(kWaiting);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    dropped.emplace_back(rows.Bytes(0));
  }
  for (const std::string& item_id : dropped) {
    RETURN_IF_ERROR(DeleteItem(database(), item_id));
  }
  database().ScrubAfterCommit();
  return dropped;
}

absl::Status Transaction::MarkOutcome(std::string_view item_id, v1::Reason reason) {
  return database()
      .Prepare("UPDATE outbox SET state = ?, reason = ? WHERE item_id = ? AND state = ?")
      .Bind(reason == v1::REASON_UNSPECIFIED ? kConfirmed : kRefused)
      .Bind(reason)
      .Blob(item_id)
      .Bind(kWaiting)
      .Run();
}

absl::Status Transaction::ReviseOutbox(std::string_view item_id, std::string_view submission) {
  std::string referral;
  int64_t replaced = 0;
  {
    Statement rows =
        database().Prepare("SELECT referral, key FROM outbox WHERE item_id = ?").Blob(item_id);
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    referral = rows.Bytes(0);
    replaced = rows.Int(1);
  }
  ASSIGN_OR_RETURN(const SealedRecord sealed,
                   database().Seal(kOutbox, {item_id, referral}, submission));
  RETURN_IF_ERROR(database()
                      .Prepare("UPDATE outbox SET key = ?, box = ? WHERE item_id = ?")
                      .Bind(sealed.key)
                      .Blob(sealed.box)
                      .Blob(item_id)
                      .Run());
  return database().Prepare("DELETE FROM keys WHERE number = ?").Bind(replaced).Run();
}

absl::Status Transaction::MarkReceipt(const MessageId& id) {
  return DeleteItem(database(), id.view());
}

absl::Status Transaction::ForgetRefused(std::string_view item_id) {
  return DeleteOutbox(database(),
                      "DELETE FROM keys WHERE number = "
                      "(SELECT key FROM outbox WHERE item_id = ? AND state = 3)",
                      "DELETE FROM outbox WHERE item_id = ? AND state = 3", item_id);
}

absl::StatusOr<int> Transaction::ResendConfirmed() {
  RETURN_IF_ERROR(database()
                      .Prepare("UPDATE outbox SET state = ? WHERE state = ?")
                      .Bind(kWaiting)
                      .Bind(kConfirmed)
                      .Run());
  return database().Changes();
}

absl::StatusOr<std::vector<InboxItem>> Reader::NextInbox(int64_t after, size_t max_items) const {
  Statement rows = database_
                       .Prepare(
                           "SELECT number, arrived, key, box FROM inbox WHERE number > ? ORDER BY "
                           "number LIMIT ?")
                       .Bind(after)
                       .Bind(static_cast<int64_t>(max_items));
  std::vector<InboxItem> items;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return items;
    InboxItem& item = items.emplace_back();
    item.number = rows.Int(0);
    ASSIGN_OR_RETURN(
        const SecretBytes message,
        database_.Unseal(kInbox, {std::to_string(item.number)}, rows.Int(2), rows.Bytes(3)));
    item.arrived = absl::FromUnixMillis(rows.Int(1));
    item.message = message.view();
  }
}

absl::StatusOr<int64_t> Reader::CountInbox() const {
  Statement rows = database_.Prepare("SELECT COUNT(*) FROM inbox");
  ASSIGN_OR_RETURN(const bool row, rows.Step());
  return row ? rows.Int(0) : 0;
}

absl::StatusOr<int64_t> Transaction::AppendInbox(std::string_view message, absl::Time arrived) {
  // The number is needed before the row is there, because the box is bound to it.
  Statement last = database().Prepare("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'");
  ASSIGN_OR_RETURN(const bool any, last.Step());
  const int64_t number = any ? last.Int(0) + 1 : 1;
  ASSIGN_OR_RETURN(const SealedRecord sealed,
                   database().Seal(kInbox, {std::to_string(number)}, message));
  RETURN_IF_ERROR(database()
                      .Prepare("INSERT INTO inbox (number, arrived, key, box) VALUES (?, ?, ?, ?)")
                      .Bind(number)
                      .Bind(Millis(arrived))
                      .Bind(sealed.key)
                      .Blob(sealed.box)
                      .Run());
  return number;
}

absl::Status Transaction::RemoveInbox(int64_t number) {
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number = "
                               "(SELECT key FROM inbox WHERE number = ?)")
                      .Bind(number)
                      .Run());
  return database().Prepare("DELETE FROM inbox WHERE number = ?").Bind(number).Run();
}

absl::StatusOr<MailboxPosition> Reader::Position() const {
  ASSIGN_OR_RETURN(const std::optional<SecretBytes> stored, GetSetting(kPosition));
  if (!stored.has_value()) return MailboxPosition();
  if (stored->size() < kEpochSize) return Error(v1::REASON_DATA_CORRUPT, "the mailbox position");
  MailboxPosition position;
  position.epoch = stored->view().substr(0, kEpochSize);
  for (const char digit : stored->view().substr(kEpochSize)) {
    position.cursor = position.cursor * 10 + static_cast<uint64_t>(digit - '0');
  }
  return position;
}

absl::Status Transaction::SetPosition(const MailboxPosition& position) {
  if (position.epoch.size() != kEpochSize) {
    return Error(v1::REASON_FIELD_INVALID, "the hub's epoch is not 16 bytes");
  }
  return PutSetting(kPosition, position.epoch + std::to_string(position.cursor));
}

absl::StatusOr<bool> Reader::SeenBefore(const MessageId& id, absl::Time arrived) const {
  Statement rows = database_.Prepare("SELECT 1 FROM seen WHERE message_id = ? AND until > ?")
                       .Blob(id.view())
                       .Bind(Millis(arrived));
  return rows.Step();
}

absl::Status Transaction::Remember(const MessageId& id, absl::Time until) {
  return database()
      .Prepare(
          "INSERT INTO seen (message_id, until) VALUES (?, ?) "
          "ON CONFLICT (message_id) DO UPDATE SET until = MAX(until, excluded.until)")
      .Blob(id.view())
      .Bind(Millis(until))
      .Run();
}

absl::Status Transaction::Purge(absl::Time now) {
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM seen WHERE until <= ? AND NOT EXISTS "
                               "(SELECT 1 FROM inbox WHERE arrived < until)")
                      .Bind(Millis(now))
                      .Run());
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number IN "
                               "(SELECT key FROM outbox WHERE state = ? AND keep_until <= ?)")
                      .Bind(kConfirmed)
                      .Bind(Millis(now))
                      .Run());
  return database()
      .Prepare("DELETE FROM outbox WHERE state = ? AND keep_until <= ?")
      .Bind(kConfirmed)
      .Bind(Millis(now))
      .Run();
}

}  // namespace waymark::node
