// The life of a referral: one table that holds both state machines.
//
// The hub sees kinds, not contents, and runs the coarse machine; nodes refine its end by the sealed
// codes. Pure functions over values; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "waymark/v1/common.pb.h"

namespace waymark {

// What the hub knows of a referral.
enum class HubState {
  kRequested,
  kClarifying,
  kOffered,
  kWaitlisted,
  kAccepted,
  kScheduled,
  kStarted,
  // Ends.
  kClosed,
  kExpired,
  kWithdrawn,
};

// What the two nodes know of it.
enum class NodeState {
  kDraft,
  kInquired,
  kClarifying,
  kOffered,
  kWaitlisted,
  kAccepted,
  kScheduled,
  kStarted,
  kOngoing,
  // Ends.
  kCompleted,
  kEndedEarly,
  kNotStarted,
  kNotTakenUp,
  kOfferLapsed,
  kDeclined,
  kExpired,
  kCancelled,
  kWithdrawn,
  kDiscarded,
};

// Who sends a message of a referral.
enum class Direction { kOriginToProvider, kProviderToOrigin };

// How a CLOSE ended, by its sealed code; kNone for every other kind.
enum class CloseDetail { kNone, kCompleted, kEndedEarly, kNotStarted };

// The state after a message of `kind` from `direction`; `from` is nullopt for a referral that does
// not exist yet, which to a node is a draft. nullopt when the table does not allow it, and for the
// kinds outside any referral. A kind that changes nothing returns `from`. A node's CLOSE needs its
// detail, any other kind has none.
std::optional<HubState> NextHubState(std::optional<HubState> from, v1::Kind kind,
                                     Direction direction);
std::optional<NodeState> NextNodeState(std::optional<NodeState> from, v1::Kind kind,
                                       Direction direction,
                                       CloseDetail detail = CloseDetail::kNone);

// The states, ends left out, from which the table lets a message of `kind` come from `direction`;
// nullopt among them for a referral that does not exist yet. Empty for a kind that does not go that
// way. What a message tells of a referral whose state was lost.
std::vector<std::optional<HubState>> HubStatesBefore(v1::Kind kind, Direction direction);

// The state after the clock of `from` has run out, nullopt when it has no clock.
std::optional<HubState> ExpiredHubState(HubState from);
std::optional<NodeState> ExpiredNodeState(NodeState from);

// What the hub shows for what a node knows: the refinement that a test proves.
std::optional<HubState> Coarse(NodeState state);

bool IsEnd(HubState state);
bool IsEnd(NodeState state);

// The highest stage that a state allows for disclosure: INQUIRY before acceptance, and so on; NONE
// for an end.
v1::Stage StageOf(HubState state);
v1::Stage StageOf(NodeState state);

// How long after its end the hub remembers a token, and with it a referral that stays open.
inline constexpr absl::Duration kTokenRetention = absl::Hours(30 * 24);

// What the hub demands of a kind.
enum class TokenDemand {
  // No token.
  kNone,
  // Registered, not expired, not revoked; presenter sends to recipient.
  kLive,
  // The same with the parties reversed.
  kLiveReversed,
  // The same in either direction.
  kLiveEither,
  // Registered by these parties in either direction; it may have ended.
  kRegistered,
  // As kRegistered within a referral, none outside (a receipt of a kind without a token).
  kRegisteredWithinReferral,
};
TokenDemand TokenDemandOf(v1::Kind kind);

// Whether the demand is for a token that is neither expired nor revoked and reaches the stage.
bool DemandsLive(TokenDemand demand);

// Whether a withdrawal leaves messages of `kind` alone: REVOKE, REVOKE_ACK and RECEIPT say nothing
// about the person but that something was received or taken back. They pass without a separate
// release and when the hub no longer knows the referral, and are not dropped with the rest.
bool OutlivesWithdrawal(v1::Kind kind);

// Whether the header of a message of `kind` may name `stage` when the referral is in `from`
// (nullopt: it does not exist). A kind without a token names NONE. A kind that demands a live token
// names the stage that its content needs and never more than the referral has reached, ACCEPT and
// START counted as reached by themselves; a lower stage is allowed where both would do, because a
// DISCLOSE and a START may cross. The remaining kinds unlock nothing and may name any stage.
bool StageFits(v1::Kind kind, v1::Stage stage, std::optional<HubState> from);

// UPPER_SNAKE names, for people and programs; the inverse, for what a node
// stores, returns nullopt for an unknown name.
std::string_view Name(HubState state);
std::string_view Name(NodeState state);
std::optional<NodeState> NodeStateFromName(std::string_view name);

// Every state, for exhaustive tests and tables.
std::span<const HubState> AllHubStates();
std::span<const NodeState> AllNodeStates();

}  // namespace waymark
