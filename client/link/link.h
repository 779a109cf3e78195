// The node's stream of messages: from the vault's outbox to the hub, from the hub to its inbox.
//
// One stream to one of the hub's addresses at a time; when it breaks, the next address is tried
// after a jittered, growing pause. Days offline are normal: nothing is lost, because what goes out
// waits in the outbox until the hub confirmed it (and is kept until the recipient's receipt), and
// what comes in is in the inbox before it is acknowledged. The rules of the stream are in
// session.h; this is the adapter to gRPC and to the vault.
//
// Threads: one thread of the link's own does all work; gRPC's reactions only hand over to it.
// Public methods are thread-safe. The vault, channels, clock, random and observer outlive the link.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "client/link/hub_channel.h"
#include "client/link/observer.h"
#include "client/vault/vault.h"

namespace waymark::node {

class Link {
 public:
  struct Options {
    // Bounds of the pause before the next attempt; each attempt without a welcome doubles it.
    absl::Duration min_backoff = absl::Milliseconds(500);
    absl::Duration max_backoff = absl::Minutes(2);
    // How long a connection attempt, and how long a write, may take.
    absl::Duration connect_timeout = absl::Seconds(20);
    absl::Duration write_timeout = absl::Seconds(30);
    // How often the outbox is looked at for entries whose time has come.
    absl::Duration tick = absl::Seconds(1);
  };

  static std::unique_ptr<Link> Create(const Options& options, Vault& vault, HubChannel& channel,
                                      Clock& clock, Random& random, LinkObserver& observer);
  // Stops.
  ~Link();

  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Starts connecting. Once.
  void Start();
  // Says goodbye, ends the stream and joins the thread; afterwards no call reaches the observer.
  // Idempotent. Not from an observer's call.
  void Stop();
  // The outbox has grown.
  void Wake();
  // Tries to connect at once instead of at the end of a pause.
  void Reconnect();

  LinkState state() const;

 private:
  class Impl;
  explicit Link(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace waymark::node
