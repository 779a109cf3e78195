// The hub's store in a PostgreSQL database, for several hub processes at once.
//
// Shape. A batch is loaded in one round trip and committed in another, as one transaction of a few
// statements over arrays; what was loaded is held against what is there at commit (CONFLICT). Much
// of it is loaded from memory (Recollection): all of it, mostly, while no other process is heard
// of. Sequences count without gaps, from a row per mailbox that a commit holds until it is durable.
// Acks are taken in memory and written a moment later by a thread of their own, which no commit
// waits for the disk with. What others did is told by News.
//
// A commit whose answer is lost is settled, never guessed: each writing connection has a row that
// holds the random number of its latest batch, changed in the batch's own transaction. The store
// asks for the row, for as long as it takes; if the number is not there it writes another, with
// which the lost transaction can never commit. It asks in a transaction of its own, so that with
// synchronous standbys the answer is on them, too, and the same holds at a standby that was
// promoted. Until then Commit does not return, unless Interrupt is called because the process ends.
//
// Threads: as Store. Four connections: `writer_` for Load and Commit, `reader_` for mailboxes and
// sessions, `office_` for acks, clocks and documents, and the one of News. Each mutex stands for
// its connection and is held across the I/O that it serialises anyway; no other lock is.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "server/store/postgres/commit_plan.h"
#include "server/store/postgres/link.h"
#include "server/store/postgres/news.h"
#include "server/store/postgres/recollection.h"
#include "server/store/postgres/schema.h"
#include "server/store/store.h"

namespace waymark::hub {

class PostgresStore final : public Store {
 public:
  struct Options {
    PgTarget target;
    // Not owned; they outlive the store. The clock dates batches, for their sweeping.
    Random* random = nullptr;
    Clock* clock = &SystemClock();
    // Of the attempts to reach a database that is away.
    absl::Duration first_pause = absl::Milliseconds(50);
    absl::Duration longest_pause = absl::Seconds(5);
    absl::Duration poll_interval = absl::Seconds(3);
    // How long acks wait for others.
    absl::Duration ack_delay = absl::Milliseconds(50);
  };

  // Connects, and makes the tables or brings them forward. UNAVAILABLE: the database is away;
  // CONFIG_INVALID: the URL, user, password or certificate is refused; VERSION_UNSUPPORTED: a newer
  // program wrote it; FILE_UNUSABLE: another program did.
  static absl::StatusOr<std::unique_ptr<PostgresStore>> Open(const Options& options);

  // Writes what was acknowledged, if the database is there.
  ~PostgresStore() override;
  PostgresStore(const PostgresStore&) = delete;
  PostgresStore& operator=(const PostgresStore&) = delete;

  std::string epoch() const override { return epoch_; }
  std::optional<absl::Time> restored_at() const override { return restored_at_; }
  bool shared() const override { return true; }
  void Interrupt() override { interruption_.Interrupt(); }
  void SetPeerListener(PeerListener* listener) override { news_->SetListener(listener); }
  absl::StatusOr<uint64_t> ClaimSession(const OrganisationId& organisation) override;
  absl::Status SendNotices(std::span<const OfflineNotice> notices) override;

  absl::StatusOr<LoadedState> Load(const StateKeys& keys) override;
  absl::Status Commit(std::span<Effects> batch) override;
  absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId& mailbox, MailboxView view,
                                          uint64_t after, size_t max_items, size_t max_bytes,
                                          absl::Time now) override;
  std::vector<absl::StatusOr<MailboxPage>> ReadMailboxes(std::span<const PageQuery> queries,
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
  // Up to where a mailbox has been acknowledged, as a whole and its revocations.
  struct Acked {
    uint64_t all = 0;
    uint64_t revocations = 0;
    friend bool operator==(const Acked&, const Acked&) = default;
  };
  using Acks = absl::flat_hash_map<OrganisationId, Acked>;

  PostgresStore(const Options& options, PgEpoch epoch);
  PgLink::Options LinkOptions(const Options& options);

  // A link over which is committed durably, and the latest batch.
  struct Pen {
    PgLink link;
    BatchMark mark;
  };

  // Makes the writer's row.
  absl::Status Enrol(Pen& pen);
  // Numbers the next batch.
  void Number(Pen& pen);
  // Sends a transaction that marks the batch `pen.mark.next`, on `connection`, or on a new one if
  // it is null, and returns its reply. OK: it is durable; `reply.rows` is empty, and `lasts`
  // filled, if it had to be settled. Else nothing of it was applied, unless interrupted.
  PgReply RunDurably(Pen& pen, PgConnection* connection, std::span<const PgCommand> commands,
                     std::vector<int64_t>& lasts);
  // Finds out whether the batch was committed.
  absl::StatusOr<bool> Settle(Pen& pen, std::vector<int64_t>& lasts);
  // Runs one statement that changes something, durably.
  absl::Status WriteDurably(PgCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(office_mu_);

  // Reads `keys`, of which `loaded_` has the version 0 so far.
  absl::Status ReadState(const LoadedVersions& keys, LoadedState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mu_);
  void TellCommitted(const CommitPlan& plan, const std::vector<int64_t>& lasts);

  // Writes what was acknowledged.
  absl::Status FlushAcks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(office_mu_);
  void RunAcks();
  // Waits so long, or until the store closes.
  void PauseAcks(absl::Duration pause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(acks_mu_);
  Acked AckedOf(const OrganisationId& mailbox) ABSL_LOCKS_EXCLUDED(acks_mu_);
  PgCommand PageCommand(const PageQuery& query, absl::Time now) ABSL_LOCKS_EXCLUDED(acks_mu_);

  // The parts of a sweep, in the open transaction of one.
  absl::Status SweepItems(PgConnection& connection, absl::Time now, size_t limit,
                          SweepResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(office_mu_);
  absl::Status SweepReferrals(PgConnection& connection, absl::Time now, size_t limit,
                              SweepResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(office_mu_);
  absl::Status SweepRecords(PgConnection& connection, absl::Time now, size_t limit,
                            SweepResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(office_mu_);

  const std::string epoch_;
  const std::optional<absl::Time> restored_at_;
  const absl::Duration ack_delay_;
  Random* const random_;
  Clock* const clock_;
  Interruption interruption_;

  Mutex writer_mu_;
  Pen writer_ ABSL_GUARDED_BY(writer_mu_);
  // What the latest Load returned.
  LoadedVersions loaded_ ABSL_GUARDED_BY(writer_mu_);
  Recollection recollection_ ABSL_GUARDED_BY(writer_mu_);
  // Until when nothing is assumed, because it was wrong to.
  absl::Time doubt_until_ ABSL_GUARDED_BY(writer_mu_) = absl::InfinitePast();

  Mutex reader_mu_;
  PgLink reader_ ABSL_GUARDED_BY(reader_mu_);

  Mutex office_mu_;
  Pen office_ ABSL_GUARDED_BY(office_mu_);

  Mutex acks_mu_;
  CondVar acks_changed_;
  // What was acknowledged and may still be in the database.
  Acks acks_ ABSL_GUARDED_BY(acks_mu_);
  bool stopping_ ABSL_GUARDED_BY(acks_mu_) = false;

  std::unique_ptr<News> news_;
  std::thread ack_thread_;
};

}  // namespace waymark::hub
