// How long what was said about a service's room is believed (R68).
//
// Pure and thread-safe.
#pragma once

#include "absl/time/time.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark {

// Places to sleep change faster by night; everything else has one lifetime.
struct RoomLifetime {
  absl::Duration shortest;
  absl::Duration longest;
};

// By what the room is counted in.
RoomLifetime LifetimeOf(v1::CapacityUnit unit);

// From when on the room is unknown: at the end that was said or that of its window, and never later
// than the longest lifetime of its unit after it was said, however far ahead somebody put that end.
absl::Time RoomEndOf(const v1::Capacity& capacity, v1::CapacityUnit unit);

}  // namespace waymark
