// Where rows are and when they are due, in memory.
//
// Ids are random; as keys of a table they would dirty a page of their own with every insert. Rows
// are therefore stored under increasing numbers, and this finds them: by key, and by the time at
// which something becomes of them. Rebuilt when the store opens; about 75 bytes a row and the key.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "server/store/sqlite/segmented_map.h"
#include "server/store/sqlite/statement.h"

namespace waymark::hub {

template <typename Key>
class DueIndex {
 public:
  // Adds `key`, or replaces what is known of it. `due` may be InfiniteFuture.
  void Put(const Key& key, int64_t row, absl::Time due) {
    Erase(key);
    const Slot slot = {.row = row, .due = TimeToRow(due)};
    slots_.Put(key, slot);
    if (due != absl::InfiniteFuture()) queue_.emplace(slot.due, row);
  }

  void Erase(const Key& key) {
    const Slot* slot = slots_.Find(key);
    if (slot == nullptr) return;
    queue_.erase({slot->due, slot->row});
    slots_.Erase(key);
  }

  // Returns the row of `key`.
  std::optional<int64_t> Find(const Key& key) const {
    const Slot* slot = slots_.Find(key);
    if (slot == nullptr) return std::nullopt;
    return slot->row;
  }

  // Returns up to `limit` rows that are due at `now`, the longest overdue first. Their keys are
  // read from them.
  std::vector<int64_t> Due(absl::Time now, size_t limit) const {
    std::vector<int64_t> rows;
    for (auto next = queue_.begin();
         next != queue_.end() && next->first <= TimeToRow(now) && rows.size() < limit; ++next) {
      rows.push_back(next->second);
    }
    return rows;
  }

 private:
  struct Slot {
    int64_t row;
    // As TimeToRow has it, half as long as a time.
    int64_t due;
  };

  SegmentedMap<Key, Slot> slots_;
  // When, and which row. Rows grow, so that of what is due together the new goes to the end, where
  // random keys would go anywhere.
  absl::btree_set<std::pair<int64_t, int64_t>> queue_;
};

}  // namespace waymark::hub
