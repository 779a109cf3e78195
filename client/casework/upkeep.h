// What happens to referrals without anybody's doing.
//
// The times at which something comes due are kept in memory alone, because in the vault they would
// stand in clear: a tick opens the referrals that changed since the last one and those that are
// due, the first one all. Runs on the node's own thread; the context outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::node {

class Upkeep {
 public:
  explicit Upkeep(const CaseworkContext& context) : context_(context) {}

  // Ends states whose clock has run out, erases received sections at the end of their retention,
  // and forgets what has passed its time.
  absl::Status Tick();
  // Notes what the hub made of the messages that it refused or took.
  absl::Status OnOutcome(std::string_view item_id, v1::Reason reason);
  // Notes that the recipient of an urgent message cannot be reached.
  absl::Status OnPeerOffline(const MessageId& message);

 private:
  // Learns when each referral that has changed comes due.
  absl::Status NoteChanged(const Reader& reader);
  // Does what is due with the referral at `now`.
  absl::Status Settle(Transaction& transaction, const DirectorySnapshot& directory,
                      const ReferralId& id, absl::Time now);
  // Changes the referral of a sent message, found by a lookup; OK when there is none.
  absl::Status ChangeReferralOf(
      const MessageId& message,
      const std::function<void(local::v1::Referral&, local::v1::Event&)>& change);

  const CaseworkContext& context_;
  // The referrals with which something will be due of itself, and where the vault stood then.
  std::map<ReferralId, absl::Time> due_;
  int64_t mark_ = 0;
};

}  // namespace waymark::node
