// What the payload of a message may hold, by the kind of the message.
//
// Pure; thread-safe.
#pragma once

#include "absl/status/status.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// OK for a payload as the kind allows it, with sections that validate. CONTENT_FORBIDDEN: a body of
// another kind, or a section without a token. Else what the body's or the sections' check says.
absl::Status CheckContent(v1::Kind kind, const v1::Payload& payload);

}  // namespace waymark::node
