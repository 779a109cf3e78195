// The hub's durable memory, cut from what the hub does and not from tables.
//
// Collaborators: the committer is the only caller of Load and Commit for traffic; the dispatcher
// reads mailboxes and acknowledges; the directory and registry rooms keep their documents here.
// Backends: server/store/sqlite, for one hub process, and server/store/postgres, for several on one
// database. Each passes tests/server/store_conformance.
//
// Threads: every method may be called from any thread; calls block on I/O and are therefore made
// from the hub's own threads, never from a gRPC reaction. Lifetime: outlives everything that uses
// it.
//
// Errors: UNAVAILABLE when the medium refuses for now (nothing was changed), RESOURCE_EXHAUSTED
// (QUOTA_EXCEEDED) when it is full (nothing was changed), DATA_LOSS (DATA_CORRUPT) when what is
// stored does not read back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/store/peers.h"
#include "server/store/records.h"

namespace waymark::hub {

// The keys that a batch of items touches.
struct StateKeys {
  std::vector<std::string> token_hashes;
  std::vector<ReferralId> referrals;
  std::vector<MessageId> messages;
  // Of those, what an item registers or begins: it is hardly there yet.
  std::vector<std::string> new_tokens = {};
  std::vector<ReferralId> new_referrals = {};
  // Whether the store may assume, without a look, that all is as this process left it and that what
  // is new is not there. A Commit finds out.
  bool may_assume = false;
};

// What is stored under StateKeys; absent keys are left out.
struct LoadedState {
  std::vector<TokenRecord> tokens;
  std::vector<ReferralRecord> referrals;
  std::vector<SeenRecord> seen;
  // Whether some of it was assumed. Nothing may rest on that alone: whoever has nothing to commit
  // loads again.
  bool assumed = false;
};

// Which items of a mailbox are meant.
enum class MailboxView {
  kAll,
  // REVOKE alone: what a suspended member still receives. Everything else stays where it is.
  kRevocations,
};

// A page of a mailbox, in order of sequence.
struct MailboxPage {
  std::vector<MailboxItem> items;
  // True when the mailbox holds more after these.
  bool more = false;
};

// What ReadMailbox is asked.
struct PageQuery {
  OrganisationId mailbox;
  MailboxView view = MailboxView::kAll;
  uint64_t after = 0;
  size_t max_items = 0;
  size_t max_bytes = 0;
};

// What waits in all mailboxes together, and nothing about any of them.
struct WaitingTotals {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  // Mailboxes that hold something.
  uint64_t mailboxes = 0;
  // When the item that waits longest was stored; nullopt when nothing waits.
  std::optional<absl::Time> oldest;

  friend bool operator==(const WaitingTotals&, const WaitingTotals&) = default;
};

// What Sweep removed or ended.
struct SweepResult {
  std::vector<ReferralRecord> expired_referrals;
  uint64_t expired_messages = 0;
  uint64_t forgotten = 0;
};

// A signed statement in the directory. `subject` names what it is about: "<kind>/<32 hex digits>".
struct StatementRow {
  // Log revision, or capacity revision for a capacity statement; assigned by the store.
  uint64_t revision = 0;
  std::string subject;
  OrganisationId organisation;
  uint64_t version = 0;
  bool capacity = false;
  // The serialised v1::SignedStatement; empty when a later one replaced it.
  std::string statement;
  // 32 bytes, chained by the directory room.
  std::string digest;
  std::string head;
};

// A certificate request and what became of it. The key is `request_id` (32 bytes).
struct EnrolmentRow {
  std::string request_id;
  OrganisationId organisation;
  // 32 bytes; empty for a renewal.
  std::string invitation_hash;
  bool renewal = false;
  // v1::EnrolmentState.
  int state = 0;
  absl::Time requested_at;
  // The serialised v1::Enrolment as queued, and v1::GetEnrolmentResponse once decided.
  std::string request;
  std::string response;
};

// An announced invitation. The key is `hash` (32 bytes).
struct InvitationRow {
  std::string hash;
  OrganisationId organisation;
  absl::Time expires_at;
  // Empty until used; then the request it was used for.
  std::string used_by;
};

class Store {
 public:
  virtual ~Store() = default;

  // 16 bytes: changes when the store was restored from a copy.
  virtual std::string epoch() const = 0;

  // When the present epoch was begun by such a restore, nullopt if it was not. What the copy had of
  // referrals, of tokens that stood, of answers and of mail under a token was let go of then: their
  // courses went on without it. Tokens are registered again by their issuers, referrals are taken
  // up where their next message finds them, and mail is sent again by whoever has no receipt.
  virtual std::optional<absl::Time> restored_at() const { return std::nullopt; }

  // The process ends and nobody waits for an answer any more: calls that wait for a medium that is
  // away end with UNAVAILABLE, even if it is not known what became of them.
  virtual void Interrupt() {}

  // Traffic ------------------------------------------------------------------------------------

  // Returns everything stored under `keys` in one round trip. What it returned holds until the next
  // Commit or Load: no other process changes or removes it, nor adds what was found absent, in
  // between, or else that Commit fails with CONFLICT. So does the Commit on what was assumed and is
  // not so.
  virtual absl::StatusOr<LoadedState> Load(const StateKeys& keys) = 0;

