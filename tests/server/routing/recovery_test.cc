// What the rules make of messages after the hub was restored from a copy: what was lost is taken up
// again from what the members bring, and nothing passes that a whole memory would have refused for
// the sake of the person.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "tests/server/routing/test_network.h"

namespace waymark::hub {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr v1::Reason kPasses = v1::REASON_UNSPECIFIED;

// The referral of LindenReferral in a hub that has lost everything of it an hour later.
class LostReferral : public LindenReferral {
 public:
  explicit LostReferral(HubState state) : LindenReferral(state) {
    network.now += absl::Minutes(20);
    network.Restore();
    network.now += absl::Minutes(5);
  }

  v1::Reason RegisterAgain() { return network.Register("qso", token); }
};

TEST(RecoveryTest, NothingPassesBeforeTheIssuerHasRegisteredTheTokenAgain) {
  for (int number = v1::KIND_CAPACITY_QUERY; number <= v1::Kind_MAX; ++number) {
    const auto kind = static_cast<v1::Kind>(number);
    if (TokenDemandOf(kind) == TokenDemand::kNone) continue;
    for (const Direction direction : {kOut, kBack}) {
      SCOPED_TRACE(v1::Kind_Name(kind));
      LostReferral referral(HubState::kStarted);
      EXPECT_EQ(referral.Take({kind, direction}).reason, v1::REASON_RECOVERING);
    }
  }
}

TEST(RecoveryTest, AReferralGoesOnFromWhereItsNextMessageFindsIt) {
  struct Row {
    HubState before;
    Step step;
    std::optional<HubState> after;
  };
  const Row rows[] = {
      {HubState::kRequested, {v1::KIND_OFFER, kBack}, HubState::kOffered},
      {HubState::kRequested, {v1::KIND_WAITLIST, kBack}, HubState::kWaitlisted},
      {HubState::kRequested, {v1::KIND_DECLINE, kBack}, HubState::kClosed},
      {HubState::kOffered, {v1::KIND_ACCEPT, kOut}, HubState::kAccepted},
      {HubState::kOffered, {v1::KIND_CANCEL, kOut}, HubState::kClosed},
      {HubState::kAccepted, {v1::KIND_SCHEDULE, kBack}, HubState::kScheduled},
      {HubState::kScheduled, {v1::KIND_START, kBack}, HubState::kStarted},
      {HubState::kStarted, {v1::KIND_PROGRESS, kBack}, HubState::kStarted},
      {HubState::kStarted, {v1::KIND_CLOSE, kBack}, HubState::kClosed},
      // What changes nothing says too little.
      {HubState::kAccepted, {v1::KIND_DISCLOSE, kOut}, std::nullopt},
      {HubState::kStarted, {v1::KIND_CLARIFICATION, kBack}, std::nullopt},
      {HubState::kStarted, {v1::KIND_RECEIPT, kBack}, std::nullopt},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(v1::Kind_Name(row.step.kind));
    LostReferral referral(row.before);
    ASSERT_EQ(referral.RegisterAgain(), kPasses);
    const Decision decision = referral.Take(row.step);
    EXPECT_EQ(decision.reason, kPasses);
    EXPECT_THAT(decision.effects.deliver, SizeIs(1));
    ASSERT_EQ(referral.record() != nullptr, row.after.has_value());
    if (!row.after) continue;
    EXPECT_EQ(referral.record()->state, *row.after);
    EXPECT_EQ(referral.record()->origin, Unit("qso.night"));
    EXPECT_EQ(referral.record()->provider, Unit("lin.family"));
  }
}

TEST(RecoveryTest, ADisclosureLeavesOpenWhatComesNext) {
  for (const Step& next : {Step{v1::KIND_SCHEDULE, kBack}, Step{v1::KIND_START, kBack},
                           Step{v1::KIND_PROGRESS, kBack}, Step{v1::KIND_DISCLOSE, kOut}}) {
    SCOPED_TRACE(v1::Kind_Name(next.kind));
    LostReferral referral(HubState::kAccepted);
    ASSERT_EQ(referral.RegisterAgain(), kPasses);
    ASSERT_EQ(referral.Take({v1::KIND_DISCLOSE, kOut}).reason, kPasses);
    EXPECT_EQ(referral.Take(next).reason, kPasses);
  }
}

TEST(RecoveryTest, AWithdrawalSinceTheCopyIsNotForgotten) {
  LostReferral referral(HubState::kStarted);
  referral.token.set_revoked(true);
  ASSERT_EQ(referral.RegisterAgain(), kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_PROGRESS, kBack}).reason, v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(referral.Take({v1::KIND_CLOSE, kBack}).reason, v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(referral.Take({v1::KIND_INQUIRY, kOut}).reason, v1::REASON_TOKEN_REVOKED);
  EXPECT_EQ(referral.Take({v1::KIND_REVOKE, kOut}).reason, kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_REVOKE_ACK, kBack}).reason, kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_RECEIPT, kBack}).reason, kPasses);
}

