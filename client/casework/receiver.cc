#include "client/casework/receiver.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/envelope/header.h"
#include "base/envelope/token.h"
#include "base/log/log.h"
#include "base/policy/evaluator.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/casework/composer.h"
#include "client/casework/content.h"
#include "client/casework/local_copies.h"
#include "client/casework/referral.h"
#include "client/casework/sections.h"
#include "client/directory/room.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

constexpr int kBatch = 64;
constexpr absl::Duration kSkew = kMemberClockTolerance;

absl::Time MinuteTime(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

// The stage that the record has reached; NONE for a referral that was just made.
v1::Stage StageReached(const local::v1::Referral& referral) {
  const auto state = StateOf(referral);
  return state ? StageOf(*state) : v1::STAGE_NONE;
}

CloseDetail DetailOf(v1::Kind kind, const v1::Payload& payload) {
  if (kind != v1::KIND_CLOSE) return CloseDetail::kNone;
  switch (payload.sections().prog().status()) {
    case v1::PROGRESS_STATUS_COMPLETED:
      return CloseDetail::kCompleted;
    case v1::PROGRESS_STATUS_NOT_STARTED:
      return CloseDetail::kNotStarted;
    default:
      return CloseDetail::kEndedEarly;
  }
}

}  // namespace

absl::StatusOr<int> Receiver::ProcessInbox(
    const std::function<void(const absl::Status&)>& refused) {
  // One directory for the whole pass: what comes later must not be opened under a newer one than
  // what came before it.
  const auto directory = context_.directory();
  const absl::Time now = context_.clock.Now();
  if (directory != looked_under_ || now >= look_again_) {
    looked_through_ = 0;
    looked_under_ = directory;
    look_again_ = now + WaitingRoom::kPause;
  }
  int taken = 0;
  while (true) {
    std::vector<InboxItem> items;
    RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(items, reader.NextInbox(looked_through_, kBatch));
      return absl::OkStatus();
    }));
    if (items.empty()) break;
    for (const InboxItem& item : items) {
      if (!MustWait(item, *directory)) {
        absl::Status verdict;
        RETURN_IF_ERROR(Process(item, *directory, verdict));
        waiting_.Release(item.number);
        if (!verdict.ok()) refused(verdict);
        ++taken;
      }
      looked_through_ = item.number;
    }
  }
  if (taken > 0) context_.outbox_grew();
  return taken;
}

bool Receiver::MustWait(const InboxItem& item, const DirectorySnapshot& directory) {
  v1::Message message;
  if (!message.ParseFromString(item.message)) return false;
  const auto header = ParseHeader(message.header());
  if (!header.ok()) return false;
  const UnitId sender = *UnitId::FromBytes(header->sender_unit());
  const WaitingRoom::Lane lane = {*ReferralId::FromBytes(header->referral_id()), sender};
  const absl::Time now = context_.clock.Now();
  // Without the sender's key nothing can be answered: its statement follows that of the unit.
  const v1::Reason missing = ReasonOf(directory.KeyToSealTo(sender, now).status());
  const bool known = missing != v1::REASON_UNIT_UNKNOWN && missing != v1::REASON_KEY_UNKNOWN;
  if (known && !waiting_.WaitsBefore(lane, item.number)) return false;
  if (!IsOwnUnit(context_, directory, *UnitId::FromBytes(header->recipient_unit()))) return false;
  return waiting_.Hold(item.number, lane, MinuteTime(header->expires_at()),
                       context_.directory_up_to_date(), now);
}

