// Random messages from random parties, judged by an oracle that knows nothing of Decide.
//
// The oracle keeps the history of what was accepted and decides from that alone, message by
// message, whether it should have been: it replays each referral through the lifecycle table and
// looks each token up among the registrations. That it notices what it should is shown by running
// it against rules with one check taken out.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "tests/server/routing/test_network.h"

namespace waymark::hub {
namespace {

constexpr const char* kUnits[] = {"qso.night", "qso.day", "bea.intake", "lin.family", "bwi.pool"};
constexpr const char* kReferrals[] = {"5e0c", "9ab1", "d77e", "41f2"};

// What a kind demands of its token, written out from architecture.md once more.
enum class Demand { kNone, kLiveForward, kLiveBackward, kLiveEither, kKnown, kKnownInReferral };

Demand DemandOf(v1::Kind kind) {
  static const auto& demands = *new std::map<v1::Kind, Demand>{
      {v1::KIND_CAPACITY_QUERY, Demand::kNone},
      {v1::KIND_CAPACITY_REPLY, Demand::kNone},
      {v1::KIND_NOTICE, Demand::kNone},
      {v1::KIND_STAT_REPORT, Demand::kNone},
      {v1::KIND_INQUIRY, Demand::kLiveForward},
      {v1::KIND_ACCEPT, Demand::kLiveForward},
      {v1::KIND_DISCLOSE, Demand::kLiveForward},
      {v1::KIND_OFFER, Demand::kLiveBackward},
      {v1::KIND_WAITLIST, Demand::kLiveBackward},
      {v1::KIND_SCHEDULE, Demand::kLiveBackward},
      {v1::KIND_START, Demand::kLiveBackward},
      {v1::KIND_PROGRESS, Demand::kLiveBackward},
      {v1::KIND_CLARIFICATION, Demand::kLiveEither},
      {v1::KIND_REVOKE, Demand::kKnown},
      {v1::KIND_REVOKE_ACK, Demand::kKnown},
      {v1::KIND_CANCEL, Demand::kKnown},
      {v1::KIND_CLOSE, Demand::kKnown},
      {v1::KIND_DECLINE, Demand::kKnown},
      {v1::KIND_RECEIPT, Demand::kKnownInReferral},
  };
  return demands.at(kind);
}

// Judges accepted items by the history of accepted items.
class Oracle {
 public:
  void Registered(const v1::TokenRegistration& token) { tokens_[token.token_hash()] = token; }

  // Takes an accepted message into the history; returns what is wrong with its acceptance, empty
  // for nothing.
  std::string Accepted(const v1::Header& header, absl::Time now) {
    std::string objection = ObjectionTo(header, now);
    if (DemandOf(header.kind()) != Demand::kNone) {
      history_[header.referral_id()].push_back({header, now});
    }
    if (header.kind() == v1::KIND_REVOKE) revoked_.insert(header.token_hash());
    return objection;
  }

  // The state of a referral now, replayed from its accepted messages; nullopt before the first.
  std::optional<HubState> StateOf(const std::string& referral, absl::Time now) const {
    const auto events = history_.find(referral);
    if (events == history_.end()) return std::nullopt;
    std::optional<HubState> state;
    absl::Time clock = absl::InfiniteFuture();
    for (const auto& [header, time] : events->second) {
      if (time >= clock) state = HubState::kExpired;
      const auto next = NextHubState(state, header.kind(), DirectionOf(header));
      if (!next) continue;
      state = next;
      clock = ClockAfter(*state, header, clock);
    }
    if (now >= clock) state = HubState::kExpired;
    return state;
  }

  // The message that began the referral, nullptr before it.
  const v1::Header* Beginning(const std::string& referral) const {
    const auto events = history_.find(referral);
    if (events == history_.end()) return nullptr;
    for (const auto& [header, time] : events->second) {
      if (header.kind() == v1::KIND_INQUIRY) return &header;
    }
    return nullptr;
  }

 private:
  Direction DirectionOf(const v1::Header& header) const {
    const v1::Header* beginning = Beginning(header.referral_id());
    const bool out = beginning == nullptr || header.sender_unit() == beginning->sender_unit();
    return out ? kOut : kBack;
  }

