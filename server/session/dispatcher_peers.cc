// What other processes on the same store did, as the dispatcher takes it in.
#include <algorithm>
#include <utility>

#include "server/session/attachment.h"
#include "server/session/dispatcher.h"

namespace waymark::hub {
namespace {

// Far more than other processes withdraw between a commit here and its report.
constexpr size_t kRememberedWithdrawals = 4096;

}  // namespace

void Dispatcher::OnPeerDelivered(std::span<const OrganisationId> mailboxes) {
  MutexLock lock(mu_);
  for (const OrganisationId& mailbox : mailboxes) {
    if (Attachment* attachment = Current(mailbox)) FallBehind(*attachment);
  }
}

void Dispatcher::FallBehind(Attachment& attachment) {
  attachment.added_meanwhile = true;
  attachment.behind = true;
  Wake(attachment);
}

void Dispatcher::OnPeerDropped(std::span<const std::string> token_hashes) {
  MutexLock lock(mu_);
  for (const std::string& token_hash : token_hashes) {
    OnCommittedDrop(token_hash);
    if (!withdrawn_index_.insert(token_hash).second) continue;
    withdrawn_.push_back(token_hash);
    if (withdrawn_.size() <= kRememberedWithdrawals) continue;
    withdrawn_index_.erase(withdrawn_.front());
    withdrawn_.pop_front();
  }
}

void Dispatcher::OnPeerSession(const OrganisationId& organisation, uint64_t claim) {
  MutexLock lock(mu_);
  Attachment* attachment = Current(organisation);
  if (attachment == nullptr) return;
  attachment->peer_claim = std::max(attachment->peer_claim, claim);
  if (attachment->claimed && attachment->peer_claim > attachment->claim) {
    End(*attachment, v1::REASON_SESSION_REPLACED);
  }
}

void Dispatcher::OnPeerNotices(std::span<const OfflineNotice> notices) {
  MutexLock lock(mu_);
  for (const OfflineNotice& notice : notices) Notify(notice);
}

void Dispatcher::OnNewsLost() {
  MutexLock lock(mu_);
  for (auto& [organisation, attachment] : current_) {
    // What waits in memory may have been withdrawn: it is read again.
    memory_bytes_ -= std::exchange(attachment->ready_bytes, 0);
    attachment->ready.clear();
    attachment->taken_to = attachment->delivered_to;
    attachment->dropped_meanwhile = true;
    FallBehind(*attachment);
  }
}

}  // namespace waymark::hub
