#include "tests/support/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {
namespace {

bool IsOf(MailboxView view, const MailboxItem& item) {
  return view == MailboxView::kAll || item.kind == v1::KIND_REVOKE;
}

// The keys of the three tables, in one space.
std::vector<std::string> NamesOf(const StateKeys& keys) {
  std::vector<std::string> names;
  for (const auto& hash : keys.token_hashes) names.push_back("token/" + hash);
  for (const auto& id : keys.referrals) names.push_back("referral/" + id.bytes());
  for (const auto& id : keys.messages) names.push_back("seen/" + id.bytes());
  return names;
}

StateKeys KeysOf(const Effects& effects) {
  StateKeys keys;
  for (const auto& token : effects.put_tokens) keys.token_hashes.push_back(token.hash);
  for (const auto& referral : effects.put_referrals) keys.referrals.push_back(referral.id);
  for (const auto& seen : effects.put_seen) keys.messages.push_back(seen.id);
  return keys;
}

template <typename Key, typename Record>
void Copy(const std::map<Key, Record>& records, const std::vector<Key>& keys,
          std::vector<Record>& found) {
  for (const Key& key : std::set<Key>(keys.begin(), keys.end())) {
    if (const auto record = records.find(key); record != records.end()) {
      found.push_back(record->second);
    }
  }
}

template <typename Row>
std::optional<Row> RowOf(const std::map<std::string, Row>& rows, const std::string& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? std::nullopt : std::optional<Row>(found->second);
}

}  // namespace

MemoryStore::MemoryStore() : memory_(std::make_shared<StoreMemory>()), shared_(false) {}

MemoryStore::MemoryStore(std::shared_ptr<StoreMemory> memory)
    : memory_(std::move(memory)), shared_(true) {
  MutexLock lock(memory_->views_mu);
  memory_->views.push_back(this);
}

MemoryStore::~MemoryStore() {
  MutexLock lock(memory_->views_mu);
  std::erase(memory_->views, this);
}

void MemoryStore::FailNextAppend() {
  MutexLock lock(memory_->mu);
  fail_append_ = true;
}

int MemoryStore::reads() {
  MutexLock lock(memory_->mu);
  return reads_;
}

void MemoryStore::Restore(absl::Time now) {
  MutexLock lock(memory_->mu);
  ++memory_->epoch.back();
  memory_->restored_at = now;
}

std::string MemoryStore::epoch() const {
  MutexLock lock(memory_->mu);
  return memory_->epoch;
}

std::optional<absl::Time> MemoryStore::restored_at() const {
  MutexLock lock(memory_->mu);
  return memory_->restored_at;
}

// News --------------------------------------------------------------------------------------------

void MemoryStore::SetPeerListener(PeerListener* listener) {
  MutexLock lock(news_mu_);
  listener_ = listener;
}

void MemoryStore::Tell(const News& news) {
  MutexLock lock(memory_->views_mu);
  for (MemoryStore* view : memory_->views) {
    if (view != this) view->Hear(news);
  }
}

void MemoryStore::Hear(const News& news) {
  MutexLock lock(news_mu_);
  if (held_) {
    waiting_.push_back(news);
  } else if (listener_ != nullptr) {
    news(*listener_);
  }
}

void MemoryStore::HoldNews() {
  MutexLock lock(news_mu_);
  held_ = true;
}

void MemoryStore::ReleaseNews() {
  MutexLock lock(news_mu_);
  held_ = false;
  for (const News& news : std::exchange(waiting_, {})) news(*listener_);
}

void MemoryStore::LoseNews() {
  MutexLock lock(news_mu_);
  held_ = false;
  waiting_.clear();
  listener_->OnNewsLost();
}

void MemoryStore::DuringNextClaim(std::function<void()> action) {
  MutexLock lock(memory_->mu);
  during_claim_ = std::move(action);
}

absl::StatusOr<uint64_t> MemoryStore::ClaimSession(const OrganisationId& organisation) {
  uint64_t claim;
  std::function<void()> action;
  {
    MutexLock lock(memory_->mu);
    claim = ++memory_->last_claim;
    action = std::exchange(during_claim_, nullptr);
  }
  if (action) action();
  Tell([=](PeerListener& listener) { listener.OnPeerSession(organisation, claim); });
  return claim;
}

absl::Status MemoryStore::SendNotices(std::span<const OfflineNotice> notices) {
  const std::vector<OfflineNotice> sent(notices.begin(), notices.end());
  if (!sent.empty()) Tell([sent](PeerListener& listener) { listener.OnPeerNotices(sent); });
  return absl::OkStatus();
}

