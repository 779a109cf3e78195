// Scenario 1, step 2, with an interpreter pool that does not answer: the clocks of urgency U0.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

class Scenario1ClockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "bwi"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    walk_ = std::make_unique<Walkthrough>(*network_, random_, Sara());
    const absl::Status opened = walk_->OpenCase();
    ASSERT_TRUE(opened.ok()) << opened;
    const absl::Status recorded = walk_->RecordInterpreterConsent();
    ASSERT_TRUE(recorded.ok()) << recorded;
  }

  absl::Status Inquire() {
    return walk_->Inquire(
        "bwi", walk_->InquiryContent("interpreter", "bwi-601", walk_->InterpreterConsent()));
  }

  bool Prompted(v1::Prompt prompt) {
    const auto view = walk_->View("qso", "bwi");
    if (!view.ok()) return false;
    const auto& prompts = view->summary().prompts();
    return std::find(prompts.begin(), prompts.end(), prompt) != prompts.end();
  }

  bool InOverdueBox() {
    v1::ListReferralsRequest request;
    request.set_box(v1::REFERRAL_BOX_OVERDUE);
    const auto listed = walk_->lead().Call(&NodeStub::ListReferrals, request);
    return listed.ok() && listed->referrals_size() == 1 &&
           listed->referrals(0).referral_id() == walk_->Id("bwi");
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{41};
  std::unique_ptr<Walkthrough> walk_;
};

TEST_F(Scenario1ClockTest, AC1_8_ASilentPoolMakesTheLeadAskTheNextAtFifteenMinutes) {
  const absl::Status inquired = Inquire();
  ASSERT_TRUE(inquired.ok()) << inquired;
  const absl::Status received = walk_->AwaitReceipts("qso", "bwi");
  ASSERT_TRUE(received.ok()) << received;
  network_->MoveTo(At(19, 56));
  EXPECT_FALSE(Prompted(v1::PROMPT_ASK_NEXT));
  EXPECT_FALSE(InOverdueBox());
  network_->MoveTo(At(19, 57));
  EXPECT_TRUE(Prompted(v1::PROMPT_ASK_NEXT));
  EXPECT_FALSE(Prompted(v1::PROMPT_PHONE)) << "its node is there and gave a receipt";
  EXPECT_TRUE(InOverdueBox());
  network_->MoveTo(At(23, 43));
  const absl::Status expired = walk_->AwaitState("qso", "bwi", "EXPIRED");
  EXPECT_TRUE(expired.ok()) << expired;
}

TEST_F(Scenario1ClockTest, AC1_8_AnOfflinePoolMakesTheLeadPhoneWithinTwoMinutes) {
  const absl::Status stopped = network_->node("bwi").Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  const absl::Status inquired = Inquire();
  ASSERT_TRUE(inquired.ok()) << inquired;
  ASSERT_TRUE(Eventually([&] {
    const auto view = walk_->View("qso", "bwi");
    return view.ok() && view->events_size() == 1 &&
           view->events(0).delivery() == v1::DELIVERY_STATE_CONFIRMED;
  }));
  network_->MoveTo(At(19, 43));
  EXPECT_FALSE(Prompted(v1::PROMPT_PHONE));
  network_->MoveTo(At(19, 44));
  EXPECT_TRUE(Eventually([&] { return Prompted(v1::PROMPT_PHONE); }));
  EXPECT_TRUE(InOverdueBox());

  // The message waits for the node; once it has fetched it, nobody needs to phone.
  const absl::Status started = network_->node("bwi").Start();
  ASSERT_TRUE(started.ok()) << started;
  const absl::Status received = walk_->AwaitReceipts("qso", "bwi");
  EXPECT_TRUE(received.ok()) << received;
  EXPECT_FALSE(Prompted(v1::PROMPT_PHONE));
}

}  // namespace
}  // namespace waymark::testing
