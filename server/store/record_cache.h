// The records that traffic touched lately, so that a message costs no read of what the one before
// it wrote.
//
// Two generations: what is used goes into the young one; when that is full it becomes the old one,
// and what was only in the old one is forgotten. So it holds the latest `generation` keys at least,
// twice as many at most, and neither keeps an order nor looks for what to drop. Not thread-safe.
#pragma once

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace waymark::hub {

template <typename Key, typename Record>
class RecordCache {
 public:
  explicit RecordCache(size_t generation) : generation_(generation) {}

  // Returns the record of `key`, nullptr when it is not here; valid until the next call.
  const Record* Find(const Key& key) {
    const auto young = young_.find(key);
    if (young != young_.end()) return &young->second;
    const auto old = old_.find(key);
    if (old == old_.end()) return nullptr;
    Record record = std::move(old->second);
    old_.erase(old);
    return &Insert(key, std::move(record));
  }

  void Put(const Key& key, Record record) {
    old_.erase(key);
    Insert(key, std::move(record));
  }

  void Erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  void Clear() {
    young_.clear();
    old_.clear();
  }

 private:
  Record& Insert(const Key& key, Record record) {
    if (young_.size() >= generation_) {
      old_ = std::move(young_);
      young_.clear();
      old_.erase(key);
    }
    return young_.insert_or_assign(key, std::move(record)).first->second;
  }

  const size_t generation_;
  absl::flat_hash_map<Key, Record> young_;
  absl::flat_hash_map<Key, Record> old_;
};

}  // namespace waymark::hub
