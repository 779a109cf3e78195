#include "client/connectors/http/verdict.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

constexpr int64_t kLongestRetryAfter = 86400;

bool IsJsonType(std::string_view type) {
  return type == "application/json" || absl::EndsWith({type.data(), type.size()}, "+json");
}

// Refused for now, and certainly not done: too long under way, locked, too early, too many, busy.
bool IsPassingCode(int code) {
  return code == 408 || code == 423 || code == 425 || code == 429 || code == 503;
}

absl::Status Redirected(const HttpUrl& asked, const HttpExchange& exchange) {
  const auto to = asked.Resolve(exchange.answer.header("location"));
  return SystemRefused("the server answered " + std::to_string(exchange.answer.code) +
                       ", a redirect" + (to ? " to the host " + to->host() : "") +
                       ", which is not followed; if that is your system, correct the address");
}

HttpVerdict JudgeSuccess(const HttpAnswer& answer) {
  if (answer.body.empty()) return {};
  if (!IsJsonType(answer.content_type)) {
    return {.status = SystemRefused("the server answered " + std::to_string(answer.code) +
                                    " with something other than JSON; look whether the address is "
                                    "the right one"),
            .uncertain = true};
  }
  if (CheckJson(answer.body, kMaxJsonDepth) == JsonText::kValid) return {};
  return {.status = SystemRefused("the server's answer is not whole, or no JSON"),
          .uncertain = true};
}

}  // namespace

int64_t RetryAfterSeconds(std::string_view retry_after, std::string_view date) {
  constexpr char kHttpDate[] = "%a, %d %b %E4Y %H:%M:%S GMT";
  int64_t seconds = 0;
  absl::Time until;
  absl::Time now;
  std::string ignored;
  if (!absl::SimpleAtoi(absl::string_view(retry_after.data(), retry_after.size()), &seconds)) {
    if (!absl::ParseTime(kHttpDate, {retry_after.data(), retry_after.size()}, &until, &ignored) ||
        !absl::ParseTime(kHttpDate, {date.data(), date.size()}, &now, &ignored)) {
      return 0;
    }
    seconds = absl::ToInt64Seconds(until - now);
  }
  return std::clamp<int64_t>(seconds, 0, kLongestRetryAfter);
}

HttpVerdict Judge(const HttpUrl& asked, const HttpExchange& exchange) {
  if (!exchange.status.ok()) return {.status = exchange.status, .uncertain = exchange.sent};
  const int code = exchange.answer.code;
  if (code >= 200 && code < 300) return JudgeSuccess(exchange.answer);
  const std::string answered = "the server answered " + std::to_string(code);
  if (code >= 300 && code < 400) return {.status = Redirected(asked, exchange)};
  if (IsPassingCode(code)) {
    return {.status = SystemUnavailable(answered),
            .retry_after_seconds = RetryAfterSeconds(exchange.answer.header("retry-after"),
                                                     exchange.answer.header("date"))};
  }
  if (code >= 400 && code < 500) return {.status = SystemRefused(answered)};
  return {.status = SystemUnavailable(answered), .uncertain = true};
}

WriteResult ResultOf(const HttpVerdict& verdict, bool keyed) {
  if (verdict.uncertain && !keyed) return Uncertain(std::string(verdict.status.message()));
  WriteResult result = ResultOf(verdict.status);
  if (verdict.uncertain) result.outcome = WriteOutcome::kNotNow;
  result.retry_after_seconds = verdict.retry_after_seconds;
  return result;
}

}  // namespace waymark::node
