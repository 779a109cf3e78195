// What the other hub processes on the same store do, as far as this one must know of it.
//
// Several hub processes on one database are one hub: a message that one stores is delivered by
// whichever holds the recipient's stream, a statement that one takes in is in force at all, and a
// node has one session among them. The store carries the news, because it is what they share.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/ids/ids.h"

namespace waymark::hub {

// That `message_id` waits for too long, and who sent it.
struct OfflineNotice {
  OrganisationId sender;
  MessageId message_id;

  friend bool operator==(const OfflineNotice&, const OfflineNotice&) = default;
};

// Learns of the other processes, after what it is told of is durable; never of this one's own
// doing. Calls come from a thread of the store, one at a time, and must not block. News may come
// twice, late and out of order; news that was lost is said in OnNewsLost.
class PeerListener {
 public:
  virtual ~PeerListener() = default;
  // Something was stored in `mailboxes`.
  virtual void OnPeerDelivered(std::span<const OrganisationId> mailboxes) = 0;
  // What waited under `token_hashes` was dropped.
  virtual void OnPeerDropped(std::span<const std::string> token_hashes) = 0;
  // Statements were appended to the directory.
  virtual void OnPeerStatements() = 0;
  // `organisation` has a session there that got `claim`: it replaces every one that got less.
  virtual void OnPeerSession(const OrganisationId& organisation, uint64_t claim) = 0;
  // The senders of `notices` are to be told, if they are connected here.
  virtual void OnPeerNotices(std::span<const OfflineNotice> notices) = 0;
  // Any of the above but the notices may have happened to anything: the connection that carries
  // the news was lost, and has come back.
  virtual void OnNewsLost() = 0;
};

}  // namespace waymark::hub