// Traffic -----------------------------------------------------------------------------------------

absl::StatusOr<LoadedState> MemoryStore::Load(const StateKeys& keys) {
  MutexLock lock(memory_->mu);
  loaded_.clear();
  for (const std::string& name : NamesOf(keys)) loaded_[name] = memory_->versions[name];
  LoadedState state;
  Copy(memory_->tokens, keys.token_hashes, state.tokens);
  Copy(memory_->referrals, keys.referrals, state.referrals);
  Copy(memory_->seen, keys.messages, state.seen);
  return state;
}

absl::Status MemoryStore::Commit(std::span<Effects> batch) {
  std::set<OrganisationId> mailboxes;
  std::vector<std::string> dropped;
  {
    MutexLock lock(memory_->mu);
    for (const auto& [name, version] : std::exchange(loaded_, {})) {
      if (memory_->versions[name] != version) return Error(v1::REASON_CONFLICT, "the store");
    }
    for (Effects& effects : batch) {
      for (const std::string& name : NamesOf(KeysOf(effects))) ++memory_->versions[name];
      for (const auto& token : effects.put_tokens) memory_->tokens[token.hash] = token;
      for (const auto& referral : effects.put_referrals) {
        memory_->referrals[referral.id] = referral;
      }
      for (const auto& seen : effects.put_seen) memory_->seen[seen.id] = seen;
      for (const DropUndelivered& drop : effects.drop) {
        dropped.push_back(drop.token_hash);
        for (auto& [organisation, mailbox] : memory_->mailboxes) {
          std::erase_if(mailbox.items, [&](const auto& entry) {
            return entry.second.token_hash == drop.token_hash &&
                   !OutlivesWithdrawal(entry.second.kind);
          });
        }
      }
      for (MailboxItem& item : effects.deliver) {
        StoreMemory::Mailbox& mailbox = memory_->mailboxes[item.mailbox];
        item.sequence = ++mailbox.last;
        mailbox.items[item.sequence] = item;
        if (IsUrgent(item.urgency)) mailbox.urgent.insert(item.sequence);
        mailboxes.insert(item.mailbox);
      }
    }
  }
  const std::vector<OrganisationId> grown(mailboxes.begin(), mailboxes.end());
  if (!grown.empty()) Tell([grown](PeerListener& listener) { listener.OnPeerDelivered(grown); });
  if (!dropped.empty()) {
    Tell([dropped](PeerListener& listener) { listener.OnPeerDropped(dropped); });
  }
  return absl::OkStatus();
}

absl::StatusOr<MailboxPage> MemoryStore::ReadMailbox(const OrganisationId& mailbox,
                                                     MailboxView view, uint64_t after,
                                                     size_t max_items, size_t max_bytes,
                                                     absl::Time now) {
  MutexLock lock(memory_->mu);
  ++reads_;
  MailboxPage page;
  size_t bytes = 0;
  const auto& items = memory_->mailboxes[mailbox].items;
  for (auto entry = items.upper_bound(after); entry != items.end(); ++entry) {
    const MailboxItem& item = entry->second;
    if (!IsOf(view, item) || item.expires_at <= now) continue;
    bytes += item.message.size();
    if (page.items.size() == max_items || (!page.items.empty() && bytes > max_bytes)) {
      page.more = true;
      break;
    }
    page.items.push_back(item);
  }
  return page;
}

absl::Status MemoryStore::Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) {
  MutexLock lock(memory_->mu);
  std::erase_if(memory_->mailboxes[mailbox].items, [&](const auto& entry) {
    return entry.first <= through && IsOf(view, entry.second);
  });
  return absl::OkStatus();
}

absl::StatusOr<WaitingTotals> MemoryStore::CountWaiting() {
  MutexLock lock(memory_->mu);
  WaitingTotals totals;
  for (const auto& [organisation, mailbox] : memory_->mailboxes) {
    if (!mailbox.items.empty()) ++totals.mailboxes;
    for (const auto& [sequence, item] : mailbox.items) {
      ++totals.messages;
      totals.bytes += item.message.size();
      totals.oldest = std::min(totals.oldest.value_or(item.stored_at), item.stored_at);
    }
  }
  return totals;
}

absl::StatusOr<std::vector<MailboxItem>> MemoryStore::TakeOfflineNotices(absl::Time before,
                                                                         size_t limit) {
  MutexLock lock(memory_->mu);
  std::vector<MailboxItem> taken;
  for (auto& [organisation, mailbox] : memory_->mailboxes) {
    std::erase_if(mailbox.urgent, [&, &items = mailbox.items](uint64_t sequence) {
      const auto item = items.find(sequence);
      if (item == items.end()) return true;
      if (item->second.stored_at >= before || taken.size() == limit) return false;
      taken.push_back(item->second);
      return true;
    });
  }
  return taken;
}

