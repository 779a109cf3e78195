// How connectors say what became of something.
//
// Inside a connector failures are statuses with one of two reasons, made here; a write or an
// erasure turns them into its outcome in one place. Pure; thread-safe.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "client/connectors/connector.h"

namespace waymark::node {

// LOCAL_SYSTEM_UNAVAILABLE: a later attempt may work.
absl::Status SystemUnavailable(std::string_view detail);

// LOCAL_SYSTEM_REFUSED: a person must act.
absl::Status SystemRefused(std::string_view detail);

bool IsSystemUnavailable(const absl::Status& status);

// kDone, kNotNow for LOCAL_SYSTEM_UNAVAILABLE, kRefused for anything else.
WriteResult ResultOf(const absl::Status& status);

// kUncertain for a system that cannot be asked by key; `detail` says how the answer was lost.
WriteResult Uncertain(std::string_view detail);

// What is said to a use that the settings do not have.
absl::Status NoReferrals();
absl::Status NoSuchFeed();
// The answer to an erasure for which the settings have nothing: kUnsupported.
WriteResult CannotErase();

// Refuses a key that is none: see LocalRecord::key.
absl::Status CheckKey(std::string_view key);

}  // namespace waymark::node
