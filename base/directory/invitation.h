// The invitation as one line of text: "waymark-invitation:" and base64url of the serialised
// message. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "waymark/v1/invitation.pb.h"

namespace waymark {

std::string FormatInvitation(const v1::Invitation& invitation);

// Reads the text, white space around and inside it ignored. INVITATION_INVALID: it is damaged or
// not an invitation; the message does not repeat it, because it holds a secret.
absl::StatusOr<v1::Invitation> ParseInvitation(std::string_view text);

}  // namespace waymark
