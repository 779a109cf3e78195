// Parsing that fails closed: what nobody can check must not slip through.
//
// protobuf keeps fields that it does not know and carries them along. In a message about a person
// that would be a way past consent, profile and redaction, so our readers refuse them.
//
// Pure and thread-safe.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace waymark {

// Reads `bytes` into `message`. REASON_MALFORMED: it does not parse, or has a field at any depth
// that its type does not know; `what` names it in the error, for example "the header".
absl::Status StrictParse(std::string_view bytes, std::string_view what,
                         google::protobuf::Message& message);

// Whether `message` has, at any depth, a field that its type does not know.
bool HasUnknownFields(const google::protobuf::Message& message);

}  // namespace waymark
