// A hash map that grows in small steps.
//
// A hash map doubles all at once: with a million entries that holds up whoever added the last one
// for a second. Here each key belongs to one of many maps, by its hash, and whenever these have
// grown by so much on average, one of them, each in turn, is divided in two (linear hashing: W.
// Litwin, 1980). So the work and the memory of growing are spread evenly over all additions, and
// none moves more than a map's entries. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"

namespace waymark::hub {

template <typename Key, typename Value>
class SegmentedMap {
 public:
  // How many entries a segment has on average, between those that were divided and those that have
  // yet to be, which have up to twice as many.
  static constexpr size_t kEntries = 1600;

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
    if (size_ > segments_.size() * kEntries) Divide();
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
  using Segment = absl::flat_hash_map<Key, Value>;

  // The segments have the numbers that the hash's upper half has modulo `doubled_`, or modulo half
  // of that while the number is of a segment that is yet to come. The map itself goes by the lower
  // half.
  static size_t NumberOf(const Key& key) { return absl::Hash<Key>()(key) >> 32; }
  size_t SegmentOf(const Key& key) const {
    const size_t number = NumberOf(key) & (doubled_ - 1);
    return number < segments_.size() ? number : number - doubled_ / 2;
  }

  void Divide() {
    const size_t added = segments_.size();
    Segment whole = std::move(segments_[added - doubled_ / 2]);
    Segment staying;
    Segment leaving;
    for (auto& entry : whole) {
      const bool leaves = (NumberOf(entry.first) & (doubled_ - 1)) == added;
      (leaves ? leaving : staying).insert(std::move(entry));
    }
    segments_[added - doubled_ / 2] = std::move(staying);
    segments_.push_back(std::move(leaving));
    if (segments_.size() == doubled_) doubled_ *= 2;
  }

  std::vector<Segment> segments_ = std::vector<Segment>(1);
  // Twice the number of segments when the present turn of dividing began.
  size_t doubled_ = 2;
  size_t size_ = 0;
};

}  // namespace waymark::hub
