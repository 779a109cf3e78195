#include "client/casework/waiting_room.h"

#include <algorithm>

namespace waymark::node {

bool WaitingRoom::WaitsBefore(const Lane& lane, int64_t number) const {
  return std::any_of(held_.begin(), held_.lower_bound(number),
                     [&](const auto& held) { return held.second.lane == lane; });
}

bool WaitingRoom::Hold(int64_t number, const Lane& lane, absl::Time expires_at,
                       bool directory_up_to_date, absl::Time now) {
  Held& held = held_.try_emplace(number, Held{lane, std::nullopt}).first->second;
  if (!directory_up_to_date) {
    held.since.reset();
  } else if (!held.since.has_value()) {
    held.since = now;
  }
  const bool patient = !held.since.has_value() || now - *held.since < kPatience;
  return patient && now < expires_at;
}

}  // namespace waymark::node
