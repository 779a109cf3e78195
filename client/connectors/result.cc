#include "client/connectors/result.h"

#include <string>

#include "absl/strings/ascii.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr size_t kMaxKey = 64;

}  // namespace

absl::Status SystemUnavailable(std::string_view detail) {
  return Error(v1::REASON_LOCAL_SYSTEM_UNAVAILABLE, detail);
}

absl::Status SystemRefused(std::string_view detail) {
  return Error(v1::REASON_LOCAL_SYSTEM_REFUSED, detail);
}

bool IsSystemUnavailable(const absl::Status& status) {
  return ReasonOf(status) == v1::REASON_LOCAL_SYSTEM_UNAVAILABLE;
}

WriteResult ResultOf(const absl::Status& status) {
  if (status.ok()) return {};
  const WriteOutcome outcome =
      IsSystemUnavailable(status) ? WriteOutcome::kNotNow : WriteOutcome::kRefused;
  return {.outcome = outcome, .detail = std::string(status.message())};
}

WriteResult Uncertain(std::string_view detail) {
  return {.outcome = WriteOutcome::kUncertain,
          .detail = std::string(detail) +
                    ": the record may or may not have been written; look in the local system"};
}

absl::Status NoReferrals() { return SystemRefused("the connector's settings have no `referrals`"); }

absl::Status NoSuchFeed() { return SystemRefused("the connector's settings have no such feed"); }

WriteResult CannotErase() {
  return {.outcome = WriteOutcome::kUnsupported,
          .detail = "the connector's settings have no `erase`; erase the record by hand"};
}

absl::Status CheckKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey) {
    return SystemRefused("the key of a record must have 1 to 64 characters");
  }
  for (const char c : key) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-') continue;
    return SystemRefused("the key of a record holds something else than letters, digits and '-'");
  }
  return absl::OkStatus();
}

}  // namespace waymark::node
