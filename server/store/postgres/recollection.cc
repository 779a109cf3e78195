#include "server/store/postgres/recollection.h"

#include <map>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace waymark::hub {
namespace {

// Keys of `versions` that are neither remembered nor among `fresh` go to `unknown`.
template <typename Cache, typename Record>
void RecallRecords(Cache& cache, const absl::flat_hash_set<std::string>& fresh,
                   std::map<std::string, int64_t>& versions, std::vector<Record>& records,
                   std::map<std::string, int64_t>& unknown) {
  for (auto& [key, version] : versions) {
    if (const auto* known = cache.Find(key)) {
      records.push_back(known->record);
      version = known->version;
    } else if (!fresh.contains(key)) {
      unknown.emplace(key, 0);
    }
  }
}

}  // namespace

LoadedVersions Recollection::Recall(const StateKeys& keys, LoadedVersions& versions,
                                    LoadedState& state) {
  LoadedVersions unknown;
  const absl::flat_hash_set<std::string> new_tokens(keys.new_tokens.begin(), keys.new_tokens.end());
  RecallRecords(tokens_, new_tokens, versions.tokens, state.tokens, unknown.tokens);
  absl::flat_hash_set<std::string> new_referrals;
  for (const ReferralId& id : keys.new_referrals) new_referrals.insert(id.bytes());
  RecallRecords(referrals_, new_referrals, versions.referrals, state.referrals, unknown.referrals);
  state.assumed = !versions.seen.empty() || unknown.tokens.size() < versions.tokens.size() ||
                  unknown.referrals.size() < versions.referrals.size();
  return unknown;
}

void Recollection::Keep(const LoadedState& state, const LoadedVersions& versions) {
  for (const TokenRecord& token : state.tokens) {
    const std::string& key = KeyOf(token);
    tokens_.Put(key, {token, versions.tokens.at(key)});
  }
  for (const ReferralRecord& referral : state.referrals) {
    const std::string key = KeyOf(referral);
    referrals_.Put(key, {referral, versions.referrals.at(key)});
  }
}

void Recollection::Keep(std::span<const Effects> batch, int64_t version) {
  for (const Effects& effects : batch) {
    for (const TokenRecord& token : effects.put_tokens) {
      tokens_.Put(KeyOf(token), {token, version});
    }
    for (const ReferralRecord& referral : effects.put_referrals) {
      referrals_.Put(KeyOf(referral), {referral, version});
    }
  }
}

void Recollection::Forget() {
  tokens_.Clear();
  ForgetReferrals();
}

}  // namespace waymark::hub
