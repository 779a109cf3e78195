#include "base/lifecycle/lifecycle.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace waymark {
namespace {

using enum NodeState;

// A set of node states, one bit each.
using States = uint32_t;

constexpr States Bit(NodeState state) { return States{1} << static_cast<int>(state); }

template <typename... State>
constexpr States Set(State... states) {
  return (Bit(states) | ...);
}

constexpr States kServed = Set(kStarted, kOngoing);
constexpr States kAgreed = Set(kAccepted, kScheduled);
constexpr States kEnded = Set(kCompleted, kEndedEarly, kNotStarted, kNotTakenUp, kOfferLapsed,
                              kDeclined, kExpired, kCancelled);
constexpr States kSent =
    Set(kInquired, kClarifying, kOffered, kWaitlisted, kWithdrawn) | kAgreed | kServed | kEnded;

enum class From { kOrigin, kProvider, kEither };

// One rule. The hub's machine is this table seen through Coarse(), which is why a row may name a
// detail that the hub cannot see only if every detail leads to the same coarse state.
struct Row {
  States from;
  v1::Kind kind;
  From sender;
  // nullopt: the state stays.
  std::optional<NodeState> to;
  // Meaningful for CLOSE; nullopt there means any.
  std::optional<CloseDetail> detail = CloseDetail::kNone;
};

constexpr Row kTable[] = {
    {Set(kDraft), v1::KIND_INQUIRY, From::kOrigin, kInquired},

    // Only before the answer does a question stop the referral; a further question or a further
    // answer leaves it where it is.
    {Set(kInquired), v1::KIND_CLARIFICATION, From::kProvider, kClarifying},
    {Set(kInquired), v1::KIND_CLARIFICATION, From::kOrigin, std::nullopt},
    {Set(kClarifying), v1::KIND_CLARIFICATION, From::kOrigin, kInquired},
    {Set(kClarifying), v1::KIND_CLARIFICATION, From::kProvider, std::nullopt},
    {Set(kOffered, kWaitlisted) | kAgreed | kServed, v1::KIND_CLARIFICATION, From::kEither,
     std::nullopt},

    // A repeated WAITLIST is a review that keeps the place on the list.
    {Set(kInquired, kWaitlisted), v1::KIND_OFFER, From::kProvider, kOffered},
    {Set(kInquired, kWaitlisted), v1::KIND_WAITLIST, From::kProvider, kWaitlisted},
    {Set(kInquired, kClarifying, kWaitlisted), v1::KIND_DECLINE, From::kProvider, kDeclined},

    {Set(kOffered), v1::KIND_ACCEPT, From::kOrigin, kAccepted},
    {kAgreed | kServed, v1::KIND_DISCLOSE, From::kOrigin, std::nullopt},

    {kAgreed, v1::KIND_SCHEDULE, From::kProvider, kScheduled},
    {kAgreed, v1::KIND_START, From::kProvider, kStarted},
    {kServed, v1::KIND_PROGRESS, From::kProvider, kOngoing},
    {Set(kScheduled), v1::KIND_CLOSE, From::kProvider, kNotStarted, CloseDetail::kNotStarted},
    {kServed, v1::KIND_CLOSE, From::kProvider, kCompleted, CloseDetail::kCompleted},
    {kServed, v1::KIND_CLOSE, From::kProvider, kEndedEarly, CloseDetail::kEndedEarly},

    {Set(kOffered), v1::KIND_CANCEL, From::kOrigin, kNotTakenUp},
    {Set(kInquired, kClarifying) | kAgreed, v1::KIND_CANCEL, From::kEither, kCancelled},

    // Two ends that cross on the wire: both arrive, the first counts. After a withdrawal nothing
    // about the person is sent any more, not even how it ended.
    {kEnded, v1::KIND_DECLINE, From::kProvider, std::nullopt},
    {kEnded, v1::KIND_CANCEL, From::kEither, std::nullopt},
    {kEnded, v1::KIND_CLOSE, From::kProvider, std::nullopt, std::nullopt},

    // WITHDRAWN wins over everything, other ends included: what was sent is still held somewhere.
    // An inquiry that was refused is discarded, and who refused it has read it.
    {kSent | Set(kDiscarded), v1::KIND_REVOKE, From::kOrigin, kWithdrawn},
    {Set(kWithdrawn), v1::KIND_REVOKE_ACK, From::kProvider, std::nullopt},

    {kSent, v1::KIND_RECEIPT, From::kEither, std::nullopt},
};

// What the clock of a state does.
struct Clock {
  States from;
  NodeState to;
};

constexpr Clock kClocks[] = {
    {Set(kInquired, kClarifying, kWaitlisted), kExpired},
    {Set(kOffered), kOfferLapsed},
};

template <typename State>
struct Named {
  State state;
  std::string_view name;
};
// clang 14 deduces no aggregate by itself.
template <typename State>
Named(State, const char*) -> Named<State>;

constexpr std::array kHubNames = {
    Named{HubState::kRequested, "REQUESTED"}, Named{HubState::kClarifying, "CLARIFYING"},
    Named{HubState::kOffered, "OFFERED"},     Named{HubState::kWaitlisted, "WAITLISTED"},
    Named{HubState::kAccepted, "ACCEPTED"},   Named{HubState::kScheduled, "SCHEDULED"},
    Named{HubState::kStarted, "STARTED"},     Named{HubState::kClosed, "CLOSED"},
    Named{HubState::kExpired, "EXPIRED"},     Named{HubState::kWithdrawn, "WITHDRAWN"},
};

constexpr std::array kNodeNames = {
    Named{kDraft, "DRAFT"},
    Named{kInquired, "INQUIRED"},
    Named{kClarifying, "CLARIFYING"},
    Named{kOffered, "OFFERED"},
    Named{kWaitlisted, "WAITLISTED"},
    Named{kAccepted, "ACCEPTED"},
    Named{kScheduled, "SCHEDULED"},
    Named{kStarted, "STARTED"},
    Named{kOngoing, "ONGOING"},
    Named{kCompleted, "COMPLETED"},
    Named{kEndedEarly, "ENDED_EARLY"},
    Named{kNotStarted, "NOT_STARTED"},
    Named{kNotTakenUp, "NOT_TAKEN_UP"},
    Named{kOfferLapsed, "OFFER_LAPSED"},
    Named{kDeclined, "DECLINED"},
    Named{kExpired, "EXPIRED"},
    Named{kCancelled, "CANCELLED"},
    Named{kWithdrawn, "WITHDRAWN"},
    Named{kDiscarded, "DISCARDED"},
};

template <typename State, size_t kSize>
constexpr std::array<State, kSize> StatesOf(const std::array<Named<State>, kSize>& names) {
  std::array<State, kSize> states{};
  std::transform(names.begin(), names.end(), states.begin(),
                 [](const Named<State>& named) { return named.state; });
  return states;
}

constexpr auto kHubStates = StatesOf(kHubNames);
constexpr auto kNodeStates = StatesOf(kNodeNames);

template <typename State, size_t kSize>
std::string_view NameIn(const std::array<Named<State>, kSize>& names, State state) {
  return names[static_cast<size_t>(state)].name;
}

template <typename State, size_t kSize>
std::optional<State> StateIn(const std::array<Named<State>, kSize>& names, std::string_view name) {
  for (const Named<State>& named : names) {
    if (named.name == name) return named.state;
  }
  return std::nullopt;
}

// The node states that the hub shows as `state`; a draft for a referral that does not exist.
States Refinements(std::optional<HubState> state) {
  if (!state) return Bit(kDraft);
  States states = 0;
  for (NodeState node : kNodeStates) {
    if (Coarse(node) == state) states |= Bit(node);
  }
  return states;
}

bool Sends(From sender, Direction direction) {
  switch (sender) {
    case From::kOrigin:
      return direction == Direction::kOriginToProvider;
    case From::kProvider:
      return direction == Direction::kProviderToOrigin;
    case From::kEither:
      return true;
  }
  return false;
}

bool Matches(const Row& row, States from, v1::Kind kind, Direction direction) {
  return (row.from & from) != 0 && row.kind == kind && Sends(row.sender, direction);
}

}  // namespace

