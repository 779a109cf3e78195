#include "client/delivery/courier.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/log/log.h"
#include "base/schema/date.h"
#include "base/status/status.h"
#include "client/casework/local_copies.h"
#include "client/casework/referral.h"

namespace waymark::node {

using local::v1::Delivery;

namespace {

// How long a whole system is left alone after it was out of reach, at most.
constexpr absl::Duration kLongestSystemPause = absl::Minutes(1);
// When an acknowledgement is tried again that could not be sealed.
constexpr absl::Duration kAcknowledgeAgain = absl::Minutes(1);

bool IsAboutTheVault(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  return reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_DATA_CORRUPT;
}

bool IsOver(const Delivery& delivery) {
  return delivery.state() == local::v1::LOCAL_STATE_DONE ||
         delivery.state() == local::v1::LOCAL_STATE_KEPT;
}

DeliveryId IdOf(const Delivery& delivery) { return *DeliveryId::FromBytes(delivery.delivery_id()); }

// Erasures first, then what has waited longest.
bool GoesBefore(const Delivery& a, const Delivery& b) {
  const auto place = [](const Delivery& delivery) {
    return std::make_tuple(delivery.task() != local::v1::LOCAL_TASK_ERASE,
                           delivery.next_attempt_ms());
  };
  return place(a) < place(b);
}

}  // namespace

Courier::Courier(const CaseworkContext& context, const LocalTarget& target, AlertPeople alert)
    : context_(context),
      target_(target),
      health_(target.name,
              "does not take all that is to be delivered to it; 'waymark local list' shows what "
              "waits",
              "has taken all that was to be delivered to it", std::move(alert)) {}

absl::StatusOr<absl::Time> Courier::RunDue(const std::function<bool()>& stop,
                                           const std::function<bool()>& ready) {
  if (!recovered_) {
    RETURN_IF_ERROR(RecoverAll());
    recovered_ = true;
  }
  while (true) {
    ASSIGN_OR_RETURN(std::vector<Delivery> open, OwnOpen());
    absl::Time next = absl::InfiniteFuture();
    for (const Delivery& delivery : open) {
      if (!IsOver(delivery)) continue;
      RETURN_IF_ERROR(Acknowledge(delivery));
      next = context_.clock.Now() + kAcknowledgeAgain;
    }
    Judge(open);
    std::sort(open.begin(), open.end(), GoesBefore);
    bool worked = false;
    for (const Delivery& delivery : open) {
      if (stop()) return absl::InfinitePast();
      if (delivery.state() != local::v1::LOCAL_STATE_WAITING) continue;
      const absl::Time due = std::max(paused_until_, FromMillis(delivery.next_attempt_ms()));
      if (due > context_.clock.Now()) {
        next = std::min(next, due);
        continue;
      }
      if (!ready()) return next;
      worked = true;
      if (const absl::Status done = Deliver(IdOf(delivery)); !done.ok()) {
        // What was marked and not concluded is to be found again.
        recovered_ = false;
        return done;
      }
    }
    if (!worked) return next;
  }
}

DeliveryCounters Courier::counters() const {
  MutexLock lock(mu_);
  return counters_;
}

absl::Status Courier::RecoverAll() {
  const bool keyed = target_.connector->keyed();
  return context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::vector<Delivery> open, OpenDeliveries(t));
    for (Delivery& delivery : open) {
      if (delivery.connector() != target_.name) continue;
      if (delivery.state() != local::v1::LOCAL_STATE_WRITING) continue;
      Recover(keyed, context_.clock.Now(), delivery);
      RETURN_IF_ERROR(SaveDelivery(t, delivery));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Delivery>> Courier::OwnOpen() const {
  std::vector<Delivery> open;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(open, OpenDeliveries(reader));
    return absl::OkStatus();
  }));
  std::erase_if(open, [&](const Delivery& d) { return d.connector() != target_.name; });
  return open;
}

