// Brings committed messages to the nodes that are connected.
//
// Per attached organisation: a cursor into its mailbox and credits. Caught up, messages go straight
// from memory, on the thread that reports their commit; behind, pages come from the store on the
// dispatcher's own thread, no more than the credits allow. The mailbox is the buffer, so that
// memory stays bounded however slow a node is. Within one attachment every message is delivered
// once, in mailbox order.
//
// Other hub processes on the same store (its news are said here) store into the same mailboxes: an
// item goes from memory only if it is the very next one, else its mailbox is read. Of all sessions
// of an organisation the one that claimed last stays. An older one that this process does not hear
// of, because the news was lost, is a stream that its node has left: it ends with its silence.
//
// Collaborators: the committer reports commits; sessions attach, ack and receive; Store holds the
// mailboxes and carries the news (PeerNews). Threads: all methods from any thread; sinks are called
// on the dispatcher's thread, or by OnCommitted for what was just committed, each by one at a time,
// without a lock held. Lifetime: Shutdown before the store goes; sinks are held weakly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "server/session/committer.h"
#include "server/store/store.h"

namespace waymark::hub {

// One message on its way to a node.
struct OutgoingDelivery {
  uint64_t sequence = 0;
  // The serialised v1::Message, as submitted.
  std::string message;
};

// What a message of this size counts in a frame and against credits: itself, and at most so much
// around it.
inline constexpr size_t kDeliveryOverhead = 32;
inline size_t WireBytes(const OutgoingDelivery& delivery) {
  return delivery.message.size() + kDeliveryOverhead;
}

// Receives what an attachment brings. Called by one thread at a time (see above); must not block.
class DeliverySink {
 public:
  virtual ~DeliverySink() = default;
  // The first call: the attachment is the organisation's newest, also among those of other
  // processes; whoever attaches from now on replaces it.
  virtual void OnAttached() = 0;
  // 1 to 64 messages of at most 1 MiB together, in mailbox order.
  virtual void OnDeliver(std::vector<OutgoingDelivery> deliveries) = 0;
  // `message_id`, which this organisation sent, waits for a node that has been offline for too
  // long.
  virtual void OnPeerOffline(const MessageId& message_id) = 0;
  // The last call, unless the session detached first: SESSION_REPLACED by a newer attachment, here
  // or at another process, MEMBER_SUSPENDED or UNSPECIFIED (the member's standing changed: connect
  // again), DATA_CORRUPT when the mailbox does not read back, UNAVAILABLE when the hub stops or its
  // store is away.
  virtual void OnDetached(v1::Reason reason) = 0;
};

// Names one attachment; never reused.
using AttachmentId = uint64_t;

// Where the dispatcher's numbers go. Implementations are thread-safe and do not block.
class DispatcherMetrics {
 public:
  virtual ~DispatcherMetrics() = default;
  virtual void OnDelivered(size_t messages, size_t bytes) = 0;
  virtual void OnAttachments(size_t attached) = 0;
  virtual void OnPageRead() = 0;
};

class Dispatcher final : public CommitListener {
 public:
  struct Options {
    // Where delivery begins: everything up to it (of what `restricted` leaves) is acknowledged.
    uint64_t cursor = 0;
    // What may be delivered and not acknowledged. One message is always allowed.
    size_t window_messages = 256;
    size_t window_bytes = size_t{4} << 20;
    // A suspended member: REVOKE and nothing else is delivered; the rest stays where it is.
    bool restricted = false;
  };

  // Over all attachments.
  struct Bounds {
    // Memory for messages that wait for credits or for the dispatcher's thread; whoever exceeds it
    // reads from the store again.
    size_t memory_bytes = size_t{64} << 20;
    // What may be delivered and not acknowledged, and so may still wait to be written. Beyond it
    // each attachment gets one message at a time.
    size_t unacked_bytes = size_t{256} << 20;
  };

  // Starts the thread. Nothing is owned.
  static std::unique_ptr<Dispatcher> Create(Store* store, Clock* clock, DispatcherMetrics* metrics,
                                            const Bounds& bounds);
  static std::unique_ptr<Dispatcher> Create(Store* store, Clock* clock, DispatcherMetrics* metrics);

  ~Dispatcher() override;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Begins delivery to `sink`, which is told when it has begun. An attachment of the same
  // organisation that exists ends with SESSION_REPLACED; one at another process too. After Shutdown
  // nothing is attached and `sink` is never called.
  AttachmentId Attach(const OrganisationId& organisation, const Options& options,
                      std::weak_ptr<DeliverySink> sink);

  // Ends an attachment; its sink is not called again, except by a call that is running. An
  // attachment that has ended is ignored.
  void Detach(AttachmentId attachment);

  // The node has stored everything up to `through`: the store forgets it and the credits return.
  // Numbers that were not delivered in this attachment are not acknowledged. Cheap: the store is
  // told on the dispatcher's thread.
  void OnAck(AttachmentId attachment, uint64_t through);