TEST(RecoveryTest, AWithdrawalBeforeTheCopyIsFinal) {
  LindenReferral referral(HubState::kWithdrawn);
  const TokenRecord revoked = *referral.network.state().FindToken(referral.token.token_hash());
  referral.network.Restore({.tokens = {revoked}});
  ASSERT_EQ(referral.network.Register("qso", referral.token), kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_INQUIRY, kOut}).reason, v1::REASON_TOKEN_REVOKED);
}

TEST(RecoveryTest, ThePartiesAndTheCeilingOfTheTokenHold) {
  LostReferral referral(HubState::kStarted);
  referral.token.set_stage_ceiling(v1::STAGE_ACCEPTED);
  ASSERT_EQ(referral.RegisterAgain(), kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_PROGRESS, kBack}).reason, v1::REASON_TOKEN_CEILING);
  EXPECT_EQ(referral.Take({v1::KIND_PROGRESS, kOut}).reason, v1::REASON_STATE_FORBIDS);
  const auto other = referral.network.Header(v1::KIND_DISCLOSE, "qso.night", "bea.intake", "9ab1",
                                             &referral.token);
  EXPECT_EQ(referral.network.Send("qso", other).reason, v1::REASON_NOT_A_PARTY);
}

TEST(RecoveryTest, WhatWasSentBeforeTheRestorePassesLateAndChangesNothing) {
  LindenReferral before(HubState::kOffered);
  v1::Header late = before.Header({v1::KIND_ACCEPT, kOut});
  late.set_message_id(IdOf<MessageId>("the acceptance").bytes());
  LostReferral referral(HubState::kOffered);
  ASSERT_EQ(referral.RegisterAgain(), kPasses);
  ASSERT_EQ(referral.Take({v1::KIND_SCHEDULE, kBack}).reason, kPasses);
  const ReferralRecord record = *referral.record();
  const Decision decision = referral.Send(late);
  EXPECT_EQ(decision.reason, kPasses);
  EXPECT_THAT(decision.effects.put_referrals, IsEmpty());
  EXPECT_THAT(decision.effects.deliver, SizeIs(1));
  EXPECT_EQ(*referral.record(), record);
  EXPECT_EQ(referral.Take({v1::KIND_ACCEPT, kOut}).reason, v1::REASON_STATE_FORBIDS)
      << "a new one is held to the table";
}

TEST(RecoveryTest, AfterAWithdrawalNothingPassesLate) {
  LindenReferral before(HubState::kStarted);
  v1::Header late = before.Header({v1::KIND_CLOSE, kBack});
  late.set_message_id(IdOf<MessageId>("the end").bytes());
  LostReferral referral(HubState::kStarted);
  ASSERT_EQ(referral.RegisterAgain(), kPasses);
  ASSERT_EQ(referral.Take({v1::KIND_PROGRESS, kBack}).reason, kPasses);
  ASSERT_EQ(referral.Take({v1::KIND_REVOKE, kOut}).reason, kPasses);
  EXPECT_EQ(referral.record()->state, HubState::kWithdrawn);
  EXPECT_EQ(referral.Send(late).reason, v1::REASON_STATE_FORBIDS);
}

