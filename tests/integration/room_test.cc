// Room over real processes: two desks offer the last room of a redacted place at the same moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <latch>
#include <memory>
#include <thread>

#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

using ::testing::UnorderedElementsAre;

class RoomTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "lin"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    walks_ = {std::make_unique<Walkthrough>(*network_, random_, Sara()),
              std::make_unique<Walkthrough>(*network_, random_, SomebodyElse())};
    using Step = absl::Status (Walkthrough::*)();
    for (const Step step :
         {&Walkthrough::OpenCase, &Walkthrough::RecordInquiryConsent, &Walkthrough::InquireRooms}) {
      for (const auto& walk : walks_) {
        const absl::Status walked = (*walk.*step)();
        ASSERT_TRUE(walked.ok()) << walked;
      }
    }
    for (const auto& walk : walks_) {
      const absl::Status asked = walk->AwaitState("lin", "lin", "INQUIRED");
      ASSERT_TRUE(asked.ok()) << asked;
    }
  }

  // The node of lin says that `available` rooms are free.
  void SayRoom(uint32_t available) {
    v1::PublishCapacityRequest request;
    request.mutable_capacity()->set_service_id(network_->service("lin-206").bytes());
    request.mutable_capacity()->set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
    request.mutable_capacity()->set_available(available);
    const auto said =
        network_->node("lin").administrator().Call(&NodeStub::PublishCapacity, request);
    ASSERT_TRUE(said.ok()) << said.status();
  }

  // One more login of lin's caseworker.
  std::unique_ptr<node::NodeClient> LogIn() {
    const NodeProcess& lin = network_->node("lin");
    v1::LoginRequest request;
    request.set_name("lead");
    std::ifstream file(lin.passphrase_file());
    std::getline(file, *request.mutable_passphrase());
    const auto login = node::NodeClient(lin.socket(), "").Call(&NodeStub::Login, request);
    EXPECT_TRUE(login.ok()) << login.status();
    return std::make_unique<node::NodeClient>(lin.socket(), login.ok() ? login->token() : "");
  }

  v1::OfferRequest OfferIn(Walkthrough& walk, absl::Duration hold) {
    const absl::Time now =
        absl::FromUnixSeconds(absl::ToUnixSeconds(network_->clock().Now()) / 60 * 60);
    v1::OfferRequest request;
    request.set_referral_id(walk.Id("lin"));
    request.set_message_id(NewId(random_));
    v1::Offer& offer = *request.mutable_prog()->mutable_offer();
    offer.mutable_start()->set_seconds(absl::ToUnixSeconds(now + hold));
    offer.mutable_hold_until()->set_seconds(absl::ToUnixSeconds(now + hold));
    offer.set_quantity(1);
    return request;
  }

  // Waits until the partner's directory shows this for the service, and never a number.
  void AwaitShown(v1::CapacityStatus status) {
    v1::DirectoryListing shown;
    EXPECT_TRUE(Eventually([&] {
      const auto listed =
          walks_[0]->lead().Call(&NodeStub::ListDirectory, v1::ListDirectoryRequest());
      if (!listed.ok()) return false;
      for (const v1::DirectoryListing& listing : listed->services()) {
        if (listing.service().handle() == "lin-206") shown = listing;
      }
      EXPECT_FALSE(shown.has_available());
      return shown.status() == status;
    })) << shown.ShortDebugString();
  }

  // What the partner sees elsewhere: in its answers, a match, the coordinator's view.
  v1::CapacityReply Answer() {
    const auto listed =
        walks_[0]->lead().Call(&NodeStub::ListCapacityQueries, v1::ListCapacityQueriesRequest());
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (!listed.ok() || listed->queries_size() != 1) return {};
    EXPECT_FALSE(listed->queries(0).reply().has_available());
    return listed->queries(0).reply();
  }
  v1::CapacityStatus Matched() {
    v1::MatchServicesRequest request;
    request.set_case_id(walks_[0]->Id("case"));
    request.set_need_id(walks_[0]->Id("room"));
    const auto matched = walks_[0]->lead().Call(&NodeStub::MatchServices, request);
    EXPECT_TRUE(matched.ok()) << matched.status();
    if (!matched.ok() || matched->matches_size() != 1) return v1::CAPACITY_STATUS_UNSPECIFIED;
    return matched->matches(0).entry().status();
  }
  v1::CapacityStatus Covered() {
    const auto coverage = walks_[0]->lead().Call(&NodeStub::GetCoverage, v1::GetCoverageRequest());
    EXPECT_TRUE(coverage.ok()) << coverage.status();
    if (!coverage.ok()) return v1::CAPACITY_STATUS_UNSPECIFIED;
    EXPECT_EQ(coverage->total().has_capacity(), 0u) << "a redacted place is in no count";
    for (const v1::CoverageCell& cell : coverage->cells()) {
      if (cell.code() == 206 && cell.area() == "XA-M") return cell.redacted();
    }
    return v1::CAPACITY_STATUS_UNSPECIFIED;
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{17};
  std::array<std::unique_ptr<Walkthrough>, 2> walks_;
};

