// What was confirmed is delivered exactly once, whoever is killed in between: real processes, the
// hub killed at random moments, the node between what it stored and what it acknowledged. Questions
// without a token and inquiries with token and section, mixed; counted is what the recipient's
// vault holds in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/envelope/header.h"
#include "base/status/status.h"
#include "client/vault/typed.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/scenarios/wire_referral.h"
#include "tests/support/evidence.h"
#include "tests/support/seeded_random.h"
#include "tests/support/wire_member.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::testing {
namespace {

constexpr int kQuestions = 120;
// One after how many questions.
constexpr int kQuestionsAnInquiry = 3;
constexpr int kKills = 8;

class DurabilityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::Status ready = Prepare();
    ASSERT_TRUE(ready.ok()) << ready;
  }

  absl::Status Prepare() {
    ASSIGN_OR_RETURN(network_, NetworkFixture::Create(Scenario1Organisations({"lin"})));
    const node::MemberPlan plan = Scenario1Organisations({"qso"}).front().member;
    ASSIGN_OR_RETURN(sender_,
                     WireMember::Join(network_->folder() + "/qso", plan, network_->registry(),
                                      network_->desk(), network_->clock()));
    RETURN_IF_ERROR(sender_->FetchDirectory());
    RETURN_IF_ERROR(network_->AwaitMember("lin", "qso"));
    RETURN_IF_ERROR(sender_->Connect().status());
    for (int i = 0; i < kQuestions; ++i) {
      ASSIGN_OR_RETURN(const v1::Message question, AskForRoom());
      asked_.insert(ParseHeader(question.header())->message_id());
      waiting_.push_back(Item(question));
      if (i % kQuestionsAnInquiry == 0) RETURN_IF_ERROR(Inquire());
    }
    return absl::OkStatus();
  }

  // A registration and the inquiry under its token.
  absl::Status Inquire() {
    ASSIGN_OR_RETURN(const WireReferral referral,
                     BeginReferral(*sender_, network_->unit("lin.family")));
    ASSIGN_OR_RETURN(const v1::Message inquiry,
                     SealInquiry(*sender_, referral, network_->service("lin-206")));
    inquired_[referral.id] = ParseHeader(inquiry.header())->message_id();
    waiting_.push_back(Item(referral.registration));
    waiting_.push_back(Item(inquiry));
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Message> AskForRoom() {
    v1::Payload payload;
    v1::CapacityQuery& query = *payload.mutable_capacity_query();
    query.set_service_id(network_->service("lin-206").bytes());
    query.set_service_code(206);
    query.set_quantity(1);
    query.set_unit(v1::CAPACITY_UNIT_FAMILY_ROOM);
    query.mutable_window()->set_from_minute(absl::ToUnixSeconds(At(20, 30)) / 60);
    query.mutable_window()->set_to_minute(absl::ToUnixSeconds(At(22, 30)) / 60);
    return sender_->Seal(
        sender_->HeaderTo(network_->unit("lin.family"), v1::KIND_CAPACITY_QUERY, v1::STAGE_NONE),
        payload);
  }

  // Submits the first that wait, a few in a frame. What was in a frame without its outcomes goes on
  // waiting and is submitted again: a repeat gets the first answer. Returns whether the outcomes
  // came in time.
  bool SubmitSome(absl::Duration within = absl::Seconds(20)) {
    if (waiting_.empty()) return true;
    const size_t count = std::min<size_t>(1 + random_.Uniform(8), waiting_.size());
    const std::vector<v1::Submission> frame(waiting_.begin(),
                                            waiting_.begin() + static_cast<ptrdiff_t>(count));
    const auto outcomes = sender_->Submit(frame, within);
    if (!outcomes.ok()) return false;
    for (const v1::Outcome& outcome : *outcomes) {
      EXPECT_EQ(outcome.reason(), v1::REASON_UNSPECIFIED);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
    return true;
  }

  void SubmitAll() {
    while (!waiting_.empty()) ASSERT_TRUE(SubmitSome());
  }

  // A moment within the time that a frame takes.
  absl::Duration SoonAfter() { return absl::Microseconds(random_.Uniform(5'000)); }

  size_t Sent() const { return asked_.size() + inquired_.size(); }

  // Collects what comes back until everything has a receipt and every question an answer.
  void CollectAnswers() {
    while (receipts_.size() < Sent() || replies_.size() < asked_.size()) {
      const auto opened = sender_->NextMessage();
      ASSERT_TRUE(opened.ok()) << opened.status();
      ASSERT_TRUE(opened->has_value())
          << receipts_.size() << " receipts, " << replies_.size() << " answers";
      Note(**opened);
    }
    // Nothing comes twice, however long one waits for it.
    const auto more = sender_->NextMessage(absl::Seconds(1));
    ASSERT_TRUE(more.ok()) << more.status();
    if (more->has_value()) Note(**more);
  }

  void Note(const Opened& opened) {
    // A delivery may be repeated; the message id tells.
    if (!seen_.insert(opened.header.message_id()).second) return;
    if (opened.payload.has_receipt()) {
      EXPECT_EQ(opened.payload.receipt().outcome(), v1::RECEIPT_OUTCOME_STORED);
      ++receipts_[opened.payload.receipt().message_id()];
    } else {
      ++replies_[opened.payload.capacity_reply().query_id()];
    }
  }

  void ExpectEachAnsweredOnce() {
    EXPECT_EQ(receipts_.size(), Sent());
    EXPECT_EQ(replies_.size(), asked_.size());
    for (const auto& counts : {receipts_, replies_}) {
      for (const auto& [unused, count] : counts) EXPECT_EQ(count, 1);
    }
  }

  // Reads lin's vault once lin has stopped: its tables, and its referrals under its master key.
  absl::Status CountInVault() {
    NodeProcess& lin = network_->node("lin");
    RETURN_IF_ERROR(lin.Stop());
    ASSIGN_OR_RETURN(const auto seen,
                     QueryDatabase(DatabaseOf(lin), "SELECT message_id FROM seen"));
    for (const DatabaseRow& row : seen) ++taken_[row.front()];
    ASSIGN_OR_RETURN(
        const auto appended,
        QueryDatabase(DatabaseOf(lin), "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'"));
    EXPECT_EQ(appended.front().front(), std::to_string(Sent())) << "stored in the inbox, ever";
    ASSIGN_OR_RETURN(const auto vault, OpenVault(lin));
    return vault->Read([this](const node::Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(const auto referrals, node::ParseAll<local::v1::Referral>(
                                                 reader.List(node::DocumentKind::kReferral)));
      for (const auto& [unused, referral] : referrals) {
        const ReferralId id = *ReferralId::FromBytes(referral.referral_id());
        ASSIGN_OR_RETURN(const auto sections,
                         reader.ReadSections(id, node::SectionDirection::kReceived));
        EXPECT_EQ(sections.size(), 1) << "the need";
        EXPECT_EQ(referral.tokens_size(), 1);
        for (const local::v1::Event& event : referral.events()) {
          ++events_[{id.bytes(), event.message_id()}];
        }
      }
      ASSIGN_OR_RETURN(const int64_t left, reader.CountInbox());
      EXPECT_EQ(left, 0);
      return absl::OkStatus();
    });
  }

  void ExpectEachInTheVaultOnce() {
    const absl::Status counted = CountInVault();
    ASSERT_TRUE(counted.ok()) << counted;
    EXPECT_EQ(taken_.size(), Sent());
    for (const std::string& question : asked_) EXPECT_EQ(taken_[question], 1);
    EXPECT_EQ(events_.size(), inquired_.size()) << "one event in each referral, no other";
    for (const auto& [referral, inquiry] : inquired_) {
      EXPECT_EQ(taken_[inquiry], 1);
      EXPECT_EQ((events_[{referral, inquiry}]), 1);
    }
  }

  SeededRandom random_{200};
  std::unique_ptr<NetworkFixture> network_;
  std::unique_ptr<WireMember> sender_;
  std::vector<v1::Submission> waiting_;
  // The message ids of questions, and of inquiries by their referral.
  std::set<std::string> asked_;
  std::map<std::string, std::string> inquired_;
  std::set<std::string> seen_;
  std::map<std::string, int> receipts_;
  std::map<std::string, int> replies_;
  // What lin's vault holds: messages that it has taken in, and events by referral and message.
  std::map<std::string, int> taken_;
  std::map<std::pair<std::string, std::string>, int> events_;
};

TEST_F(DurabilityTest, AHubKilledAtRandomPointsLosesAndRepeatsNothing) {
  int interrupted = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    for (uint64_t frames = random_.Uniform(4); frames > 0; --frames) ASSERT_TRUE(SubmitSome());
    // Every other kill comes before anybody could have waited for an answer.
    if (!SubmitSome(kill % 2 == 0 ? absl::ZeroDuration() : SoonAfter())) ++interrupted;
    const absl::Status restarted = network_->RestartHub();
    ASSERT_TRUE(restarted.ok()) << restarted;
    ASSERT_TRUE(sender_->Connect().ok());
  }
  EXPECT_GT(interrupted, 0) << "no kill came while something was on its way";
  ASSERT_FALSE(waiting_.empty());
  SubmitAll();
  CollectAnswers();
  ExpectEachAnsweredOnce();
  ExpectEachInTheVaultOnce();
}

TEST_F(DurabilityTest, ANodeKilledBetweenReceiptAndAckTakesEverythingExactlyOnce) {
  for (int kill = 0; kill < kKills; ++kill) {
    for (uint64_t frames = random_.Uniform(3); frames > 0; --frames) ASSERT_TRUE(SubmitSome());
    const auto opened = sender_->NextMessage(SoonAfter());
    ASSERT_TRUE(opened.ok()) << opened.status();
    if (opened->has_value()) Note(**opened);
    NodeProcess& lin = network_->node("lin");
    ASSERT_TRUE(lin.KillAtNextDelivery().ok());
    ASSERT_FALSE(waiting_.empty());
    // The last of a frame may be a registration, which is delivered to nobody.
    ASSERT_TRUE(SubmitSome());
    ASSERT_TRUE(SubmitSome());
    const absl::Status killed = lin.AwaitKilled();
    ASSERT_TRUE(killed.ok()) << killed;
    const absl::Status started = lin.Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  SubmitAll();
  CollectAnswers();
  ExpectEachAnsweredOnce();
  ExpectEachInTheVaultOnce();
}

}  // namespace
}  // namespace waymark::testing