  // Applies all of `batch`, in order, in one transaction that is durable when this returns OK, and
  // assigns `sequence` of every delivered item in place. On error nothing was applied: if the
  // medium is lost in mid-commit, it does not return before that is known, or before Interrupt.
  // CONFLICT: another process changed what the latest Load returned; load and decide again.
  virtual absl::Status Commit(std::span<Effects> batch) = 0;

  // Returns up to `max_items` items of `view` of `mailbox` after `after`, and no more than
  // `max_bytes` of messages unless the first alone is larger; expired items are left out.
  virtual absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId& mailbox, MailboxView view,
                                                  uint64_t after, size_t max_items,
                                                  size_t max_bytes, absl::Time now) = 0;

  // Answers each of `queries` as ReadMailbox does, in their order: one that fails says nothing of
  // the others. Cheaper than one by one where the store is another process.
  virtual std::vector<absl::StatusOr<MailboxPage>> ReadMailboxes(std::span<const PageQuery> queries,
                                                                 absl::Time now) {
    std::vector<absl::StatusOr<MailboxPage>> pages;
    for (const PageQuery& query : queries) {
      pages.push_back(ReadMailbox(query.mailbox, query.view, query.after, query.max_items,
                                  query.max_bytes, now));
    }
    return pages;
  }

  // Forgets every item of `view` of `mailbox` up to and including `through`. Idempotent. Seen by
  // every later call; need not be durable at once: an ack lost in a crash is repeated delivery.
  virtual absl::Status Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) = 0;

  // Returns what waits, from counters that the store keeps: cheap enough to ask every second. An
  // item counts until it is acknowledged, dropped or swept.
  virtual absl::StatusOr<WaitingTotals> CountWaiting() = 0;

  // Returns the oldest undelivered items of U0 and U1 stored before `before`, whose offline notice
  // has not been taken, and takes it durably; at most `limit`.
  virtual absl::StatusOr<std::vector<MailboxItem>> TakeOfflineNotices(absl::Time before,
                                                                      size_t limit) = 0;

  // Ends what `now` ends: expired messages, referral states past `state_until` (they become
  // EXPIRED, forgotten kEndedReferralRetention later), and records past their retention: referrals
  // at `forget_at`, answers at `remember_until`, tokens kTokenRetention after `valid_until`, the
  // routing log after kRoutingRetention. At most `limit` of each; call again while any is non-zero.
  virtual absl::StatusOr<SweepResult> Sweep(absl::Time now, size_t limit) = 0;

  // Other processes ----------------------------------------------------------------------------

  // Whether other hub processes may use the same store. If so, the sequences of a mailbox have no
  // gaps: whoever has seen n and is given n + 2 knows that n + 1 is there to be read.
  virtual bool shared() const { return false; }

  // `listener` learns of the other processes from now on, nullptr for nobody; when this returns, no
  // call to the one before is running. Not owned.
  virtual void SetPeerListener(PeerListener* listener) { static_cast<void>(listener); }

  // Tells the other processes that `organisation` has a session here from now on. Returns the
  // claim's number: of two sessions of an organisation, in whatever processes, the one that claimed
  // later has the greater. A store that is not shared returns 0.
  virtual absl::StatusOr<uint64_t> ClaimSession(const OrganisationId& organisation) {
    static_cast<void>(organisation);
    return 0;
  }

  // Tells the other processes of `notices` for senders that are not connected here.
  virtual absl::Status SendNotices(std::span<const OfflineNotice> notices) {
    static_cast<void>(notices);
    return absl::OkStatus();
  }

  // Directory ----------------------------------------------------------------------------------

  // Returns the newest row of `subject`, nullopt if there is none.
  virtual absl::StatusOr<std::optional<StatementRow>> FindStatement(const std::string& subject) = 0;

  // Appends rows, durably and all or none: log rows get the next revisions, capacity rows the next
  // capacity revisions; the statement of the row that one replaces is cleared (a capacity row is
  // removed). Assigns `revision` in place. Fails with STATEMENT_INVALID unless each version is
  // greater than that of its subject, and unless the first log row continues `previous_revision`.
  virtual absl::Status AppendStatements(std::span<StatementRow> rows,
                                        uint64_t previous_revision) = 0;

  // Returns log rows (or capacity rows) after `after`, in order, about `max_bytes` at most.
  virtual absl::StatusOr<std::vector<StatementRow>> ReadStatements(bool capacity, uint64_t after,
                                                                   size_t max_bytes) = 0;

  // Registry -----------------------------------------------------------------------------------

  // Each Put replaces the row of the same key, durably.
  virtual absl::Status PutInvitation(const InvitationRow& row) = 0;
  virtual absl::StatusOr<std::optional<InvitationRow>> FindInvitation(const std::string& hash) = 0;
  virtual absl::Status PutEnrolment(const EnrolmentRow& row) = 0;
  virtual absl::StatusOr<std::optional<EnrolmentRow>> FindEnrolment(const std::string& id) = 0;
  // Returns enrolments, oldest request first: those still queued, or all.
  virtual absl::StatusOr<std::vector<EnrolmentRow>> ListEnrolments(bool include_decided) = 0;
};

}  // namespace waymark::hub