absl::Status Receiver::Process(const InboxItem& item, const DirectorySnapshot& directory,
                               absl::Status& verdict) {
  v1::Message message;
  if (!message.ParseFromString(item.message)) {
    verdict = Error(v1::REASON_MALFORMED, "a delivered message does not parse");
    return context_.vault.Write([&](Transaction& t) { return t.RemoveInbox(item.number); });
  }
  const auto header = ParseHeader(message.header());
  std::optional<Incoming> incoming;
  absl::Status stored = context_.vault.Write([&](Transaction& t) -> absl::Status {
    verdict = header.status();
    if (verdict.ok()) {
      auto opened = Open(t, directory, message, item.arrived);
      verdict = opened.status();
      if (opened.ok()) incoming = *std::move(opened);
    }
    if (verdict.ok()) verdict = Apply(t, directory, *incoming);
    if (!verdict.ok()) return verdict;
    RETURN_IF_ERROR(t.Remember(incoming->id, MinuteTime(header->expires_at()) + kSkew));
    RETURN_IF_ERROR(SendReceipt(t, directory, *header, &*incoming, v1::REASON_UNSPECIFIED));
    return t.RemoveInbox(item.number);
  });
  if (stored.ok()) {
    if (incoming->opened.payload.has_directory_head()) {
      context_.check_peer_head(incoming->opened.payload.directory_head());
    }
    return absl::OkStatus();
  }
  if (verdict.ok()) return stored;
  // The header alone, which the hub has read too: which section there is tells the kind of help.
  if (incoming) {
    Log(LogLevel::kDebug, "refused_message",
        {{"reason", verdict}, {"header", incoming->opened.header}});
  }
  // A failure of this node's own is no verdict: the message stays.
  const v1::Reason reason = ReasonOf(verdict);
  if (reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_DATA_CORRUPT) return verdict;
  return context_.vault.Write([&](Transaction& t) -> absl::Status {
    if (header.ok() && reason != v1::REASON_REPLAYED) {
      RETURN_IF_ERROR(SendReceipt(t, directory, *header, incoming ? &*incoming : nullptr, reason));
    }
    return t.RemoveInbox(item.number);
  });
}

absl::StatusOr<Receiver::Incoming> Receiver::Open(const Reader& reader,
                                                  const DirectorySnapshot& directory,
                                                  const v1::Message& message,
                                                  absl::Time arrived) const {
  ASSIGN_OR_RETURN(const v1::Header header, ParseHeader(message.header()));
  const UnitId own_unit = *UnitId::FromBytes(header.recipient_unit());
  if (!IsOwnUnit(context_, directory, own_unit)) {
    return Error(v1::REASON_WRONG_RECIPIENT, "the message is for a unit of another organisation");
  }
  const MessageId id = *MessageId::FromBytes(header.message_id());
  ASSIGN_OR_RETURN(const bool seen, reader.SeenBefore(id, arrived));
  if (seen) return Error(v1::REASON_REPLAYED, "message " + id.hex());
  RETURN_IF_ERROR(CheckTimes(header, arrived));
  ASSIGN_OR_RETURN(const std::vector<OpeningKey> keys, context_.opening_keys(reader, own_unit));
  const auto key_of = [&](const UnitId& unit) -> absl::StatusOr<VerifyingKey> {
    const MemberEntry* member = directory.MemberOf(unit);
    if (member == nullptr) {
      return Error(v1::REASON_UNIT_UNKNOWN, "the sender's unit is not in the directory");
    }
    return member->identity_key;
  };
  ASSIGN_OR_RETURN(Opened opened, OpenMessage(message, context_.network, own_unit, keys, key_of));
  RETURN_IF_ERROR(CheckContent(header.kind(), opened.payload));
  Incoming incoming{.opened = std::move(opened),
                    .id = id,
                    .referral = *ReferralId::FromBytes(header.referral_id()),
                    .own_unit = own_unit,
                    .other_unit = *UnitId::FromBytes(header.sender_unit())};
  incoming.token = incoming.opened.payload.token();
  incoming.token_signature = incoming.opened.payload.token_signature();
  incoming.token_hash = header.token_hash();
  return incoming;
}

