#include "base/directory/room.h"

#include <algorithm>

namespace waymark {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

}  // namespace

RoomLifetime LifetimeOf(v1::CapacityUnit unit) {
  switch (unit) {
    case v1::CAPACITY_UNIT_BED:
    case v1::CAPACITY_UNIT_FAMILY_ROOM:
      return {absl::Hours(4), absl::Hours(12)};
    case v1::CAPACITY_UNIT_HOUR:
      return {kDay, kDay};
    case v1::CAPACITY_UNIT_SESSION:
      return {3 * kDay, 3 * kDay};
    case v1::CAPACITY_UNIT_PLACE:
      return {30 * kDay, 30 * kDay};
    default:
      return {7 * kDay, 7 * kDay};
  }
}

absl::Time RoomEndOf(const v1::Capacity& capacity, v1::CapacityUnit unit) {
  const auto time_of = [](int64_t minute) { return absl::FromUnixSeconds(minute * 60); };
  const absl::Time end = std::min(time_of(capacity.valid_until_minute()),
                                  time_of(capacity.updated_minute()) + LifetimeOf(unit).longest);
  // Room in a window that is over is room no longer.
  return capacity.window().to_minute() > 0 ? std::min(end, time_of(capacity.window().to_minute()))
                                           : end;
}

}  // namespace waymark
