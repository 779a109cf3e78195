#include "client/casework/provider.h"

#include <latch>
#include <thread>

#include "client/casework/sections.h"
#include "gmock/gmock.h"
#include "tests/client/casework/desk.h"

namespace waymark::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Date DayAfter(absl::Time time, int days) {
  const absl::CivilDay day = absl::ToCivilDay(time, absl::UTCTimeZone()) + days;
  v1::Date date;
  date.set_year(static_cast<int32_t>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

class ProviderTest : public DeskTest {
 protected:
  // A referral that the partner's unit sent, in this state.
  std::string Received(NodeState state) {
    return office_.Referral(state, /*originated=*/false).referral_id();
  }

  template <typename Request>
  Request For(const std::string& referral) const {
    Request request;
    request.set_referral_id(referral);
    request.set_message_id(NewId());
    return request;
  }

  v1::OfferRequest OfferIn(const std::string& referral, absl::Duration start, absl::Duration hold) {
    auto request = For<v1::OfferRequest>(referral);
    v1::Offer& offer = *request.mutable_prog()->mutable_offer();
    const absl::Time now = FloorMinute(office_.clock.Now());
    offer.mutable_start()->set_seconds(absl::ToUnixSeconds(now + start));
    offer.mutable_hold_until()->set_seconds(absl::ToUnixSeconds(now + hold));
    offer.set_quantity(1);
    return request;
  }
  v1::WaitlistRequest WaitlistFor(const std::string& referral, int days) {
    auto request = For<v1::WaitlistRequest>(referral);
    v1::Waitlist& place = *request.mutable_prog()->mutable_waitlist();
    place.set_position(v1::POSITION_BAND_NEXT);
    place.set_wait(v1::WAIT_BAND_UP_TO_7_DAYS);
    *place.mutable_review_date() = DayAfter(office_.clock.Now(), days);
    return request;
  }
  v1::Reason Close(const std::string& referral, v1::CloseOutcome outcome) {
    auto request = For<v1::CloseRequest>(referral);
    request.set_outcome(outcome);
    return ReasonOf(provider_.Close(lead_, request));
  }
  v1::Reason Cancel(const std::string& referral, const std::string& code = "") {
    auto request = For<v1::CancelRequest>(referral);
    request.set_code(code);
    return ReasonOf(provider_.Cancel(lead_, request));
  }
};

// Everybody offers at the same moment, again and again.
TEST_F(ProviderTest, OfSeveralOffersOfOneBedOneWins) {
  constexpr int kAtOnce = 6;
  for (int round = 0; round < 10; ++round) {
    office_.clock.Advance(absl::Minutes(1));
    office_.SayRoom(1);
    std::vector<v1::OfferRequest> offers;
    offers.reserve(kAtOnce);
    for (int i = 0; i < kAtOnce; ++i) {
      offers.push_back(
          OfferIn(Received(NodeState::kInquired), absl::ZeroDuration(), absl::Minutes(1)));
    }
    std::vector<v1::Reason> reasons(kAtOnce);
    std::latch start(kAtOnce);
    std::vector<std::thread> desks;
    desks.reserve(kAtOnce);
    for (int i = 0; i < kAtOnce; ++i) {
      desks.emplace_back([&, i] {
        start.arrive_and_wait();
        reasons[i] = ReasonOf(provider_.Offer(lead_, offers[i]).status());
      });
    }
    for (std::thread& desk : desks) desk.join();
    EXPECT_THAT(reasons, Contains(v1::REASON_UNSPECIFIED).Times(1)) << round;
    EXPECT_THAT(reasons, Contains(v1::REASON_NO_ROOM).Times(kAtOnce - 1)) << round;
    for (int i = 0; i < kAtOnce; ++i) {
      EXPECT_EQ(StateOfReferral(offers[i].referral_id()),
                reasons[i] == v1::REASON_UNSPECIFIED ? "OFFERED" : "INQUIRED");
    }
  }
}

TEST_F(ProviderTest, AnOfferNeedsAsManyFreePlacesAsItHolds) {
  office_.SayRoom(3);
  const auto offer = [&](uint32_t places, absl::Duration hold) {
    v1::OfferRequest request = OfferIn(Received(NodeState::kInquired), absl::ZeroDuration(), hold);
    request.mutable_prog()->mutable_offer()->set_quantity(places);
    const v1::Reason first = ReasonOf(provider_.Offer(lead_, request).status());
    EXPECT_EQ(ReasonOf(provider_.Offer(lead_, request).status()), first) << "repeated";
    return first;
  };
  EXPECT_EQ(offer(4, absl::Hours(1)), v1::REASON_NO_ROOM);
  EXPECT_EQ(offer(2, absl::Hours(1)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(offer(2, absl::Hours(1)), v1::REASON_NO_ROOM);
  EXPECT_EQ(offer(1, absl::Hours(2)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(offer(1, absl::Hours(1)), v1::REASON_NO_ROOM);
  // The hold of the two ends by itself.
  office_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(offer(2, absl::Hours(1)), v1::REASON_UNSPECIFIED);
  // Where nobody has counted lately, the people decide.
  office_.clock.Advance(absl::Hours(11));
  EXPECT_EQ(offer(9, absl::Hours(1)), v1::REASON_UNSPECIFIED);
}

// The service counts beds, and some ask for rooms.
TEST_F(ProviderTest, WhatIsAskedForInAnotherUnitHoldsOnePlace) {
  office_.SayRoom(2);
  const auto offer = [&](v1::CapacityUnit unit, uint32_t quantity) {
    const std::string referral = Received(NodeState::kInquired);
    v1::Sections asked;
    asked.mutable_need()->set_unit(unit);
    office_.Write([&](Transaction& t) {
      return StoreSections(t, *ReferralId::FromBytes(referral), SectionDirection::kReceived,
                           v1::STAGE_INQUIRY, asked);
    });
    v1::OfferRequest request = OfferIn(referral, absl::ZeroDuration(), absl::Hours(1));
    request.mutable_prog()->mutable_offer()->set_quantity(quantity);
    return ReasonOf(provider_.Offer(lead_, request).status());
  };
  EXPECT_EQ(offer(v1::CAPACITY_UNIT_BED, 3), v1::REASON_NO_ROOM);
  EXPECT_EQ(offer(v1::CAPACITY_UNIT_FAMILY_ROOM, 3), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(offer(v1::CAPACITY_UNIT_BED, 2), v1::REASON_NO_ROOM);
  EXPECT_EQ(offer(v1::CAPACITY_UNIT_BED, 1), v1::REASON_UNSPECIFIED);
}

TEST_F(ProviderTest, AnOfferThatEndsGivesThePlaceBack) {
  office_.SayRoom(1);
  const std::string first = Received(NodeState::kInquired);
  ASSERT_TRUE(provider_.Offer(lead_, OfferIn(first, absl::ZeroDuration(), absl::Hours(1))).ok());
  const v1::OfferRequest second =
      OfferIn(Received(NodeState::kInquired), absl::ZeroDuration(), absl::Hours(1));
  EXPECT_EQ(ReasonOf(provider_.Offer(lead_, second).status()), v1::REASON_NO_ROOM);
  local::v1::Referral ended = office_.Read(
      [&](const Reader& reader) { return LoadReferral(reader, *ReferralId::FromBytes(first)); });
  ended.set_state(std::string(Name(NodeState::kNotTakenUp)));
  office_.Save(ended);
  EXPECT_TRUE(provider_.Offer(lead_, second).ok());
}

TEST_F(ProviderTest, AnOfferIsHeldAsLongAsTheNetworkAllows) {
  const std::string referral = Received(NodeState::kInquired);
  const auto offer = [&](absl::Duration start, absl::Duration hold) {
    return ReasonOf(provider_.Offer(lead_, OfferIn(referral, start, hold)).status());
  };
  constexpr absl::Duration kDay = absl::Hours(24);
  EXPECT_EQ(offer(kDay, -absl::Minutes(1)), v1::REASON_TIME_INVALID);
  EXPECT_EQ(offer(kDay, absl::ZeroDuration()), v1::REASON_TIME_INVALID);
  EXPECT_EQ(offer(kDay, 28 * kDay + absl::Minutes(1)), v1::REASON_TIME_INVALID);
  EXPECT_EQ(offer(-absl::Minutes(1), kDay), v1::REASON_TIME_INVALID) << "it begins in the past";
  EXPECT_EQ(StateOfReferral(referral), "INQUIRED");
  EXPECT_EQ(office_.Leaving(), 0);
  EXPECT_EQ(offer(absl::ZeroDuration(), 28 * kDay), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(StateOfReferral(referral), "OFFERED");
}

TEST_F(ProviderTest, APlaceOnTheListIsReviewedInTime) {
  const std::string referral = Received(NodeState::kInquired);
  const auto waitlist = [&](int days) {
    return ReasonOf(provider_.Waitlist(lead_, WaitlistFor(referral, days)));
  };
  EXPECT_EQ(waitlist(0), v1::REASON_TIME_INVALID);
  EXPECT_EQ(waitlist(29), v1::REASON_TIME_INVALID);
  EXPECT_EQ(ReasonOf(provider_.Waitlist(lead_, For<v1::WaitlistRequest>(referral))),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(StateOfReferral(referral), "INQUIRED");

  v1::WaitlistRequest request = WaitlistFor(referral, 7);
  EXPECT_EQ(ReasonOf(provider_.Waitlist(LogIn(v1::STAFF_ROLE_LOGISTICS), request)),
            v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(provider_.Waitlist(lead_, request)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(provider_.Waitlist(lead_, request)), v1::REASON_UNSPECIFIED) << "a repeat";
  EXPECT_EQ(StateOfReferral(referral), "WAITLISTED");
  const int64_t first_review = Load(referral).state_until_ms();
  EXPECT_EQ(waitlist(14), v1::REASON_UNSPECIFIED) << "a review that keeps the place";
  EXPECT_EQ(Load(referral).state_until_ms() - first_review,
            absl::ToInt64Milliseconds(absl::Hours(7 * 24)));
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_WAITLIST, v1::KIND_WAITLIST));
  EXPECT_EQ(
      ReasonOf(provider_.Offer(lead_, OfferIn(referral, absl::Hours(1), absl::Hours(2))).status()),
      v1::REASON_UNSPECIFIED);
}

TEST_F(ProviderTest, AnAnswerThatTheHubRefusesIsGivenAgain) {
  const std::string referral = Received(NodeState::kInquired);
  const v1::OfferRequest refused = OfferIn(referral, absl::Hours(1), absl::Hours(2));
  ASSERT_TRUE(provider_.Offer(lead_, refused).ok());
  ASSERT_TRUE(upkeep_.OnOutcome(refused.message_id(), v1::REASON_TIME_INVALID).ok());
  EXPECT_EQ(StateOfReferral(referral), "INQUIRED");
  const auto shown = overview_.Get(lead_, *ReferralId::FromBytes(referral));
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_THAT(shown->summary().prompts(),
              ElementsAre(v1::PROMPT_ANSWER_DUE, v1::PROMPT_MESSAGE_REFUSED));
  EXPECT_EQ(shown->events(0).reason(), v1::REASON_TIME_INVALID);
  EXPECT_TRUE(provider_.Waitlist(lead_, WaitlistFor(referral, 7)).ok());
  EXPECT_EQ(StateOfReferral(referral), "WAITLISTED");
}

TEST_F(ProviderTest, AQuestionStopsTheRequestAndTheAnswerIsShown) {
  const std::string referral = Received(NodeState::kInquired);
  auto question = For<v1::ClarifyRequest>(referral);
  EXPECT_EQ(ReasonOf(provider_.Clarify(lead_, question)), v1::REASON_ENUM_UNKNOWN);
  question.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_FIELDS_NEEDED);
  EXPECT_EQ(ReasonOf(provider_.Clarify(lead_, question)), v1::REASON_FIELD_INVALID);
  const uint32_t code = FieldByName("NEED.service_code")->field_no;
  question.mutable_clarification()->add_field_nos(code);
  EXPECT_EQ(ReasonOf(provider_.Clarify(lead_, question)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(StateOfReferral(referral), "CLARIFYING");
  const auto leaving = office_.OpenLeaving();
  ASSERT_EQ(leaving.size(), 1u);
  EXPECT_THAT(leaving.front().payload.clarification().field_nos(), ElementsAre(code));
  const auto show = [&] { return overview_.Get(lead_, *ReferralId::FromBytes(referral)).value(); };
  EXPECT_THAT(show().summary().prompts(), IsEmpty()) << "the lead's answer is awaited";

  v1::Payload answer;
  answer.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_ANSWERED);
  answer.mutable_sections()->mutable_need()->set_service_code(101);
  EXPECT_THAT(Answer(referral, v1::KIND_CLARIFICATION, v1::STAGE_INQUIRY, answer), IsEmpty());
  EXPECT_EQ(StateOfReferral(referral), "INQUIRED");
  EXPECT_EQ(show().events(1).clarification().code(), v1::CLARIFICATION_CODE_ANSWERED);
  EXPECT_EQ(show().sections().need().service_code(), 101u);
  EXPECT_THAT(show().summary().prompts(), ElementsAre(v1::PROMPT_ANSWER_DUE));
}

TEST_F(ProviderTest, AServiceIsClosedAsItEnded) {
  EXPECT_EQ(Close(Received(NodeState::kOngoing), v1::CLOSE_OUTCOME_UNSPECIFIED),
            v1::REASON_ENUM_UNKNOWN);
  EXPECT_EQ(Close(Received(NodeState::kAccepted), v1::CLOSE_OUTCOME_COMPLETED),
            v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(Close(Received(NodeState::kScheduled), v1::CLOSE_OUTCOME_COMPLETED),
            v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(office_.Leaving(), 0);
  struct Row {
    NodeState from;
    v1::CloseOutcome outcome;
    NodeState to;
    v1::ProgressStatus told;
  };
  const std::vector<Row> rows = {{NodeState::kStarted, v1::CLOSE_OUTCOME_COMPLETED,
                                  NodeState::kCompleted, v1::PROGRESS_STATUS_COMPLETED},
                                 {NodeState::kOngoing, v1::CLOSE_OUTCOME_ENDED_EARLY,
                                  NodeState::kEndedEarly, v1::PROGRESS_STATUS_ENDED_EARLY},
                                 {NodeState::kScheduled, v1::CLOSE_OUTCOME_NOT_STARTED,
                                  NodeState::kNotStarted, v1::PROGRESS_STATUS_NOT_STARTED}};
  for (const Row& row : rows) {
    const std::string referral = Received(row.from);
    EXPECT_EQ(Close(referral, row.outcome), v1::REASON_UNSPECIFIED) << Name(row.to);
    EXPECT_EQ(StateOfReferral(referral), Name(row.to));
    const auto leaving = office_.OpenLeaving();
    ASSERT_FALSE(leaving.empty());
    EXPECT_EQ(leaving.back().header.kind(), v1::KIND_CLOSE);
    EXPECT_EQ(leaving.back().payload.sections().prog().status(), row.told);
    EXPECT_EQ(Close(referral, row.outcome), v1::REASON_STATE_FORBIDS) << "it has ended";
  }
}

TEST_F(ProviderTest, ACancellationSaysItsCodeWhileThereIsSomethingToCancel) {
  const std::string referral = Received(NodeState::kScheduled);
  EXPECT_EQ(Cancel(referral, "PE9"), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(Cancel(referral, "PE1"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(StateOfReferral(referral), "CANCELLED");
  EXPECT_EQ(Cancel(referral, "PE1"), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(Cancel(Received(NodeState::kOffered)), v1::REASON_STATE_FORBIDS)
      << "an offer is a promise until its time is over";
  for (const NodeState ended : {NodeState::kNotTakenUp, NodeState::kDiscarded}) {
    EXPECT_EQ(Cancel(office_.Referral(ended, /*originated=*/true).referral_id()),
              v1::REASON_STATE_FORBIDS);
  }
  const auto leaving = office_.OpenLeaving();
  ASSERT_EQ(leaving.size(), 1u);
  EXPECT_EQ(leaving.front().payload.cancellation().code(), "PE1");
}

TEST_F(ProviderTest, TheOtherSidesCancellationIsShown) {
  const std::string referral = Received(NodeState::kAccepted);
  v1::Payload cancel;
  cancel.mutable_cancellation()->set_code("whatever she said");
  EXPECT_THAT(Answer(referral, v1::KIND_CANCEL, v1::STAGE_NONE, cancel),
              ElementsAre(v1::REASON_FIELD_INVALID));
  cancel.mutable_cancellation()->set_code("PE2");
  EXPECT_THAT(Answer(referral, v1::KIND_CANCEL, v1::STAGE_NONE, cancel), IsEmpty());
  EXPECT_EQ(StateOfReferral(referral), "CANCELLED");
  const auto shown = overview_.Get(lead_, *ReferralId::FromBytes(referral));
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->events(0).cancellation_code(), "PE2");
}

TEST_F(ProviderTest, AReportAnnouncesItsReview) {
  const std::string referral = Received(NodeState::kStarted);
  auto request = For<v1::ReportProgressRequest>(referral);
  request.mutable_prog()->set_status(v1::PROGRESS_STATUS_ONGOING);
  ASSERT_TRUE(provider_.ReportProgress(lead_, request).ok());
  EXPECT_EQ(StateOfReferral(referral), "ONGOING");
  EXPECT_EQ(Load(referral).review_due_ms(), 0);
  v1::ProgSection report;
  *report.mutable_review_date() = DayAfter(TestNow(), 3);
  local::v1::Referral record = Load(referral);
  SetReview(record, report);
  EXPECT_EQ(record.review_due_ms(),
            ToMillis(absl::FromCivil(absl::CivilDay(2027, 1, 18), absl::UTCTimeZone())));
}

}  // namespace
}  // namespace waymark::node
