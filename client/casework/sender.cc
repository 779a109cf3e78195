#include "client/casework/sender.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/envelope/header.h"
#include "base/envelope/token.h"
#include "base/lifecycle/lifecycle.h"
#include "base/policy/evaluator.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/casework/revocation.h"
#include "client/vault/typed.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::node {
namespace {

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

// REVOKE, REVOKE_ACK and CANCEL never wait; a receipt is a machine's and tells nothing by its time.
bool NeverWaits(v1::Kind kind) {
  return kind == v1::KIND_REVOKE || kind == v1::KIND_REVOKE_ACK || kind == v1::KIND_CANCEL ||
         kind == v1::KIND_RECEIPT;
}

bool IsWithdrawal(v1::Kind kind) { return kind == v1::KIND_REVOKE || kind == v1::KIND_REVOKE_ACK; }

v1::ConsentToken TokenFrom(const v1::ConsentRecord& consent, const local::v1::Referral& referral) {
  v1::ConsentToken token = TokenTermsOf(consent);
  token.set_issuer_unit(referral.own_unit());
  token.set_presenter_unit(referral.own_unit());
  token.set_recipient_unit(referral.other_unit());
  token.set_referral_id(referral.referral_id());
  return token;
}

// What the hub may know of the token.
absl::StatusOr<v1::Submission> RegistrationOf(const local::v1::TokenEntry& entry) {
  ASSIGN_OR_RETURN(const v1::ConsentToken token, ParseToken(entry.token()));
  v1::Submission submission;
  v1::TokenRegistration& registration = *submission.mutable_registration();
  registration.set_token_hash(entry.hash());
  registration.set_issuer_unit(token.issuer_unit());
  registration.set_presenter_unit(token.presenter_unit());
  registration.set_recipient_unit(token.recipient_unit());
  registration.set_stage_ceiling(token.stage_ceiling());
  registration.set_valid_until_hour(entry.valid_until_hour());
  registration.set_separate_release(token.separate_release());
  registration.set_revocation_lock(token.revocation_lock());
  registration.set_revoked(entry.revoked());
  return submission;
}

}  // namespace

absl::Status Sender::Send(Transaction& transaction, const DirectorySnapshot& directory,
                          const Route& route, Outgoing outgoing) const {
  const absl::Time now = context_.clock.Now();
  ASSIGN_OR_RETURN(const v1::SealingKey key, directory.KeyToSealTo(route.to, now));
  const auto key_id = KeyId::FromBytes(key.key_id());
  if (!key_id.has_value()) {
    return Error(v1::REASON_KEY_UNKNOWN, "the unit's sealing key has no id");
  }
  const int64_t sent = MinuteOf(now);
  const v1::Urgency life = IsWithdrawal(outgoing.kind) ? v1::URGENCY_U4 : route.urgency;
  const absl::Time expires =
      After(FloorMinute(now), context_.catalogue.ClockOf(life)->expires_after());
  v1::Header header;
  header.set_message_id(outgoing.id.bytes());
  header.set_referral_id(route.referral.bytes());
  header.set_kind(outgoing.kind);
  header.set_stage(outgoing.stage);
  header.set_sender_unit(route.from.bytes());
  header.set_recipient_unit(route.to.bytes());
  header.set_urgency(route.urgency);
  header.set_sent_minute(sent);
  header.set_expires_at(MinuteOf(expires));
  header.set_respond_by(outgoing.respond_by == absl::InfinitePast()
                            ? header.expires_at()
                            : MinuteOf(outgoing.respond_by));
  header.set_token_hash(outgoing.token_hash);
  header.set_token_valid_until(outgoing.token_valid_until_hour);
  header.set_schema_version(kSchemaVersion);
  header.set_taxonomy_version(context_.catalogue.taxonomy().version());
  if (directory.head().revision() > 0) {
    *outgoing.payload.mutable_directory_head() = directory.head();
  }
  ASSIGN_OR_RETURN(
      const v1::Message message,
      SealMessage(context_.network, {.id = *key_id, .public_key = key.public_key()},
                  std::move(header), outgoing.payload, context_.identity_key, context_.random));
  v1::Submission submission;
  *submission.mutable_message() = message;
  return transaction.AppendOutbox(
      {.item_id = outgoing.id.bytes(),
       .referral = route.referral,
       .submission = submission.SerializeAsString(),
       .not_before = std::max(NotBefore(outgoing.kind, route.urgency), outgoing.not_before),
       .urgent = NeverWaits(outgoing.kind),
       .outlives_withdrawal = OutlivesWithdrawal(outgoing.kind),
       .expects_receipt = outgoing.kind != v1::KIND_RECEIPT,
       .keep_until = expires});
}

absl::Status Sender::SendWithin(Transaction& transaction, const DirectorySnapshot& directory,
                                local::v1::Referral& referral, Outgoing outgoing) const {
  if (outgoing.token_hash.empty()) {
    if (const local::v1::TokenEntry* token = TokenInUse(referral)) {
      outgoing.token_hash = token->hash();
    }
  }
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    if (token.hash() != outgoing.token_hash) continue;
    outgoing.payload.set_token(token.token());
    outgoing.payload.set_token_signature(token.signature());
    outgoing.token_valid_until_hour = token.valid_until_hour();
  }
  const std::set<uint32_t> fields = FieldNumbersIn(outgoing.payload.sections());
  local::v1::Event& event = AddEvent(referral, outgoing.id, outgoing.kind, outgoing.stage,
                                     /*sent=*/true, context_.clock.Now());
  event.mutable_field_nos()->Assign(fields.begin(), fields.end());
  event.set_token_hash(outgoing.token_hash);
  KeepBody(outgoing.payload, event);
  const MessageId id = outgoing.id;
  const Route route = RouteOf(referral);
  RETURN_IF_ERROR(Send(transaction, directory, route, std::move(outgoing)));
  // What the hub says of the message later names only its id.
  return transaction.Put(DocumentKind::kSentMessage, id, route.referral, "");
}

