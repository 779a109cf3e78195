#include "server/store/sqlite/sqlite_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status/status.h"
#include "server/store/sqlite/rows.h"

namespace waymark::hub {
namespace {

// Row numbers are promised to the file in blocks, so that none is used twice after a crash.
constexpr int64_t kReservation = 65536;

// Records of each kind that are kept in memory, and as many again: some 10 MiB.
constexpr size_t kRecentRecords = 16384;

// How long acks wait for a commit that takes them along.
constexpr auto kAckDelay = std::chrono::milliseconds(50);
// The write-ahead log that starts a checkpoint under load: 16 MiB.
constexpr int kCheckpointPages = 1024;
// After so long without work the log is emptied, so that it keeps nothing that was acknowledged.
constexpr absl::Duration kIdle = absl::Seconds(1);

constexpr char kPutToken[] =
    "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kPutReferral[] =
    "INSERT OR REPLACE INTO referral VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kPutSeen[] = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)";
constexpr char kInsertItem[] = "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kInsertRouting[] = "INSERT INTO routing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kDeleteItem[] = "DELETE FROM item WHERE sequence = ?";
constexpr char kDeleteTold[] = "DELETE FROM told WHERE sequence = ?";

absl::Time DueOf(const TokenRecord& token) { return token.valid_until + kTokenRetention; }
absl::Time DueOf(const ReferralRecord& referral) {
  return std::min(referral.state_until, referral.forget_at);
}
absl::Time DueOf(const SeenRecord& seen) { return seen.remember_until; }

const std::string& KeyOf(const TokenRecord& token) { return token.hash; }
const ReferralId& KeyOf(const ReferralRecord& referral) { return referral.id; }
const MessageId& KeyOf(const SeenRecord& seen) { return seen.id; }

// As what the indexes have a key.
HashKey IndexKeyOf(const std::string& token_hash) { return HashKeyOf(token_hash); }
template <typename Tag>
const Id<Tag>& IndexKeyOf(const Id<Tag>& id) {
  return id;
}

size_t RowsOf(const Effects& effects) {
  return effects.put_tokens.size() + effects.put_referrals.size() + effects.put_seen.size() +
         effects.deliver.size() + effects.log.size();
}

// Calls `use` with every row of a table, verified.
template <typename Read, typename Use>
absl::Status ForEachRow(Connection& connection, const char* sql, Read read, Use use) {
  ASSIGN_OR_RETURN(Statement rows, connection.Prepare(sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto row, read(rows));
    use(row);
  }
}

}  // namespace

// Opening and closing -----------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const Options& options) {
  Connections connections;
  ASSIGN_OR_RETURN(connections.lock, FileLock::Acquire(options.path + ".lock"));
  RETURN_IF_ERROR(EnsurePrivateFile(options.path));
  ASSIGN_OR_RETURN(connections.writer, OpenWriter(options.path));
  RETURN_IF_ERROR(PrepareSchema(*connections.writer, options.path));
  ASSIGN_OR_RETURN(StoreIdentity identity, PrepareIdentity(*connections.writer, options.path,
                                                           *options.random, options.clock->Now()));
  ASSIGN_OR_RETURN(connections.reader, OpenReader(options.path));
  ASSIGN_OR_RETURN(connections.checkpointer, OpenCheckpointer(options.path));
  auto store =
      std::unique_ptr<SqliteStore>(new SqliteStore(std::move(connections), std::move(identity)));
  {
    MutexLock writer(store->writer_mu_);
    RETURN_IF_ERROR(store->LoadIndexes());
  }
  store->StartMaintenance();
  return store;
}

SqliteStore::SqliteStore(Connections connections, StoreIdentity identity)
    : epoch_(std::move(identity.epoch)),
      restored_at_(identity.restored_at),
      lock_(std::move(connections.lock)),
      writer_(std::move(connections.writer)),
      next_row_(identity.reserved),
      reserved_(identity.reserved),
      recent_tokens_(kRecentRecords),
      recent_referrals_(kRecentRecords),
      reader_(std::move(connections.reader)),
      checkpointer_(std::move(connections.checkpointer)) {}