absl::Status Receiver::CheckTimes(const v1::Header& header, absl::Time arrived) const {
  const bool withdrawal = header.kind() == v1::KIND_REVOKE || header.kind() == v1::KIND_REVOKE_ACK;
  const v1::UrgencyClock* clock =
      context_.catalogue.ClockOf(withdrawal ? v1::URGENCY_U4 : header.urgency());
  const absl::Time sent = MinuteTime(header.sent_minute());
  const absl::Time expires = MinuteTime(header.expires_at());
  // Its id is forgotten then: whoever kept a copy could play it again.
  if (expires + kSkew <= arrived) {
    return Error(v1::REASON_MESSAGE_EXPIRED, "the message came after its end");
  }
  if (sent > context_.clock.Now() + kSkew ||
      expires > After(sent, clock->expires_after()) + kSkew) {
    return Error(v1::REASON_TIME_INVALID, "the message's times are beyond its urgency");
  }
  return absl::OkStatus();
}

absl::Status Receiver::Apply(Transaction& transaction, const DirectorySnapshot& directory,
                             const Incoming& incoming) const {
  switch (incoming.opened.header.kind()) {
    case v1::KIND_CAPACITY_QUERY:
      return ApplyQuery(transaction, directory, incoming);
    case v1::KIND_CAPACITY_REPLY:
      return ApplyReply(transaction, incoming);
    case v1::KIND_RECEIPT:
      return ApplyReceipt(transaction, incoming);
    case v1::KIND_NOTICE:
    case v1::KIND_STAT_REPORT:
      return Error(v1::REASON_CONTENT_FORBIDDEN, "this node has no use for the kind");
    default:
      return ApplyStep(transaction, directory, incoming);
  }
}

absl::StatusOr<local::v1::Referral> Receiver::ReferralOf(const Reader& reader,
                                                         const Incoming& incoming) const {
  const v1::Header& header = incoming.opened.header;
  auto loaded = LoadReferral(reader, incoming.referral);
  if (loaded.ok()) {
    if (loaded->other_unit() != header.sender_unit() ||
        loaded->own_unit() != header.recipient_unit()) {
      return Error(v1::REASON_NOT_A_PARTY, "the referral is between other units");
    }
    return loaded;
  }
  // A withdrawal comes alone when the hub dropped the inquiry before it: there is nothing to
  // erase, which is what the origin waits to hear.
  if (header.kind() == v1::KIND_INQUIRY || header.kind() == v1::KIND_REVOKE) {
    return NewlyAsked(header, incoming.opened.payload.sections().need());
  }
  return loaded;
}

absl::Status Receiver::ApplyStep(Transaction& transaction, const DirectorySnapshot& directory,
                                 const Incoming& incoming) const {
  const v1::Header& header = incoming.opened.header;
  const v1::Payload& payload = incoming.opened.payload;
  const v1::Kind kind = header.kind();
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(local::v1::Referral referral, ReferralOf(transaction, incoming));
  if (kind == v1::KIND_REVOKE) {
    return ApplyRevocation(transaction, directory, referral, incoming);
  }
  const local::v1::StateBefore state_before = Snapshot(referral);
  if (kind == v1::KIND_CANCEL &&
      context_.catalogue.FindEnd(payload.cancellation().code()) == nullptr) {
    return Error(v1::REASON_FIELD_INVALID, "the code of a cancellation is none of the table");
  }
  const v1::Stage before = StageReached(referral);
  RETURN_IF_ERROR(Advance(referral, kind, /*sent=*/false, DetailOf(kind, payload), now));
  // An end unlocks nothing new and takes nothing back from the message that brings it.
  const v1::Stage reached = std::max(before, StageReached(referral));
  RETURN_IF_ERROR(CheckPolicy(transaction, directory, referral, reached, incoming));
  KeepToken(incoming, referral);
  SetReview(referral, payload.sections().prog());
  if (kind == v1::KIND_INQUIRY) SetInquiryClocks(referral, context_.catalogue, now);
  if (kind == v1::KIND_OFFER || kind == v1::KIND_WAITLIST) {
    referral.set_state_until_ms(ToMillis(MinuteTime(header.respond_by())));
    referral.set_respond_by_ms(ToMillis(MinuteTime(header.respond_by())));
  }
  if (kind == v1::KIND_REVOKE_ACK) {
    *referral.mutable_revoke_ack() = payload.revocation_ack();
    referral.set_revoke_ack_due_ms(0);
    MarkUndeliveredDropped(referral);
  } else {
    RETURN_IF_ERROR(StoreSections(transaction, incoming.referral, SectionDirection::kReceived,
                                  header.stage(), payload.sections()));
  }
  if (kind == v1::KIND_START) {
    RETURN_IF_ERROR(EraseFields(transaction, incoming.referral, context_.catalogue.EraseAtStart()));
  }
  referral.set_peer_offline(false);
  const std::set<uint32_t> fields = FieldNumbersIn(payload.sections());
  AddFields(referral, {fields.begin(), fields.end()});
  local::v1::Event& event =
      AddEvent(referral, incoming.id, kind, header.stage(), /*sent=*/false, now);
  event.mutable_field_nos()->Assign(fields.begin(), fields.end());
  event.set_token_hash(incoming.token_hash);
  KeepBody(payload, event);
  KeepBefore(referral, incoming.id, state_before);
  return SaveReferral(context_, transaction, referral);
}

