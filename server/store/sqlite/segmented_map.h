// A hash map that grows in small steps.
//
// A hash map doubles all at once: with a million entries that holds up whoever added the last one
// for a second. Here each key belongs to one of many maps, by its hash, and these double one by one
// and at different times. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"

namespace waymark::hub {

template <typename Key, typename Value>
class SegmentedMap {
 public:
  // Returns the value of `key`, nullptr if there is none; valid until the map changes.
  const Value* Find(const Key& key) const {
    const auto& segment = segments_[SegmentOf(key)];
    const auto found = segment.find(key);
    return found == segment.end() ? nullptr : &found->second;
  }
  Value* Find(const Key& key) { return const_cast<Value*>(std::as_const(*this).Find(key)); }

  // Adds `key`, or replaces its value.
  void Put(const Key& key, const Value& value) {
    auto& segment = segments_[SegmentOf(key)];
    const size_t before = segment.size();
    segment.insert_or_assign(key, value);
    size_ += segment.size() - before;
  }

  void Erase(const Key& key) { size_ -= segments_[SegmentOf(key)].erase(key); }

  size_t size() const { return size_; }

  // The most entries that adding one may have to move.
  size_t largest_segment() const {
    size_t largest = 0;
    for (const auto& segment : segments_) largest = std::max(largest, segment.size());
    return largest;
  }

 private:
  static constexpr size_t kSegmentBits = 8;

  // By the hash's highest bits; the map itself goes by the others.
  static size_t SegmentOf(const Key& key) {
    return absl::Hash<Key>()(key) >> (sizeof(size_t) * 8 - kSegmentBits);
  }

  std::array<absl::flat_hash_map<Key, Value>, size_t{1} << kSegmentBits> segments_;
  size_t size_ = 0;
};

}  // namespace waymark::hub