absl::Status Courier::Deliver(const DeliveryId& id) {
  ASSIGN_OR_RETURN(const std::optional<Prepared> prepared, Prepare(id));
  if (!prepared.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool marked, Mark(id, *prepared));
  // A change overtook it: the next round prepares it anew.
  if (!marked) return absl::OkStatus();
  if (prepared->result.has_value()) {
    Count(prepared->attempt, *prepared->result);
    return absl::OkStatus();
  }
  const AttemptResult result = Call(*prepared);
  RETURN_IF_ERROR(Note(id, prepared->attempt, result));
  Count(prepared->attempt, result);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Courier::Prepared>> Courier::Prepare(const DeliveryId& id) {
  std::optional<Prepared> prepared;
  std::optional<OutwardView> view;
  const absl::Status read = context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<Delivery> delivery, FindDelivery(reader, id));
    if (!delivery.has_value() || !IsDue(*delivery, context_.clock.Now())) return absl::OkStatus();
    prepared = Prepared{.attempt = AttemptOf(*delivery), .key = KeyOf(*delivery)};
    if (delivery->task() == local::v1::LOCAL_TASK_ERASE) return absl::OkStatus();
    auto found = ViewOf(context_, reader, *ReferralId::FromBytes(delivery->referral_id()));
    if (!found.ok() && IsAboutTheVault(found.status())) return found.status();
    if (!found.ok()) {
      prepared->result = AttemptResultOf(found.status());
    } else if (found->locked) {
      prepared->result =
          delivery->may_be_there()
              ? NothingToWrite("the consent has ended; what is there stays as it is")
              : AttemptResultOf(Error(v1::REASON_TOKEN_EXPIRED, "the consent has ended"));
    } else {
      view = *std::move(found);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(read);
  if (view.has_value()) Map(*view, *prepared);
  return prepared;
}

void Courier::Map(const OutwardView& view, Prepared& prepared) {
  if (!target_.outward.has_value()) {
    prepared.result = AttemptResultOf(Error(
        v1::REASON_LOCAL_SYSTEM_REFUSED, "the settings name no mapping to this system any more"));
    return;
  }
  auto record = MapRecord(target_, view, context_.clock.Now());
  if (!record.ok()) {
    prepared.result = AttemptResultOf(record.status());
  } else if (!record->has_value()) {
    prepared.result = NothingToWrite("the mapping makes no record of it as it stands");
  } else {
    prepared.json = **std::move(record);
  }
}

absl::StatusOr<bool> Courier::Mark(const DeliveryId& id, const Prepared& prepared) {
  bool marked = false;
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<Delivery> delivery, FindDelivery(t, id));
    if (!delivery.has_value() || !IsDue(*delivery, context_.clock.Now())) return absl::OkStatus();
    const Attempt now = AttemptOf(*delivery);
    if (now.task != prepared.attempt.task || now.generation != prepared.attempt.generation) {
      return absl::OkStatus();
    }
    marked = true;
    if (!prepared.result.has_value()) {
      Begin(context_.clock.Now(), *delivery);
      return SaveDelivery(t, *delivery);
    }
    ASSIGN_OR_RETURN(const Delivery concluded,
                     Concluded(t, *delivery, prepared.attempt, *prepared.result));
    return SaveDelivery(t, concluded);
  }));
  return marked;
}

AttemptResult Courier::Call(const Prepared& prepared) {
  if (prepared.attempt.task == local::v1::LOCAL_TASK_ERASE) {
    return AttemptResultOf(target_.connector->Erase(prepared.key));
  }
  return AttemptResultOf(target_.connector->Write({.key = prepared.key, .json = *prepared.json}));
}

absl::Status Courier::Note(const DeliveryId& id, const Attempt& attempt,
                           const AttemptResult& result) {
  std::optional<absl::Duration> took;
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<Delivery> delivery, FindDelivery(t, id));
    if (!delivery.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Delivery concluded, Concluded(t, *delivery, attempt, result));
    took = TimeToRecord(*delivery, concluded);
    return SaveDelivery(t, concluded);
  }));
  if (took.has_value()) {
    MutexLock lock(mu_);
    time_to_record_.Add(*took);
    counters_.median_time_to_record = time_to_record_.Median();
    counters_.longest_time_to_record = time_to_record_.Longest();
  }
  return absl::OkStatus();
}