  static absl::Time ClockAfter(HubState state, const v1::Header& header, absl::Time clock) {
    const auto at = [](int64_t minutes) { return absl::UnixEpoch() + absl::Minutes(minutes); };
    switch (state) {
      case HubState::kRequested:
        return header.kind() == v1::KIND_INQUIRY ? at(header.expires_at()) : clock;
      case HubState::kClarifying:
        return clock;
      case HubState::kOffered:
        return header.kind() == v1::KIND_OFFER ? at(header.respond_by()) : clock;
      case HubState::kWaitlisted:
        return header.kind() == v1::KIND_WAITLIST ? at(header.respond_by()) : clock;
      default:
        return absl::InfiniteFuture();
    }
  }

  std::string ObjectionTo(const v1::Header& header, absl::Time now) const {
    const Demand demand = DemandOf(header.kind());
    if (demand == Demand::kNone) return header.token_hash().empty() ? "" : "a token too many";
    const v1::Header* beginning = Beginning(header.referral_id());
    if (std::string objection = ReferralObjection(header, beginning, now); !objection.empty()) {
      return objection;
    }
    if (header.token_hash().empty()) {
      const bool needed = demand != Demand::kKnownInReferral || beginning != nullptr;
      return needed ? "no token" : "";
    }
    return TokenObjection(header, beginning, now);
  }

  std::string ReferralObjection(const v1::Header& header, const v1::Header* beginning,
                                absl::Time now) const {
    if (beginning == nullptr) {
      const bool free = header.kind() == v1::KIND_INQUIRY || header.kind() == v1::KIND_REVOKE ||
                        header.kind() == v1::KIND_REVOKE_ACK || header.kind() == v1::KIND_RECEIPT;
      return free ? "" : "no inquiry came before";
    }
    const std::set<std::string> parties = {beginning->sender_unit(), beginning->recipient_unit()};
    if (parties != std::set<std::string>{header.sender_unit(), header.recipient_unit()}) {
      return "not between the referral's units";
    }
    const auto state = StateOf(header.referral_id(), now);
    if (!NextHubState(state, header.kind(), DirectionOf(header))) return "a step off the table";
    return "";
  }

  std::string TokenObjection(const v1::Header& header, const v1::Header* beginning,
                             absl::Time now) const {
    const auto found = tokens_.find(header.token_hash());
    if (found == tokens_.end()) return "a token that is not registered";
    const v1::TokenRegistration& token = found->second;
    const Demand demand = DemandOf(header.kind());
    const bool forward = token.presenter_unit() == header.sender_unit() &&
                         token.recipient_unit() == header.recipient_unit();
    const bool backward = token.presenter_unit() == header.recipient_unit() &&
                          token.recipient_unit() == header.sender_unit();
    if (!forward && !backward) return "a token of other parties";
    if (header.kind() == v1::KIND_REVOKE && token.issuer_unit() != header.sender_unit()) {
      return "a withdrawal by another than the issuer";
    }
    if (demand == Demand::kLiveForward && !forward) return "a token of the other direction";
    if (demand == Demand::kLiveBackward && !backward) return "a token of the other direction";
    if (beginning != nullptr && token.presenter_unit() != beginning->sender_unit()) {
      return "a token of a referral the other way";
    }
    if (demand == Demand::kKnown || demand == Demand::kKnownInReferral) return "";
    if (revoked_.count(header.token_hash()) == 1) return "a revoked token";
    const absl::Time end = absl::UnixEpoch() + absl::Hours(token.valid_until_hour());
    if (now >= end + absl::Minutes(2)) return "an expired token";
    if (header.stage() > token.stage_ceiling()) return "a stage above the ceiling";
    return "";
  }

  struct Event {
    v1::Header header;
    absl::Time time;
  };
  std::map<std::string, v1::TokenRegistration> tokens_;
  std::set<std::string> revoked_;
  std::map<std::string, std::vector<Event>> history_;
};

// Decides on a message; the real rules, or rules with something taken out.
using Rules =
    absl::FunctionRef<Decision(const WorkingState&, const Submitted&, absl::Time, const Limits&)>;

// What a run of the property saw.
struct Findings {
  std::vector<std::string> objections;
  std::set<HubState> states;
  std::set<v1::Kind> kinds;
  std::set<v1::Reason> reasons;
  size_t accepted = 0;
};

// One random sequence over one network.
class Sequence {
 public:
  Sequence(uint64_t seed, Rules rules, Findings& findings)
      : random_(seed), rules_(rules), findings_(findings) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      network_.now += absl::Minutes(Chance(10) ? Below(120) : Below(6));
      if (tokens_.empty() || Chance(12)) {
        Register();
      } else {
        Send(Chance(35) ? Wild() : Plausible());
      }
    }
  }

