// The hub's disk is lost and an older copy put in its place, over real processes: referrals go on,
// nothing arrives twice, nothing confirmed is lost, and a withdrawal or suspension since the copy
// holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

class RestoreTest : public ::testing::Test {
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

  std::string Database() const { return DatabaseOf(network_->hub()); }
  std::string Copy() const { return network_->folder() + "/copy.sqlite"; }

  void TakeCopy() {
    ASSERT_TRUE(network_->hub().Stop().ok());
    std::filesystem::copy_file(Database(), Copy());
    ASSERT_TRUE(network_->hub().Start().ok());
  }

  // Another file, so that the hub notices.
  void LoseDiskAndRestore() {
    network_->hub().Kill();
    for (const char* beside : {"", "-wal", "-shm"}) {
      std::error_code ignored;
      std::filesystem::remove(Database() + beside, ignored);
    }
    std::filesystem::copy_file(Copy(), Database());
    const absl::Status started = network_->hub().Start();
    ASSERT_TRUE(started.ok()) << started;
  }

  absl::Status Inquire() {
    return walk_->Inquire("lin", walk_->InquiryContent("room", "lin-206", walk_->InquiryConsent()));
  }

  // How often the node's referral has a message of the kind.
  long Count(const std::string& node, v1::Kind kind) {
    const auto view = walk_->View(node, "lin");
    if (!view.ok()) return 0;
    return std::count_if(view->events().begin(), view->events().end(),
                         [&](const v1::ReferralEvent& event) { return event.kind() == kind; });
  }

  bool IsConfirmed(v1::Kind kind) {
    return Eventually([&] {
      const auto view = walk_->View("qso", "lin");
      if (!view.ok()) return false;
      return std::any_of(
          view->events().begin(), view->events().end(), [&](const v1::ReferralEvent& event) {
            return event.kind() == kind && event.delivery() == v1::DELIVERY_STATE_CONFIRMED;
          });
    });
  }

  absl::Status SetLin(v1::MemberStatus status) {
    return network_->registry().SetStatus(network_->desk(), "lin", status);
  }
  v1::MemberStatus LinAsTheHubSays() {
    const auto members = network_->registry().Members(network_->desk());
    if (!members.ok()) return v1::MEMBER_STATUS_UNSPECIFIED;
    for (const node::MemberView& view : *members) {
      if (view.member.handle() == "lin") return view.member.status();
    }
    return v1::MEMBER_STATUS_UNSPECIFIED;
  }
  v1::MemberStatus LinAsQsoSees() {
    const auto listed = network_->node("qso").administrator().Call(&NodeStub::ListDirectory,
                                                                   v1::ListDirectoryRequest());
    if (!listed.ok()) return v1::MEMBER_STATUS_UNSPECIFIED;
    for (const v1::DirectoryMember& entry : listed->members()) {
      if (entry.member().handle() == "lin") return entry.member().status();
    }
    return v1::MEMBER_STATUS_UNSPECIFIED;
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{17};
  std::unique_ptr<Walkthrough> walk_;
};

TEST_F(RestoreTest, AReferralThatTheCopyDoesNotHaveGoesOn) {
  TakeCopy();
  absl::Status told = walk_->InquireRooms();
  if (told.ok()) told = walk_->RoomsAnswer();
  if (told.ok()) told = walk_->Decide();
  if (told.ok()) told = walk_->DiscloseAtAcceptance();
  ASSERT_TRUE(told.ok()) << told;
  LoseDiskAndRestore();
  if (told.ok()) told = walk_->Schedule();
  if (told.ok()) told = walk_->Start();
  if (told.ok()) told = walk_->DiscloseAtStart();
  if (told.ok()) told = walk_->AwaitReceipts("qso", "lin");
  ASSERT_TRUE(told.ok()) << told;
  for (const v1::Kind kind : {v1::KIND_INQUIRY, v1::KIND_ACCEPT}) {
    EXPECT_EQ(Count("lin", kind), 1) << v1::Kind_Name(kind);
  }
  EXPECT_EQ(Count("lin", v1::KIND_DISCLOSE), Count("qso", v1::KIND_DISCLOSE));
}

TEST_F(RestoreTest, WhatWasConfirmedAndHadNotArrivedIsSentAgain) {
  TakeCopy();
  ASSERT_TRUE(network_->node("lin").Stop().ok());
  const absl::Status inquired = Inquire();
  ASSERT_TRUE(inquired.ok()) << inquired;
  ASSERT_TRUE(IsConfirmed(v1::KIND_INQUIRY));
  LoseDiskAndRestore();
  ASSERT_TRUE(network_->node("lin").Start().ok());
  absl::Status told = walk_->AwaitState("lin", "lin", "INQUIRED");
  if (told.ok()) told = walk_->AwaitReceipts("qso", "lin");
  ASSERT_TRUE(told.ok()) << told;
  EXPECT_EQ(Count("lin", v1::KIND_INQUIRY), 1);
}

// The copy holds the inquiry, waiting under a token that stood then.
TEST_F(RestoreTest, AWithdrawalThatTheCopyDoesNotHaveHolds) {
  ASSERT_TRUE(network_->node("lin").Stop().ok());
  const absl::Status inquired = Inquire();
  ASSERT_TRUE(inquired.ok()) << inquired;
  ASSERT_TRUE(IsConfirmed(v1::KIND_INQUIRY));
  TakeCopy();
  v1::WithdrawRequest request;
  request.set_referral_id(walk_->Id("lin"));
  const auto withdrawn = walk_->lead().Call(&NodeStub::Withdraw, request);
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  ASSERT_TRUE(IsConfirmed(v1::KIND_REVOKE));

  LoseDiskAndRestore();
  ASSERT_TRUE(network_->node("lin").Start().ok());
  const absl::Status acknowledged = walk_->AwaitKind("qso", "lin", v1::KIND_REVOKE_ACK);
  ASSERT_TRUE(acknowledged.ok()) << acknowledged;
  EXPECT_EQ(Count("lin", v1::KIND_INQUIRY), 0) << "it is never delivered";
}

// The nodes give the hub back what its directory lacks; until then it publishes nothing else.
TEST_F(RestoreTest, ASuspensionThatTheCopyDoesNotHaveHolds) {
  TakeCopy();
  ASSERT_TRUE(Eventually([&] { return SetLin(v1::MEMBER_STATUS_SUSPENDED).ok(); }));
  ASSERT_TRUE(Eventually([&] { return LinAsQsoSees() == v1::MEMBER_STATUS_SUSPENDED; }));
  LoseDiskAndRestore();
  ASSERT_TRUE(Eventually([&] { return LinAsTheHubSays() == v1::MEMBER_STATUS_SUSPENDED; }));
  EXPECT_EQ(ReasonOf(SetLin(v1::MEMBER_STATUS_ACTIVE)), v1::REASON_UNAVAILABLE);

  network_->Advance(absl::Minutes(11));
  ASSERT_TRUE(Eventually([&] { return SetLin(v1::MEMBER_STATUS_ACTIVE).ok(); }));
  EXPECT_TRUE(Eventually([&] { return LinAsQsoSees() == v1::MEMBER_STATUS_ACTIVE; }))
      << "the directory goes on as the nodes know it";
}

}  // namespace
}  // namespace waymark::testing
