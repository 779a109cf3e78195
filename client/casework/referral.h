// The record of one referral on one of its two nodes, and what moves it.
//
// The state machine is base/lifecycle; this room only applies it to the stored record and keeps the
// clocks beside it. Pure but for loading and saving. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "base/schema/catalogue.h"
#include "client/casework/context.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// Returns the referral. NOT_FOUND (as REFERRAL_UNKNOWN): there is none of this id.
absl::StatusOr<local::v1::Referral> LoadReferral(const Reader& reader, const ReferralId& id);
absl::StatusOr<std::vector<local::v1::Referral>> LoadReferrals(const Reader& reader);
// Returns the referral that a message of this node was sent in, by a lookup that opens no record;
// nullopt when it was sent in none.
absl::StatusOr<std::optional<ReferralId>> ReferralOfSent(const Reader& reader, const MessageId& id);
// Stores the referral. If this node was asked, what keeps copies of it outside the vault learns of
// the change in the same transaction.
absl::Status SaveReferral(const CaseworkContext& context, Transaction& transaction,
                          const local::v1::Referral& referral);

// The record's state; nullopt for a referral that was just made.
std::optional<NodeState> StateOf(const local::v1::Referral& referral);

// The record of a referral that the other side begins with a message about this need.
local::v1::Referral NewlyAsked(const v1::Header& header, const v1::NeedSection& need);

// The way of a message that this node sends or receives within the referral.
Direction DirectionOf(const local::v1::Referral& referral, bool sent);

// The state and its clocks.
local::v1::StateBefore Snapshot(const local::v1::Referral& referral);
// Keeps in the event of a message what was before it, if the referral has moved since.
void KeepBefore(local::v1::Referral& referral, const MessageId& message,
                const local::v1::StateBefore& before);

// Undoes a sent message that the hub or the recipient refused: the referral is again where it was
// before, so that it can be done right, and the event is no longer kept as one that moved it. Where
// a later message has moved on from there, that one stands and goes back as far in its turn. An
// inquiry that was refused leaves a referral that was discarded. A withdrawal is never undone.
void TakeBack(local::v1::Referral& referral, std::string_view message_id);

// STATE_FORBIDS: a message of this kind has no place in the referral as it stands.
absl::Status DoesNotFit(const local::v1::Referral& referral, v1::Kind kind);

// Moves the state by a message. STATE_FORBIDS names the kind and the state when the table does not
// allow it.
absl::Status Advance(local::v1::Referral& referral, v1::Kind kind, bool sent, CloseDetail detail,
                     absl::Time now);

// When the state ends of itself; InfiniteFuture for one that does not.
absl::Time EndOfState(const local::v1::Referral& referral);
// Ends the state when its clock has run out; returns whether it did.
bool ExpireIfDue(local::v1::Referral& referral, absl::Time now);

// Sets the clocks of a new inquiry: when an answer is due, when the lead is prompted, when it ends.
void SetInquiryClocks(local::v1::Referral& referral, const Catalogue& catalogue, absl::Time now);

// Notes the day of the next review that a report of the provider announces, if it does.
void SetReview(local::v1::Referral& referral, const v1::ProgSection& report);

// Appends a message to the history, or returns the one that is there.
local::v1::Event& AddEvent(local::v1::Referral& referral, const MessageId& id, v1::Kind kind,
                           v1::Stage stage, bool sent, absl::Time now);

// Keeps what a CLARIFICATION or CANCEL says: it is coded, and nothing about the person.
void KeepBody(const v1::Payload& payload, local::v1::Event& event);

// Returns the event of this message, nullptr if there is none.
local::v1::Event* FindEvent(local::v1::Referral& referral, std::string_view message_id);

// Notes that these messages were taken from the outbox before they left.
void MarkDropped(local::v1::Referral& referral, const std::vector<std::string>& message_ids);
// The same of whatever has no receipt when a withdrawal is acknowledged: the hub dropped it, since
// a receipt would have come before the acknowledgement.
void MarkUndeliveredDropped(local::v1::Referral& referral);

// Notes fields that were sent or received, each once.
void AddFields(local::v1::Referral& referral, const std::vector<uint32_t>& field_nos);

// The fields of the messages that were sent, without those that were refused or dropped.
std::set<uint32_t> FieldsSent(const local::v1::Referral& referral);

// The latest token that was not revoked, nullptr if there is none.
const local::v1::TokenEntry* TokenInUse(const local::v1::Referral& referral);

absl::Time FromMillis(int64_t millis);
int64_t ToMillis(absl::Time time);

}  // namespace waymark::node