TEST_F(RoomTest, OfTwoOffersOfTheLastRoomOneWinsAndEverybodySeesThatItIsHeld) {
  SayRoom(1);
  AwaitShown(v1::CAPACITY_STATUS_HAS_CAPACITY);
  const std::array<v1::OfferRequest, 2> offers = {OfferIn(*walks_[0], absl::Hours(1)),
                                                  OfferIn(*walks_[1], absl::Hours(1))};
  const std::array<std::unique_ptr<node::NodeClient>, 2> logins = {LogIn(), LogIn()};
  std::array<v1::Reason, 2> reasons{};
  std::latch start(2);
  std::array<std::thread, 2> desks;
  for (size_t i = 0; i < desks.size(); ++i) {
    desks[i] = std::thread([&, i] {
      start.arrive_and_wait();
      reasons[i] = ReasonOf(logins[i]->Call(&NodeStub::Offer, offers[i]).status());
    });
  }
  for (std::thread& desk : desks) desk.join();
  ASSERT_THAT(reasons, UnorderedElementsAre(v1::REASON_UNSPECIFIED, v1::REASON_NO_ROOM));
  const size_t winner = reasons[0] == v1::REASON_UNSPECIFIED ? 0 : 1;
  EXPECT_TRUE(walks_[winner]->AwaitState("qso", "lin", "OFFERED").ok());
  EXPECT_TRUE(walks_[1 - winner]->AwaitState("lin", "lin", "INQUIRED").ok());
  AwaitShown(v1::CAPACITY_STATUS_NO_CAPACITY);

  // The hold ends and the room is there again, for the other one too.
  network_->Advance(absl::Hours(1));
  AwaitShown(v1::CAPACITY_STATUS_HAS_CAPACITY);
  const absl::Status offered =
      LogIn()->Call(&NodeStub::Offer, OfferIn(*walks_[1 - winner], absl::Hours(1))).status();
  EXPECT_TRUE(offered.ok()) << offered;
}

// The directory, a match, the coordinator's view and the answers that came before.
TEST_F(RoomTest, RoomThatIsOverIsShownNowhere) {
  SayRoom(2);
  AwaitShown(v1::CAPACITY_STATUS_HAS_CAPACITY);
  v1::QueryCapacityRequest question;
  question.set_case_id(walks_[0]->Id("case"));
  question.set_need_id(walks_[0]->Id("room"));
  question.add_service_ids(network_->service("lin-206").bytes());
  question.add_message_ids(NewId(random_));
  const auto asked = walks_[0]->lead().Call(&NodeStub::QueryCapacity, question);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_TRUE(Eventually([&] { return Answer().status() == v1::CAPACITY_STATUS_HAS_CAPACITY; }));
  EXPECT_EQ(Matched(), v1::CAPACITY_STATUS_HAS_CAPACITY);
  EXPECT_EQ(Covered(), v1::CAPACITY_STATUS_HAS_CAPACITY);

  network_->Advance(absl::Hours(13));
  AwaitShown(v1::CAPACITY_STATUS_UNKNOWN);
  EXPECT_EQ(Answer().status(), v1::CAPACITY_STATUS_UNKNOWN);
  EXPECT_EQ(Matched(), v1::CAPACITY_STATUS_UNKNOWN);
  EXPECT_EQ(Covered(), v1::CAPACITY_STATUS_UNKNOWN);
}

}  // namespace
}  // namespace waymark::testing
