// Everything that a node keeps, encrypted at rest.
//
// One SQLite file (mode 0600, WAL, synchronous=FULL, secure_delete). Every record is encrypted
// under a data key of its own, new with every version and bound to its table and id, so that a row
// copied over another does not open. Data keys lie in a table of their own, wrapped under the
// master key, which is not in the folder (master_key.h). Replacing or deleting a record deletes its
// key: the old content is gone even for someone who kept a copy of the row. In clear stand only
// random ids, kinds, times of sending and arrival, and counters; no label, name, unit, section or
// message does.
//
// Everything happens in transactions: Write is one durable transaction, Read sees one state. A
// state change and the messages that announce it are appended in the same Write; so are a received
// message's effects and its removal from the inbox. Example:
//
//   RETURN_IF_ERROR(vault.Write([&](Transaction& t) -> absl::Status {
//     RETURN_IF_ERROR(t.Put(DocumentKind::kReferral, referral, need, bytes));
//     return t.AppendOutbox(entry);
//   }));
//
// Threads: Vault is thread-safe; a Transaction belongs to the function that it was given to. One
// connection serves one caller at a time; the function must not call the vault again, or do I/O of
// its own. The vault outlives nobody: destroy its users first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/password.h"
#include "base/crypto/secret.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "client/vault/master_key.h"
#include "client/vault/records.h"

namespace waymark::node {

class VaultDatabase;

// What can be read. Every method may also return REASON_DATA_CORRUPT (a row does not open: it was
// changed, moved or damaged) and REASON_UNAVAILABLE (the disk fails).
class Reader {
 public:
  explicit Reader(VaultDatabase& database) : database_(database) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Documents.

  // Returns the document's content. REASON_NOT_FOUND: there is none.
  absl::StatusOr<SecretBytes> Get(DocumentKind kind, const DocumentId& id) const;
  // Returns the document's parent, empty if it has none; a lookup that opens nothing.
  // REASON_NOT_FOUND: there is no such document.
  absl::StatusOr<DocumentId> ParentOf(DocumentKind kind, const DocumentId& id) const;
  // Returns all documents of the kind, oldest first.
  absl::StatusOr<std::vector<Document>> List(DocumentKind kind) const;
  // The same, with this parent; an empty parent selects documents without one.
  absl::StatusOr<std::vector<Document>> List(DocumentKind kind, const DocumentId& parent) const;

  // Returns the ids of the documents of the kind that were stored or replaced after `mark`, a
  // DocumentChanges::mark of this vault or 0 for ever; a lookup that opens nothing. Deleted ones
  // are not told.
  absl::StatusOr<DocumentChanges> ChangedSince(DocumentKind kind, int64_t mark) const;

  // Sections of referrals, in order of section and index.
  absl::StatusOr<std::vector<SectionRecord>> ReadSections(const ReferralId& referral,
                                                          SectionDirection direction) const;

  // Settings: small values under a fixed name, [a-z0-9._-]{1,64}, which stands in clear.
  // nullopt when it was never set.
  absl::StatusOr<std::optional<SecretBytes>> GetSetting(std::string_view name) const;

  // The outbox.

  // Returns waiting entries that may go at `now`, in order, without those in `in_flight` (numbers):
  // at most `max_items` and, after the first, `max_bytes` of submissions.
  absl::StatusOr<std::vector<OutboxItem>> NextOutbox(absl::Time now,
                                                     const std::set<int64_t>& in_flight,
                                                     size_t max_items, size_t max_bytes) const;
  // When the next waiting entry may go; nullopt when nothing waits for its time.
  absl::StatusOr<std::optional<absl::Time>> NextOutboxTime(absl::Time now) const;
  // The entries that the hub refused, oldest first.
  absl::StatusOr<std::vector<RefusedItem>> RefusedOutbox() const;
  // Where the entry stands; nullopt when there is none: receipted, forgotten or never appended.
  absl::StatusOr<std::optional<OutboxState>> StateOfOutbox(std::string_view item_id) const;
  absl::StatusOr<OutboxCounters> CountOutbox() const;

  // The inbox.

  // Returns up to `max_items` items with numbers above `after`, in order.
  absl::StatusOr<std::vector<InboxItem>> NextInbox(int64_t after, size_t max_items) const;
  absl::StatusOr<int64_t> CountInbox() const;
  absl::StatusOr<MailboxPosition> Position() const;
  // Whether the id of a message that came at `arrived` was remembered for that time.
  absl::StatusOr<bool> SeenBefore(const MessageId& id, absl::Time arrived) const;

 protected:
  VaultDatabase& database() const { return database_; }

 private:
  VaultDatabase& database_;
};

// What can be changed, within one Write. Codes as for Reader.
class Transaction : public Reader {
 public:
  using Reader::Reader;