absl::Status Receiver::CheckPolicy(const Reader& reader, const DirectorySnapshot& directory,
                                   const local::v1::Referral& referral, v1::Stage reached,
                                   const Incoming& incoming) const {
  const v1::Header& header = incoming.opened.header;
  const bool bare = FieldNumbersIn(incoming.opened.payload.sections()).empty();
  if (bare && !DemandsLive(TokenDemandOf(header.kind()))) return absl::OkStatus();
  if (!incoming.opened.token.has_value()) {
    return Error(v1::REASON_TOKEN_REQUIRED, "the message carries no token");
  }
  PolicyContext policy;
  policy.catalogue = &context_.catalogue;
  policy.now = context_.clock.Now();
  policy.kind = header.kind();
  policy.direction = DirectionOf(referral, /*sent=*/false);
  policy.stage = header.stage();
  policy.reached = reached;
  policy.service_code = referral.service_code();
  const bool from_origin = policy.direction == Direction::kOriginToProvider;
  policy.origin = from_origin ? incoming.other_unit : incoming.own_unit;
  policy.origin_pack = PackOf(directory, policy.origin);
  const auto service = ServiceId::FromBytes(referral.service_id());
  policy.provider =
      FactsOf(directory, from_origin ? incoming.own_unit : incoming.other_unit, policy.service_code,
              service ? directory.FindService(*service) : nullptr);
  ASSIGN_OR_RETURN(const v1::Sections earlier,
                   ReadAllSections(reader, incoming.referral, SectionDirection::kReceived));
  policy.earlier = &earlier;
  bool revoked = false;
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    if (token.hash() == incoming.token_hash) revoked = token.revoked();
  }
  return ToStatus(EvaluateUnderToken(policy, *incoming.opened.token, revoked,
                                     incoming.opened.payload.sections())
                      .findings);
}

void Receiver::KeepToken(const Incoming& incoming, local::v1::Referral& referral) {
  const auto& tokens = referral.tokens();
  const bool known = std::any_of(tokens.begin(), tokens.end(), [&](const auto& token) {
    return token.hash() == incoming.token_hash;
  });
  if (known || !incoming.opened.token.has_value()) return;
  local::v1::TokenEntry& token = *referral.add_tokens();
  token.set_token(incoming.token);
  token.set_signature(incoming.token_signature);
  token.set_hash(incoming.token_hash);
  token.set_valid_until_hour(incoming.opened.header.token_valid_until());
}

