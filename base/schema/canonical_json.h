// The one JSON form of our messages: proto JSON with original field names.
//
// Connectors, the local API, the command line and tests use it, so that a section looks the same
// everywhere. Ids are bytes and so appear in base64. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace waymark {

// Returns `message` as one line of JSON. Absent fields are left out. INTERNAL if a string in it is
// not UTF-8.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

// The same for programs that read what a command prints: every list is there, empty or not, and
// every plain field, at its default or not; absent messages and optional fields are left out.
absl::StatusOr<std::string> ToWholeJson(const google::protobuf::Message& message);

// Replaces `message` by what `json` says. MALFORMED if it is no JSON, names a field that the
// message does not have, or holds a value of the wrong type; `message` is then empty. The error
// repeats no value. Says nothing about the values themselves: see ValidateSection.
absl::Status FromJson(std::string_view json, google::protobuf::Message& message);

}  // namespace waymark
