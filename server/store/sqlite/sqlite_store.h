// The hub's store in one SQLite file: the embedded default, for one hub process.
//
// Shape. Rows lie under increasing numbers and are found through indexes in memory, rebuilt when
// the store opens (schema.h says why); a commit is one write-ahead transaction with one fsync. Acks
// are taken in memory and their rows deleted, zeroed on the disk, with the next commit or a moment
// later by the store's own thread, which also moves the write-ahead log into the file, off the
// commit path. Every row carries a checksum.
//
// Threads: as Store. One connection writes, one reads, one checkpoints. `writer_mu_` and
// `reader_mu_` stand for their connections and are held across the I/O that these serialise anyway;
// no other lock is. Order: writer_mu_ before index_mu_.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "server/store/record_cache.h"
#include "server/store/sqlite/due_index.h"
#include "server/store/sqlite/mailbox_index.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"
#include "server/store/sqlite/store_file.h"
#include "server/store/store.h"

namespace waymark::hub {

class SqliteStore final : public Store {
 public:
  struct Options {
    // The file, created for its owner alone in a folder that exists; `path`.lock keeps other
    // processes out.
    std::string path;
    // Not owned; they outlive the store.
    Random* random = nullptr;
    Clock* clock = &SystemClock();
  };

  // Opens or creates the store and verifies every row that is decided on. UNAVAILABLE when another
  // process has it or the disk refuses, FILE_UNUSABLE when the path cannot be used or the file
  // belongs to another program, VERSION_UNSUPPORTED when a newer program wrote it, DATA_CORRUPT
  // when it does not read back.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const Options& options);

  // Writes what was acknowledged and closes the file.
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  std::string epoch() const override { return epoch_; }
  std::optional<absl::Time> restored_at() const override { return restored_at_; }