absl::Status Receiver::ApplyRevocation(Transaction& transaction, const DirectorySnapshot& directory,
                                       local::v1::Referral& referral,
                                       const Incoming& incoming) const {
  const absl::Time now = context_.clock.Now();
  if (StateOf(referral).has_value()) {
    RETURN_IF_ERROR(Advance(referral, v1::KIND_REVOKE, /*sent=*/false, CloseDetail::kNone, now));
  } else {
    referral.set_state(std::string(Name(NodeState::kWithdrawn)));
    referral.set_state_since_ms(ToMillis(now));
  }
  KeepToken(incoming, referral);
  for (local::v1::TokenEntry& token : *referral.mutable_tokens()) {
    const auto& hashes = incoming.opened.payload.revocation().token_hashes();
    if (token.hash() == incoming.token_hash ||
        std::find(hashes.begin(), hashes.end(), token.hash()) != hashes.end()) {
      token.set_revoked(true);
    }
  }
  AddEvent(referral, incoming.id, v1::KIND_REVOKE, v1::STAGE_NONE, /*sent=*/false, now)
      .set_token_hash(incoming.token_hash);
  ASSIGN_OR_RETURN(const auto dropped, transaction.DropWaiting(incoming.referral));
  MarkDropped(referral, dropped);
  RETURN_IF_ERROR(transaction.EraseSections(incoming.referral).status());
  referral.clear_field_nos();
  referral.clear_held_places();
  referral.set_erased_at_ms(ToMillis(now));
  RETURN_IF_ERROR(SaveReferral(context_, transaction, referral));
  return AcknowledgeWhenErased(context_, transaction, directory, incoming.referral);
}

absl::Status Receiver::ApplyQuery(Transaction& transaction, const DirectorySnapshot& directory,
                                  const Incoming& incoming) const {
  const v1::CapacityQuery& query = incoming.opened.payload.capacity_query();
  const auto service_id = ServiceId::FromBytes(query.service_id());
  const ServiceEntry* service = service_id ? directory.FindService(*service_id) : nullptr;
  if (service == nullptr || service->unit != incoming.own_unit) {
    return Error(v1::REASON_FIELD_INVALID, "the query is about a service of another unit");
  }
  ASSIGN_OR_RETURN(const v1::Capacity now, RoomAt(transaction, *service, context_.clock.Now()));
  Outgoing outgoing;
  outgoing.id = MessageId::Generate(context_.random);
  outgoing.kind = v1::KIND_CAPACITY_REPLY;
  v1::CapacityReply& reply = *outgoing.payload.mutable_capacity_reply();
  reply.set_query_id(incoming.id.bytes());
  reply.set_status(now.status());
  if (now.has_available()) reply.set_available(now.available());
  if (now.status() != v1::CAPACITY_STATUS_UNKNOWN) {
    reply.set_valid_until_minute(now.valid_until_minute());
  }
  if (now.has_window()) *reply.mutable_window() = now.window();
  for (const v1::Condition& condition : service->service.conditions()) {
    reply.add_condition_ids(condition.condition_id());
  }
  return sender_.Send(transaction, directory,
                      {.referral = incoming.referral,
                       .from = incoming.own_unit,
                       .to = incoming.other_unit,
                       .urgency = incoming.opened.header.urgency()},
                      std::move(outgoing));
}

absl::Status Receiver::ApplyReply(Transaction& transaction, const Incoming& incoming) const {
  const v1::CapacityReply& reply = incoming.opened.payload.capacity_reply();
  const auto query_id = MessageId::FromBytes(reply.query_id());
  if (!query_id) return Error(v1::REASON_FIELD_INVALID, "query_id is not 16 bytes");
  auto entry = GetAs<local::v1::CapacityQueryEntry>(transaction, DocumentKind::kQuery, *query_id);
  if (!entry.ok() || entry->referral_id() != incoming.referral.bytes() ||
      entry->unit_id() != incoming.other_unit.bytes()) {
    return Error(v1::REASON_REFERRAL_UNKNOWN, "this node asked no such question");
  }
  *entry->mutable_reply() = reply;
  return PutMessage(transaction, DocumentKind::kQuery, *query_id,
                    *NeedId::FromBytes(entry->need_id()), *entry);
}