absl::Status Sender::AcknowledgeRevocation(Transaction& transaction,
                                           const DirectorySnapshot& directory,
                                           local::v1::Referral& referral,
                                           const MessageId& id) const {
  Outgoing outgoing;
  outgoing.id = id;
  outgoing.kind = v1::KIND_REVOKE_ACK;
  for (const local::v1::Event& event : referral.events()) {
    if (event.kind() == v1::KIND_REVOKE) outgoing.token_hash = event.token_hash();
  }
  *outgoing.payload.mutable_revocation_ack() = AcknowledgementOf(referral);
  return SendWithin(transaction, directory, referral, std::move(outgoing));
}

absl::StatusOr<local::v1::TokenEntry> Sender::TokenUnder(Transaction& transaction,
                                                         const v1::ConsentRecord& consent,
                                                         local::v1::Referral& referral) const {
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    if (token.consent_id() == consent.consent_id() && !token.revoked()) return token;
  }
  v1::ConsentToken token = TokenFrom(consent, referral);
  token.set_consent_ref(context_.random.Bytes(16));
  token.set_network_id(context_.network.bytes());
  token.set_token_nonce(context_.random.Bytes(16));
  token.set_profile_version(context_.catalogue.profiles().version());
  const auto person = CaseId::FromBytes(referral.case_id());
  ASSIGN_OR_RETURN(*token.mutable_revocation_lock(), NextRevocationLock(transaction, *person));
  ASSIGN_OR_RETURN(const SignedToken signed_token, MakeToken(token, context_.identity_key));
  local::v1::TokenEntry entry;
  entry.set_token(signed_token.bytes);
  entry.set_signature(signed_token.signature);
  entry.set_hash(TokenHash(signed_token.bytes));
  entry.set_valid_until_hour(ValidUntilHour(token));
  entry.set_consent_id(consent.consent_id());
  RETURN_IF_ERROR(Register(transaction, referral, entry, RegisterTo::kUse));
  *referral.add_tokens() = entry;
  return entry;
}

absl::Status Sender::Register(Transaction& transaction, const local::v1::Referral& referral,
                              const local::v1::TokenEntry& entry, RegisterTo purpose) const {
  ASSIGN_OR_RETURN(const v1::Submission submission, RegistrationOf(entry));
  return transaction.AppendOutbox(
      {.item_id = entry.hash(),
       .referral = *ReferralId::FromBytes(referral.referral_id()),
       .submission = submission.SerializeAsString(),
       // It names both units, so it waits as long as what follows it.
       .not_before = NotBefore(v1::KIND_INQUIRY, referral.urgency()),
       .outlives_withdrawal = purpose == RegisterTo::kRevoke,
       .keep_until = absl::UnixEpoch() + absl::Hours(entry.valid_until_hour())});
}

absl::Status Sender::NoteRevoked(Transaction& transaction,
                                 const local::v1::TokenEntry& entry) const {
  ASSIGN_OR_RETURN(const v1::Submission submission, RegistrationOf(entry));
  return transaction.ReviseOutbox(entry.hash(), submission.SerializeAsString());
}

absl::StatusOr<std::string> Sender::NextRevocationLock(Transaction& transaction,
                                                       const CaseId& person) const {
  local::v1::WithdrawalSecret record;
  auto stored =
      GetAs<local::v1::WithdrawalSecret>(transaction, DocumentKind::kWithdrawalSecret, person);
  if (stored.ok()) {
    record = *std::move(stored);
  } else if (ReasonOf(stored.status()) == v1::REASON_NOT_FOUND) {
    record.set_secret(std::string(NewWithdrawalSecret(context_.random).view()));
  } else {
    return stored.status();
  }
  if (record.next_index() >= kMaxTokensPerSecret) {
    return Error(v1::REASON_QUOTA_EXCEEDED,
                 "the case has used all tokens of its withdrawal code; open a new case for it");
  }
  const SecretBytes secret = SecretBytes::CopyOf(record.secret());
  const SecretBytes key = RevocationKey(secret, record.next_index());
  record.set_next_index(record.next_index() + 1);
  RETURN_IF_ERROR(
      PutMessage(transaction, DocumentKind::kWithdrawalSecret, person, DocumentId(), record));
  return RevocationLock(key.view());
}

absl::Time Sender::NotBefore(v1::Kind kind, v1::Urgency urgency) const {
  if (NeverWaits(kind) || !context_.delays) return absl::InfinitePast();
  const uint32_t longest = context_.catalogue.ClockOf(urgency)->max_delay_seconds();
  if (longest == 0) return absl::InfinitePast();
  return context_.clock.Now() + absl::Seconds(context_.random.Uniform(longest + 1));
}

Route RouteOf(const local::v1::Referral& referral) {
  return {.referral = *ReferralId::FromBytes(referral.referral_id()),
          .from = *UnitId::FromBytes(referral.own_unit()),
          .to = *UnitId::FromBytes(referral.other_unit()),
          .urgency = referral.urgency()};
}

}  // namespace waymark::node
