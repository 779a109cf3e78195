#include "client/cli/exit_code.h"

#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "google/protobuf/struct.pb.h"

namespace waymark::node {

absl::Status UsageError(std::string_view text) {
  return ErrorFromPeer(absl::StatusCode::kInvalidArgument, text, v1::REASON_FIELD_INVALID);
}

ExitCode ExitCodeOf(const absl::Status& status) {
  // A mapping is a file that somebody wrote, whatever went wrong when it ran.
  const v1::Reason reason = ReasonOf(status);
  if (reason >= v1::REASON_MAPPING_INVALID && reason <= v1::REASON_MAPPING_INPUT_INVALID) {
    return ExitCode::kUsage;
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return ExitCode::kNotAllowed;
    case absl::StatusCode::kFailedPrecondition:
      return ExitCode::kWrongState;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return ExitCode::kConflict;
    default:
      return ExitCode::kUnexpected;
  }
}

std::string ErrorJson(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  const std::string_view cure = ReasonCure(reason);
  std::string text(status.message());
  // Error() puts the cure behind the text; a text that is its own cure stays whole.
  const bool ends_in_cure =
      text.size() > cure.size() && text.compare(text.size() - cure.size(), cure.size(), cure) == 0;
  if (ends_in_cure) text.resize(text.size() - cure.size() - 1);
  google::protobuf::Struct error;
  auto& fields = *error.mutable_fields();
  fields["reason"].set_string_value(std::string(ReasonName(reason)));
  fields["text"].set_string_value(text);
  fields["cure"].set_string_value(ends_in_cure ? std::string(cure) : "");
  fields["exit_code"].set_number_value(static_cast<int>(ExitCodeOf(status)));
  return ToJson(error).value_or("{}");
}

}  // namespace waymark::node
