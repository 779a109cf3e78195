// Messages that overtook the directory: their sender's unit is not in it yet.
//
// The hub knows a unit as soon as it is published, a recipient when its watch has brought it; a
// first message may be faster. It stays in the inbox until the directory has its sender, and with
// it what comes after it in the same referral, so that order holds. It is given up when it expires,
// or when the directory has been up to date for kPatience and still does not know the sender. What
// is remembered here is only how long and in which order: after a restart the messages are still in
// the inbox and their patience begins anew.
//
// Pure but for its memory. Not thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "base/ids/ids.h"

namespace waymark::node {

class WaitingRoom {
 public:
  // How long a directory that is up to date may go on without the sender.
  static constexpr absl::Duration kPatience = absl::Minutes(15);
  // How long nobody needs to look at what waits, as long as the directory stays as it is.
  static constexpr absl::Duration kPause = absl::Minutes(1);

  // Messages that keep their order. The sender is part of it, so that nobody holds up a referral
  // by naming it.
  struct Lane {
    ReferralId referral;
    UnitId sender;

    friend auto operator<=>(const Lane&, const Lane&) = default;
  };

  // Whether a message of the lane waits that came before this one. Messages are named by their
  // numbers in the inbox.
  bool WaitsBefore(const Lane& lane, int64_t number) const;

  // Lets the message wait, or go on waiting; false when it has waited long enough. `expires_at` is
  // the message's own. Time counts while the directory is up to date without a break.
  bool Hold(int64_t number, const Lane& lane, absl::Time expires_at, bool directory_up_to_date,
            absl::Time now);

  // The message no longer waits. OK if it did not.
  void Release(int64_t number) { held_.erase(number); }

  bool empty() const { return held_.empty(); }

 private:
  struct Held {
    Lane lane;
    // Since when the directory has been up to date while it waits.
    std::optional<absl::Time> since;
  };

  std::map<int64_t, Held> held_;
};

}  // namespace waymark::node
