// A store in memory, for tests: of one process, or one of several that share a memory.
//
// What views of one memory do to each other follows server/store/store.h and peers.h to the letter:
// a mailbox's sequences have no gaps, a commit on what another view has changed since it was loaded
// is a CONFLICT, and each view's listener gets the news of the others, at once or when the test
// releases them. Thread-safe; news come on the thread of whoever caused them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sync/sync.h"
#include "server/store/store.h"

namespace waymark::hub {

class MemoryStore;

// What the views share.
struct StoreMemory {
  struct Mailbox {
    uint64_t last = 0;
    std::map<uint64_t, MailboxItem> items;
    // Those whose offline notice has not been taken.
    std::set<uint64_t> urgent;
  };

  Mutex mu;
  std::map<std::string, TokenRecord> tokens ABSL_GUARDED_BY(mu);
  std::map<ReferralId, ReferralRecord> referrals ABSL_GUARDED_BY(mu);
  std::map<MessageId, SeenRecord> seen ABSL_GUARDED_BY(mu);
  // How often the record of a key was written.
  std::map<std::string, uint64_t> versions ABSL_GUARDED_BY(mu);
  std::map<OrganisationId, Mailbox> mailboxes ABSL_GUARDED_BY(mu);
  std::string epoch ABSL_GUARDED_BY(mu) = std::string(16, 'e');
  std::optional<absl::Time> restored_at ABSL_GUARDED_BY(mu);
  uint64_t last_claim ABSL_GUARDED_BY(mu) = 0;
  uint64_t capacity_revision ABSL_GUARDED_BY(mu) = 0;
  std::vector<StatementRow> log ABSL_GUARDED_BY(mu);
  std::vector<StatementRow> capacities ABSL_GUARDED_BY(mu);
  std::map<std::string, InvitationRow> invitations ABSL_GUARDED_BY(mu);
  std::map<std::string, EnrolmentRow> enrolments ABSL_GUARDED_BY(mu);

  // Held while news are told.
  Mutex views_mu;
  std::vector<MemoryStore*> views ABSL_GUARDED_BY(views_mu);
};

class MemoryStore final : public Store {
 public:
  // A store of one process.
  MemoryStore();
  // One of several processes on `memory`.
  explicit MemoryStore(std::shared_ptr<StoreMemory> memory);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Makes the next AppendStatements fail with UNAVAILABLE.
  void FailNextAppend();
  // What others do from now on is told when it is released, in order; or lost.
  void HoldNews();
  void ReleaseNews();
  void LoseNews();
  // Done within the next ClaimSession, between the claim's number and its return.
  void DuringNextClaim(std::function<void()> action);
  // How often a mailbox was read here.
  int reads();
  // As if the memory were a copy from which the store was restored at `now`: another epoch begins.
  void Restore(absl::Time now);

  std::string epoch() const override;
  std::optional<absl::Time> restored_at() const override;
  bool shared() const override { return shared_; }
  void SetPeerListener(PeerListener* listener) override;
  absl::StatusOr<uint64_t> ClaimSession(const OrganisationId& organisation) override;
  absl::Status SendNotices(std::span<const OfflineNotice> notices) override;

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
  using News = std::function<void(PeerListener&)>;

  // Tells the other views.
  void Tell(const News& news);
  void Hear(const News& news);

  const std::shared_ptr<StoreMemory> memory_;
  const bool shared_;
  // What the latest Load saw: the version of each key.
  std::map<std::string, uint64_t> loaded_ ABSL_GUARDED_BY(memory_->mu);
  bool fail_append_ ABSL_GUARDED_BY(memory_->mu) = false;
  int reads_ ABSL_GUARDED_BY(memory_->mu) = 0;
  std::function<void()> during_claim_ ABSL_GUARDED_BY(memory_->mu);

  // Held while the listener is called.
  Mutex news_mu_;
  PeerListener* listener_ ABSL_GUARDED_BY(news_mu_) = nullptr;
  bool held_ ABSL_GUARDED_BY(news_mu_) = false;
  std::deque<News> waiting_ ABSL_GUARDED_BY(news_mu_);
};

}  // namespace waymark::hub
