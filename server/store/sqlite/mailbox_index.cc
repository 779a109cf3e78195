#include "server/store/sqlite/mailbox_index.h"

#include <algorithm>
#include <limits>

#include "base/lifecycle/lifecycle.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {
namespace {

bool Shows(MailboxView view, const MailboxEntry& entry) {
  return view == MailboxView::kAll || entry.revocation;
}

}  // namespace

MailboxEntry EntryOf(const MailboxItem& item) {
  return {
      .mailbox = item.mailbox,
      .stored_at = TimeToRow(item.stored_at),
      .expires_at = TimeToRow(item.expires_at),
      .token = HashKeyOf(item.token_hash),
      .under_token = !item.token_hash.empty() && !OutlivesWithdrawal(item.kind),
      .revocation = item.kind == v1::KIND_REVOKE,
      .notice = IsUrgent(item.urgency),
      .bytes = static_cast<uint32_t>(item.message.size()),
  };
}

void MailboxIndex::Add(uint64_t sequence, const MailboxEntry& entry) {
  by_mailbox_[entry.mailbox].insert(sequence);
  if (entry.under_token) by_token_.emplace(entry.token, sequence);
  by_expiry_.emplace(entry.expires_at, sequence);
  if (entry.notice) notices_.insert(sequence);
  bytes_ += entry.bytes;
  entries_.Put(sequence, entry);
}

void MailboxIndex::Remove(uint64_t sequence) {
  const MailboxEntry* found = entries_.Find(sequence);
  if (found == nullptr) return;
  const MailboxEntry& entry = *found;
  const auto mailbox = by_mailbox_.find(entry.mailbox);
  mailbox->second.erase(sequence);
  if (mailbox->second.empty()) by_mailbox_.erase(mailbox);
  if (entry.under_token) by_token_.erase({entry.token, sequence});
  by_expiry_.erase({entry.expires_at, sequence});
  if (entry.notice) notices_.erase(sequence);
  bytes_ -= entry.bytes;
  entries_.Erase(sequence);
}

MailboxIndex::Page MailboxIndex::Read(const OrganisationId& mailbox, MailboxView view,
                                      uint64_t after, size_t max_items, size_t max_bytes,
                                      absl::Time now) const {
  Page page;
  const auto found = by_mailbox_.find(mailbox);
  if (found == by_mailbox_.end()) return page;
  size_t bytes = 0;
  for (auto next = found->second.upper_bound(after); next != found->second.end(); ++next) {
    const MailboxEntry& entry = *entries_.Find(*next);
    if (!Shows(view, entry) || entry.expires_at <= TimeToRow(now)) continue;
    bytes += entry.bytes;
    const bool full = page.sequences.size() >= max_items || bytes > max_bytes;
    if (full && !page.sequences.empty()) {
      page.more = true;
      break;
    }
    page.sequences.push_back(*next);
  }
  return page;
}

std::vector<uint64_t> MailboxIndex::Through(const OrganisationId& mailbox, MailboxView view,
                                            uint64_t through) const {
  std::vector<uint64_t> sequences;
  const auto found = by_mailbox_.find(mailbox);
  if (found == by_mailbox_.end()) return sequences;
  for (uint64_t sequence : found->second) {
    if (sequence > through) break;
    if (Shows(view, *entries_.Find(sequence))) sequences.push_back(sequence);
  }
  return sequences;
}

std::vector<uint64_t> MailboxIndex::UnderToken(const std::string& token_hash) const {
  std::vector<uint64_t> sequences;
  if (token_hash.empty()) return sequences;
  const HashKey token = HashKeyOf(token_hash);
  for (auto next = by_token_.lower_bound({token, 0});
       next != by_token_.end() && next->first == token; ++next) {
    sequences.push_back(next->second);
  }
  return sequences;
}

std::vector<uint64_t> MailboxIndex::Expired(absl::Time now, size_t limit) const {
  std::vector<uint64_t> sequences;
  for (auto next = by_expiry_.begin();
       next != by_expiry_.end() && next->first <= TimeToRow(now) && sequences.size() < limit;
       ++next) {
    sequences.push_back(next->second);
  }
  return sequences;
}

std::vector<uint64_t> MailboxIndex::DueNotices(absl::Time before, size_t limit) const {
  std::vector<uint64_t> sequences;
  for (const uint64_t sequence : notices_) {
    const bool due = entries_.Find(sequence)->stored_at < TimeToRow(before);
    if (!due || sequences.size() >= limit) break;
    sequences.push_back(sequence);
  }
  return sequences;
}

void MailboxIndex::MarkTold(uint64_t sequence) {
  MailboxEntry* found = entries_.Find(sequence);
  if (found == nullptr) return;
  found->notice = false;
  notices_.erase(sequence);
}

WaitingTotals MailboxIndex::CountWaiting() const {
  WaitingTotals totals{
      .messages = entries_.size(), .bytes = bytes_, .mailboxes = by_mailbox_.size()};
  if (entries_.size() == 0) return totals;
  uint64_t first = std::numeric_limits<uint64_t>::max();
  for (const auto& [mailbox, sequences] : by_mailbox_) first = std::min(first, *sequences.begin());
  totals.oldest = TimeFromRow(entries_.Find(first)->stored_at);
  return totals;
}

}  // namespace waymark::hub