 private:
  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  bool Chance(int percent) { return Below(100) < percent; }
  template <typename T, size_t kSize>
  const T& Pick(const T (&values)[kSize]) {
    return values[Below(kSize)];
  }

  v1::TokenRegistration& PickToken() { return tokens_[Below(static_cast<int>(tokens_.size()))]; }
  v1::Stage AnyStage() { return static_cast<v1::Stage>(1 + Below(4)); }
  v1::Kind AnyKind() { return static_cast<v1::Kind>(1 + Below(v1::Kind_MAX)); }

  void Register() {
    const std::string issuer = Pick(kUnits);
    auto token = network_.Token(std::to_string(tokens_.size()), issuer, Pick(kUnits));
    token.set_stage_ceiling(Chance(60) ? v1::STAGE_STARTED
                                       : static_cast<v1::Stage>(v1::STAGE_INQUIRY + Below(2)));
    token.set_valid_until_hour(Hours(network_.now) + 1 + Below(Chance(30) ? 3 : 100));
    if (network_.Register(MemberOf(issuer), token) != v1::REASON_UNSPECIFIED) return;
    oracle_.Registered(token);
    tokens_.push_back(token);
  }

  void SetToken(v1::Header& header, const v1::TokenRegistration& token) {
    header.set_token_hash(token.token_hash());
    header.set_token_valid_until(token.valid_until_hour());
  }

  // Anything from anyone to anyone.
  v1::Header Wild() {
    auto header = network_.Header(AnyKind(), Pick(kUnits), Pick(kUnits), Pick(kReferrals), nullptr);
    header.set_stage(AnyStage());
    if (Chance(80)) SetToken(header, PickToken());
    if (Chance(5)) header.set_token_hash(std::string(32, 'u'));
    return header;
  }

  // What a well-behaved member might send next, with now and then one thing changed.
  v1::Header Plausible() {
    const std::string name = Pick(kReferrals);
    const std::string id = IdOf<ReferralId>(name).bytes();
    auto header = network_.Header(AnyKind(), "qso.night", "lin.family", name, &PickToken());
    const v1::Header* beginning = oracle_.Beginning(id);
    if (beginning == nullptr) {
      Between(header, PickToken(), kOut);
      header.set_kind(v1::KIND_INQUIRY);
    } else {
      Continue(header, *beginning, oracle_.StateOf(id, network_.now));
    }
    header.set_stage(UsualStage(header.kind()));
    if (Chance(20)) Change(header);
    return header;
  }

  void Between(v1::Header& header, const v1::TokenRegistration& token, Direction direction) {
    const bool out = direction == kOut;
    header.set_sender_unit(out ? token.presenter_unit() : token.recipient_unit());
    header.set_recipient_unit(out ? token.recipient_unit() : token.presenter_unit());
    SetToken(header, token);
  }

  // A step that the table allows, withdrawals and other ends less often.
  void Continue(v1::Header& header, const v1::Header& beginning, std::optional<HubState> state) {
    for (int attempt = 0; attempt < 50; ++attempt) {
      const v1::Kind kind = AnyKind();
      const Direction direction = Chance(50) ? kOut : kBack;
      const auto next = NextHubState(state, kind, direction);
      if (!next || (IsEnd(*next) && !Chance(20))) continue;
      header.set_kind(kind);
      v1::TokenRegistration token;
      token.set_presenter_unit(beginning.sender_unit());
      token.set_recipient_unit(beginning.recipient_unit());
      token.set_token_hash(beginning.token_hash());
      token.set_valid_until_hour(beginning.token_valid_until());
      Between(header, token, direction);
      return;
    }
  }

  void Change(v1::Header& header) {
    switch (Below(6)) {
      case 0:
        header.set_kind(AnyKind());
        break;
      case 1:
        header.set_stage(AnyStage());
        break;
      case 2:
        SetToken(header, PickToken());
        break;
      case 3:
        header.clear_token_hash();
        header.clear_token_valid_until();
        break;
      case 4:
        header.set_sender_unit(Unit(Pick(kUnits)).bytes());
        break;
      default:
        header.set_referral_id(IdOf<ReferralId>(Pick(kReferrals)).bytes());
        break;
    }
  }

