// Sealing a message and putting it into the outbox, in the transaction that changes the referral.
//
// The one way out of the node: whatever leaves has been through the evaluator before it comes here.
// Thread-safe; the context outlives it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// A message before it is sealed.
struct Outgoing {
  MessageId id;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  v1::Stage stage = v1::STAGE_NONE;
  // Without token: that is taken from `token`.
  v1::Payload payload;
  // The hash that the header names; empty for a kind without a token.
  std::string token_hash;
  int64_t token_valid_until_hour = 0;
  // When an answer, hold or review is due; InfinitePast for none.
  absl::Time respond_by = absl::InfinitePast();
  // It does not leave before; the kind's own delay holds beside it.
  absl::Time not_before = absl::InfinitePast();
};

// Where a message goes.
struct Route {
  ReferralId referral;
  UnitId from;
  UnitId to;
  v1::Urgency urgency = v1::URGENCY_UNSPECIFIED;
};

class Sender {
 public:
  explicit Sender(const CaseworkContext& context) : context_(context) {}

  // Seals and appends. Errors of DirectorySnapshot::KeyToSealTo and SealMessage; ID_REUSED when the
  // outbox has a message of this id.
  absl::Status Send(Transaction& transaction, const DirectorySnapshot& directory,
                    const Route& route, Outgoing outgoing) const;

  // The same within a referral: names its token in use, unless `outgoing` names one, appends the
  // event, and notes which referral the message belongs to (ReferralOfSent).
  absl::Status SendWithin(Transaction& transaction, const DirectorySnapshot& directory,
                          local::v1::Referral& referral, Outgoing outgoing) const;

  // Acknowledges the latest REVOKE of the referral, under the token that it named.
  absl::Status AcknowledgeRevocation(Transaction& transaction, const DirectorySnapshot& directory,
                                     local::v1::Referral& referral, const MessageId& id) const;

  // Returns the referral's token under this consent: the one that it has, or a new one, which is
  // registered with the hub in the same outbox before its first use.
  absl::StatusOr<local::v1::TokenEntry> TokenUnder(Transaction& transaction,
                                                   const v1::ConsentRecord& consent,
                                                   local::v1::Referral& referral) const;

  // Appends the registration of a token: before its first use, or again before it is revoked when
  // it may not have left.
  enum class RegisterTo { kUse, kRevoke };
  absl::Status Register(Transaction& transaction, const local::v1::Referral& referral,
                        const local::v1::TokenEntry& token, RegisterTo purpose) const;
  // Lets the registration, which is kept until the token's end for a hub that loses it, say that
  // the token is revoked.
  absl::Status NoteRevoked(Transaction& transaction, const local::v1::TokenEntry& token) const;

 private:
  absl::StatusOr<std::string> NextRevocationLock(Transaction& transaction,
                                                 const CaseId& person) const;
  absl::Time NotBefore(v1::Kind kind, v1::Urgency urgency) const;

  const CaseworkContext& context_;
};

// Returns the route of a message that this node sends within the referral.
Route RouteOf(const local::v1::Referral& referral);

}  // namespace waymark::node
