// What was confirmed is delivered exactly once, whoever is killed in between: real processes,
// SIGKILL at random moments.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/envelope/header.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"
#include "tests/support/wire_member.h"

namespace waymark::testing {
namespace {

constexpr int kSubmissions = 200;
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
    for (int i = 0; i < kSubmissions; ++i) {
      ASSIGN_OR_RETURN(const v1::Message message, AskForRoom());
      waiting_.push_back(message);
      asked_.insert(ParseHeader(message.header())->message_id());
    }
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
    std::vector<v1::Submission> frame;
    for (size_t i = 0; i < count; ++i) frame.push_back(Item(waiting_[i]));
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

  // Collects what comes back until every question has a receipt and an answer.
  void CollectAnswers() {
    while (receipts_.size() < asked_.size() || replies_.size() < asked_.size()) {
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

  void ExpectEachExactlyOnce() {
    for (const std::string& question : asked_) {
      EXPECT_EQ(receipts_[question], 1);
      EXPECT_EQ(replies_[question], 1);
    }
    EXPECT_EQ(receipts_.size(), asked_.size());
    EXPECT_EQ(replies_.size(), asked_.size());
  }

  SeededRandom random_{200};
  std::unique_ptr<NetworkFixture> network_;
  std::unique_ptr<WireMember> sender_;
  std::vector<v1::Message> waiting_;
  std::set<std::string> asked_;
  std::set<std::string> seen_;
  std::map<std::string, int> receipts_;
  std::map<std::string, int> replies_;
};

TEST_F(DurabilityTest, AHubKilledAtRandomPointsLosesAndRepeatsNothing) {
  int interrupted = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    for (uint64_t frames = random_.Uniform(4); frames > 0; --frames) ASSERT_TRUE(SubmitSome());
    if (!SubmitSome(SoonAfter())) ++interrupted;
    const absl::Status restarted = network_->RestartHub();
    ASSERT_TRUE(restarted.ok()) << restarted;
    ASSERT_TRUE(Eventually([&] { return sender_->Connect().ok(); }));
  }
  EXPECT_GT(interrupted, 0) << "no kill came while something was on its way";
  ASSERT_FALSE(waiting_.empty());
  SubmitAll();
  CollectAnswers();
  ExpectEachExactlyOnce();
}

TEST_F(DurabilityTest, ANodeKilledBetweenReceiptAndAckTakesEverythingExactlyOnce) {
  for (int kill = 0; kill < kKills; ++kill) {
    for (uint64_t frames = 1 + random_.Uniform(4); frames > 0; --frames) ASSERT_TRUE(SubmitSome());
    const auto opened = sender_->NextMessage(SoonAfter());
    ASSERT_TRUE(opened.ok()) << opened.status();
    if (opened->has_value()) Note(**opened);
    network_->node("lin").Kill();
    const absl::Status started = network_->node("lin").Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  SubmitAll();
  CollectAnswers();
  ExpectEachExactlyOnce();
}

}  // namespace
}  // namespace waymark::testing