absl::StatusOr<SweepResult> MemoryStore::Sweep(absl::Time now, size_t limit) {
  MutexLock lock(memory_->mu);
  SweepResult result;
  for (auto& [organisation, mailbox] : memory_->mailboxes) {
    std::erase_if(mailbox.items, [&](const auto& entry) {
      if (entry.second.expires_at > now || result.expired_messages == limit) return false;
      ++result.expired_messages;
      return true;
    });
  }
  for (auto& [id, referral] : memory_->referrals) {
    if (referral.state_until > now || result.expired_referrals.size() == limit) continue;
    referral.state = HubState::kExpired;
    referral.state_until = absl::InfiniteFuture();
    referral.forget_at = now + kEndedReferralRetention;
    ++memory_->versions["referral/" + id.bytes()];
    result.expired_referrals.push_back(referral);
  }
  return result;
}

// Directory ---------------------------------------------------------------------------------------

absl::StatusOr<std::optional<StatementRow>> MemoryStore::FindStatement(const std::string& subject) {
  MutexLock lock(memory_->mu);
  for (const auto* rows : {&memory_->log, &memory_->capacities}) {
    for (const StatementRow& row : *rows) {
      if (row.subject == subject && !row.statement.empty()) return row;
    }
  }
  return std::optional<StatementRow>();
}

absl::Status MemoryStore::AppendStatements(std::span<StatementRow> rows,
                                           uint64_t previous_revision) {
  {
    MutexLock lock(memory_->mu);
    std::vector<StatementRow>& log = memory_->log;
    std::vector<StatementRow>& capacities = memory_->capacities;
    if (std::exchange(fail_append_, false)) return Error(v1::REASON_UNAVAILABLE, "the store");
    const bool logs =
        std::any_of(rows.begin(), rows.end(), [](auto& row) { return !row.capacity; });
    if (logs && previous_revision != log.size()) {
      return Error(v1::REASON_STATEMENT_INVALID, "revision");
    }
    for (const StatementRow& row : rows) {
      for (const StatementRow& old : row.capacity ? capacities : log) {
        if (old.subject == row.subject && old.version >= row.version) {
          return Error(v1::REASON_STATEMENT_INVALID, "version");
        }
      }
    }
    for (StatementRow& row : rows) {
      if (row.capacity) {
        std::erase_if(capacities, [&](const auto& old) { return old.subject == row.subject; });
        row.revision = ++memory_->capacity_revision;
        capacities.push_back(row);
      } else {
        for (StatementRow& old : log) {
          if (old.subject == row.subject) old.statement.clear();
        }
        row.revision = log.size() + 1;
        log.push_back(row);
      }
    }
  }
  Tell([](PeerListener& listener) { listener.OnPeerStatements(); });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StatementRow>> MemoryStore::ReadStatements(bool capacity, uint64_t after,
                                                                      size_t max_bytes) {
  MutexLock lock(memory_->mu);
  std::vector<StatementRow> page;
  size_t bytes = 0;
  for (const StatementRow& row : capacity ? memory_->capacities : memory_->log) {
    if (row.revision <= after || bytes > max_bytes) continue;
    bytes += row.statement.size();
    page.push_back(row);
  }
  return page;
}

// Registry ----------------------------------------------------------------------------------------

absl::Status MemoryStore::PutInvitation(const InvitationRow& row) {
  MutexLock lock(memory_->mu);
  memory_->invitations[row.hash] = row;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<InvitationRow>> MemoryStore::FindInvitation(const std::string& hash) {
  MutexLock lock(memory_->mu);
  return RowOf(memory_->invitations, hash);
}

absl::Status MemoryStore::PutEnrolment(const EnrolmentRow& row) {
  MutexLock lock(memory_->mu);
  memory_->enrolments[row.request_id] = row;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<EnrolmentRow>> MemoryStore::FindEnrolment(const std::string& id) {
  MutexLock lock(memory_->mu);
  return RowOf(memory_->enrolments, id);
}

absl::StatusOr<std::vector<EnrolmentRow>> MemoryStore::ListEnrolments(bool include_decided) {
  MutexLock lock(memory_->mu);
  std::vector<EnrolmentRow> rows;
  for (const auto& [id, row] : memory_->enrolments) {
    if (include_decided || row.state == v1::ENROLMENT_STATE_PENDING) rows.push_back(row);
  }
  return rows;
}

}  // namespace waymark::hub