SqliteStore::~SqliteStore() {
  if (maintenance_.joinable()) {
    {
      MutexLock lock(maintenance_mu_);
      stopping_ = true;
    }
    maintenance_wake_.SignalAll();
    maintenance_.join();
  }
  // What cannot be written now is delivered again.
  FlushAcks().IgnoreError();
}

absl::Status SqliteStore::LoadIndexes() {
  MutexLock index(index_mu_);
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM told", ReadTold,
                             [&](int64_t row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                               told_.insert(static_cast<uint64_t>(row));
                             }));
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM item ORDER BY sequence", ReadItem,
                             [&](MailboxItem& item) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                               mailboxes_.Add(item.sequence, EntryOf(item));
                             }));
  for (const uint64_t told : told_) mailboxes_.MarkTold(told);
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM token", ReadToken,
                             [&](const auto& token) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                               tokens_.Put(IndexKeyOf(token.record.hash), token.row,
                                           DueOf(token.record));
                             }));
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM referral", ReadReferral,
                             [&](const auto& referral) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                               referrals_.Put(referral.record.id, referral.row,
                                              DueOf(referral.record));
                             }));
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM seen", ReadSeen,
                             [&](const auto& seen) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                               seen_.Put(seen.record.id, seen.row, DueOf(seen.record));
                             }));
  // Documents are found through the file's own indexes; here they are only verified.
  const auto verified = [](const auto&) {};
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM statement", ReadStatement, verified));
  RETURN_IF_ERROR(ForEachRow(*writer_, "SELECT * FROM invitation", ReadInvitation, verified));
  return ForEachRow(*writer_, "SELECT * FROM enrolment", ReadEnrolment, verified);
}

// Loading and committing --------------------------------------------------------------------------

absl::StatusOr<LoadedState> SqliteStore::Load(const StateKeys& keys) {
  MutexLock writer(writer_mu_);
  LoadedState state;
  RETURN_IF_ERROR(LoadRecords("SELECT * FROM token WHERE row = ?", keys.token_hashes, tokens_,
                              &recent_tokens_, ReadToken, state.tokens));
  RETURN_IF_ERROR(LoadRecords("SELECT * FROM referral WHERE row = ?", keys.referrals, referrals_,
                              &recent_referrals_, ReadReferral, state.referrals));
  // An answer is asked for again only when it was lost.
  RecordCache<MessageId, SeenRecord>* const none = nullptr;
  RETURN_IF_ERROR(LoadRecords("SELECT * FROM seen WHERE row = ?", keys.messages, seen_, none,
                              ReadSeen, state.seen));
  return state;
}

