#include "base/status/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace waymark {
namespace {

constexpr std::string_view kPayloadUrl = "waymark.v1/reason";
constexpr std::string_view kPrefix = "REASON_";

absl::string_view PayloadUrl() { return {kPayloadUrl.data(), kPayloadUrl.size()}; }

const v1::ReasonInfo& InfoOf(v1::Reason reason) {
  const auto* value = v1::Reason_descriptor()->FindValueByNumber(reason);
  if (value == nullptr) {
    return v1::ReasonInfo::default_instance();
  }
  return value->options().GetExtension(v1::reason_info);
}

absl::Status WithReason(absl::Status status, v1::Reason reason) {
  status.SetPayload(PayloadUrl(), absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

}  // namespace

absl::Status Error(v1::Reason reason, std::string_view detail) {
  const v1::ReasonInfo& info = InfoOf(reason);
  std::string message(detail);
  if (!info.cure().empty()) {
    message += message.empty() || message.back() == '.' ? " " : ". ";
    message += info.cure();
  }
  return WithReason(absl::Status(ReasonCode(reason), message), reason);
}

v1::Reason ReasonOf(const absl::Status& status) {
  if (status.ok()) {
    return v1::REASON_UNSPECIFIED;
  }
  const auto payload = status.GetPayload(PayloadUrl());
  if (!payload.has_value()) {
    return v1::REASON_INTERNAL;
  }
  const int number = std::stoi(std::string(*payload));
  return v1::Reason_IsValid(number) ? static_cast<v1::Reason>(number) : v1::REASON_INTERNAL;
}

std::string_view ReasonName(v1::Reason reason) {
  std::string_view name = v1::Reason_Name(reason);
  if (name.size() > kPrefix.size()) {
    name.remove_prefix(kPrefix.size());
  }
  return name;
}

v1::Reason ReasonFromName(std::string_view name) {
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  v1::Reason_Parse(std::string(kPrefix) + std::string(name), &reason);
  return reason;
}

absl::StatusCode ReasonCode(v1::Reason reason) {
  const int code = InfoOf(reason).code();
  return code == 0 ? absl::StatusCode::kInternal : static_cast<absl::StatusCode>(code);
}

std::string_view ReasonCure(v1::Reason reason) { return InfoOf(reason).cure(); }

absl::Status ErrorFromPeer(absl::StatusCode code, std::string_view message, v1::Reason reason) {
  return WithReason(absl::Status(code, absl::string_view(message.data(), message.size())), reason);
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) {
    return status;
  }
  absl::Status annotated(
      status.code(),
      absl::StrCat(absl::string_view(context.data(), context.size()), ": ", status.message()));
  return WithReason(std::move(annotated), ReasonOf(status));
}

std::string ErrorLine(std::string_view program, const absl::Status& status) {
  std::string line(program);
  absl::StrAppend(&line, ": ", status.message(), " [", std::string(ReasonName(ReasonOf(status))),
                  "]\n");
  return line;
}

absl::Status InvalidField(std::string_view what) { return Error(v1::REASON_FIELD_INVALID, what); }

absl::Status CommandLineError(std::string_view what) {
  return ErrorFromPeer(absl::StatusCode::kInvalidArgument,
                       std::string(what) + "; --help says what there is", v1::REASON_FIELD_INVALID);
}

}  // namespace waymark