absl::StatusOr<Delivery> Courier::Concluded(const Reader& reader, Delivery delivery,
                                            const Attempt& attempt, const AttemptResult& result) {
  Manner manner = {.keyed = target_.connector->keyed(),
                   .ground_known = target_.kept.has_value(),
                   .retry = target_.retry};
  const auto referral = LoadReferral(reader, *ReferralId::FromBytes(delivery.referral_id()));
  if (!referral.ok() && IsAboutTheVault(referral.status())) return referral.status();
  if (referral.ok() && referral->retention_ground() != v1::RETENTION_GROUND_UNSPECIFIED) {
    manner.ground_known = true;
  }
  const absl::Time now = context_.clock.Now();
  Conclude(attempt, result, manner, now, context_.random, delivery);
  // What holds for one record only does not keep the others waiting.
  const bool whole_system = result.reason == v1::REASON_LOCAL_SYSTEM_UNAVAILABLE ||
                            result.reason == v1::REASON_MAPPING_UNAVAILABLE;
  if (whole_system && delivery.state() == local::v1::LOCAL_STATE_WAITING) {
    paused_until_ = std::min(FromMillis(delivery.next_attempt_ms()), now + kLongestSystemPause);
  }
  return delivery;
}

void Courier::Count(const Attempt& attempt, const AttemptResult& result) {
  const bool done = result.outcome == WriteOutcome::kDone;
  {
    MutexLock lock(mu_);
    if (!done) ++counters_.failed;
    if (done && result.called) {
      ++(attempt.task == local::v1::LOCAL_TASK_ERASE ? counters_.erased : counters_.written);
    }
  }
  if (done) return;
  Log(LogLevel::kDebug, "local_delivery_failed",
      {{"connector", target_.name}, {"reason", ReasonName(result.reason)}});
}

absl::Status Courier::Acknowledge(const Delivery& delivery) {
  const auto directory = context_.directory();
  absl::Status sent = context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<Delivery> settled, FindDelivery(t, IdOf(delivery)));
    if (!settled.has_value() || !IsOver(*settled)) return absl::OkStatus();
    RETURN_IF_ERROR(ReportKept(t, *settled));
    RETURN_IF_ERROR(AcknowledgeWhenErased(context_, t, *directory,
                                          *ReferralId::FromBytes(settled->referral_id())));
    settled->set_acknowledgement_owed(false);
    return SaveDelivery(t, *settled);
  });
  if (sent.ok()) {
    context_.outbox_grew();
  } else if (IsAboutTheVault(sent)) {
    return sent;
  } else {
    Log(LogLevel::kWarning, "acknowledgement_waits",
        {{"connector", target_.name}, {"reason", sent}});
  }
  return absl::OkStatus();
}

absl::Status Courier::ReportKept(Transaction& transaction, const Delivery& delivery) const {
  if (delivery.state() != local::v1::LOCAL_STATE_KEPT || !target_.kept.has_value()) {
    return absl::OkStatus();
  }
  const ReferralId id = *ReferralId::FromBytes(delivery.referral_id());
  ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(transaction, id));
  if (referral.retention_ground() != v1::RETENTION_GROUND_UNSPECIFIED) return absl::OkStatus();
  referral.set_retention_ground(target_.kept->ground);
  *referral.mutable_kept_until() =
      DateOf(context_.clock.Now() + target_.kept->days * absl::Hours(24));
  return SaveReferral(context_, transaction, referral);
}

void Courier::Judge(const std::vector<Delivery>& open) {
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  bool trouble = false;
  int64_t waiting = 0;
  int64_t uncertain = 0;
  int64_t dead = 0;
  for (const Delivery& delivery : open) {
    waiting += delivery.state() == local::v1::LOCAL_STATE_WAITING ? 1 : 0;
    uncertain += delivery.state() == local::v1::LOCAL_STATE_UNCERTAIN ? 1 : 0;
    dead += delivery.state() == local::v1::LOCAL_STATE_DEAD ? 1 : 0;
    if (!IsInTrouble(delivery)) continue;
    trouble = true;
    if (reason == v1::REASON_UNSPECIFIED) reason = delivery.reason();
  }
  {
    MutexLock lock(mu_);
    counters_.waiting = waiting;
    counters_.uncertain = uncertain;
    counters_.dead = dead;
  }
  if (trouble) {
    health_.NoteFailing(reason);
  } else {
    health_.NoteWell();
  }
}

}  // namespace waymark::node
