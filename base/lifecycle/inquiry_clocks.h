// The clocks of an inquiry that waits for its answer.
//
// Both nodes keep them, each by its own clock; the hub keeps only the end, which is the message's
// expires_at. A question stops none of them, because the end cannot be moved: instead, its first
// answer gives time back. Pure; thread-safe.
#pragma once

#include "absl/time/time.h"

namespace waymark {

struct InquiryClocks {
  // When the provider's answer is due.
  absl::Time respond_by;
  // When the originating unit is told to ask the next provider.
  absl::Time prompt_at;
  // When the inquiry ends by itself; hub and recipient cap it, so it never moves.
  absl::Time ends_at;
};

// The clocks after a question that was asked at `asked_at` is answered at `answered_at`: whoever
// answers has half of the time again that each clock had left when the question was asked, counted
// from the answer. A clock is never put back, one that had run out when the question was asked
// stays run out, and none goes beyond `ends_at`. The caller sees to it that it happens once.
InquiryClocks GiveTimeBack(const InquiryClocks& clocks, absl::Time asked_at,
                           absl::Time answered_at);

}  // namespace waymark
