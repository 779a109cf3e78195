#include "base/lifecycle/inquiry_clocks.h"

#include <algorithm>

namespace waymark {
namespace {

absl::Time Later(absl::Time due, absl::Time ends_at, absl::Time asked_at, absl::Time answered_at) {
  const absl::Duration left = due - asked_at;
  if (left <= absl::ZeroDuration()) return due;
  return std::max(due, std::min(answered_at + left / 2, ends_at));
}

}  // namespace

InquiryClocks GiveTimeBack(const InquiryClocks& clocks, absl::Time asked_at,
                           absl::Time answered_at) {
  return {.respond_by = Later(clocks.respond_by, clocks.ends_at, asked_at, answered_at),
          .prompt_at = Later(clocks.prompt_at, clocks.ends_at, asked_at, answered_at),
          .ends_at = clocks.ends_at};
}

}  // namespace waymark