  // Sent by the organisation that the sender unit belongs to.
  void Send(const v1::Header& header) {
    const auto sender = UnitId::FromBytes(header.sender_unit());
    const MemberRecord* member = network_.membership().OfUnit(*sender);
    const auto submitted = ReadMessage(member->organisation, TestNetwork::Message(header));
    if (!submitted.ok()) {
      findings_.reasons.insert(ReasonOf(submitted.status()));
      return;
    }
    const Decision decision = rules_(network_.state(), *submitted, network_.now, network_.limits);
    findings_.reasons.insert(decision.reason);
    if (!decision.accepted()) {
      if (!decision.effects.deliver.empty())
        findings_.objections.emplace_back("a refused delivery");
      return;
    }
    network_.Apply(decision.effects);
    Judge(header, decision.effects);
  }

  void Judge(const v1::Header& header, const Effects& effects) {
    ++findings_.accepted;
    findings_.kinds.insert(header.kind());
    const std::string objection = oracle_.Accepted(header, network_.now);
    if (!objection.empty()) {
      findings_.objections.push_back(v1::Kind_Name(header.kind()) + ": " + objection);
    }
    for (const ReferralRecord& record : effects.put_referrals) {
      findings_.states.insert(record.state);
      if (oracle_.StateOf(header.referral_id(), network_.now) != record.state) {
        findings_.objections.emplace_back("a state that the history does not lead to");
      }
    }
    const auto recipient = UnitId::FromBytes(header.recipient_unit());
    if (effects.deliver.size() != 1 ||
        effects.deliver[0].mailbox != network_.membership().OfUnit(*recipient)->organisation) {
      findings_.objections.emplace_back("a delivery to another mailbox");
    }
  }

  std::mt19937_64 random_;
  Rules rules_;
  Findings& findings_;
  TestNetwork network_;
  Oracle oracle_;
  std::vector<v1::TokenRegistration> tokens_;
};

Findings RunSequences(int sequences, Rules rules) {
  Findings findings;
  for (int seed = 1; seed <= sequences; ++seed) Sequence(seed, rules, findings).Run(80);
  return findings;
}