absl::Status Receiver::ApplyReceipt(Transaction& transaction, const Incoming& incoming) const {
  const v1::Receipt& receipt = incoming.opened.payload.receipt();
  const auto message_id = MessageId::FromBytes(receipt.message_id());
  if (!message_id) return Error(v1::REASON_FIELD_INVALID, "message_id is not 16 bytes");
  RETURN_IF_ERROR(transaction.MarkReceipt(*message_id));
  auto referral = LoadReferral(transaction, incoming.referral);
  // Questions about room have no referral; their receipts only end the sender's waiting.
  if (!referral.ok()) return absl::OkStatus();
  if (referral->other_unit() != incoming.other_unit.bytes()) {
    return Error(v1::REASON_NOT_A_PARTY, "the referral is between other units");
  }
  local::v1::Event* event = FindEvent(*referral, receipt.message_id());
  if (event == nullptr || !event->sent()) return absl::OkStatus();
  if (receipt.outcome() == v1::RECEIPT_OUTCOME_EXPIRED) {
    referral->set_expiry_told_at_ms(ToMillis(context_.clock.Now()));
    return SaveReferral(context_, transaction, *referral);
  }
  // The first receipt holds: what came again, or too late, changes nothing.
  if (event->delivery() == v1::DELIVERY_STATE_RECEIVED) return absl::OkStatus();
  const bool stored = receipt.outcome() == v1::RECEIPT_OUTCOME_STORED;
  event->set_delivery(stored ? v1::DELIVERY_STATE_RECEIVED : v1::DELIVERY_STATE_REFUSED);
  event->set_reason(stored ? v1::REASON_UNSPECIFIED : receipt.reason());
  if (!stored) TakeBack(*referral, receipt.message_id());
  referral->set_peer_offline(false);
  return SaveReferral(context_, transaction, *referral);
}

absl::Status Receiver::SendReceipt(Transaction& transaction, const DirectorySnapshot& directory,
                                   const v1::Header& header, const Incoming* incoming,
                                   v1::Reason reason) const {
  if (header.kind() == v1::KIND_RECEIPT) return absl::OkStatus();
  const UnitId own_unit = *UnitId::FromBytes(header.recipient_unit());
  const UnitId other_unit = *UnitId::FromBytes(header.sender_unit());
  if (!IsOwnUnit(context_, directory, own_unit)) return absl::OkStatus();
  Outgoing outgoing;
  outgoing.id = MessageId::Generate(context_.random);
  outgoing.kind = v1::KIND_RECEIPT;
  outgoing.stage = v1::STAGE_NONE;
  outgoing.token_hash = header.token_hash();
  outgoing.token_valid_until_hour = header.token_valid_until();
  if (incoming != nullptr) {
    outgoing.payload.set_token(incoming->token);
    outgoing.payload.set_token_signature(incoming->token_signature);
  }
  v1::Receipt& receipt = *outgoing.payload.mutable_receipt();
  receipt.set_message_id(header.message_id());
  receipt.set_outcome(reason == v1::REASON_UNSPECIFIED ? v1::RECEIPT_OUTCOME_STORED
                                                       : v1::RECEIPT_OUTCOME_REFUSED);
  receipt.set_reason(reason);
  receipt.mutable_received_at()->set_seconds(
      absl::ToUnixSeconds(FloorMinute(context_.clock.Now())));
  const absl::Status sent = sender_.Send(transaction, directory,
                                         {.referral = *ReferralId::FromBytes(header.referral_id()),
                                          .from = own_unit,
                                          .to = other_unit,
                                          .urgency = header.urgency()},
                                         std::move(outgoing));
  // A sender that cannot be sealed to gets no receipt; that must not keep the message from being
  // taken.
  const v1::Reason failure = ReasonOf(sent);
  const bool local_failure =
      failure == v1::REASON_UNAVAILABLE || failure == v1::REASON_DATA_CORRUPT;
  return local_failure ? sent : absl::OkStatus();
}

}  // namespace waymark::node
