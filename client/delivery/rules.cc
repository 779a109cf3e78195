#include "client/delivery/rules.h"

#include <algorithm>

#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/casework/referral.h"

namespace waymark::node {

using local::v1::Delivery;
using local::v1::LOCAL_STATE_DEAD;
using local::v1::LOCAL_STATE_DONE;
using local::v1::LOCAL_STATE_KEPT;
using local::v1::LOCAL_STATE_UNCERTAIN;
using local::v1::LOCAL_STATE_UNSPECIFIED;
using local::v1::LOCAL_STATE_WAITING;
using local::v1::LOCAL_STATE_WRITING;
using local::v1::LOCAL_TASK_ERASE;
using local::v1::LOCAL_TASK_PUT;

namespace {

constexpr int kMostDoublings = 20;

void Forgive(Delivery& delivery) {
  delivery.set_attempts(0);
  delivery.set_failing_since_ms(0);
  delivery.set_reason(v1::REASON_UNSPECIFIED);
  delivery.clear_detail();
}

// Due at once, with every attempt before it.
void Wait(absl::Time now, Delivery& delivery) {
  Forgive(delivery);
  delivery.set_state(LOCAL_STATE_WAITING);
  delivery.set_next_attempt_ms(ToMillis(now));
  delivery.set_changed_at_ms(ToMillis(now));
}

void Settle(local::v1::LocalState state, absl::Time now, Delivery& delivery) {
  delivery.set_state(state);
  delivery.set_next_attempt_ms(0);
  delivery.set_changed_at_ms(ToMillis(now));
}

// Whether anything is left to be done in a system of this manner.
bool Wants(const Delivery& delivery, bool keyed) {
  if (delivery.task() == LOCAL_TASK_ERASE) return delivery.may_be_there();
  if (delivery.generation() <= delivery.written_generation()) return false;
  return keyed || !delivery.may_be_there();
}

void Fail(const AttemptResult& result, absl::Time now, Delivery& delivery) {
  delivery.set_attempts(delivery.attempts() + 1);
  if (delivery.failing_since_ms() == 0) delivery.set_failing_since_ms(ToMillis(now));
  delivery.set_reason(result.reason);
  delivery.set_detail(result.detail);
  delivery.set_changed_at_ms(ToMillis(now));
}

void TryLater(const AttemptResult& result, const RetryPolicy& retry, absl::Time now, Random& random,
              Delivery& delivery) {
  const absl::Duration asked = absl::Seconds(std::max<int64_t>(result.retry_after_seconds, 0));
  const absl::Duration pause = PauseAfter(delivery.attempts(), retry, random);
  delivery.set_state(LOCAL_STATE_WAITING);
  delivery.set_next_attempt_ms(ToMillis(now + std::min(asked, absl::Hours(24)) + pause));
}

bool IsTransient(v1::Reason reason) {
  return reason == v1::REASON_MAPPING_CRASHED || reason == v1::REASON_MAPPING_TIME ||
         reason == v1::REASON_MAPPING_MEMORY;
}

bool IsHopeless(const Delivery& delivery, const RetryPolicy& retry, absl::Time now) {
  if (IsTransient(delivery.reason())) return delivery.attempts() >= retry.mapping_attempts;
  if (delivery.task() == LOCAL_TASK_ERASE) return false;
  return delivery.attempts() >= retry.attempts &&
         now - FromMillis(delivery.failing_since_ms()) >= retry.give_up_after;
}

void ConcludeErasure(const AttemptResult& result, const Manner& manner, absl::Time now,
                     Random& random, Delivery& delivery) {
  switch (result.outcome) {
    case WriteOutcome::kDone:
      Forgive(delivery);
      delivery.set_may_be_there(false);
      return Settle(LOCAL_STATE_DONE, now, delivery);
    case WriteOutcome::kNotNow:
    case WriteOutcome::kUncertain:
      // An erasure that is repeated erases nothing else.
      Fail(result, now, delivery);
      return TryLater(result, manner.retry, now, random, delivery);
    case WriteOutcome::kRefused:
    case WriteOutcome::kUnsupported:
      Fail(result, now, delivery);
      return Settle(manner.ground_known ? LOCAL_STATE_KEPT : LOCAL_STATE_DEAD, now, delivery);
  }
}

void ConcludePut(const Attempt& attempt, const AttemptResult& result, const Manner& manner,
                 absl::Time now, Random& random, Delivery& delivery) {
  const bool erase = delivery.task() == LOCAL_TASK_ERASE;
  const bool changed = erase || delivery.generation() != attempt.generation;
  switch (result.outcome) {
    case WriteOutcome::kDone:
      Forgive(delivery);
      delivery.set_written_generation(attempt.generation);
      delivery.set_detail(result.detail);
      if (Wants(delivery, manner.keyed)) return Wait(now, delivery);
      return Settle(LOCAL_STATE_DONE, now, delivery);
    case WriteOutcome::kRefused:
    case WriteOutcome::kUnsupported:
      if (result.called) delivery.set_may_be_there(delivery.was_there());
      if (erase && !delivery.may_be_there()) return Settle(LOCAL_STATE_DONE, now, delivery);
      if (changed && Wants(delivery, manner.keyed)) return Wait(now, delivery);
      Fail(result, now, delivery);
      return Settle(LOCAL_STATE_DEAD, now, delivery);
    case WriteOutcome::kUncertain:
      // An erasure settles what nobody knows.
      if (erase) return Wait(now, delivery);
      Fail(result, now, delivery);
      if (!manner.keyed) return Settle(LOCAL_STATE_UNCERTAIN, now, delivery);
      break;
    case WriteOutcome::kNotNow:
      // With a key, an attempt whose answer was lost counts as one that failed, too.
      if (result.called && !manner.keyed) delivery.set_may_be_there(delivery.was_there());
      if (erase) {
        return delivery.may_be_there() ? Wait(now, delivery)
                                       : Settle(LOCAL_STATE_DONE, now, delivery);
      }
      Fail(result, now, delivery);
      break;
  }
  if (IsHopeless(delivery, manner.retry, now)) return Settle(LOCAL_STATE_DEAD, now, delivery);
  TryLater(result, manner.retry, now, random, delivery);
}

absl::Status Forbid(std::string_view what) { return Error(v1::REASON_STATE_FORBIDS, what); }

}  // namespace

std::set<NodeState> DefaultStates() {
  return {NodeState::kAccepted, NodeState::kScheduled, NodeState::kStarted, NodeState::kOngoing};
}

Delivery NewDelivery(const ReferralId& referral, std::string_view connector) {
  Delivery delivery;
  delivery.set_delivery_id(
      Sha256("waymark local delivery", {referral.view(), connector}).substr(0, ReferralId::kSize));
  delivery.set_referral_id(referral.bytes());
  delivery.set_connector(std::string(connector));
  return delivery;
}

void PlanPut(std::string_view fingerprint, bool keyed, absl::Time now, Delivery& delivery) {
  if (delivery.task() == LOCAL_TASK_ERASE || delivery.fingerprint() == fingerprint) return;
  delivery.set_fingerprint(std::string(fingerprint));
  delivery.set_task(LOCAL_TASK_PUT);
  delivery.set_generation(delivery.generation() + 1);
  if (delivery.planned_at_ms() == 0) delivery.set_planned_at_ms(ToMillis(now));
  switch (delivery.state()) {
    case LOCAL_STATE_UNSPECIFIED:
    case LOCAL_STATE_DONE:
    case LOCAL_STATE_DEAD:
      // The change may be what was missing.
      if (Wants(delivery, keyed)) Wait(now, delivery);
      return;
    default:
      // It goes with the attempt that is due anyway, or after the one under way, or with a person's
      // word.
      return;
  }
}

void PlanErasure(bool ground_known, absl::Time now, Delivery& delivery) {
  if (delivery.task() == LOCAL_TASK_ERASE) {
    if (ground_known && delivery.state() == LOCAL_STATE_DEAD) {
      Settle(LOCAL_STATE_KEPT, now, delivery);
    }
    return;
  }
  delivery.set_task(LOCAL_TASK_ERASE);
  delivery.set_generation(delivery.generation() + 1);
  delivery.clear_fingerprint();
  delivery.set_acknowledgement_owed(delivery.may_be_there());
  if (delivery.state() == LOCAL_STATE_WRITING) return;
  if (delivery.may_be_there()) return Wait(now, delivery);
  Forgive(delivery);
  Settle(LOCAL_STATE_DONE, now, delivery);
}

AttemptResult AttemptResultOf(const WriteResult& result) {
  AttemptResult attempt;
  attempt.outcome = result.outcome;
  attempt.detail = result.detail;
  attempt.retry_after_seconds = result.retry_after_seconds;
  switch (result.outcome) {
    case WriteOutcome::kDone:
      break;
    case WriteOutcome::kNotNow:
    case WriteOutcome::kUncertain:
      attempt.reason = v1::REASON_LOCAL_SYSTEM_UNAVAILABLE;
      break;
    case WriteOutcome::kRefused:
    case WriteOutcome::kUnsupported:
      attempt.reason = v1::REASON_LOCAL_SYSTEM_REFUSED;
      break;
  }
  return attempt;
}

AttemptResult AttemptResultOf(const absl::Status& error) {
  AttemptResult attempt;
  attempt.called = false;
  attempt.reason = ReasonOf(error);
  attempt.detail = std::string(error.message());
  const bool later = attempt.reason == v1::REASON_MAPPING_UNAVAILABLE ||
                     attempt.reason == v1::REASON_UNAVAILABLE || IsTransient(attempt.reason);
  attempt.outcome = later ? WriteOutcome::kNotNow : WriteOutcome::kRefused;
  return attempt;
}

AttemptResult NothingToWrite(std::string_view why) {
  AttemptResult attempt;
  attempt.called = false;
  attempt.detail = std::string(why);
  return attempt;
}

Attempt AttemptOf(const Delivery& delivery) {
  return {.task = delivery.task(), .generation = delivery.generation()};
}

bool IsDue(const Delivery& delivery, absl::Time now) {
  return delivery.state() == LOCAL_STATE_WAITING && FromMillis(delivery.next_attempt_ms()) <= now;
}

void Begin(absl::Time now, Delivery& delivery) {
  delivery.set_state(LOCAL_STATE_WRITING);
  delivery.set_attempted_generation(delivery.generation());
  delivery.set_was_there(delivery.may_be_there());
  delivery.set_may_be_there(true);
  delivery.set_changed_at_ms(ToMillis(now));
}

void Conclude(const Attempt& attempt, const AttemptResult& result, const Manner& manner,
              absl::Time now, Random& random, Delivery& delivery) {
  if (attempt.task == LOCAL_TASK_ERASE) {
    ConcludeErasure(result, manner, now, random, delivery);
  } else {
    ConcludePut(attempt, result, manner, now, random, delivery);
  }
}

void Recover(bool keyed, absl::Time now, Delivery& delivery) {
  if (delivery.state() != LOCAL_STATE_WRITING) return;
  const bool repeatable = keyed || delivery.task() == LOCAL_TASK_ERASE;
  if (repeatable) {
    delivery.set_state(LOCAL_STATE_WAITING);
    delivery.set_next_attempt_ms(ToMillis(now));
    delivery.set_changed_at_ms(ToMillis(now));
    return;
  }
  Fail({.reason = v1::REASON_LOCAL_SYSTEM_UNAVAILABLE,
        .detail = "the node ended while it wrote; the record may be there or not"},
       now, delivery);
  Settle(LOCAL_STATE_UNCERTAIN, now, delivery);
}

std::optional<absl::Duration> TimeToRecord(const Delivery& before, const Delivery& after) {
  const bool first = before.written_generation() == 0 && after.written_generation() > 0;
  if (!first || after.planned_at_ms() == 0) return std::nullopt;
  // Clocks may be set.
  return absl::Milliseconds(std::max<int64_t>(after.changed_at_ms() - after.planned_at_ms(), 0));
}

absl::Duration PauseAfter(uint32_t failures, const RetryPolicy& retry, Random& random) {
  const int doublings = std::clamp(static_cast<int>(failures) - 1, 0, kMostDoublings);
  const absl::Duration bound =
      std::min(retry.longest_pause, retry.first_pause * (int64_t{1} << doublings));
  const int64_t millis = std::max<int64_t>(absl::ToInt64Milliseconds(bound), 1);
  return absl::Milliseconds(1 +
                            static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(millis))));
}