template <typename Key, typename Index, typename Record, typename Read>
absl::Status SqliteStore::LoadRecords(const char* sql, const std::vector<Key>& keys,
                                      const Index& index, RecordCache<Key, Record>* recent,
                                      Read read, std::vector<Record>& records) {
  // In the order of their rows, which lie together that were written together.
  std::vector<std::pair<int64_t, const Key*>> rows;
  for (const Key& key : keys) {
    if (const auto row = index.Find(IndexKeyOf(key))) rows.emplace_back(*row, &key);
  }
  std::sort(rows.begin(), rows.end());
  const auto same_row = [](const auto& a, const auto& b) { return a.first == b.first; };
  rows.erase(std::unique(rows.begin(), rows.end(), same_row), rows.end());
  for (const auto& [row, key] : rows) {
    const Record* known = recent == nullptr ? nullptr : recent->Find(*key);
    if (known != nullptr) {
      records.push_back(*known);
      continue;
    }
    ASSIGN_OR_RETURN(Statement select, writer_->Prepare(sql));
    ASSIGN_OR_RETURN(const bool found, select.Bind(row).Step());
    if (!found) return Error(v1::REASON_DATA_CORRUPT, "the store has lost a row");
    ASSIGN_OR_RETURN(Numbered<Record> numbered, read(select));
    if (recent != nullptr) recent->Put(*key, numbered.record);
    records.push_back(std::move(numbered.record));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Commit(std::span<Effects> batch) {
  MutexLock writer(writer_mu_);
  size_t rows = 0;
  for (const Effects& effects : batch) rows += RowsOf(effects);
  RETURN_IF_ERROR(ReserveRows(rows));

  std::vector<uint64_t> acked;
  Changes changes;
  absl::Status status = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
    // First, so that new items lie where these lay: a page that stays free is written too, to wipe
    // it.
    RETURN_IF_ERROR(DeleteAcked(acked));
    for (Effects& effects : batch) RETURN_IF_ERROR(WriteEffects(effects, changes));
    return transaction.Commit();
  }();
  if (!status.ok()) {
    ReturnAcked(acked);
    return status;
  }
  ForgetTold(acked);
  Adopt(std::move(changes));
  NoteWork();
  return absl::OkStatus();
}

absl::Status SqliteStore::ReserveRows(size_t count) {
  const int64_t end = next_row_ + static_cast<int64_t>(count);
  if (end <= reserved_) return absl::OkStatus();
  RETURN_IF_ERROR(Reserve(*writer_, end + kReservation));
  reserved_ = end + kReservation;
  return absl::OkStatus();
}

absl::Status SqliteStore::WriteEffects(Effects& effects, Changes& changes) {
  RETURN_IF_ERROR(WriteRecords(kPutToken, effects.put_tokens, tokens_, changes.tokens));
  RETURN_IF_ERROR(WriteRecords(kPutReferral, effects.put_referrals, referrals_, changes.referrals));
  RETURN_IF_ERROR(WriteRecords(kPutSeen, effects.put_seen, seen_, changes.seen));
  for (const DropUndelivered& drop : effects.drop) {
    RETURN_IF_ERROR(Drop(drop.token_hash, changes));
  }
  for (MailboxItem& item : effects.deliver) RETURN_IF_ERROR(Deliver(item, changes));
  if (effects.log.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Statement insert, writer_->Prepare(kInsertRouting));
  for (const RoutingRecord& line : effects.log) {
    RETURN_IF_ERROR(BindRow(insert, next_row_++, line).Run());
  }
  return absl::OkStatus();
}

template <typename Key, typename Index, typename Record>
absl::Status SqliteStore::WriteRecords(const char* sql, const std::vector<Record>& records,
                                       const Index& index,
                                       absl::flat_hash_map<Key, Changes::Place<Record>>& places) {
  if (records.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Statement put, writer_->Prepare(sql));
  for (const Record& record : records) {
    Changes::Place<Record>& place = places[KeyOf(record)];
    if (place.row == 0) {
      const auto known = index.Find(IndexKeyOf(KeyOf(record)));
      place.row = known ? *known : next_row_++;
    }
    place.due = DueOf(record);
    place.record = record;
    RETURN_IF_ERROR(BindRow(put, place.row, record).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Deliver(MailboxItem& item, Changes& changes) {
  const int64_t row = next_row_++;
  item.sequence = static_cast<uint64_t>(row);
  const MailboxEntry entry = EntryOf(item);
  ASSIGN_OR_RETURN(Statement insert, writer_->Prepare(kInsertItem));
  RETURN_IF_ERROR(BindRow(insert, row, item).Run());
  changes.added.emplace(item.sequence, entry);
  return absl::OkStatus();
}

absl::Status SqliteStore::Drop(const std::string& token_hash, Changes& changes) {
  const HashKey token = HashKeyOf(token_hash);
  std::vector<uint64_t> dropped;
  {
    MutexLock index(index_mu_);
    dropped = mailboxes_.UnderToken(token_hash);
  }
  for (const auto& [sequence, entry] : changes.added) {
    if (entry.under_token && entry.token == token) dropped.push_back(sequence);
  }
  for (const uint64_t sequence : dropped) {
    RETURN_IF_ERROR(DeleteItem(sequence));
    changes.added.erase(sequence);
    changes.removed.push_back(sequence);
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::DeleteItem(uint64_t sequence) {
  const auto row = static_cast<int64_t>(sequence);
  RETURN_IF_ERROR(DeleteRow(kDeleteItem, row));
  return told_.contains(sequence) ? DeleteRow(kDeleteTold, row) : absl::OkStatus();
}

absl::Status SqliteStore::DeleteRow(const char* sql, int64_t row) {
  ASSIGN_OR_RETURN(Statement remove, writer_->Prepare(sql));
  return remove.Bind(row).Run();
}

void SqliteStore::Adopt(Changes changes) {
  for (auto& [key, place] : changes.tokens) {
    tokens_.Put(IndexKeyOf(key), place.row, place.due);
    recent_tokens_.Put(key, std::move(place.record));
  }
  for (auto& [key, place] : changes.referrals) {
    referrals_.Put(key, place.row, place.due);
    recent_referrals_.Put(key, std::move(place.record));
  }
  for (const auto& [key, place] : changes.seen) seen_.Put(key, place.row, place.due);
  for (const auto& key : changes.forgotten_tokens) {
    tokens_.Erase(IndexKeyOf(key));
    recent_tokens_.Erase(key);
  }
  for (const auto& key : changes.forgotten_referrals) {
    referrals_.Erase(key);
    recent_referrals_.Erase(key);
  }
  for (const auto& key : changes.forgotten_seen) seen_.Erase(key);
  ForgetTold(changes.removed);
  MutexLock index(index_mu_);
  for (const auto& [sequence, entry] : changes.added) mailboxes_.Add(sequence, entry);
  for (const uint64_t sequence : changes.removed) mailboxes_.Remove(sequence);
}

// Mailboxes ---------------------------------------------------------------------------------------

absl::StatusOr<MailboxPage> SqliteStore::ReadMailbox(const OrganisationId& mailbox,
                                                     MailboxView view, uint64_t after,
                                                     size_t max_items, size_t max_bytes,
                                                     absl::Time now) {
  MailboxIndex::Page place;
  {
    MutexLock index(index_mu_);
    place = mailboxes_.Read(mailbox, view, after, max_items, max_bytes, now);
  }
  MailboxPage page;
  page.more = place.more;
  MutexLock reader(reader_mu_);
  ASSIGN_OR_RETURN(Statement select, reader_->Prepare("SELECT * FROM item WHERE sequence = ?"));
  for (const uint64_t sequence : place.sequences) {
    ASSIGN_OR_RETURN(const bool found, select.Bind(static_cast<int64_t>(sequence)).Step());
    // Acknowledged or dropped since the index was asked.
    if (!found) {
      select.Reset();
      continue;
    }
    ASSIGN_OR_RETURN(MailboxItem item, ReadItem(select));
    page.items.push_back(std::move(item));
    select.Reset();
  }
  return page;
}

absl::Status SqliteStore::Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) {
  {
    MutexLock index(index_mu_);
    const std::vector<uint64_t> sequences = mailboxes_.Through(mailbox, view, through);
    if (sequences.empty()) return absl::OkStatus();
    for (const uint64_t sequence : sequences) mailboxes_.Remove(sequence);
    acked_.insert(acked_.end(), sequences.begin(), sequences.end());
  }
  NoteWork();
  return absl::OkStatus();
}

absl::StatusOr<WaitingTotals> SqliteStore::CountWaiting() {
  MutexLock index(index_mu_);
  return mailboxes_.CountWaiting();
}

absl::Status SqliteStore::DeleteAcked(std::vector<uint64_t>& taken) {
  {
    MutexLock index(index_mu_);
    taken = std::exchange(acked_, {});
  }
  for (const uint64_t sequence : taken) RETURN_IF_ERROR(DeleteItem(sequence));
  return absl::OkStatus();
}

void SqliteStore::ReturnAcked(const std::vector<uint64_t>& taken) {
  MutexLock index(index_mu_);
  acked_.insert(acked_.end(), taken.begin(), taken.end());
}

void SqliteStore::ForgetTold(const std::vector<uint64_t>& deleted) {
  if (told_.empty()) return;
  for (const uint64_t sequence : deleted) told_.erase(sequence);
}

absl::Status SqliteStore::FlushAcks() {
  MutexLock writer(writer_mu_);
  {
    MutexLock index(index_mu_);
    if (acked_.empty()) return absl::OkStatus();
  }
  std::vector<uint64_t> taken;
  absl::Status status = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
    RETURN_IF_ERROR(DeleteAcked(taken));
    return transaction.Commit();
  }();
  if (status.ok()) {
    ForgetTold(taken);
  } else {
    ReturnAcked(taken);
  }
  return status;
}

// Maintenance -------------------------------------------------------------------------------------

void SqliteStore::StartMaintenance() {
  {
    MutexLock writer(writer_mu_);
    sqlite3_wal_hook(
        writer_->handle(),
        [](void* log_pages, sqlite3*, const char*, int pages) {
          static_cast<std::atomic<int>*>(log_pages)->store(pages, std::memory_order_relaxed);
          return SQLITE_OK;
        },
        &log_pages_);
  }
  maintenance_ = std::thread([this] { Maintain(); });
}

void SqliteStore::NoteWork() {
  MutexLock lock(maintenance_mu_);
  if (work_) return;
  work_ = true;
  maintenance_wake_.Signal();
}

void SqliteStore::Maintain() {
  // Whether the log may hold something.
  bool dirty = true;
  int checkpoint_at = kCheckpointPages;
  maintenance_mu_.Lock();
  while (!stopping_) {
    if (!work_ && dirty) {
      if (maintenance_wake_.WaitFor(maintenance_mu_, kIdle) || work_ || stopping_) continue;
      maintenance_mu_.Unlock();
      // Refused while someone reads; the next quiet moment comes.
      dirty = !checkpointer_->Checkpoint(SQLITE_CHECKPOINT_TRUNCATE).ok();
      maintenance_mu_.Lock();
      continue;
    }
    if (!work_) {
      maintenance_wake_.Wait(maintenance_mu_);
      continue;
    }
    const auto until = std::chrono::steady_clock::now() + kAckDelay;
    while (!stopping_ && std::chrono::steady_clock::now() < until) {
      maintenance_wake_.WaitFor(maintenance_mu_,
                                absl::FromChrono(until - std::chrono::steady_clock::now()));
    }
    work_ = false;
    maintenance_mu_.Unlock();
    // Kept in memory if it fails, and written with the next commit.
    FlushAcks().IgnoreError();
    const int pages = log_pages_.load(std::memory_order_relaxed);
    if (pages >= checkpoint_at) {
      // While a backup reads, the log cannot begin anew; to try it holds the writer up, so that it
      // is tried again only when as much has come again.
      checkpoint_at = kCheckpointPages + (Checkpoint().ok() ? 0 : pages);
    }
    dirty = true;
    maintenance_mu_.Lock();
  }
  maintenance_mu_.Unlock();
}

absl::Status SqliteStore::Checkpoint() {
  // The bulk beside the writer; then, with the writer held for the little that came meanwhile, so
  // that the log begins anew instead of growing. A checkpoint that fails loses nothing and is tried
  // again.
  checkpointer_->Checkpoint(SQLITE_CHECKPOINT_PASSIVE).IgnoreError();
  MutexLock writer(writer_mu_);
  return checkpointer_->Checkpoint(SQLITE_CHECKPOINT_RESTART);
}

}  // namespace waymark::hub