std::optional<HubState> NextHubState(std::optional<HubState> from, v1::Kind kind,
                                     Direction direction) {
  const States states = Refinements(from);
  for (const Row& row : kTable) {
    if (Matches(row, states, kind, direction)) return row.to ? Coarse(*row.to) : from;
  }
  return std::nullopt;
}

std::vector<std::optional<HubState>> HubStatesBefore(v1::Kind kind, Direction direction) {
  std::vector<std::optional<HubState>> before;
  if (NextHubState(std::nullopt, kind, direction)) before.push_back(std::nullopt);
  for (const HubState state : kHubStates) {
    if (!IsEnd(state) && NextHubState(state, kind, direction)) before.push_back(state);
  }
  return before;
}

std::optional<NodeState> NextNodeState(std::optional<NodeState> from, v1::Kind kind,
                                       Direction direction, CloseDetail detail) {
  const NodeState state = from.value_or(kDraft);
  for (const Row& row : kTable) {
    if (Matches(row, Bit(state), kind, direction) && row.detail.value_or(detail) == detail) {
      return row.to.value_or(state);
    }
  }
  return std::nullopt;
}

std::optional<HubState> ExpiredHubState(HubState from) {
  for (const Clock& clock : kClocks) {
    if ((clock.from & Refinements(from)) != 0) return Coarse(clock.to);
  }
  return std::nullopt;
}

