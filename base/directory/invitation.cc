#include "base/directory/invitation.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"
#include "base/directory/enrolment.h"
#include "base/ids/ids.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kPrefix = "waymark-invitation:";

absl::Status Damaged() {
  return Error(v1::REASON_INVITATION_INVALID,
               "this is not a whole invitation (it begins with \"waymark-invitation:\")");
}

}  // namespace

std::string FormatInvitation(const v1::Invitation& invitation) {
  return std::string(kPrefix) + absl::WebSafeBase64Escape(invitation.SerializeAsString());
}

absl::StatusOr<v1::Invitation> ParseInvitation(std::string_view text) {
  std::string compact(text);
  compact.erase(std::remove_if(compact.begin(), compact.end(),
                               [](unsigned char c) { return std::isspace(c) != 0; }),
                compact.end());
  if (compact.rfind(kPrefix, 0) != 0) return Damaged();
  std::string bytes;
  v1::Invitation invitation;
  if (!absl::WebSafeBase64Unescape(compact.substr(kPrefix.size()), &bytes) ||
      !invitation.ParseFromString(bytes) || invitation.secret().size() != kInvitationSize ||
      !OrganisationId::FromBytes(invitation.organisation_id()) || !invitation.has_network()) {
    return Damaged();
  }
  return invitation;
}

}  // namespace waymark
