// What the value formats of the schema allow. Sections go through validate.h; this is for values
// outside them.
#pragma once

#include <cstdint>
#include <string_view>

#include "google/protobuf/timestamp.pb.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/policy.pb.h"
#include "waymark/v1/sections.pb.h"

namespace waymark {

// Returns whether the string or bytes value has the format; false for formats of other types.
bool HasTextFormat(std::string_view value, v1::ValueFormat format);

// Returns whether the number has the format.
bool HasNumberFormat(uint32_t value, v1::ValueFormat format);

// Returns whether the timestamp has the format WHOLE_MINUTE or WHOLE_HOUR.
bool HasTimeFormat(const google::protobuf::Timestamp& value, v1::ValueFormat format);

// Returns the number of Unicode characters of a valid UTF-8 text.
size_t CharacterCount(std::string_view utf8);

// Return whether the value exists in the calendar and does not end before it begins.
bool IsValid(const v1::Date& date);
bool IsValid(const v1::DateRange& range);
bool IsValid(const v1::TimeWindow& window);
bool IsValid(const v1::WeeklyWindow& window);
bool IsValid(const v1::Quarter& quarter);

}  // namespace waymark
