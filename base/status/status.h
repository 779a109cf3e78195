// Errors as values, each with a stable reason.
//
// Every error of Waymark is an absl::Status made by Error(): its code and cure come from the table
// in proto/waymark/v1/reason.proto, so that a reason never travels with two codes. Example:
//
//   if (!unit) return Error(v1::REASON_UNIT_UNKNOWN, "unit lin.family");
//   ASSIGN_OR_RETURN(auto box, Open(...));
//
// Nothing personal goes into a detail: name the kind of thing and its id.
// All functions are thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waymark/v1/reason.pb.h"

namespace waymark {

// Returns a status with the reason's code and the message "<detail>: <what> <cure>". `detail` says
// what happened to what ("unit lin.family is not in the directory"); the cure is appended from the
// table.
absl::Status Error(v1::Reason reason, std::string_view detail);

// Returns the reason that `status` carries, REASON_UNSPECIFIED for an OK status and REASON_INTERNAL
// for an error that was not made by Error().
v1::Reason ReasonOf(const absl::Status& status);

// Returns the reason's name without its prefix, for example "TOKEN_EXPIRED".
std::string_view ReasonName(v1::Reason reason);

// Returns the reason whose ReasonName is `name`, REASON_UNSPECIFIED if there is none.
v1::Reason ReasonFromName(std::string_view name);

// Returns the canonical code of the reason, kInternal for REASON_UNSPECIFIED.
absl::StatusCode ReasonCode(v1::Reason reason);

// Returns the cure of the reason: one English sentence.
std::string_view ReasonCure(v1::Reason reason);

// Returns an error as a peer reported it: code and message (which has its cure) unchanged, with
// `reason`.
absl::Status ErrorFromPeer(absl::StatusCode code, std::string_view message, v1::Reason reason);

// Returns `status` with "<context>: " before its message and the same reason.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// Returns the line with which a program reports an error to people:
// "<program>: <message> [<REASON>]\n".
std::string ErrorLine(std::string_view program, const absl::Status& status);

// Returns the commonest one, FIELD_INVALID: `what` names the value and what it must be.
absl::Status InvalidField(std::string_view what);

// Returns an error of the command line that `what` tells of, FIELD_INVALID.
absl::Status CommandLineError(std::string_view what);

}  // namespace waymark

// Both may be nested, for example in a lambda that is part of `expr`: each use has a name of its
// own.
#define RETURN_IF_ERROR(expr) WAYMARK_RETURN_IF_ERROR_(WAYMARK_CONCAT_(status_, __COUNTER__), expr)
#define ASSIGN_OR_RETURN(lhs, expr) \
  WAYMARK_ASSIGN_OR_RETURN_(WAYMARK_CONCAT_(status_or_, __COUNTER__), lhs, expr)

#define WAYMARK_CONCAT_INNER_(a, b) a##b
#define WAYMARK_CONCAT_(a, b) WAYMARK_CONCAT_INNER_(a, b)
#define WAYMARK_RETURN_IF_ERROR_(status, expr)        \
  do {                                                \
    if (absl::Status status = (expr); !status.ok()) { \
      return status;                                  \
    }                                                 \
  } while (false)
#define WAYMARK_ASSIGN_OR_RETURN_(temporary, lhs, expr) \
  auto temporary = (expr);                              \
  if (!temporary.ok()) {                                \
    return std::move(temporary).status();               \
  }                                                     \
  lhs = *std::move(temporary)
