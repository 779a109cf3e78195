// Where rows are and when they are due, in memory.
//
// Ids are random; as keys of a table they would dirty a page of their own with every insert. Rows
// are therefore stored under increasing numbers, and this finds them: by key, and by the time at
// which something becomes of them. Rebuilt when the store opens. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace waymark::hub {

template <typename Key>
class DueIndex {
 public:
  // Adds `key`, or replaces what is known of it. `due` may be InfiniteFuture.
  void Put(const Key& key, int64_t row, absl::Time due) {
    Erase(key);
    slots_.emplace(key, Slot{row, due});
    if (due != absl::InfiniteFuture()) queue_.emplace(Place{due, row}, key);
  }

  void Erase(const Key& key) {
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return;
    queue_.erase(Place{slot->second.due, slot->second.row});
    slots_.erase(slot);
  }

  // Returns the row of `key`.
  std::optional<int64_t> Find(const Key& key) const {
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return std::nullopt;
    return slot->second.row;
  }

  // Returns up to `limit` keys that are due at `now`, the longest overdue first.
  std::vector<Key> Due(absl::Time now, size_t limit) const {
    std::vector<Key> keys;
    for (auto next = queue_.begin();
         next != queue_.end() && next->first.first <= now && keys.size() < limit; ++next) {
      keys.push_back(next->second);
    }
    return keys;
  }

 private:
  struct Slot {
    int64_t row;
    absl::Time due;
  };

  // Among what is due together the rows give the order: they grow, so that what is new goes to the
  // end, where random keys would go anywhere.
  using Place = std::pair<absl::Time, int64_t>;

  absl::flat_hash_map<Key, Slot> slots_;
  absl::btree_map<Place, Key> queue_;
};

}  // namespace waymark::hub
