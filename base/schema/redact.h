// Text of a message for logs and debuggers, without what could point to a person.
//
// The class of each field decides, and what has no class is treated as the worst: this is the only
// way in which a message may reach a log. Thread-safe.
#pragma once

#include <string>

#include "google/protobuf/message.h"

namespace waymark {

// What stands in place of a value.
inline constexpr char kRedacted[] = "[redacted]";

// Returns one line such as `preferred_language: [redacted] interpreter_mode: INTERPRETER_MODE_ANY`.
// In a section: routing and non-identifying fields show their value, bytes as hexadecimal digits;
// quasi, identifying and special fields and `not_said` show that they are set. Outside sections:
// numbers, flags, enums and nested messages show, strings and bytes do not. Unknown fields never
// show.
std::string Redacted(const google::protobuf::Message& message);

}  // namespace waymark
