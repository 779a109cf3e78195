// What waits for the committer: one line for each member, served in turn.
//
// Within a member's line order is kept; between members nobody waits for more than one entry of
// each other. Bounds: all together, each member, and a reserve beyond the first for members of whom
// nothing waits, so that those who fill the queue cannot keep the others out of it.
//
// Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/ids/ids.h"

namespace waymark::hub {

// What an entry counts.
struct QueueLoad {
  size_t items = 0;
  size_t bytes = 0;

  bool Fits(const QueueLoad& bound) const { return items <= bound.items && bytes <= bound.bytes; }
  QueueLoad operator+(const QueueLoad& other) const {
    return {items + other.items, bytes + other.bytes};
  }
  QueueLoad operator-(const QueueLoad& other) const {
    return {items - other.items, bytes - other.bytes};
  }
};

template <typename Entry>
class FairQueue {
 public:
  struct Bounds {
    QueueLoad total;
    QueueLoad member;
    QueueLoad reserve;
  };

  explicit FairQueue(const Bounds& bounds) : bounds_(bounds) {}

  // Queues `entry` and moves from it; returns false, and leaves it, when it is beyond the bounds.
  // An entry that is larger than a bound is taken while nothing else waits.
  bool Push(const OrganisationId& member, const QueueLoad& load, Entry& entry) {
    if (!turns_.empty() && !HasRoom(member, load)) return false;
    Line& line = lines_[member];
    if (line.entries.empty()) turns_.push_back(member);
    line.entries.emplace_back(load, std::move(entry));
    line.load = line.load + load;
    load_ = load_ + load;
    return true;
  }

  bool empty() const { return turns_.empty(); }

  // What the entry counts whose turn it is. The queue is not empty.
  const QueueLoad& next_load() const {
    return lines_.find(turns_.front())->second.entries.front().first;
  }

  // Takes that entry; the turn of its member comes again after everybody else's.
  Entry Pop() {
    const OrganisationId member = turns_.front();
    turns_.pop_front();
    const auto found = lines_.find(member);
    Line& line = found->second;
    const QueueLoad load = line.entries.front().first;
    Entry entry = std::move(line.entries.front().second);
    line.entries.pop_front();
    line.load = line.load - load;
    load_ = load_ - load;
    if (line.entries.empty()) {
      lines_.erase(found);
    } else {
      turns_.push_back(member);
    }
    return entry;
  }

  // What waits, all together.
  const QueueLoad& load() const { return load_; }

 private:
  struct Line {
    std::deque<std::pair<QueueLoad, Entry>> entries;
    QueueLoad load;
  };

  bool HasRoom(const OrganisationId& member, const QueueLoad& load) const {
    const auto line = lines_.find(member);
    const QueueLoad all = load_ + load;
    if (line == lines_.end()) return all.Fits(bounds_.total + bounds_.reserve);
    return all.Fits(bounds_.total) && (line->second.load + load).Fits(bounds_.member);
  }

  const Bounds bounds_;
  absl::flat_hash_map<OrganisationId, Line> lines_;
  // The members of whom something waits, whose turn comes first in front.
  std::deque<OrganisationId> turns_;
  QueueLoad load_;
};

}  // namespace waymark::hub
