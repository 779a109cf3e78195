// How long room is believed, unit by unit.
#include "base/directory/room.h"

#include "gtest/gtest.h"

namespace waymark {
namespace {

constexpr int64_t kCounted = 30'000'000;

absl::Time Minute(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

v1::Capacity Counted(int64_t minutes) {
  v1::Capacity capacity;
  capacity.set_updated_minute(kCounted);
  capacity.set_valid_until_minute(kCounted + minutes);
  return capacity;
}

TEST(RoomEndTest, IsWhatWasSaidButNoLaterThanTheLifetimeOfTheUnit) {
  constexpr int64_t kHour = 60;
  constexpr int64_t kDay = 24 * kHour;
  constexpr int64_t kYear = 365 * kDay;
  struct Case {
    v1::CapacityUnit unit;
    int64_t most;
  };
  for (const Case& expected :
       {Case{v1::CAPACITY_UNIT_BED, 12 * kHour}, Case{v1::CAPACITY_UNIT_FAMILY_ROOM, 12 * kHour},
        Case{v1::CAPACITY_UNIT_HOUR, kDay}, Case{v1::CAPACITY_UNIT_SESSION, 3 * kDay},
        Case{v1::CAPACITY_UNIT_SLOT, 7 * kDay}, Case{v1::CAPACITY_UNIT_CASE, 7 * kDay},
        Case{v1::CAPACITY_UNIT_PLACE, 30 * kDay}}) {
    EXPECT_EQ(RoomEndOf(Counted(kYear), expected.unit), Minute(kCounted + expected.most))
        << expected.unit;
    EXPECT_EQ(RoomEndOf(Counted(90), expected.unit), Minute(kCounted + 90)) << expected.unit;
    EXPECT_LE(LifetimeOf(expected.unit).shortest, LifetimeOf(expected.unit).longest);
  }
}

TEST(RoomEndTest, ComesWithTheEndOfTheWindow) {
  v1::Capacity capacity = Counted(90);
  capacity.mutable_window()->set_from_minute(kCounted);
  EXPECT_EQ(RoomEndOf(capacity, v1::CAPACITY_UNIT_SESSION), Minute(kCounted + 90));
  capacity.mutable_window()->set_to_minute(kCounted + 30);
  EXPECT_EQ(RoomEndOf(capacity, v1::CAPACITY_UNIT_SESSION), Minute(kCounted + 30));
}

}  // namespace
}  // namespace waymark