  // Ends the attachment of `organisation`, if there is one, with `reason`: its standing changed.
  void Disconnect(const OrganisationId& organisation, v1::Reason reason);

  // Tells the connected senders of `items` (from Store::TakeOfflineNotices), and returns what is
  // for senders that are not connected here.
  std::vector<OfflineNotice> NotifyPeerOffline(std::span<const MailboxItem> items);

  // What the other processes did: as PeerListener.
  void OnPeerDelivered(std::span<const OrganisationId> mailboxes);
  void OnPeerDropped(std::span<const std::string> token_hashes);
  void OnPeerSession(const OrganisationId& organisation, uint64_t claim);
  void OnPeerNotices(std::span<const OfflineNotice> notices);
  void OnNewsLost();

  void OnCommitted(std::span<Effects> batch) override;

  // What is under way to the nodes that are connected, all of them together.
  struct UnderWay {
    // Delivered and not acknowledged: credits in use.
    size_t unacked_messages = 0;
    size_t unacked_bytes = 0;
    // In memory, until credits or the thread's turn come.
    size_t buffered_messages = 0;
    size_t buffered_bytes = 0;
    // Attachments that have something to receive, and no credit for it.
    size_t without_credit = 0;
    // Attachments whose mailbox may hold what is not in memory.
    size_t behind = 0;

    friend bool operator==(const UnderWay&, const UnderWay&) = default;
  };
  // Looks at every attachment: for somebody who asks now and then.
  UnderWay CountUnderWay();

  // Ends every attachment with UNAVAILABLE and the thread. Idempotent.
  void Shutdown();

 private:
  struct Attachment;
  // An acknowledgement that the store has not been told.
  struct PendingAck {
    OrganisationId organisation;
    MailboxView view;
    uint64_t through;
  };

  Dispatcher(Store* store, Clock* clock, DispatcherMetrics* metrics, const Bounds& bounds);

  // What is marked as locked releases the lock around I/O and callbacks.
  void Run();
  void SendAcks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Does the next thing that there is to do for `attachment`: one callback, or asking for a page.
  void Advance(Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Claim(Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Deliver(const std::weak_ptr<DeliverySink>& sink, std::vector<OutgoingDelivery> frame)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Reads a page for each that wants one.
  void ReadPages() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  PageQuery QueryFor(const Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakePage(Attachment& attachment, absl::StatusOr<MailboxPage> page)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // How many bytes a next message may have; 0 without a credit.
  size_t Credit(const Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether there is something for it that its credits do not allow now.
  bool WaitsForCredit(const Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes from memory what credits and a frame allow.
  std::vector<OutgoingDelivery> TakeFrame(Attachment& attachment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Keep(Attachment& attachment, MailboxItem item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Returns whose the item is, if it lies in memory for it now.
  Attachment* OnCommittedItem(MailboxItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Delivers what these have ready, where nobody calls their sink already: else the thread does.
  void HandOver(std::span<Attachment* const> attachments) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnCommittedDrop(const std::string& token_hash) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Another process has stored something for it.
  void FallBehind(Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the sender; false when it is not connected here.
  bool Notify(const OfflineNotice& notice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Returns the attachment of an organisation, nullptr if it has none that lasts.
  Attachment* Current(const OrganisationId& organisation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether there is something for the thread to do, now or once it has credit.
  static bool HasWork(const Attachment& attachment);
  // Marks it as to be advanced.
  void Wake(Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Its sink is told by the thread, or not at all without a reason.
  void End(Attachment& attachment, std::optional<v1::Reason> reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Erase(Attachment& attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Store* const store_;
  Clock* const clock_;
  DispatcherMetrics* const metrics_;
  const Bounds bounds_;
  // How many pages are read at a time.
  const size_t pages_together_;

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  AttachmentId last_id_ ABSL_GUARDED_BY(mu_) = 0;
  // Only the thread erases, so that it may let go of the lock in between.
  absl::flat_hash_map<AttachmentId, std::unique_ptr<Attachment>> attachments_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<OrganisationId, Attachment*> current_ ABSL_GUARDED_BY(mu_);
  // The latest tokens that other processes withdrew, oldest first: what this one committed under
  // them a moment before, and has yet to report, must not be taken from memory.
  std::deque<std::string> withdrawn_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<std::string> withdrawn_index_ ABSL_GUARDED_BY(mu_);
  // Attachments to advance, each at most once.
  std::deque<AttachmentId> runnable_ ABSL_GUARDED_BY(mu_);
  // Those that a page is to be read for, once nobody is runnable or there are enough.
  std::vector<AttachmentId> wanting_ ABSL_GUARDED_BY(mu_);
  std::vector<PendingAck> acks_ ABSL_GUARDED_BY(mu_);
  // Calls of OnCommitted that are in sinks, and wake what they hold when they come back.
  size_t handing_over_ ABSL_GUARDED_BY(mu_) = 0;
  size_t memory_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  size_t unacked_bytes_ ABSL_GUARDED_BY(mu_) = 0;

  std::thread thread_;
};

}  // namespace waymark::hub
