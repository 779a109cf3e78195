// Exit codes of `waymark`, for scripts: one per kind of trouble, stable.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace waymark::node {

enum class ExitCode {
  kOk = 0,
  // Anything that fits nothing below; a defect or a full disk.
  kUnexpected = 1,
  // The command line, a file or a value is wrong.
  kUsage = 2,
  // Something that was named does not exist.
  kNotFound = 3,
  // Consent, membership or the staff role forbids it.
  kNotAllowed = 4,
  // Not now: the referral, the preview or the node is in another state.
  kWrongState = 5,
  // The node or the hub cannot be reached, or does not answer.
  kUnreachable = 6,
  // Something of that name or id exists already.
  kConflict = 7,
};

// An error of the command line itself, whose text already says what to do.
absl::Status UsageError(std::string_view text);

// Never kOk for an error.
ExitCode ExitCodeOf(const absl::Status& status);

// Returns the error as one line of JSON for programs: reason, text, cure, exit_code.
std::string ErrorJson(const absl::Status& status);

// The codes in words, for --help.
inline constexpr char kExitCodeHelp[] =
    "Exit codes: 0 ok, 1 unexpected, 2 usage, 3 not found, 4 not allowed (consent, staff,\n"
    "membership), 5 wrong state, 6 node or hub not reachable, 7 conflict.";

}  // namespace waymark::node