TEST(PropertiesTest, NothingIsRoutedThatTheTableOrTheTokenForbids) {
  const Findings findings = RunSequences(1000, Decide);
  EXPECT_EQ(findings.objections, std::vector<std::string>());

  // The runs went everywhere, or they would prove little.
  EXPECT_GT(findings.accepted, 15'000u);
  EXPECT_EQ(findings.kinds.size(), static_cast<size_t>(v1::Kind_MAX));
  for (HubState state : AllHubStates()) EXPECT_EQ(findings.states.count(state), 1u) << Name(state);
  for (v1::Reason reason :
       {v1::REASON_NOT_A_PARTY, v1::REASON_STATE_FORBIDS, v1::REASON_REFERRAL_UNKNOWN,
        v1::REASON_STAGE_INVALID, v1::REASON_TOKEN_REQUIRED, v1::REASON_TOKEN_UNKNOWN,
        v1::REASON_TOKEN_EXPIRED, v1::REASON_TOKEN_REVOKED, v1::REASON_TOKEN_PARTIES,
        v1::REASON_TOKEN_CEILING, v1::REASON_TOKEN_NOT_ISSUER}) {
    EXPECT_EQ(findings.reasons.count(reason), 1u) << ReasonName(reason);
  }
}

// Rules with one check taken out: Decide, shown a doctored memory in which that check cannot fail.
using Doctor = absl::FunctionRef<void(const Submitted&, TokenRecord&, ReferralRecord&)>;

Findings RunDoctored(Doctor doctor) {
  return RunSequences(150, [&](const WorkingState& state, const Submitted& submitted,
                               absl::Time now, const Limits& limits) {
    LoadedState loaded;
    TokenRecord token;
    if (const auto* found = state.FindToken(submitted.header.token_hash())) token = *found;
    ReferralRecord referral;
    const auto* known = state.FindReferral(submitted.referral);
    if (known != nullptr) referral = *known;
    doctor(submitted, token, referral);
    if (!token.hash.empty()) loaded.tokens.push_back(token);
    if (known != nullptr) loaded.referrals.push_back(referral);
    if (const auto* seen = state.FindSeen(submitted.id)) loaded.seen.push_back(*seen);
    return Decide(WorkingState(state.membership(), std::move(loaded)), submitted, now, limits);
  });
}

bool Objects(const Findings& findings, std::string_view objection) {
  for (const std::string& found : findings.objections) {
    if (found.find(objection) != std::string::npos) return true;
  }
  return false;
}

TEST(PropertiesTest, RulesWithNothingTakenOutAreNotObjectedTo) {
  const Findings findings = RunDoctored([](const Submitted&, TokenRecord&, ReferralRecord&) {});
  EXPECT_EQ(findings.objections, std::vector<std::string>());
}

TEST(PropertiesTest, RulesWithoutTheRegistrationAreNoticed) {
  const Findings findings =
      RunDoctored([](const Submitted& submitted, TokenRecord& token, ReferralRecord& referral) {
        if (submitted.header.token_hash().empty() || !token.hash.empty()) return;
        token.hash = submitted.header.token_hash();
        token.valid_until = absl::UnixEpoch() + absl::Hours(submitted.header.token_valid_until());
        token.ceiling = v1::STAGE_STARTED;
        const bool out = referral.id.empty() || referral.origin == submitted.sender_unit;
        token.issuer = token.presenter = out ? submitted.sender_unit : submitted.recipient_unit;
        token.recipient = out ? submitted.recipient_unit : submitted.sender_unit;
      });
  EXPECT_TRUE(Objects(findings, "a token that is not registered"));
}

TEST(PropertiesTest, RulesWithoutTheTokensPartiesAreNoticed) {
  const Findings findings =
      RunDoctored([](const Submitted& submitted, TokenRecord& token, ReferralRecord& referral) {
        const bool out = referral.id.empty() || referral.origin == submitted.sender_unit;
        token.presenter = out ? submitted.sender_unit : submitted.recipient_unit;
        token.recipient = out ? submitted.recipient_unit : submitted.sender_unit;
      });
  EXPECT_TRUE(Objects(findings, "a token of other parties"));
  EXPECT_TRUE(Objects(findings, "a token of the other direction"));
}

TEST(PropertiesTest, RulesWithoutTheRevocationAreNoticed) {
  EXPECT_TRUE(Objects(RunDoctored([](const Submitted&, TokenRecord& token, ReferralRecord&) {
                        token.revoked = false;
                      }),
                      "a revoked token"));
}

TEST(PropertiesTest, RulesWithoutTheTokensEndAreNoticed) {
  // The doctored hub's clock stands still for tokens: the hour that the header names is moved
  // along.
  const Findings findings =
      RunSequences(150, [](const WorkingState& state, const Submitted& submitted, absl::Time now,
                           const Limits& limits) {
        Limits patient = limits;
        patient.clock_skew = absl::Hours(1000);
        return Decide(state, submitted, now, patient);
      });
  EXPECT_TRUE(Objects(findings, "an expired token"));
}

TEST(PropertiesTest, RulesWithoutTheCeilingAreNoticed) {
  EXPECT_TRUE(Objects(RunDoctored([](const Submitted&, TokenRecord& token, ReferralRecord&) {
                        token.ceiling = v1::STAGE_STARTED;
                      }),
                      "a stage above the ceiling"));
}

TEST(PropertiesTest, RulesWithoutTheStateAreNoticed) {
  const Findings findings =
      RunDoctored([](const Submitted& submitted, TokenRecord&, ReferralRecord& referral) {
        const bool out = referral.origin == submitted.sender_unit;
        for (HubState state : AllHubStates()) {
          if (!NextHubState(state, submitted.header.kind(), out ? kOut : kBack)) continue;
          referral.state = state;
          referral.state_until = absl::InfiniteFuture();
          return;
        }
      });
  EXPECT_TRUE(Objects(findings, "a step off the table"));
  EXPECT_TRUE(Objects(findings, "a state that the history does not lead to"));
}

TEST(PropertiesTest, RulesWithoutTheReferralsPartiesAreNoticed) {
  const Findings findings =
      RunDoctored([](const Submitted& submitted, TokenRecord& token, ReferralRecord& referral) {
        const bool out = token.presenter == submitted.sender_unit;
        referral.origin = out ? submitted.sender_unit : submitted.recipient_unit;
        referral.provider = out ? submitted.recipient_unit : submitted.sender_unit;
      });
  EXPECT_TRUE(Objects(findings, "not between the referral's units"));
}

}  // namespace
}  // namespace waymark::hub
