// What the rules see while one batch of items is decided.
//
// The committer loads what the batch's items touch (AddKeys, Store::Load), then alternates Decide
// and Apply, so that a later item sees what an earlier one of the same batch did. Confined to one
// thread; lives for one batch; the membership outlives it.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/routing/membership.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace waymark::hub {

class WorkingState {
 public:
  // `restored_at` as Store::restored_at.
  WorkingState(const Membership& membership, LoadedState loaded,
               std::optional<absl::Time> restored_at = std::nullopt);

  const Membership& membership() const { return membership_; }

  // Whether the store was restored a short while ago, so that what is not known here may have been
  // accepted before.
  bool recovering(absl::Time now) const {
    return restored_at_.has_value() && now < *restored_at_ + kRecoveryPeriod;
  }
  // Whether that holds for a message of `sent`, because it is older than the restore.
  bool may_have_been_lost(absl::Time sent, absl::Time now) const {
    return recovering(now) && sent <= *restored_at_;
  }

  // Each returns nullptr when there is no such record; the pointer is valid until Apply.
  const TokenRecord* FindToken(const std::string& hash) const;
  const ReferralRecord* FindReferral(const ReferralId& id) const;
  const SeenRecord* FindSeen(const MessageId& id) const;

  // Takes over the records that `effects` puts.
  void Apply(const Effects& effects);

 private:
  const Membership& membership_;
  const std::optional<absl::Time> restored_at_;
  absl::flat_hash_map<std::string, TokenRecord> tokens_;
  absl::flat_hash_map<ReferralId, ReferralRecord> referrals_;
  absl::flat_hash_map<MessageId, SeenRecord> seen_;
};

}  // namespace waymark::hub
