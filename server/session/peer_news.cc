#include "server/session/peer_news.h"

#include <utility>

#include "base/log/log.h"

namespace waymark::hub {

PeerNews::PeerNews(Dispatcher* dispatcher, Committer* committer, Directory* directory, Desk desk)
    : dispatcher_(dispatcher),
      committer_(committer),
      directory_(directory),
      desk_(std::move(desk)) {}

void PeerNews::Retry() {
  {
    MutexLock lock(mu_);
    if (!wanted_ || posted_) return;
    posted_ = true;
  }
  if (desk_([this] { ReadDirectory(); })) return;
  MutexLock lock(mu_);
  posted_ = false;
}

void PeerNews::ReadDirectory() {
  {
    MutexLock lock(mu_);
    wanted_ = false;
    posted_ = false;
  }
  const absl::Status read = directory_->Refresh();
  if (read.ok()) return;
  Log(LogLevel::kWarning, "directory_refresh_failed", {{"reason", read}});
  MutexLock lock(mu_);
  wanted_ = true;
}

void PeerNews::OnPeerDelivered(std::span<const OrganisationId> mailboxes) {
  dispatcher_->OnPeerDelivered(mailboxes);
  committer_->OnPeerCommitted();
}

void PeerNews::OnPeerDropped(std::span<const std::string> token_hashes) {
  dispatcher_->OnPeerDropped(token_hashes);
}

void PeerNews::OnPeerStatements() {
  {
    MutexLock lock(mu_);
    wanted_ = true;
  }
  Retry();
}

void PeerNews::OnPeerSession(const OrganisationId& organisation, uint64_t claim) {
  dispatcher_->OnPeerSession(organisation, claim);
}

void PeerNews::OnPeerNotices(std::span<const OfflineNotice> notices) {
  dispatcher_->OnPeerNotices(notices);
}

void PeerNews::OnNewsLost() {
  dispatcher_->OnNewsLost();
  OnPeerStatements();
}

}  // namespace waymark::hub