  absl::StatusOr<LoadedState> Load(const StateKeys& keys) override;
  absl::Status Commit(std::span<Effects> batch) override;
  absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId& mailbox, MailboxView view,
                                          uint64_t after, size_t max_items, size_t max_bytes,
                                          absl::Time now) override;
  absl::Status Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) override;
  absl::StatusOr<WaitingTotals> CountWaiting() override;
  absl::StatusOr<std::vector<MailboxItem>> TakeOfflineNotices(absl::Time before,
                                                              size_t limit) override;
  absl::StatusOr<SweepResult> Sweep(absl::Time now, size_t limit) override;

  absl::StatusOr<std::optional<StatementRow>> FindStatement(const std::string& subject) override;
  absl::Status AppendStatements(std::span<StatementRow> rows, uint64_t previous_revision) override;
  absl::StatusOr<std::vector<StatementRow>> ReadStatements(bool capacity, uint64_t after,
                                                           size_t max_bytes) override;

  absl::Status PutInvitation(const InvitationRow& row) override;
  absl::StatusOr<std::optional<InvitationRow>> FindInvitation(const std::string& hash) override;
  absl::Status PutEnrolment(const EnrolmentRow& row) override;
  absl::StatusOr<std::optional<EnrolmentRow>> FindEnrolment(const std::string& id) override;
  absl::StatusOr<std::vector<EnrolmentRow>> ListEnrolments(bool include_decided) override;

 private:
  struct Connections {
    std::unique_ptr<FileLock> lock;
    std::unique_ptr<Connection> writer;
    std::unique_ptr<Connection> reader;
    std::unique_ptr<Connection> checkpointer;
  };

  // What a transaction will have changed in the indexes once it is durable.
  struct Changes {
    template <typename Record>
    struct Place {
      int64_t row = 0;
      absl::Time due;
      Record record;
    };
    absl::flat_hash_map<std::string, Place<TokenRecord>> tokens;
    absl::flat_hash_map<ReferralId, Place<ReferralRecord>> referrals;
    absl::flat_hash_map<MessageId, Place<SeenRecord>> seen;
    absl::flat_hash_map<uint64_t, MailboxEntry> added;
    std::vector<uint64_t> removed;
    std::vector<std::string> forgotten_tokens;
    std::vector<ReferralId> forgotten_referrals;
    std::vector<MessageId> forgotten_seen;
  };

  SqliteStore(Connections connections, StoreIdentity identity);

  // Fills the indexes and verifies the rows on the way.
  absl::Status LoadIndexes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  void StartMaintenance();

  // Appends the records of `keys` that the store has, each once.
  template <typename Key, typename Index, typename Record, typename Read>
  absl::Status LoadRecords(const char* sql, const std::vector<Key>& keys, const Index& index,
                           RecordCache<Key, Record>* recent, Read read,
                           std::vector<Record>& records) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);

  // Makes sure that `count` row numbers are there to be assigned.
  absl::Status ReserveRows(size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);

  absl::Status WriteEffects(Effects& effects, Changes& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  // Writes the records of one table; a known key keeps its row.
  template <typename Key, typename Index, typename Record>
  absl::Status WriteRecords(const char* sql, const std::vector<Record>& records, const Index& index,
                            absl::flat_hash_map<Key, Changes::Place<Record>>& places)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status Deliver(MailboxItem& item, Changes& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status Drop(const std::string& token_hash, Changes& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status DeleteItem(uint64_t sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status DeleteRow(const char* sql, int64_t row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  // Takes `changes`, which are durable, into the indexes.
  void Adopt(Changes changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);

  absl::Status SweepItems(absl::Time now, size_t limit, Changes& changes, SweepResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status SweepReferrals(absl::Time now, size_t limit, Changes& changes, SweepResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status SweepRecords(absl::Time now, size_t limit, Changes& changes, SweepResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status SweepRouting(absl::Time now, size_t limit, SweepResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);

  absl::Status AppendStatement(StatementRow& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::StatusOr<uint64_t> LastRevision(bool capacity) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);

  // Deletes the rows of acknowledged items. With the rows it took still in `taken`, so that a
  // failed transaction can give them back.
  absl::Status DeleteAcked(std::vector<uint64_t>& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  void ReturnAcked(const std::vector<uint64_t>& taken) ABSL_LOCKS_EXCLUDED(index_mu_);
  // These rows are durably gone.
  void ForgetTold(const std::vector<uint64_t>& deleted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  absl::Status FlushAcks() ABSL_LOCKS_EXCLUDED(writer_mu_);

  void Maintain();
  // Moves the log into the file, so that it begins anew. UNAVAILABLE: somebody reads for long.
  absl::Status Checkpoint() ABSL_LOCKS_EXCLUDED(writer_mu_);
  // There is something for the maintenance thread.
  void NoteWork() ABSL_LOCKS_EXCLUDED(maintenance_mu_);

  const std::string epoch_;
  const std::optional<absl::Time> restored_at_;
  const std::unique_ptr<FileLock> lock_;

  Mutex writer_mu_;
  const std::unique_ptr<Connection> writer_ ABSL_PT_GUARDED_BY(writer_mu_);
  int64_t next_row_ ABSL_GUARDED_BY(writer_mu_);
  int64_t reserved_ ABSL_GUARDED_BY(writer_mu_);
  DueIndex<HashKey> tokens_ ABSL_GUARDED_BY(writer_mu_);
  DueIndex<ReferralId> referrals_ ABSL_GUARDED_BY(writer_mu_);
  DueIndex<MessageId> seen_ ABSL_GUARDED_BY(writer_mu_);
  // The rows of the table of those told.
  absl::flat_hash_set<uint64_t> told_ ABSL_GUARDED_BY(writer_mu_);
  // As the rows have them; what is not here is read.
  RecordCache<std::string, TokenRecord> recent_tokens_ ABSL_GUARDED_BY(writer_mu_);
  RecordCache<ReferralId, ReferralRecord> recent_referrals_ ABSL_GUARDED_BY(writer_mu_);

  Mutex reader_mu_;
  const std::unique_ptr<Connection> reader_ ABSL_PT_GUARDED_BY(reader_mu_);

  Mutex index_mu_;
  MailboxIndex mailboxes_ ABSL_GUARDED_BY(index_mu_);
  // Items that the index no longer has and the file still has.
  std::vector<uint64_t> acked_ ABSL_GUARDED_BY(index_mu_);

  // Used by the maintenance thread only.
  const std::unique_ptr<Connection> checkpointer_;
  // Pages in the write-ahead log after the latest commit.
  std::atomic<int> log_pages_ = 0;

  Mutex maintenance_mu_;
  CondVar maintenance_wake_;
  bool work_ ABSL_GUARDED_BY(maintenance_mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(maintenance_mu_) = false;
  std::thread maintenance_;
};

}  // namespace waymark::hub
