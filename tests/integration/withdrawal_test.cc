// A withdrawal over real processes: it stops what is on its way, erases what has arrived, and is
// acknowledged, whether or not the recipient ever saw anything.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

class WithdrawalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "lin"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    walk_ = std::make_unique<Walkthrough>(*network_, random_, Sara());
    const absl::Status opened = walk_->OpenCase();
    ASSERT_TRUE(opened.ok()) << opened;
    const absl::Status recorded = walk_->RecordInquiryConsent();
    ASSERT_TRUE(recorded.ok()) << recorded;
  }

  absl::Status Withdraw(const std::string& referral) {
    v1::WithdrawRequest request;
    request.set_referral_id(walk_->Id(referral));
    return walk_->lead().Call(&NodeStub::Withdraw, request).status();
  }

  absl::StatusOr<v1::ReferralEvent> EventOf(const std::string& node, v1::Kind kind) {
    ASSIGN_OR_RETURN(const auto view, walk_->View(node, "lin"));
    for (const v1::ReferralEvent& event : view.events()) {
      if (event.kind() == kind) return event;
    }
    return Error(v1::REASON_NOT_FOUND, "no such event");
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{13};
  std::unique_ptr<Walkthrough> walk_;
};

TEST_F(WithdrawalTest, WhatWasDisclosedIsErasedAndAcknowledged) {
  absl::Status told = walk_->InquireRooms();
  if (told.ok()) told = walk_->RoomsAnswer();
  if (told.ok()) told = walk_->Decide();
  if (told.ok()) told = walk_->DiscloseAtAcceptance();
  ASSERT_TRUE(told.ok()) << told;
  const auto before = walk_->View("lin", "lin");
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_TRUE(before->sections().has_safe());

  const absl::Status withdrawn = Withdraw("lin");
  ASSERT_TRUE(withdrawn.ok()) << withdrawn;
  const absl::Status reached = walk_->AwaitState("lin", "lin", "WITHDRAWN");
  ASSERT_TRUE(reached.ok()) << reached;
  const absl::Status acknowledged = walk_->AwaitKind("qso", "lin", v1::KIND_REVOKE_ACK);
  ASSERT_TRUE(acknowledged.ok()) << acknowledged;
  const auto after = walk_->View("lin", "lin");
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->sections().ByteSizeLong(), 0);

  v1::ListDisclosuresRequest request;
  request.set_case_id(walk_->Id("case"));
  const auto disclosures = walk_->lead().Call(&NodeStub::ListDisclosures, request);
  ASSERT_TRUE(disclosures.ok()) << disclosures.status();
  for (const v1::Disclosure& disclosure : disclosures->disclosures()) {
    EXPECT_TRUE(disclosure.erased()) << disclosure.ShortDebugString();
  }
  const absl::Status disclosed = walk_->Disclose("lin", walk_->RoomConsent());
  EXPECT_FALSE(disclosed.ok()) << "nothing more leaves";

  // Nothing of it is left in the recipient's vault either.
  ASSERT_TRUE(network_->StopAll().ok());
  const auto vault = OpenVault(network_->node("lin"));
  ASSERT_TRUE(vault.ok()) << vault.status();
  const absl::Status read = (*vault)->Read([&](const node::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto sections,
                     reader.ReadSections(*ReferralId::FromBytes(walk_->Id("lin")),
                                         node::SectionDirection::kReceived));
    EXPECT_TRUE(sections.empty());
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

TEST_F(WithdrawalTest, WhatWaitsAtTheHubIsDroppedAndTheRecipientStillAcknowledges) {
  ASSERT_TRUE(network_->node("lin").Stop().ok());
  network_->MoveTo(At(20, 0));
  const absl::Status inquired =
      walk_->Inquire("lin", walk_->InquiryContent("room", "lin-206", walk_->InquiryConsent()));
  ASSERT_TRUE(inquired.ok()) << inquired;
  ASSERT_TRUE(Eventually([&] {
    const auto event = EventOf("qso", v1::KIND_INQUIRY);
    return event.ok() && event->delivery() == v1::DELIVERY_STATE_CONFIRMED;
  }));
  const absl::Status withdrawn = Withdraw("lin");
  ASSERT_TRUE(withdrawn.ok()) << withdrawn;
  ASSERT_TRUE(Eventually([&] {
    const auto event = EventOf("qso", v1::KIND_REVOKE);
    return event.ok() && event->delivery() == v1::DELIVERY_STATE_CONFIRMED;
  }));
  ASSERT_TRUE(network_->node("lin").Start().ok());
  const absl::Status acknowledged = walk_->AwaitKind("qso", "lin", v1::KIND_REVOKE_ACK);
  EXPECT_TRUE(acknowledged.ok()) << acknowledged;
  const auto view = walk_->View("lin", "lin");
  EXPECT_FALSE(
      view.ok() && view->events_size() > 0 &&
      std::any_of(view->events().begin(), view->events().end(),
                  [](const v1::ReferralEvent& event) { return event.kind() == v1::KIND_INQUIRY; }))
      << "the inquiry never arrived";
}

}  // namespace
}  // namespace waymark::testing