TEST(RecoveryTest, ANewReferralBeginsWithAnInquiryAndKeepsToTheTable) {
  LostReferral referral(HubState::kRequested);
  const auto other = referral.network.Token("c-d", "qso.night", "bea.intake");
  ASSERT_EQ(referral.network.Register("qso", other), kPasses);
  const auto send = [&](v1::Kind kind) {
    return referral.network
        .Send("qso", referral.network.Header(kind, "qso.night", "bea.intake", "d77e", &other))
        .reason;
  };
  EXPECT_EQ(send(v1::KIND_INQUIRY), kPasses);
  EXPECT_EQ(send(v1::KIND_ACCEPT), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(send(v1::KIND_DISCLOSE), v1::REASON_STATE_FORBIDS);
}

TEST(RecoveryTest, EndsAfterItsPeriod) {
  LindenReferral referral(HubState::kStarted);
  referral.network.Restore();
  referral.network.now += kRecoveryPeriod;
  referral.token.set_valid_until_hour(Hours(referral.network.now) + 24);
  EXPECT_EQ(referral.Take({v1::KIND_PROGRESS, kBack}).reason, v1::REASON_REFERRAL_UNKNOWN);
  ASSERT_EQ(referral.network.Register("qso", referral.token), kPasses);
  EXPECT_EQ(referral.Take({v1::KIND_PROGRESS, kBack}).reason, v1::REASON_REFERRAL_UNKNOWN);
}

// Two members, each with its own view of one referral, and a hub that is restored in the middle.
// Each keeps what it sent until the receipt, and its receipts for good, as nodes do.
class Course {
 public:
  explicit Course(uint64_t seed) : random_(seed) {}

  // The course up to the cut, and what is under way delivered: whether the two agree. Questions and
  // answers that cross may leave them apart, in a network that is whole as well.
  bool AgreesWithoutTheRestore() {
    GoOnForAWhile();
    Drain();
    return origin_.view == provider_.view;
  }

  // Returns what went wrong, empty for nothing.
  std::string Run() {
    GoOnForAWhile();
    network_.now += absl::Minutes(3);
    network_.Restore();
    for (Party* party : {&origin_, &provider_}) {
      party->mailbox.clear();
      party->resend.assign(party->outbox.begin(), party->outbox.end());
    }
    network_.now += absl::Minutes(3);
    bool registered = false;
    while (!origin_.resend.empty() || !provider_.resend.empty() || !registered) {
      Party& party = Chance() ? origin_ : provider_;
      if (&party == &origin_ && !registered) {
        network_.Register("qso", token_);
        registered = true;
      } else if (!party.resend.empty()) {
        const v1::Header header = party.resend.front();
        const v1::Reason reason = Submit(party, header);
        if (reason == v1::REASON_RECOVERING && !registered) continue;
        if (reason != kPasses) return Objection("sent again", header, reason);
        party.resend.pop_front();
      }
      if (Chance()) Receive(Chance() ? origin_ : provider_);
    }
    Drain();
    if (origin_.view != provider_.view) return "the two do not agree";
    for (int i = 0; i < 30; ++i) {
      if (std::string wrong = Step(); !wrong.empty()) return wrong;
      Drain();
    }
    return "";
  }

 private:
  struct Party {
    std::string member;
    std::string unit;
    std::string other;
    Direction direction;
    // What it knows of the referral, by what it sent and received.
    std::optional<HubState> view;
    std::set<std::string> known;
    // What it would send again, in order; and what waits for it at the hub.
    std::vector<v1::Header> outbox;
    std::deque<v1::Header> resend;
    std::deque<v1::Header> mailbox;
  };

  void GoOnForAWhile() {
    network_.Register("qso", token_);
    for (int i = 0, steps = Below(40); i < steps; ++i) Step();
  }

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  bool Chance() { return Below(2) == 0; }

  static std::string Objection(std::string_view what, const v1::Header& header, v1::Reason reason) {
    return std::string(what) + ": " + v1::Kind_Name(header.kind()) + " " +
           std::string(ReasonName(reason));
  }

  // Hands the message to the hub, and what it accepts to the other's mailbox.
  v1::Reason Submit(Party& party, const v1::Header& header) {
    const Decision decision = network_.Send(party.member, header);
    Party& other = &party == &origin_ ? provider_ : origin_;
    if (!decision.effects.deliver.empty()) other.mailbox.push_back(header);
    return decision.reason;
  }

  v1::Header Make(const Party& party, v1::Kind kind) {
    return network_.Header(kind, party.unit, party.other, "9ab1", &token_);
  }

  // Somebody receives, or takes a step that its view allows. Returns what the hub should not have
  // refused; two steps that cross may be.
  std::string Step() {
    Party& party = Chance() ? origin_ : provider_;
    if (Chance()) {
      Receive(party);
      return "";
    }
    const auto kind = static_cast<v1::Kind>(1 + Below(v1::Kind_MAX));
    const bool machine = OutlivesWithdrawal(kind) || TokenDemandOf(kind) == TokenDemand::kNone;
    const auto next = NextHubState(party.view, kind, party.direction);
    if (machine || !next || (IsEnd(*next) && Below(4) > 0)) return "";
    const bool agreed =
        origin_.view == provider_.view && origin_.mailbox.empty() && provider_.mailbox.empty();
    const v1::Header header = Make(party, kind);
    const v1::Reason reason = Submit(party, header);
    if (reason != kPasses) return agreed ? Objection("a step", header, reason) : "";
    party.view = next;
    party.outbox.push_back(header);
    return "";
  }

  // The next message: what is known already is not answered again.
  void Receive(Party& party) {
    if (party.mailbox.empty()) return;
    const v1::Header header = party.mailbox.front();
    party.mailbox.pop_front();
    if (!party.known.insert(header.message_id()).second) return;
    if (header.kind() == v1::KIND_RECEIPT) {
      std::erase_if(party.outbox, [&](const v1::Header& sent) {
        return sent.message_id() == receipts_[header.message_id()];
      });
      return;
    }
    const Direction theirs = party.direction == kOut ? kBack : kOut;
    if (const auto next = NextHubState(party.view, header.kind(), theirs)) party.view = next;
    const v1::Header receipt = Make(party, v1::KIND_RECEIPT);
    receipts_[receipt.message_id()] = header.message_id();
    party.outbox.push_back(receipt);
    if (party.resend.empty()) {
      Submit(party, receipt);
    } else {
      // Behind what came before it.
      party.resend.push_back(receipt);
    }
  }

  void Drain() {
    while (!origin_.mailbox.empty() || !provider_.mailbox.empty()) {
      Receive(origin_);
      Receive(provider_);
    }
  }

  std::mt19937_64 random_;
  TestNetwork network_;
  v1::TokenRegistration token_ = network_.Token("c-c", "qso.night", "lin.family");
  Party origin_ = {"qso", "qso.night", "lin.family", kOut, {}, {}, {}, {}, {}};
  Party provider_ = {"lin", "lin.family", "qso.night", kBack, {}, {}, {}, {}, {}};
  // The message that each receipt is for.
  std::map<std::string, std::string> receipts_;
};

TEST(RecoveryTest, ACourseGoesOnWhereverItWasCut) {
  int courses = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    if (!Course(seed).AgreesWithoutTheRestore()) continue;
    ++courses;
    ASSERT_EQ(Course(seed).Run(), "") << "seed " << seed;
  }
  EXPECT_GT(courses, 1450);
}

}  // namespace
}  // namespace waymark::hub
