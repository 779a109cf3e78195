// Days and moments of the schema, v1::Date and Timestamp, and those of Abseil. All in UTC, to the
// second. Thread-safe.
#pragma once

#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "waymark/v1/common.pb.h"

namespace waymark {

inline v1::Date DateOf(absl::CivilDay day) {
  v1::Date date;
  date.set_year(static_cast<int32_t>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

// The day on which `time` falls.
inline v1::Date DateOf(absl::Time time) {
  return DateOf(absl::ToCivilDay(time, absl::UTCTimeZone()));
}

// The first moment of the day.
inline absl::Time StartOf(const v1::Date& date) {
  return absl::FromCivil(absl::CivilDay(date.year(), date.month(), date.day()),
                         absl::UTCTimeZone());
}

inline void SetTime(google::protobuf::Timestamp& timestamp, absl::Time time) {
  timestamp.set_seconds(absl::ToUnixSeconds(time));
}

}  // namespace waymark
