// Passes on what other hub processes on the same store did: to the dispatcher and the committer at
// once, to the directory on the hub's desk, where it lives.
//
// Threads: the store's for the PeerListener's methods, any for Retry; `desk` runs its tasks one at
// a time. Lifetime: until the store has another listener and the desk's last task has run.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "server/directory/directory.h"
#include "server/session/committer.h"
#include "server/session/dispatcher.h"
#include "server/store/peers.h"

namespace waymark::hub {

class PeerNews final : public PeerListener {
 public:
  // Runs a task on the desk thread; false when it takes none now.
  using Desk = std::function<bool(absl::AnyInvocable<void()> task)>;

  // Nothing is owned; all outlive it.
  PeerNews(Dispatcher* dispatcher, Committer* committer, Directory* directory, Desk desk);

  // Reads the directory again if the last attempt failed; call it about once a second.
  void Retry();

  void OnPeerDelivered(std::span<const OrganisationId> mailboxes) override;
  void OnPeerDropped(std::span<const std::string> token_hashes) override;
  void OnPeerStatements() override;
  void OnPeerSession(const OrganisationId& organisation, uint64_t claim) override;
  void OnPeerNotices(std::span<const OfflineNotice> notices) override;
  void OnNewsLost() override;

 private:
  // On the desk.
  void ReadDirectory();

  Dispatcher* const dispatcher_;
  Committer* const committer_;
  Directory* const directory_;
  const Desk desk_;

  Mutex mu_;
  // Whether the directory is to be read, and whether a task of the desk is about to.
  bool wanted_ ABSL_GUARDED_BY(mu_) = false;
  bool posted_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace waymark::hub
