// Works off what the link brings: the inbox, the hub's outcomes, peers that are out of reach. And
// what comes of itself with time.
//
// All of it happens on one thread of its own, so that the link never waits for casework. Nothing is
// taken from the inbox before the directory has been seen once; a sender whom it does not have by
// then is waited for (casework/waiting_room.h), and whoever changes the directory nudges. A vault
// that fails is tried again.
//
// Threads: public methods are thread-safe. What the constructor is given outlives the worker.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "client/casework/receiver.h"
#include "client/casework/upkeep.h"
#include "client/link/observer.h"
#include "client/node_alerts.h"
#include "client/vault/vault.h"

namespace waymark::node {

class NodeWorker final : public LinkObserver {
 public:
  // `directory_known`: whether the directory has been seen since the node started. `connected` is
  // called on the link's thread when the hub is there again; `on_stored`, which may be empty, each
  // time the inbox has grown, before the hub learns of it. `tick`: how often, in real time, clocks
  // are looked at.
  NodeWorker(Vault& vault, Receiver& receiver, Upkeep& upkeep, NodeAlerts& alerts,
             std::function<bool()> directory_known, std::function<void()> connected,
             std::function<void()> on_stored, absl::Duration tick);
  // Stops.
  ~NodeWorker() override;

  // Takes up what an earlier run left, then waits for work. Once.
  absl::Status Start();
  // Ends after the work at hand. Idempotent.
  void Stop();
  // There may be something to do.
  void Nudge();

  // LinkObserver.
  void OnInbox() override;
  void OnOutcome(std::string_view item_id, v1::Reason reason) override;
  void OnPeerOffline(const MessageId& message) override;
  void OnState(const LinkState& state) override;

 private:
  // What the link told and nobody has worked off.
  struct News {
    std::deque<std::pair<std::string, v1::Reason>> outcomes;
    std::deque<MessageId> offline;
  };

  void Run();
  absl::Status WorkOff(News& news);
  absl::Status WorkInbox();
  void NoteOutcome(v1::Reason reason);

  Vault& vault_;
  Receiver& receiver_;
  Upkeep& upkeep_;
  NodeAlerts& alerts_;
  const std::function<bool()> directory_known_;
  const std::function<void()> connected_;
  const std::function<void()> on_stored_;
  const absl::Duration tick_;

  // Used by the link's thread alone.
  bool was_connected_ = false;
  v1::Reason last_reason_ = v1::REASON_UNSPECIFIED;

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool nudged_ ABSL_GUARDED_BY(mu_) = true;
  News news_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace waymark::node
