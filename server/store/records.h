// What the hub remembers, as plain values.
//
// The rules (server/routing) read and write these; the backends store them. Nothing here can hold a
// value about a person: the hub knows ids, units, kinds, stages, times and sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::hub {

// How long the hub remembers what has ended.
inline constexpr absl::Duration kEndedReferralRetention = absl::Hours(7 * 24);
inline constexpr absl::Duration kRoutingRetention = absl::Hours(7 * 24);

// How long after a restore the members may bring back what the copy did not have: by then whoever
// takes part has been there, as a member's statements run out after 8 days.
inline constexpr absl::Duration kRecoveryPeriod = absl::Hours(31 * 24);

// A member and its standing, from the newest member statement.
struct MemberRecord {
  OrganisationId organisation;
  v1::OrganisationClass organisation_class = v1::ORGANISATION_CLASS_UNSPECIFIED;
  v1::MemberStatus status = v1::MEMBER_STATUS_UNSPECIFIED;
  std::vector<UnitId> units;

  friend bool operator==(const MemberRecord&, const MemberRecord&) = default;
};

// What the hub may know of a consent token. `hash` is 32 bytes and the key.
struct TokenRecord {
  std::string hash;
  UnitId issuer;
  UnitId presenter;
  UnitId recipient;
  v1::Stage ceiling = v1::STAGE_UNSPECIFIED;
  absl::Time valid_until;
  bool separate_release = false;
  std::string revocation_lock;
  absl::Time registered_at;
  bool revoked = false;

  friend bool operator==(const TokenRecord&, const TokenRecord&) = default;
};

// A referral: its parties and how far it has come. The key is `id`.
struct ReferralRecord {
  ReferralId id;
  UnitId origin;
  UnitId provider;
  HubState state = HubState::kRequested;
  v1::Urgency urgency = v1::URGENCY_UNSPECIFIED;
  // Hash of the token of the latest message that demanded one.
  std::string token_hash;
  // When the state ends by itself: an unanswered request expires, an offer lapses. InfiniteFuture
  // for none.
  absl::Time state_until = absl::InfiniteFuture();
  // When the record is forgotten: some time after its end, or with the token of one that stays
  // open.
  absl::Time forget_at = absl::InfiniteFuture();

  friend bool operator==(const ReferralRecord&, const ReferralRecord&) = default;
};

// The first answer to a message id, so that a repeat gets the same one. The key is `id`.
struct SeenRecord {
  MessageId id;
  // 32 bytes: hash of header, sealed and signature.
  std::string digest;
  v1::Reason answer = v1::REASON_UNSPECIFIED;
  absl::Time remember_until;

  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
};

// A message that waits for its recipient's node.
struct MailboxItem {
  // Assigned by the store at commit; grows within a mailbox, with gaps.
  uint64_t sequence = 0;
  OrganisationId mailbox;
  MessageId message_id;
  ReferralId referral;
  OrganisationId sender;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  v1::Urgency urgency = v1::URGENCY_UNSPECIFIED;
  // Empty for a kind without a token.
  std::string token_hash;
  absl::Time stored_at;
  absl::Time expires_at;
  // The serialised v1::Message, as submitted.
  std::string message;

  friend bool operator==(const MailboxItem&, const MailboxItem&) = default;
};

// One line of the routing log, kept 7 days.
struct RoutingRecord {
  absl::Time minute;
  MessageId message_id;
  ReferralId referral;
  UnitId sender;
  UnitId recipient;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  v1::Urgency urgency = v1::URGENCY_UNSPECIFIED;

  friend bool operator==(const RoutingRecord&, const RoutingRecord&) = default;
};

// Whether the sender of a message that waits for long is told.
inline bool IsUrgent(v1::Urgency urgency) {
  return urgency == v1::URGENCY_U0 || urgency == v1::URGENCY_U1;
}

// Removes what waits in any mailbox under a revoked token, but for what outlives a withdrawal
// (base/lifecycle): whoever withdrew still learns what was received before.
struct DropUndelivered {
  std::string token_hash;

  friend bool operator==(const DropUndelivered&, const DropUndelivered&) = default;
};

// Everything that one accepted item changes. Applied as a whole or not at all.
struct Effects {
  std::vector<TokenRecord> put_tokens;
  std::vector<ReferralRecord> put_referrals;
  std::vector<SeenRecord> put_seen;
  std::vector<DropUndelivered> drop;
  // Stored after `drop`.
  std::vector<MailboxItem> deliver;
  std::vector<RoutingRecord> log;
};

}  // namespace waymark::hub