std::optional<NodeState> ExpiredNodeState(NodeState from) {
  for (const Clock& clock : kClocks) {
    if ((clock.from & Bit(from)) != 0) return clock.to;
  }
  return std::nullopt;
}

std::optional<HubState> Coarse(NodeState state) {
  switch (state) {
    case kDraft:
    case kDiscarded:
      return std::nullopt;
    case kInquired:
      return HubState::kRequested;
    case kClarifying:
      return HubState::kClarifying;
    case kOffered:
      return HubState::kOffered;
    case kWaitlisted:
      return HubState::kWaitlisted;
    case kAccepted:
      return HubState::kAccepted;
    case kScheduled:
      return HubState::kScheduled;
    case kStarted:
    case kOngoing:
      return HubState::kStarted;
    case kCompleted:
    case kEndedEarly:
    case kNotStarted:
    case kNotTakenUp:
    case kDeclined:
    case kCancelled:
      return HubState::kClosed;
    case kOfferLapsed:
    case kExpired:
      return HubState::kExpired;
    case kWithdrawn:
      return HubState::kWithdrawn;
  }
  return std::nullopt;
}

bool IsEnd(HubState state) { return state >= HubState::kClosed; }
bool IsEnd(NodeState state) { return state >= kCompleted; }

v1::Stage StageOf(HubState state) {
  switch (state) {
    case HubState::kRequested:
    case HubState::kClarifying:
    case HubState::kOffered:
    case HubState::kWaitlisted:
      return v1::STAGE_INQUIRY;
    case HubState::kAccepted:
    case HubState::kScheduled:
      return v1::STAGE_ACCEPTED;
    case HubState::kStarted:
      return v1::STAGE_STARTED;
    case HubState::kClosed:
    case HubState::kExpired:
    case HubState::kWithdrawn:
      return v1::STAGE_NONE;
  }
  return v1::STAGE_NONE;
}

v1::Stage StageOf(NodeState state) {
  if (state == kDraft) return v1::STAGE_INQUIRY;
  const std::optional<HubState> coarse = Coarse(state);
  return coarse ? StageOf(*coarse) : v1::STAGE_NONE;
}

TokenDemand TokenDemandOf(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_INQUIRY:
    case v1::KIND_ACCEPT:
    case v1::KIND_DISCLOSE:
      return TokenDemand::kLive;
    case v1::KIND_OFFER:
    case v1::KIND_WAITLIST:
    case v1::KIND_SCHEDULE:
    case v1::KIND_START:
    case v1::KIND_PROGRESS:
      return TokenDemand::kLiveReversed;
    case v1::KIND_CLARIFICATION:
      return TokenDemand::kLiveEither;
    case v1::KIND_DECLINE:
    case v1::KIND_CLOSE:
    case v1::KIND_REVOKE:
    case v1::KIND_REVOKE_ACK:
    case v1::KIND_CANCEL:
      return TokenDemand::kRegistered;
    case v1::KIND_RECEIPT:
      return TokenDemand::kRegisteredWithinReferral;
    default:
      return TokenDemand::kNone;
  }
}

bool DemandsLive(TokenDemand demand) {
  return demand == TokenDemand::kLive || demand == TokenDemand::kLiveReversed ||
         demand == TokenDemand::kLiveEither;
}

bool OutlivesWithdrawal(v1::Kind kind) {
  return kind == v1::KIND_REVOKE || kind == v1::KIND_REVOKE_ACK || kind == v1::KIND_RECEIPT;
}

bool StageFits(v1::Kind kind, v1::Stage stage, std::optional<HubState> from) {
  const TokenDemand demand = TokenDemandOf(kind);
  if (demand == TokenDemand::kNone) return stage == v1::STAGE_NONE;
  if (!DemandsLive(demand)) return true;
  v1::Stage lowest = v1::STAGE_INQUIRY;
  v1::Stage highest = from ? StageOf(*from) : v1::STAGE_INQUIRY;
  if (kind == v1::KIND_ACCEPT) lowest = highest = v1::STAGE_ACCEPTED;
  if (kind == v1::KIND_DISCLOSE || kind == v1::KIND_SCHEDULE) lowest = v1::STAGE_ACCEPTED;
  if (kind == v1::KIND_START) {
    lowest = v1::STAGE_ACCEPTED;
    highest = v1::STAGE_STARTED;
  }
  if (kind == v1::KIND_PROGRESS) lowest = v1::STAGE_STARTED;
  return lowest <= stage && stage <= highest;
}

std::string_view Name(HubState state) { return NameIn(kHubNames, state); }
std::string_view Name(NodeState state) { return NameIn(kNodeNames, state); }

std::optional<NodeState> NodeStateFromName(std::string_view name) {
  return StateIn(kNodeNames, name);
}

std::span<const HubState> AllHubStates() { return kHubStates; }
std::span<const NodeState> AllNodeStates() { return kNodeStates; }

}  // namespace waymark
