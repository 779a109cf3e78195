#include "base/lifecycle/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace waymark {
namespace {

using ::testing::Contains;

constexpr Direction kOut = Direction::kOriginToProvider;
constexpr Direction kBack = Direction::kProviderToOrigin;
constexpr Direction kDirections[] = {kOut, kBack};
constexpr CloseDetail kDetails[] = {CloseDetail::kNone, CloseDetail::kCompleted,
                                    CloseDetail::kEndedEarly, CloseDetail::kNotStarted};

std::vector<v1::Kind> AllKinds() {
  std::vector<v1::Kind> kinds;
  for (int kind = v1::Kind_MIN; kind <= v1::Kind_MAX; ++kind) {
    kinds.push_back(static_cast<v1::Kind>(kind));
  }
  return kinds;
}

std::string Show(std::optional<NodeState> state) {
  return state ? std::string(Name(*state)) : "none";
}

std::string Show(std::optional<HubState> state) {
  return state ? std::string(Name(*state)) : "none";
}

// The transitions, spelled out one by one: "<from> <kind> <direction>[ <detail>]" -> "<to>".
using Transitions = std::map<std::string, std::string>;

std::string Key(const std::string& from, v1::Kind kind, Direction direction,
                CloseDetail detail = CloseDetail::kNone) {
  static constexpr const char* kDetailNames[] = {"", " COMPLETED", " ENDED_EARLY", " NOT_STARTED"};
  return from + " " + v1::Kind_Name(kind).substr(5) + (direction == kOut ? " out" : " back") +
         kDetailNames[static_cast<int>(detail)];
}

// The steps that nodes make from more than a few states.
void AddWhatManyStatesAllow(Transitions& all) {
  for (const char* state : {"INQUIRED", "CLARIFYING", "ACCEPTED", "SCHEDULED"}) {
    all[std::string(state) + " CANCEL out"] = "CANCELLED";
    all[std::string(state) + " CANCEL back"] = "CANCELLED";
  }
  for (const char* state :
       {"OFFERED", "WAITLISTED", "ACCEPTED", "SCHEDULED", "STARTED", "ONGOING"}) {
    all[std::string(state) + " CLARIFICATION out"] = state;
    all[std::string(state) + " CLARIFICATION back"] = state;
  }
  for (const char* end : {"COMPLETED", "ENDED_EARLY", "NOT_STARTED", "NOT_TAKEN_UP", "OFFER_LAPSED",
                          "DECLINED", "EXPIRED", "CANCELLED"}) {
    for (const char* late :
         {" CANCEL out", " CANCEL back", " DECLINE back", " CLOSE back", " CLOSE back COMPLETED",
          " CLOSE back ENDED_EARLY", " CLOSE back NOT_STARTED"}) {
      all[std::string(end) + late] = end;
    }
  }
  for (NodeState state : AllNodeStates()) {
    if (state == NodeState::kDraft || state == NodeState::kDiscarded) continue;
    const std::string name(Name(state));
    all[name + " REVOKE out"] = "WITHDRAWN";
    all[name + " RECEIPT out"] = name;
    all[name + " RECEIPT back"] = name;
  }
  all["DISCARDED REVOKE out"] = "WITHDRAWN";
}

const Transitions& NodeTransitions() {
  static const auto& transitions = *new Transitions([] {
    Transitions all = {
        {"DRAFT INQUIRY out", "INQUIRED"},
        {"INQUIRED CLARIFICATION back", "CLARIFYING"},
        {"INQUIRED CLARIFICATION out", "INQUIRED"},
        {"CLARIFYING CLARIFICATION out", "INQUIRED"},
        {"CLARIFYING CLARIFICATION back", "CLARIFYING"},
        {"INQUIRED OFFER back", "OFFERED"},
        {"WAITLISTED OFFER back", "OFFERED"},
        {"INQUIRED WAITLIST back", "WAITLISTED"},
        {"WAITLISTED WAITLIST back", "WAITLISTED"},
        {"INQUIRED DECLINE back", "DECLINED"},
        {"CLARIFYING DECLINE back", "DECLINED"},
        {"WAITLISTED DECLINE back", "DECLINED"},
        {"OFFERED ACCEPT out", "ACCEPTED"},
        {"ACCEPTED DISCLOSE out", "ACCEPTED"},
        {"SCHEDULED DISCLOSE out", "SCHEDULED"},
        {"STARTED DISCLOSE out", "STARTED"},
        {"ONGOING DISCLOSE out", "ONGOING"},
        {"ACCEPTED SCHEDULE back", "SCHEDULED"},
        {"SCHEDULED SCHEDULE back", "SCHEDULED"},
        {"ACCEPTED START back", "STARTED"},
        {"SCHEDULED START back", "STARTED"},
        {"STARTED PROGRESS back", "ONGOING"},
        {"ONGOING PROGRESS back", "ONGOING"},
        {"SCHEDULED CLOSE back NOT_STARTED", "NOT_STARTED"},
        {"STARTED CLOSE back COMPLETED", "COMPLETED"},
        {"STARTED CLOSE back ENDED_EARLY", "ENDED_EARLY"},
        {"ONGOING CLOSE back COMPLETED", "COMPLETED"},
        {"ONGOING CLOSE back ENDED_EARLY", "ENDED_EARLY"},
        {"OFFERED CANCEL out", "NOT_TAKEN_UP"},
        {"WITHDRAWN REVOKE_ACK back", "WITHDRAWN"},
    };
    AddWhatManyStatesAllow(all);
    return all;
  }());
  return transitions;
}

TEST(LifecycleTest, NodesMakeExactlyTheseTransitions) {
  size_t found = 0;
  for (NodeState from : AllNodeStates()) {
    for (v1::Kind kind : AllKinds()) {
      for (Direction direction : kDirections) {
        for (CloseDetail detail : kDetails) {
          const std::string key = Key(Show(from), kind, direction, detail);
          const auto expected = NodeTransitions().find(key);
          const auto next = NextNodeState(from, kind, direction, detail);
          EXPECT_EQ(Show(next), expected == NodeTransitions().end() ? "none" : expected->second)
              << key;
          if (next) ++found;
        }
      }
    }
  }
  EXPECT_EQ(found, NodeTransitions().size());
}

Transitions HubTransitions() {
  Transitions expected = {
      {"none INQUIRY out", "REQUESTED"},
      {"REQUESTED CLARIFICATION back", "CLARIFYING"},
      {"REQUESTED CLARIFICATION out", "REQUESTED"},
      {"CLARIFYING CLARIFICATION out", "REQUESTED"},
      {"CLARIFYING CLARIFICATION back", "CLARIFYING"},
      {"REQUESTED OFFER back", "OFFERED"},
      {"WAITLISTED OFFER back", "OFFERED"},
      {"REQUESTED WAITLIST back", "WAITLISTED"},
      {"WAITLISTED WAITLIST back", "WAITLISTED"},
      {"REQUESTED DECLINE back", "CLOSED"},
      {"CLARIFYING DECLINE back", "CLOSED"},
      {"WAITLISTED DECLINE back", "CLOSED"},
      {"OFFERED ACCEPT out", "ACCEPTED"},
      {"ACCEPTED DISCLOSE out", "ACCEPTED"},
      {"SCHEDULED DISCLOSE out", "SCHEDULED"},
      {"STARTED DISCLOSE out", "STARTED"},
      {"ACCEPTED SCHEDULE back", "SCHEDULED"},
      {"SCHEDULED SCHEDULE back", "SCHEDULED"},
      {"ACCEPTED START back", "STARTED"},
      {"SCHEDULED START back", "STARTED"},
      {"STARTED PROGRESS back", "STARTED"},
      {"SCHEDULED CLOSE back", "CLOSED"},
      {"STARTED CLOSE back", "CLOSED"},
      {"OFFERED CANCEL out", "CLOSED"},
      {"WITHDRAWN REVOKE_ACK back", "WITHDRAWN"},
  };
  for (const char* state : {"REQUESTED", "CLARIFYING", "ACCEPTED", "SCHEDULED"}) {
    expected[std::string(state) + " CANCEL out"] = "CLOSED";
    expected[std::string(state) + " CANCEL back"] = "CLOSED";
  }
  for (const char* state : {"OFFERED", "WAITLISTED", "ACCEPTED", "SCHEDULED", "STARTED"}) {
    expected[std::string(state) + " CLARIFICATION out"] = state;
    expected[std::string(state) + " CLARIFICATION back"] = state;
  }
  for (const char* end : {"CLOSED", "EXPIRED"}) {
    for (const char* late : {" CANCEL out", " CANCEL back", " DECLINE back", " CLOSE back"}) {
      expected[std::string(end) + late] = end;
    }
  }
  for (HubState state : AllHubStates()) {
    const std::string name(Name(state));
    expected[name + " REVOKE out"] = "WITHDRAWN";
    expected[name + " RECEIPT out"] = name;
    expected[name + " RECEIPT back"] = name;
  }
  return expected;
}

TEST(LifecycleTest, TheHubMakesExactlyTheseTransitions) {
  const Transitions expected = HubTransitions();
  std::vector<std::optional<HubState>> states = {std::nullopt};
  states.insert(states.end(), AllHubStates().begin(), AllHubStates().end());
  for (const auto& from : states) {
    for (v1::Kind kind : AllKinds()) {
      for (Direction direction : kDirections) {
        const std::string key = Key(Show(from), kind, direction);
        const auto row = expected.find(key);
        EXPECT_EQ(Show(NextHubState(from, kind, direction)),
                  row == expected.end() ? "none" : row->second)
            << key;
      }
    }
  }
}

TEST(LifecycleTest, NodeMachineRefinesTheHubs) {
  for (NodeState from : AllNodeStates()) {
    for (v1::Kind kind : AllKinds()) {
      for (Direction direction : kDirections) {
        for (CloseDetail detail : kDetails) {
          const auto next = NextNodeState(from, kind, direction, detail);
          if (!next) continue;
          // Of a referral that it does not know the hub lets a withdrawal pass and keeps no state.
          if (!Coarse(from) && kind == v1::KIND_REVOKE) continue;
          EXPECT_EQ(Show(NextHubState(Coarse(from), kind, direction)), Show(Coarse(*next)))
              << Key(Show(from), kind, direction, detail);
        }
      }
    }
    if (const auto expired = ExpiredNodeState(from)) {
      EXPECT_EQ(Show(ExpiredHubState(*Coarse(from))), Show(Coarse(*expired))) << Show(from);
    }
  }
}

TEST(LifecycleTest, EveryHubTransitionIsSomeNodesTransition) {
  for (HubState from : AllHubStates()) {
    for (v1::Kind kind : AllKinds()) {
      for (Direction direction : kDirections) {
        const auto next = NextHubState(from, kind, direction);
        if (!next) continue;
        std::vector<std::string> refined;
        for (NodeState node : AllNodeStates()) {
          if (Coarse(node) != from) continue;
          for (CloseDetail detail : kDetails) {
            const auto to = NextNodeState(node, kind, direction, detail);
            if (to) refined.push_back(Show(Coarse(*to)));
          }
        }
        EXPECT_THAT(refined, Contains(Show(next))) << Key(Show(from), kind, direction);
      }
    }
  }
}

TEST(LifecycleTest, WithdrawalWinsFromEveryStateAndIsFinal) {
  for (HubState state : AllHubStates()) {
    EXPECT_EQ(NextHubState(state, v1::KIND_REVOKE, kOut), HubState::kWithdrawn) << Name(state);
  }
  for (v1::Kind kind : AllKinds()) {
    for (Direction direction : kDirections) {
      const auto next = NextHubState(HubState::kWithdrawn, kind, direction);
      EXPECT_EQ(next.value_or(HubState::kWithdrawn), HubState::kWithdrawn) << v1::Kind_Name(kind);
    }
  }
}

TEST(LifecycleTest, EndsAreLeftByWithdrawalAlone) {
  for (NodeState state : AllNodeStates()) {
    if (!IsEnd(state)) continue;
    EXPECT_FALSE(ExpiredNodeState(state)) << Name(state);
    for (v1::Kind kind : AllKinds()) {
      for (Direction direction : kDirections) {
        for (CloseDetail detail : kDetails) {
          const auto next = NextNodeState(state, kind, direction, detail);
          EXPECT_TRUE(!next || *next == state || kind == v1::KIND_REVOKE) << Name(state);
        }
      }
    }
  }
}

TEST(LifecycleTest, EveryStateButDiscardedIsReachedByMessagesAndClocks) {
  std::set<NodeState> reached = {NodeState::kDraft};
  for (size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (NodeState from : std::set<NodeState>(reached)) {
      if (const auto expired = ExpiredNodeState(from)) reached.insert(*expired);
      for (v1::Kind kind : AllKinds()) {
        for (Direction direction : kDirections) {
          for (CloseDetail detail : kDetails) {
            if (const auto next = NextNodeState(from, kind, direction, detail)) {
              reached.insert(*next);
            }
          }
        }
      }
    }
  }
  for (NodeState state : AllNodeStates()) {
    EXPECT_EQ(reached.count(state), state == NodeState::kDiscarded ? 0u : 1u) << Name(state);
  }
}

TEST(LifecycleTest, ClocksEndWhatWaitsForAnAnswer) {
  const std::map<NodeState, NodeState> clocks = {
      {NodeState::kInquired, NodeState::kExpired},
      {NodeState::kClarifying, NodeState::kExpired},
      {NodeState::kWaitlisted, NodeState::kExpired},
      {NodeState::kOffered, NodeState::kOfferLapsed},
  };
  for (NodeState state : AllNodeStates()) {
    const auto row = clocks.find(state);
    EXPECT_EQ(ExpiredNodeState(state),
              row == clocks.end() ? std::nullopt : std::optional(row->second))
        << Name(state);
  }
  const std::set<HubState> waiting = {HubState::kRequested, HubState::kClarifying,
                                      HubState::kOffered, HubState::kWaitlisted};
  for (HubState state : AllHubStates()) {
    EXPECT_EQ(ExpiredHubState(state),
              waiting.count(state) ? std::optional(HubState::kExpired) : std::nullopt)
        << Name(state);
  }
}

TEST(LifecycleTest, AReferralThatDoesNotExistIsADraft) {
  EXPECT_EQ(NextNodeState(std::nullopt, v1::KIND_INQUIRY, kOut), NodeState::kInquired);
  EXPECT_EQ(NextNodeState(std::nullopt, v1::KIND_OFFER, kBack), std::nullopt);
}

TEST(LifecycleTest, KindsWithoutATokenAreOutsideEveryReferral) {
  for (v1::Kind kind : AllKinds()) {
    if (TokenDemandOf(kind) != TokenDemand::kNone) continue;
    for (HubState state : AllHubStates()) {
      for (Direction direction : kDirections) {
        EXPECT_FALSE(NextHubState(state, kind, direction)) << v1::Kind_Name(kind);
      }
    }
  }
}

TEST(LifecycleTest, TokenDemandPerKind) {
  const std::map<v1::Kind, TokenDemand> demands = {
      {v1::KIND_UNSPECIFIED, TokenDemand::kNone},
      {v1::KIND_CAPACITY_QUERY, TokenDemand::kNone},
      {v1::KIND_CAPACITY_REPLY, TokenDemand::kNone},
      {v1::KIND_INQUIRY, TokenDemand::kLive},
      {v1::KIND_CLARIFICATION, TokenDemand::kLiveEither},
      {v1::KIND_OFFER, TokenDemand::kLiveReversed},
      {v1::KIND_WAITLIST, TokenDemand::kLiveReversed},
      {v1::KIND_DECLINE, TokenDemand::kRegistered},
      {v1::KIND_ACCEPT, TokenDemand::kLive},
      {v1::KIND_DISCLOSE, TokenDemand::kLive},
      {v1::KIND_SCHEDULE, TokenDemand::kLiveReversed},
      {v1::KIND_START, TokenDemand::kLiveReversed},
      {v1::KIND_PROGRESS, TokenDemand::kLiveReversed},
      {v1::KIND_CLOSE, TokenDemand::kRegistered},
      {v1::KIND_REVOKE, TokenDemand::kRegistered},
      {v1::KIND_REVOKE_ACK, TokenDemand::kRegistered},
      {v1::KIND_CANCEL, TokenDemand::kRegistered},
      {v1::KIND_RECEIPT, TokenDemand::kRegisteredWithinReferral},
      {v1::KIND_NOTICE, TokenDemand::kNone},
      {v1::KIND_STAT_REPORT, TokenDemand::kNone},
  };
  for (v1::Kind kind : AllKinds()) {
    EXPECT_EQ(TokenDemandOf(kind), demands.at(kind)) << v1::Kind_Name(kind);
  }
}

TEST(LifecycleTest, StagesThatAHeaderMayName) {
  using Row = std::tuple<v1::Kind, std::optional<HubState>, std::set<v1::Stage>>;
  const std::set<v1::Stage> any = {v1::STAGE_NONE, v1::STAGE_INQUIRY, v1::STAGE_ACCEPTED,
                                   v1::STAGE_STARTED};
  const Row rows[] = {
      {v1::KIND_CAPACITY_QUERY, std::nullopt, {v1::STAGE_NONE}},
      {v1::KIND_NOTICE, std::nullopt, {v1::STAGE_NONE}},
      {v1::KIND_INQUIRY, std::nullopt, {v1::STAGE_INQUIRY}},
      {v1::KIND_OFFER, HubState::kRequested, {v1::STAGE_INQUIRY}},
      {v1::KIND_ACCEPT, HubState::kOffered, {v1::STAGE_ACCEPTED}},
      {v1::KIND_DISCLOSE, HubState::kAccepted, {v1::STAGE_ACCEPTED}},
      {v1::KIND_DISCLOSE, HubState::kScheduled, {v1::STAGE_ACCEPTED}},
      {v1::KIND_DISCLOSE, HubState::kStarted, {v1::STAGE_ACCEPTED, v1::STAGE_STARTED}},
      {v1::KIND_SCHEDULE, HubState::kAccepted, {v1::STAGE_ACCEPTED}},
      {v1::KIND_START, HubState::kScheduled, {v1::STAGE_ACCEPTED, v1::STAGE_STARTED}},
      {v1::KIND_PROGRESS, HubState::kStarted, {v1::STAGE_STARTED}},
      {v1::KIND_CLARIFICATION, HubState::kRequested, {v1::STAGE_INQUIRY}},
      {v1::KIND_CLARIFICATION, HubState::kScheduled, {v1::STAGE_INQUIRY, v1::STAGE_ACCEPTED}},
      {v1::KIND_REVOKE, HubState::kAccepted, any},
      {v1::KIND_CANCEL, HubState::kOffered, any},
      {v1::KIND_CLOSE, HubState::kClosed, any},
      {v1::KIND_RECEIPT, std::nullopt, any},
  };
  for (const auto& [kind, from, fitting] : rows) {
    for (v1::Stage stage : any) {
      EXPECT_EQ(StageFits(kind, stage, from), fitting.count(stage) == 1)
          << v1::Kind_Name(kind) << " " << Show(from) << " " << v1::Stage_Name(stage);
    }
  }
}

TEST(LifecycleTest, StageOfAStateIsThatOfItsCoarseState) {
  EXPECT_EQ(StageOf(NodeState::kDraft), v1::STAGE_INQUIRY);
  EXPECT_EQ(StageOf(NodeState::kWaitlisted), v1::STAGE_INQUIRY);
  EXPECT_EQ(StageOf(NodeState::kScheduled), v1::STAGE_ACCEPTED);
  EXPECT_EQ(StageOf(NodeState::kOngoing), v1::STAGE_STARTED);
  for (NodeState state : AllNodeStates()) {
    const auto coarse = Coarse(state);
    EXPECT_TRUE(!coarse || StageOf(state) == StageOf(*coarse)) << Name(state);
    EXPECT_EQ(IsEnd(state), StageOf(state) == v1::STAGE_NONE) << Name(state);
  }
  for (HubState state : AllHubStates()) {
    EXPECT_EQ(IsEnd(state), StageOf(state) == v1::STAGE_NONE) << Name(state);
  }
}

TEST(LifecycleTest, NamesAreInverses) {
  for (NodeState state : AllNodeStates()) EXPECT_EQ(NodeStateFromName(Name(state)), state);
  EXPECT_EQ(Name(HubState::kWithdrawn), "WITHDRAWN");
  EXPECT_EQ(Name(NodeState::kOfferLapsed), "OFFER_LAPSED");
  EXPECT_EQ(NodeStateFromName(""), std::nullopt);
}

}  // namespace
}  // namespace waymark
