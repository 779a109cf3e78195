// Lives of a referral that scenario 1 does not walk, over real processes: by way of the waiting
// list to the end of the service, and a question and its answer up to a cancellation.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

class LivesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "lin"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    walk_ = std::make_unique<Walkthrough>(*network_, random_, Sara());
    for (const auto& step : {&Walkthrough::OpenCase, &Walkthrough::RecordInquiryConsent}) {
      const absl::Status walked = (*walk_.*step)();
      ASSERT_TRUE(walked.ok()) << walked;
    }
  }

  template <typename Request>
  Request ForRoom() {
    Request request;
    request.set_referral_id(walk_->Id("lin"));
    request.set_message_id(NewId(random_));
    return request;
  }
  node::NodeClient& provider() { return network_->node("lin").caseworker(); }

  // Both nodes reach the state, and everything that `sender` sent has its receipt.
  void Expect(const std::string& state, const std::string& sender) {
    for (const char* node : {"qso", "lin"}) {
      const absl::Status reached = walk_->AwaitState(node, "lin", state);
      ASSERT_TRUE(reached.ok()) << reached;
    }
    const absl::Status received = walk_->AwaitReceipts(sender, "lin");
    ASSERT_TRUE(received.ok()) << received;
  }

  bool Prompted(const std::string& node, v1::Prompt prompt) {
    const auto view = walk_->View(node, "lin");
    if (!view.ok()) return false;
    const auto& prompts = view->summary().prompts();
    return std::find(prompts.begin(), prompts.end(), prompt) != prompts.end();
  }

  v1::Date Tomorrow() const {
    const absl::CivilDay day = absl::ToCivilDay(At(0, 0, 1), absl::UTCTimeZone());
    v1::Date date;
    date.set_year(static_cast<int32_t>(day.year()));
    date.set_month(day.month());
    date.set_day(day.day());
    return date;
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{29};
  std::unique_ptr<Walkthrough> walk_;
};

TEST_F(LivesTest, FromTheWaitingListToTheEndOfTheService) {
  const absl::Status inquired = walk_->InquireRooms();
  ASSERT_TRUE(inquired.ok()) << inquired;
  auto waitlist = ForRoom<v1::WaitlistRequest>();
  v1::Waitlist& place = *waitlist.mutable_prog()->mutable_waitlist();
  place.set_position(v1::POSITION_BAND_NEXT);
  place.set_wait(v1::WAIT_BAND_UP_TO_7_DAYS);
  *place.mutable_review_date() = Tomorrow();
  ASSERT_TRUE(provider().Call(&NodeStub::Waitlist, waitlist).ok());
  Expect("WAITLISTED", "lin");
  EXPECT_TRUE(Prompted("lin", v1::PROMPT_REVIEW_DUE)) << "the review is tomorrow";
  EXPECT_TRUE(Prompted("qso", v1::PROMPT_REVIEW_DUE));

  network_->MoveTo(At(20, 9));
  auto offer = ForRoom<v1::OfferRequest>();
  offer.mutable_prog()->mutable_offer()->mutable_start()->set_seconds(
      absl::ToUnixSeconds(At(21, 30)));
  offer.mutable_prog()->mutable_offer()->set_quantity(1);
  ASSERT_TRUE(provider().Call(&NodeStub::Offer, offer).ok());
  Expect("OFFERED", "lin");
  const absl::Status decided = walk_->Decide();
  ASSERT_TRUE(decided.ok()) << decided;
  Expect("ACCEPTED", "qso");
  const absl::Status started = walk_->Start();
  ASSERT_TRUE(started.ok()) << started;
  auto close = ForRoom<v1::CloseRequest>();
  close.set_outcome(v1::CLOSE_OUTCOME_COMPLETED);
  ASSERT_TRUE(provider().Call(&NodeStub::Close, close).ok());
  Expect("COMPLETED", "lin");

  // What was received is in the log, and nothing prompts any more.
  v1::ListDisclosuresRequest request;
  request.set_case_id(walk_->Id("case"));
  const auto log = walk_->lead().Call(&NodeStub::ListDisclosures, request);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->disclosures_size(), 1);
  for (const v1::Disclosure& disclosure : log->disclosures()) {
    EXPECT_EQ(disclosure.delivery(), v1::DELIVERY_STATE_RECEIVED);
  }
  for (const char* node : {"qso", "lin"}) {
    const auto view = walk_->View(node, "lin");
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->summary().prompts_size(), 0) << node;
  }
  const auto status = provider().Call(&NodeStub::GetStatus, v1::GetStatusRequest());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->awaiting_receipt(), 0u);
}

TEST_F(LivesTest, AQuestionIsAnsweredAndTheRequestCancelled) {
  const FieldInfo& asked_for = *FieldByName("NEED.quantity");
  v1::PreviewRequest content = walk_->InquiryContent("room", "lin-206", walk_->InquiryConsent());
  content.add_without(asked_for.field_no);
  network_->MoveTo(At(20, 0));
  const absl::Status inquired = walk_->Inquire("lin", content);
  ASSERT_TRUE(inquired.ok()) << inquired;
  Expect("INQUIRED", "qso");

  auto question = ForRoom<v1::ClarifyRequest>();
  question.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_FIELDS_NEEDED);
  question.mutable_clarification()->add_field_nos(asked_for.field_no);
  ASSERT_TRUE(provider().Call(&NodeStub::Clarify, question).ok());
  Expect("CLARIFYING", "lin");
  EXPECT_TRUE(Prompted("qso", v1::PROMPT_ANSWER_DUE));
  EXPECT_FALSE(Prompted("lin", v1::PROMPT_ANSWER_DUE)) << "it waits for the lead";
  const auto seen = walk_->View("qso", "lin");
  ASSERT_TRUE(seen.ok()) << seen.status();
  ASSERT_EQ(seen->events_size(), 2);
  EXPECT_EQ(seen->events(1).clarification().field_nos(0), asked_for.field_no);

  v1::AnswerRequest answer;
  answer.set_message_id(NewId(random_));
  answer.mutable_content()->set_kind(v1::KIND_CLARIFICATION);
  answer.mutable_content()->set_referral_id(walk_->Id("lin"));
  answer.mutable_content()->set_consent_id(walk_->InquiryConsent().consent_id());
  const auto preview = walk_->lead().Call(&NodeStub::Preview, answer.content());
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_TRUE(preview->sections().need().has_quantity());
  answer.set_preview_digest(preview->digest());
  const auto answered = walk_->lead().Call(&NodeStub::Answer, answer);
  ASSERT_TRUE(answered.ok()) << answered.status();
  Expect("INQUIRED", "qso");
  const auto received = walk_->View("lin", "lin");
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_TRUE(received->sections().need().has_quantity());
  EXPECT_TRUE(Prompted("lin", v1::PROMPT_ANSWER_DUE));

  auto cancel = ForRoom<v1::CancelRequest>();
  cancel.set_code("PE1");
  ASSERT_TRUE(walk_->lead().Call(&NodeStub::Cancel, cancel).ok());
  Expect("CANCELLED", "qso");
  const auto cancelled = walk_->View("lin", "lin");
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->events(cancelled->events_size() - 1).cancellation_code(), "PE1");
  EXPECT_FALSE(walk_->lead().Call(&NodeStub::Cancel, ForRoom<v1::CancelRequest>()).ok())
      << "it has ended";
}

}  // namespace
}  // namespace waymark::testing
