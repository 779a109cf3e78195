#include "server/routing/working_state.h"

#include <utility>

namespace waymark::hub {
namespace {

template <typename Map, typename Key>
const typename Map::mapped_type* FindIn(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

WorkingState::WorkingState(const Membership& membership, LoadedState loaded,
                           std::optional<absl::Time> restored_at)
    : membership_(membership), restored_at_(restored_at) {
  for (TokenRecord& token : loaded.tokens) tokens_[token.hash] = std::move(token);
  for (ReferralRecord& referral : loaded.referrals) referrals_[referral.id] = std::move(referral);
  for (SeenRecord& seen : loaded.seen) seen_[seen.id] = std::move(seen);
}

const TokenRecord* WorkingState::FindToken(const std::string& hash) const {
  return FindIn(tokens_, hash);
}

const ReferralRecord* WorkingState::FindReferral(const ReferralId& id) const {
  return FindIn(referrals_, id);
}

const SeenRecord* WorkingState::FindSeen(const MessageId& id) const { return FindIn(seen_, id); }

void WorkingState::Apply(const Effects& effects) {
  for (const TokenRecord& token : effects.put_tokens) tokens_[token.hash] = token;
  for (const ReferralRecord& referral : effects.put_referrals) referrals_[referral.id] = referral;
  for (const SeenRecord& seen : effects.put_seen) seen_[seen.id] = seen;
}

}  // namespace waymark::hub
