// The hub's disk is full: whoever submits is told so, what was confirmed is delivered, and when
// there is room again the hub goes on, without a restart. A real hub on a small disk.
#include <gmock/gmock.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "base/envelope/header.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/network_fixture.h"
#include "tests/support/small_disk.h"
#include "tests/support/wire_member.h"

namespace waymark::testing {
namespace {

// For the whole network, of which the hub alone writes once it is there.
constexpr int kMebibytes = 24;
// More than the hub's files have room for without growing.
constexpr int kMany = 4000;

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::Status ready = Prepare();
    ASSERT_TRUE(ready.ok()) << ready;
  }

  absl::Status Prepare() {
    ASSIGN_OR_RETURN(disk_, SmallDisk::Make(kMebibytes));
    setenv("TMPDIR", disk_->folder().c_str(), /*overwrite=*/1);
    ASSIGN_OR_RETURN(network_, NetworkFixture::Create({}, NetworkFixture::Evening(),
                                                      {.program = "", .log_level = "info"}));
    ASSIGN_OR_RETURN(sender_, Join("qso"));
    ASSIGN_OR_RETURN(recipient_, Join("lin"));
    for (WireMember* member : {sender_.get(), recipient_.get()}) {
      RETURN_IF_ERROR(member->FetchDirectory());
      RETURN_IF_ERROR(member->Connect().status());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<WireMember>> Join(const std::string& handle) {
    return WireMember::Join(network_->folder() + "/" + handle,
                            Scenario1Organisations({handle}).front().member, network_->registry(),
                            network_->desk(), network_->clock());
  }

  // Asks for room; returns the hub's answer.
  absl::StatusOr<v1::Reason> Ask() {
    v1::Payload payload;
    v1::CapacityQuery& query = *payload.mutable_capacity_query();
    query.set_service_id(service_.bytes());
    query.set_service_code(206);
    query.set_quantity(1);
    query.set_unit(v1::CAPACITY_UNIT_FAMILY_ROOM);
    query.mutable_window()->set_from_minute(absl::ToUnixSeconds(At(20, 30)) / 60);
    query.mutable_window()->set_to_minute(absl::ToUnixSeconds(At(22, 30)) / 60);
    ASSIGN_OR_RETURN(const v1::Message question,
                     sender_->Seal(sender_->HeaderTo(recipient_->unit(), v1::KIND_CAPACITY_QUERY,
                                                     v1::STAGE_NONE),
                                   payload));
    ASSIGN_OR_RETURN(const v1::Reason reason, sender_->Submit(question));
    if (reason == v1::REASON_UNSPECIFIED) {
      ASSIGN_OR_RETURN(const v1::Header header, ParseHeader(question.header()));
      confirmed_.insert(header.message_id());
    }
    return reason;
  }

  // Publishes a service, or what is new of it.
  absl::Status Publish() {
    v1::Service service = Scenario1Organisations({"lin"}).front().services.front().service;
    service.set_service_id(service_.bytes());
    return sender_->PublishService(service);
  }

  // Asks until the answer is another one, at most so often.
  absl::StatusOr<v1::Reason> AskWhile(v1::Reason reason) {
    for (int i = 0; i < kMany; ++i) {
      ASSIGN_OR_RETURN(const v1::Reason answer, Ask());
      if (answer != reason) return answer;
    }
    return reason;
  }

  // Takes in everything that was confirmed and not delivered yet.
  absl::Status Deliver() {
    while (delivered_.size() < confirmed_.size()) {
      ASSIGN_OR_RETURN(const auto opened, recipient_->NextMessage());
      if (!opened.has_value()) return Failed("something confirmed is not delivered");
      if (!delivered_.insert(opened->header.message_id()).second) {
        return Failed("something is delivered twice");
      }
    }
    return absl::OkStatus();
  }

  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<NetworkFixture> network_;
  std::unique_ptr<WireMember> sender_;
  std::unique_ptr<WireMember> recipient_;
  const ServiceId service_ = ServiceId::Generate(SystemRandom());
  std::set<std::string> confirmed_;
  std::set<std::string> delivered_;
};

TEST_F(FullDiskTest, IsSaidAndGoneOnFrom) {
  ASSERT_EQ(*Ask(), v1::REASON_UNSPECIFIED);
  for (int time = 0; time < 3; ++time) {
    ASSERT_TRUE(disk_->Fill().ok());
    const auto refused = AskWhile(v1::REASON_UNSPECIFIED);
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_EQ(*refused, v1::REASON_QUOTA_EXCEEDED);
    EXPECT_EQ(ReasonOf(Publish()), v1::REASON_QUOTA_EXCEEDED);
    const absl::Status delivered = Deliver();
    EXPECT_TRUE(delivered.ok()) << delivered;

    disk_->Free();
    const auto accepted = AskWhile(v1::REASON_QUOTA_EXCEEDED);
    ASSERT_TRUE(accepted.ok()) << accepted.status();
    EXPECT_EQ(*accepted, v1::REASON_UNSPECIFIED);
    const absl::Status published = Publish();
    EXPECT_TRUE(published.ok()) << published;
  }
  const absl::Status delivered = Deliver();
  EXPECT_TRUE(delivered.ok()) << delivered;
  EXPECT_EQ(delivered_, confirmed_) << "and nothing that was refused";
  EXPECT_FALSE(sender_->goodbye().has_value());
  EXPECT_TRUE(network_->StopAll().ok());
}

}  // namespace
}  // namespace waymark::testing
