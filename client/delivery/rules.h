// What becomes of a delivery: every decision, and nothing else.
//
// A delivery is one referral on its way into one local system. What is to be written is not in it:
// the record is made from the vault's present state at each attempt, so that a change needs only
// another generation, and what was erased cannot leave later. The order of things:
//
//   Plan.. -> WAITING -> Begin -> WRITING (durable) -> the connector -> Conclude -> DONE, WAITING,
//   ..
//
// A delivery that is found in WRITING after a start was cut off there, and the record may be there
// or not: with a key it is written again, without one a person looks (UNCERTAIN). Pure functions
// over values, but for the randomness of pauses; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "client/connectors/connector.h"
#include "client/delivery/target.h"
#include "waymark/local/v1/delivery.pb.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::node {

// --- What the casework causes

// A delivery that nothing has been planned for.
local::v1::Delivery NewDelivery(const ReferralId& referral, std::string_view connector);

// The referral is to be written as it stands, of which `fingerprint` is a hash. A fingerprint that
// is known changes nothing; neither does anything after an erasure.
void PlanPut(std::string_view fingerprint, bool keyed, absl::Time now,
             local::v1::Delivery& delivery);

// Nothing of the referral is to be there. `ground_known`: it is known on which ground a system
// keeps what it does not erase.
void PlanErasure(bool ground_known, absl::Time now, local::v1::Delivery& delivery);

// --- What the courier does

// What an attempt was about, in case it is another matter by its end.
struct Attempt {
  local::v1::LocalTask task = local::v1::LOCAL_TASK_UNSPECIFIED;
  int64_t generation = 0;
};

// How an attempt ended.
struct AttemptResult {
  WriteOutcome outcome = WriteOutcome::kDone;
  // Of a failure.
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  std::string detail;
  int64_t retry_after_seconds = 0;
  // Whether the connector was called at all.
  bool called = true;
};

// What the rules must know of the local system.
struct Manner {
  bool keyed = false;
  // Whether it is known on which ground it keeps what it does not erase.
  bool ground_known = false;
  RetryPolicy retry;
};

// The result of what the connector said, of a mapping's error, and of a mapping that has nothing to
// write.
AttemptResult AttemptResultOf(const WriteResult& result);
AttemptResult AttemptResultOf(const absl::Status& error);
AttemptResult NothingToWrite(std::string_view why);

Attempt AttemptOf(const local::v1::Delivery& delivery);
bool IsDue(const local::v1::Delivery& delivery, absl::Time now);

// Before the connector is called; to be made durable first.
void Begin(absl::Time now, local::v1::Delivery& delivery);

// After the attempt.
void Conclude(const Attempt& attempt, const AttemptResult& result, const Manner& manner,
              absl::Time now, Random& random, local::v1::Delivery& delivery);

// What a start makes of a delivery that was being written.
void Recover(bool keyed, absl::Time now, local::v1::Delivery& delivery);

// How long the referral had been the system's business when the attempt between `before` and
// `after` made its first record there; nullopt for any other attempt.
std::optional<absl::Duration> TimeToRecord(const local::v1::Delivery& before,
                                           const local::v1::Delivery& after);

// The pause after so many failures in a row.
absl::Duration PauseAfter(uint32_t failures, const RetryPolicy& retry, Random& random);

// --- What a person says

// Tries again, at once. STATE_FORBIDS: there is nothing to try, or nobody knows whether it would
// be a second record.
absl::Status Replay(absl::Time now, local::v1::Delivery& delivery);

// The record is there, or is not and is to be written. STATE_FORBIDS: nobody asked. A person who
// erased by hand what the node could not says that it is not there.
enum class Sighting { kThere, kNotThere };
absl::Status Resolve(Sighting sighting, absl::Time now, local::v1::Delivery& delivery);

// --- What can be said of it

// Nothing is left to do, and nothing to report.
bool IsSettled(const local::v1::Delivery& delivery);
// A person should look, or the last attempt failed.
bool IsInTrouble(const local::v1::Delivery& delivery);
// An erasure that has not reached the system, and that no ground excuses.
bool MayRemain(const local::v1::Delivery& delivery);
// The referral has changed since the system got it, and the system has no key to change it by.
bool IsOutdated(const local::v1::Delivery& delivery);

}  // namespace waymark::node
