// What this process read or wrote last in a PostgreSQL store, with the versions that it had.
//
// A batch that goes on from what is remembered needs no look at the database, nor does what is new.
// Nothing of it is taken for true: a commit holds each version, and what was assumed to be absent,
// against what is there (commit_plan.h). Tokens hardly ever change. Referrals do all the time, so
// they are remembered only while no other process writes. Answers to messages are not, because a
// message is hardly ever sent twice. Bounded. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "server/store/postgres/commit_plan.h"
#include "server/store/record_cache.h"
#include "server/store/store.h"

namespace waymark::hub {

class Recollection {
 public:
  // The latest `generation` tokens and referrals at least, twice as many at most.
  explicit Recollection(size_t generation) : tokens_(generation), referrals_(generation) {}

  // Fills `state`, and `versions`, which has all keys with version 0, with what is remembered, and
  // leaves out what is new and every answer. Returns the keys that have to be read.
  LoadedVersions Recall(const StateKeys& keys, LoadedVersions& versions, LoadedState& state);

  // `state` was read, and has `versions`.
  void Keep(const LoadedState& state, const LoadedVersions& versions);
  // `batch` was committed as `version`.
  void Keep(std::span<const Effects> batch, int64_t version);

  void ForgetReferrals() { referrals_.Clear(); }
  void Forget();

 private:
  template <typename Record>
  struct Known {
    Record record;
    int64_t version = 0;
  };

  RecordCache<std::string, Known<TokenRecord>> tokens_;
  RecordCache<std::string, Known<ReferralRecord>> referrals_;
};

}  // namespace waymark::hub
