#include "client/casework/upkeep.h"

#include <algorithm>
#include <vector>

#include "base/status/status.h"
#include "client/casework/local_copies.h"
#include "client/casework/referral.h"
#include "client/casework/retention.h"

namespace waymark::node {
namespace {

void NoteOutcome(local::v1::Referral& referral, local::v1::Event& event, v1::Reason reason) {
  const bool taken = reason == v1::REASON_UNSPECIFIED;
  switch (event.delivery()) {
    case v1::DELIVERY_STATE_QUEUED:
      event.set_delivery(taken ? v1::DELIVERY_STATE_CONFIRMED : v1::DELIVERY_STATE_REFUSED);
      event.set_reason(reason);
      if (!taken) TakeBack(referral, event.message_id());
      return;
    case v1::DELIVERY_STATE_DROPPED:
      // It was in flight when it was dropped, and the recipient may get it.
      if (taken && !referral.has_revoke_ack()) event.set_delivery(v1::DELIVERY_STATE_CONFIRMED);
      return;
    default:
      // The receipt has overtaken the outcome.
      return;
  }
}

}  // namespace

absl::Status Upkeep::NoteChanged(const Reader& reader) {
  ASSIGN_OR_RETURN(const DocumentChanges changes,
                   reader.ChangedSince(DocumentKind::kReferral, mark_));
  for (const DocumentId& document : changes.ids) {
    const auto id = document.As<ReferralId>();
    ASSIGN_OR_RETURN(const local::v1::Referral referral, LoadReferral(reader, id));
    const absl::Time due =
        std::min(EndOfRetention(context_.catalogue, referral), EndOfState(referral));
    if (due == absl::InfiniteFuture()) {
      due_.erase(id);
    } else {
      due_[id] = due;
    }
  }
  mark_ = changes.mark;
  return absl::OkStatus();
}

absl::Status Upkeep::Settle(Transaction& transaction, const DirectorySnapshot& directory,
                            const ReferralId& id, absl::Time now) {
  ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(transaction, id));
  const bool over = EndOfRetention(context_.catalogue, referral) <= now;
  if (over) {
    RETURN_IF_ERROR(transaction.EraseSections(id).status());
    referral.clear_field_nos();
    referral.clear_held_places();
    referral.set_erased_at_ms(ToMillis(now));
  }
  const bool expired = ExpireIfDue(referral, now);
  if (over || expired) RETURN_IF_ERROR(SaveReferral(context_, transaction, referral));
  if (over) RETURN_IF_ERROR(AcknowledgeWhenErased(context_, transaction, directory, id));
  return absl::OkStatus();
}

absl::Status Upkeep::Tick() {
  const absl::Time now = context_.clock.Now();
  RETURN_IF_ERROR(context_.vault.Read(
      [&](const Reader& reader) -> absl::Status { return NoteChanged(reader); }));
  const auto directory = context_.directory();
  return context_.vault.Write([&](Transaction& t) -> absl::Status {
    for (const auto& [id, due] : due_) {
      if (due <= now) RETURN_IF_ERROR(Settle(t, *directory, id, now));
    }
    return t.Purge(now);
  });
}

absl::Status Upkeep::ChangeReferralOf(
    const MessageId& message,
    const std::function<void(local::v1::Referral&, local::v1::Event&)>& change) {
  return context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(const auto id, ReferralOfSent(t, message));
    if (!id.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(t, *id));
    local::v1::Event* event = FindEvent(referral, message.view());
    if (event == nullptr) return absl::OkStatus();
    change(referral, *event);
    return SaveReferral(context_, t, referral);
  });
}

absl::Status Upkeep::OnOutcome(std::string_view item_id, v1::Reason reason) {
  // Registrations of tokens are no messages and have longer ids.
  if (const auto message = MessageId::FromBytes(item_id)) {
    RETURN_IF_ERROR(
        ChangeReferralOf(*message, [&](local::v1::Referral& referral, local::v1::Event& event) {
          NoteOutcome(referral, event, reason);
        }));
  }
  if (reason == v1::REASON_UNSPECIFIED) return absl::OkStatus();
  return context_.vault.Write([&](Transaction& t) { return t.ForgetRefused(item_id); });
}

absl::Status Upkeep::OnPeerOffline(const MessageId& message) {
  return ChangeReferralOf(message, [](local::v1::Referral& referral, local::v1::Event&) {
    referral.set_peer_offline(true);
  });
}

}  // namespace waymark::node