  // Documents.

  // Stores a document, or replaces the one of this kind and id. The parent of a stored document
  // does not change. REASON_FIELD_INVALID: an empty id, or another parent.
  absl::Status Put(DocumentKind kind, const DocumentId& id, const DocumentId& parent,
                   std::string_view content);
  // Deletes a document and its key. OK if there is none.
  absl::Status Delete(DocumentKind kind, const DocumentId& id);

  // Sections of referrals.

  // Stores a section, or replaces the one at its place.
  absl::Status PutSection(const ReferralId& referral, SectionDirection direction,
                          const SectionRecord& section);
  // Deletes sections and their keys, in both directions: those with the numbers in `sections`, or
  // all when it is empty. Returns how many were deleted.
  absl::StatusOr<int> EraseSections(const ReferralId& referral,
                                    const std::vector<int32_t>& sections = {});

  // Settings.
  absl::Status PutSetting(std::string_view name, std::string_view value);
  absl::Status DeleteSetting(std::string_view name);

  // The outbox.

  // Appends an entry. Entries of one referral keep their order: an entry waits at least as long as
  // those before it, and an urgent one takes those before it along. REASON_ID_REUSED: an entry with
  // this item id is there already.
  absl::Status AppendOutbox(const OutboxEntry& entry);
  // Deletes what waits of the referral and has not been confirmed, but for what outlives a
  // withdrawal: for a person who withdraws before it left. An entry in flight may still arrive.
  // Returns the item ids of what was deleted.
  absl::StatusOr<std::vector<std::string>> DropWaiting(const ReferralId& referral);
  // Notes the hub's outcome: UNSPECIFIED confirms, anything else refuses. OK for an unknown id: the
  // entry was dropped or receipted in the meantime.
  absl::Status MarkOutcome(std::string_view item_id, v1::Reason reason);
  // Puts another submission into an entry that keeps its place and state: what a hub that lost it
  // gets. OK for an unknown id.
  absl::Status ReviseOutbox(std::string_view item_id, std::string_view submission);
  // Deletes the entry of a message that its recipient has receipted. OK for an unknown id.
  absl::Status MarkReceipt(const MessageId& id);
  // Deletes a refused entry once the casework has dealt with it. OK for an unknown id.
  absl::Status ForgetRefused(std::string_view item_id);
  // Makes confirmed entries wait again: the hub lost what came after its backup. Returns how many.
  absl::StatusOr<int> ResendConfirmed();

  // The inbox.

  // Appends a delivered message; returns its number.
  absl::StatusOr<int64_t> AppendInbox(std::string_view message, absl::Time arrived);
  // Deletes a message that has been worked on. OK if there is none.
  absl::Status RemoveInbox(int64_t number);
  absl::Status SetPosition(const MailboxPosition& position);
  // Remembers the id, so that a repeat is recognised until `until`.
  absl::Status Remember(const MessageId& id, absl::Time until);

  // Deletes what has passed its time: remembered ids, confirmed entries past `keep_until`. An id
  // stays while the inbox holds anything that came in its time and may be its repeat.
  absl::Status Purge(absl::Time now);
};

class Vault {
 public:
  struct Options {
    // The database file; its folder exists.
    std::string path;
    // Cost of deriving the master key from a passphrase, for a new vault. An old one keeps its own.
    ScryptCost passphrase_cost;
  };

  // Opens the vault, or creates it when the file does not exist. `random` outlives it. Takes as
  // long as MasterKey::Derive. REASON_VAULT_LOCKED: the master key is another one.
  // REASON_VERSION_UNSUPPORTED: the file was written by a newer version. REASON_FILE_UNUSABLE: the
  // folder cannot be used, or another process has the vault open. REASON_DATA_CORRUPT: not a vault.
  static absl::StatusOr<std::unique_ptr<Vault>> Open(const Options& options, const MasterKey& key,
                                                     Random& random);
  ~Vault();

  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // Runs `change` in a transaction and commits it durably if it returns OK; otherwise nothing is
  // changed and its error is returned. REASON_UNAVAILABLE: the commit failed; nothing is changed.
  absl::Status Write(absl::FunctionRef<absl::Status(Transaction&)> change);

  // Runs `look` on one unchanging state and returns what it returns.
  absl::Status Read(absl::FunctionRef<absl::Status(const Reader&)> look) const;

  // How many records were opened since the vault was: what reading costs.
  int64_t records_opened() const;

 private:
  explicit Vault(std::unique_ptr<VaultDatabase> database);

  // Held for a whole transaction, I/O included: it is what makes the one connection serve one
  // caller at a time.
  mutable Mutex mu_;
  const std::unique_ptr<VaultDatabase> database_ ABSL_PT_GUARDED_BY(mu_);
};

}  // namespace waymark::node
