// The order of every mailbox, in memory.
//
// The table of items is clustered by sequence and has no secondary index, so that an insert touches
// the last page only; this answers what such indexes would: which items a mailbox holds, which wait
// under a token, which expire, how much waits. Rebuilt when the store opens; about 250 bytes an
// item. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/store/records.h"
#include "server/store/sqlite/hash_key.h"
#include "server/store/sqlite/segmented_map.h"
#include "server/store/store.h"

namespace waymark::hub {

// What the index keeps of a MailboxItem.
struct MailboxEntry {
  OrganisationId mailbox;
  // As TimeToRow has them.
  int64_t stored_at = 0;
  int64_t expires_at = 0;
  // Whose withdrawal drops the item, if any does.
  HashKey token = {};
  bool under_token = false;
  // REVOKE: what MailboxView::kRevocations shows.
  bool revocation = false;
  // Its sender is to be told when it waits for long.
  bool notice = false;
  uint32_t bytes = 0;
};

// Returns the entry of `item`, whose sender has not been told.
MailboxEntry EntryOf(const MailboxItem& item);

class MailboxIndex {
 public:
  struct Page {
    std::vector<uint64_t> sequences;
    bool more = false;
  };

  // Adds an item; `sequence` is new.
  void Add(uint64_t sequence, const MailboxEntry& entry);
  void Remove(uint64_t sequence);

  bool Contains(uint64_t sequence) const { return entries_.Find(sequence) != nullptr; }

  // As Store::ReadMailbox.
  Page Read(const OrganisationId& mailbox, MailboxView view, uint64_t after, size_t max_items,
            size_t max_bytes, absl::Time now) const;

  // Returns the items of `view` of `mailbox` up to and including `through`.
  std::vector<uint64_t> Through(const OrganisationId& mailbox, MailboxView view,
                                uint64_t through) const;

  // Returns the items that a withdrawal of the token drops.
  std::vector<uint64_t> UnderToken(const std::string& token_hash) const;

  // Returns up to `limit` items that have expired at `now`.
  std::vector<uint64_t> Expired(absl::Time now, size_t limit) const;

  // Returns up to `limit` items stored before `before` whose sender is to be told, the oldest
  // first.
  std::vector<uint64_t> DueNotices(absl::Time before, size_t limit) const;
  // The sender of the item, if it is still here, has been told.
  void MarkTold(uint64_t sequence);

  // As Store::CountWaiting. Looks once at each mailbox that holds something, at no item but one.
  WaitingTotals CountWaiting() const;

 private:
  SegmentedMap<uint64_t, MailboxEntry> entries_;
  absl::flat_hash_map<OrganisationId, absl::btree_set<uint64_t>> by_mailbox_;
  absl::btree_set<std::pair<HashKey, uint64_t>> by_token_;
  absl::btree_set<std::pair<int64_t, uint64_t>> by_expiry_;
  // Those with a notice to come; sequences grow with the time of storing.
  absl::btree_set<uint64_t> notices_;
  uint64_t bytes_ = 0;
};

}  // namespace waymark::hub