absl::Status Replay(absl::Time now, Delivery& delivery) {
  switch (delivery.state()) {
    case LOCAL_STATE_WAITING:
    case LOCAL_STATE_DEAD:
    case LOCAL_STATE_KEPT:
      Wait(now, delivery);
      return absl::OkStatus();
    case LOCAL_STATE_UNCERTAIN:
      return Forbid("nobody knows whether the record is there; look, and say so first");
    case LOCAL_STATE_WRITING:
      return Forbid("it is being written at this moment");
    default:
      return Forbid("it is done already");
  }
}

absl::Status Resolve(Sighting sighting, absl::Time now, Delivery& delivery) {
  const bool there = sighting == Sighting::kThere;
  const bool failed_erasure = delivery.task() == LOCAL_TASK_ERASE && delivery.may_be_there() &&
                              delivery.state() != LOCAL_STATE_WRITING;
  if (failed_erasure) {
    if (there) return Forbid("it is to be erased; say how it is kept with 'waymark retain'");
    Forgive(delivery);
    delivery.set_may_be_there(false);
    Settle(LOCAL_STATE_DONE, now, delivery);
    return absl::OkStatus();
  }
  if (delivery.state() != LOCAL_STATE_UNCERTAIN) {
    return Forbid("there is no doubt whether the record is there");
  }
  if (!there) {
    delivery.set_may_be_there(false);
    Wait(now, delivery);
    return absl::OkStatus();
  }
  Forgive(delivery);
  delivery.set_written_generation(delivery.attempted_generation());
  Settle(LOCAL_STATE_DONE, now, delivery);
  return absl::OkStatus();
}

bool IsSettled(const Delivery& delivery) {
  const bool over = delivery.state() == LOCAL_STATE_DONE || delivery.state() == LOCAL_STATE_KEPT;
  return over && !delivery.acknowledgement_owed();
}

bool IsInTrouble(const Delivery& delivery) {
  switch (delivery.state()) {
    case LOCAL_STATE_UNCERTAIN:
    case LOCAL_STATE_DEAD:
      return true;
    case LOCAL_STATE_WAITING:
      return delivery.attempts() > 0;
    default:
      return false;
  }
}

bool MayRemain(const Delivery& delivery) {
  return delivery.task() == LOCAL_TASK_ERASE && delivery.may_be_there() &&
         delivery.state() != LOCAL_STATE_KEPT;
}

bool IsOutdated(const Delivery& delivery) {
  return delivery.task() == LOCAL_TASK_PUT && delivery.state() == LOCAL_STATE_DONE &&
         delivery.generation() > delivery.written_generation();
}

}  // namespace waymark::node
