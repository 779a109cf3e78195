// The rules of one stream to the hub, seen from the node: what to send next, what a frame means.
//
// Pure: it holds no stream, vault or clock. The adapter (link.h) hands it frames and outbox items,
// stores what Arrived says before it calls Stored, and asks for the next frame whenever none is
// being written. `now` is a monotonic time of the adapter's choice. Not thread-safe; one session
// serves one stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "client/vault/records.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::node {

class Session {
 public:
  // What a frame from the hub brought.
  struct Arrived {
    // The hub's welcome, once. `position` is where the mailbox is read from now on; `lost_epoch` is
    // true when the hub was restored and does not know what it confirmed to us before.
    struct Welcomed {
      MailboxPosition position;
      bool lost_epoch = false;
      bool restricted = false;
      absl::Time hub_time;
    };
    std::optional<Welcomed> welcomed;
    // Final outcomes of items that were in flight. One that may change by itself is not among them:
    // the item is offered again later.
    std::vector<v1::Outcome> outcomes;
    // Messages to store, without repeats, the position afterwards, and what to acknowledge once
    // both are stored. A restricted session brings withdrawals only and passes over what the hub
    // holds for later, so it leaves the position where it was.
    std::vector<v1::Message> messages;
    MailboxPosition position;
    uint64_t through = 0;
    std::optional<MessageId> peer_offline;
    std::optional<v1::Goodbye> goodbye;
  };

  // `position` is how far the vault has read the mailbox.
  explicit Session(MailboxPosition position, absl::Time now);

  // Takes in a frame. REASON_HELLO_EXPECTED: the hub's first frame is no welcome, or a second one
  // came. REASON_MALFORMED, REASON_FIELD_INVALID: a frame that the protocol does not allow. After
  // an error the stream must end.
  absl::StatusOr<Arrived> OnFrame(const v1::ConnectResponse& frame, absl::Time now);

  // What was delivered up to `through` is durable: acknowledge it.
  void Stored(uint64_t through);

  // How many more outbox items may be offered now; 0 before the welcome.
  size_t Room() const;
  // Numbers of the items that must not be offered: in flight, or held back for the time being.
  const std::set<int64_t>& taken() const { return taken_; }
  // Takes items from the outbox, in order. REASON_DATA_CORRUPT: one does not parse.
  absl::Status Offer(const std::vector<OutboxItem>& items);

  // The next frame to write; nullopt when there is nothing to say. Call it when no write is in
  // flight.
  std::optional<v1::ConnectRequest> NextFrame(absl::Time now);

  // To be called now and then. REASON_PEER_STALLED: the hub has said nothing for too long.
  absl::Status OnTick(absl::Time now);

  // The next frame is the goodbye, and the last one.
  void Leave();

  bool welcomed() const { return welcomed_; }

 private:
  struct InFlight {
    int64_t number;
    std::string item_id;
    ReferralId referral;
  };

  absl::StatusOr<Arrived> OnWelcome(const v1::Welcome& welcome);
  void OnOutcomes(const google::protobuf::RepeatedPtrField<v1::Outcome>& outcomes, absl::Time now,
                  Arrived& arrived);
  absl::Status OnDeliver(const v1::Deliver& deliver, Arrived& arrived);
  void Stall(const ReferralId& referral, absl::Time until);
  // A frame of what may go now, with the ack if there is one; nullopt when everything waits for an
  // answer.
  std::optional<v1::ConnectRequest> SubmitFrame();

  MailboxPosition position_;
  // The last sequence number that came on this stream.
  uint64_t delivered_ = 0;
  bool hello_sent_ = false;
  bool welcomed_ = false;
  bool restricted_ = false;
  bool leaving_ = false;
  bool goodbye_sent_ = false;

  std::optional<uint64_t> ack_;
  absl::Duration heartbeat_interval_ = absl::InfiniteDuration();
  absl::Time heartbeat_due_ = absl::InfiniteFuture();
  uint64_t heartbeat_nonce_ = 0;
  absl::Time last_heard_;
  absl::Time welcomed_at_;

  // Offered and not yet written; written and not yet answered. Of one referral only one frame is in
  // flight: the hub takes the first items of a frame or none, so that what it refuses for the time
  // being is not overtaken by what follows.
  std::deque<std::pair<InFlight, v1::Submission>> ready_;
  std::deque<InFlight> in_flight_;
  // Items that the hub would not take yet, and until when. What follows in the same referral waits
  // with them: a message must not overtake the registration of its token.
  std::map<int64_t, absl::Time> held_;
  std::map<ReferralId, absl::Time> stalled_;
  std::set<int64_t> taken_;
};

}  // namespace waymark::node
