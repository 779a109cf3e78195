// The documented ranges of every field of a statement, checked once when it is read.
#pragma once

#include "absl/status/status.h"
#include "waymark/v1/directory.pb.h"

namespace waymark {

// OK if every field is within its documented range. REASON_FIELD_INVALID or REASON_ENUM_UNKNOWN
// names the one that is not. Pure and thread-safe.
absl::Status CheckStatementShape(const v1::Statement& statement);

// The same for a member that is invited: all but the identity key, which it brings when it joins.
absl::Status CheckInvitedShape(const v1::Member& member);

}  // namespace waymark
