#include "client/delivery/intake.h"

#include "absl/strings/escaping.h"
#include "base/status/status.h"
#include "client/delivery/planner.h"
#include "client/delivery/target.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kNoteCanary[] = "CANARY-note-orchid-7741";

// The mapping takes items as they are: the local system speaks the shared schema.
class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() : system_(records_.path(), true) {
    office_.PublishPartner();
    office_.Watch();
    target_.name = "beds";
    target_.connector = &system_;
    target_.runner = &mappings_;
    target_.inward = MappingProgram{"in.jq", "."};
    target_.capacity = MappingProgram{"room.jq", "."};
    Restart();
  }

  void Restart() {
    intake_ = std::make_unique<Intake>(
        office_.context, target_,
        [this](v1::Capacity capacity) -> absl::StatusOr<absl::Time> {
          if (!published_error_.ok()) return published_error_;
          published_.push_back(std::move(capacity));
          return office_.clock.Now();
        },
        [this](v1::Reason, const std::string& text) { alerts_.push_back(text); });
  }

  static std::string Update(const local::v1::Referral& referral, const std::string& rest) {
    return "{\"referral_id\":\"" + absl::Base64Escape(referral.referral_id()) + "\"," + rest + "}";
  }
  static std::string Start(const local::v1::Referral& referral) {
    return Update(referral, "\"kind\":\"KIND_START\"");
  }
  void Report(const std::string& item) { system_.feeds[Feed::kUpdates].push_back(item); }
  void Read() {
    const absl::Status read = intake_->ReadFeeds();
    EXPECT_TRUE(read.ok()) << read;
  }
  std::vector<local::v1::RefusedFeedItem> Refused() {
    return ListRefusedItems(*office_.vault).value();
  }
  local::v1::Referral Accepted() {
    return office_.Referral(NodeState::kAccepted, /*originated=*/false);
  }

  Office office_;
  TempFolder records_;
  FakeSystem system_;
  FakeMappings mappings_;
  LocalTarget target_;
  std::vector<v1::Capacity> published_;
  absl::Status published_error_;
  std::vector<std::string> alerts_;
  std::unique_ptr<Intake> intake_;
};

TEST_F(IntakeTest, AReportIsDoneAsIfTyped) {
  const local::v1::Referral referral = Accepted();
  Report(Start(referral));
  Read();
  EXPECT_EQ(office_.Load(referral).state(), "STARTED");
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_START));
  EXPECT_THAT(Refused(), IsEmpty());
  EXPECT_THAT(system_.taken, ElementsAre("1"));
}

TEST_F(IntakeTest, WhatComesAgainChangesNothing) {
  const local::v1::Referral referral = Accepted();
  Report(Start(referral));
  Report(Start(referral));
  Read();
  EXPECT_THAT(office_.KindsLeaving(), SizeIs(1));
  // As after a crash before the position was stored.
  office_.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(const auto positions, t.List(DocumentKind::kFeedPosition));
    for (const Document& position : positions) {
      RETURN_IF_ERROR(t.Delete(DocumentKind::kFeedPosition, position.id));
    }
    return absl::OkStatus();
  });
  Restart();
  Read();
  EXPECT_THAT(office_.KindsLeaving(), SizeIs(1));
  EXPECT_THAT(Refused(), IsEmpty());
}

TEST_F(IntakeTest, ARestartGoesOnWhereItWas) {
  int runs = 0;
  mappings_.run = [&](const std::string&) {
    ++runs;
    return std::vector<std::string>();
  };
  for (const char* item : {"1", "2", "3"}) Report(item);
  Read();
  EXPECT_EQ(runs, 3);
  EXPECT_THAT(system_.taken, ElementsAre("2", "3"));
  Restart();
  Report("4");
  Read();
  EXPECT_EQ(runs, 4);
}

TEST_F(IntakeTest, WhatIsRefusedIsShownAndHoldsUpNothing) {
  const local::v1::Referral referral = Accepted();
  Report(
      Update(referral, "\"kind\":\"KIND_DECLINE\",\"note\":\"" + std::string(kNoteCanary) + "\""));
  Report(Update(referral, "\"kind\":\"KIND_START\",\"sections\":{\"iden\":{}}"));
  Report(Start(office_.Referral(NodeState::kAccepted, /*originated=*/true)));
  Report(Start(referral));
  Read();
  EXPECT_EQ(office_.Load(referral).state(), "STARTED");
  const auto refused = Refused();
  ASSERT_THAT(refused, SizeIs(3));
  std::string told;
  for (const auto& item : refused) {
    ASSERT_FALSE(item.findings().empty());
    for (const auto& finding : item.findings()) told += finding.DebugString();
  }
  for (const std::string& alert : alerts_) told += alert;
  EXPECT_THAT(told, HasSubstr("REASON_MALFORMED"));
  EXPECT_THAT(told, HasSubstr("REASON_CONTENT_FORBIDDEN"));
  EXPECT_THAT(told, HasSubstr("REASON_REFERRAL_UNKNOWN"));
  EXPECT_THAT(told, Not(HasSubstr(kNoteCanary)));
  const int before = system_.writes;
  Read();
  EXPECT_THAT(Refused(), SizeIs(3)) << "nothing is tried again by itself";
  EXPECT_EQ(system_.writes, before);
}

TEST_F(IntakeTest, AStepThatDoesNotFitIsRefused) {
  const local::v1::Referral referral = office_.Referral(NodeState::kCompleted, false);
  Report(Start(referral));
  Read();
  ASSERT_THAT(Refused(), SizeIs(1));
  EXPECT_EQ(Refused().front().findings(0).reason(), v1::REASON_STATE_FORBIDS);
}

TEST_F(IntakeTest, AnErasureTakesWhatWasReportedAlong) {
  local::v1::Referral referral = office_.Referral(NodeState::kCompleted, false);
  Report(Start(referral));
  Read();
  ASSERT_THAT(Refused(), SizeIs(1));
  EXPECT_THAT(Refused().front().item(), HasSubstr("KIND_START"));
  referral.set_erased_at_ms(ToMillis(office_.clock.Now()));
  CaseworkContext context = office_.context;
  const std::vector<LocalTarget> none;
  DeliveryPlanner planner(none, office_.clock, [] {});
  context.local_copies = &planner;
  office_.Write([&](Transaction& t) { return SaveReferral(context, t, referral); });
  EXPECT_THAT(Refused(), IsEmpty());
  Report(Start(referral) + " ");
  Read();
  ASSERT_THAT(Refused(), SizeIs(1));
  EXPECT_THAT(Refused().front().item(), IsEmpty());
  EXPECT_EQ(ReasonOf(intake_->Retry(*ItemId::FromBytes(Refused().front().item_id()))),
            v1::REASON_NOT_FOUND);
}

TEST_F(IntakeTest, APersonLetsItBeTriedAgain) {
  const local::v1::Referral referral = Accepted();
  mappings_.run = [](const std::string&) -> FakeMappings::Outputs {
    return Error(v1::REASON_MAPPING_FAILED, "mapping in.jq");
  };
  Report(Start(referral));
  Read();
  ASSERT_THAT(Refused(), SizeIs(1));
  const ItemId id = *ItemId::FromBytes(Refused().front().item_id());
  EXPECT_EQ(ReasonOf(intake_->Retry(id)), v1::REASON_MAPPING_FAILED);
  EXPECT_THAT(Refused(), SizeIs(1));
  mappings_.run = FakeMappings().run;
  EXPECT_TRUE(intake_->Retry(id).ok());
  EXPECT_EQ(office_.Load(referral).state(), "STARTED");
  EXPECT_THAT(Refused(), IsEmpty());
  EXPECT_EQ(ReasonOf(intake_->Retry(id)), v1::REASON_NOT_FOUND);
}

TEST_F(IntakeTest, AMappingThatCannotRunNowIsNoVerdict) {
  const local::v1::Referral referral = Accepted();
  mappings_.run = [](const std::string&) -> FakeMappings::Outputs {
    return Error(v1::REASON_MAPPING_UNAVAILABLE, "waymark-jq");
  };
  Report(Start(referral));
  EXPECT_EQ(ReasonOf(intake_->ReadFeeds()), v1::REASON_MAPPING_UNAVAILABLE);
  EXPECT_THAT(Refused(), IsEmpty());
  EXPECT_THAT(system_.taken, IsEmpty());
  mappings_.run = FakeMappings().run;
  Read();
  EXPECT_EQ(office_.Load(referral).state(), "STARTED");
}

TEST_F(IntakeTest, RoomIsPublished) {
  const std::string service = absl::Base64Escape(office_.lin.service.bytes());
  system_.feeds[Feed::kCapacity] = {
      "{\"service_id\":\"" + service + "\",\"status\":\"CAPACITY_STATUS_WAITLIST\"}",
      "{\"beds\":3}"};
  Read();
  ASSERT_THAT(published_, SizeIs(1));
  EXPECT_EQ(published_.front().status(), v1::CAPACITY_STATUS_WAITLIST);
  ASSERT_THAT(Refused(), SizeIs(1));
  EXPECT_TRUE(Refused().front().capacity());
}

TEST_F(IntakeTest, RoomIsPublishedForItsUnitsAlone) {
  target_.units = {office_.qso.unit};
  Restart();
  v1::Capacity capacity;
  capacity.set_service_id(office_.lin.service.bytes());
  const std::string room = "{\"service_id\":\"" + absl::Base64Escape(capacity.service_id()) +
                           "\",\"status\":\"CAPACITY_STATUS_WAITLIST\"}";
  system_.feeds[Feed::kCapacity] = {room};
  Read();
  EXPECT_THAT(published_, IsEmpty());
  EXPECT_EQ(Refused().front().findings(0).reason(), v1::REASON_UNIT_NOT_OWN);
}

TEST_F(IntakeTest, AFeedThatCannotBeReadIsOneAlertAndItsEndAnother) {
  system_.feed_error = Error(v1::REASON_LOCAL_SYSTEM_UNAVAILABLE, "out of reach");
  target_.capacity.reset();
  for (int i = 0; i < 3; ++i) Read();
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_THAT(alerts_.front(), HasSubstr("cannot be read"));
  system_.feed_error = absl::OkStatus();
  for (int i = 0; i < 3; ++i) Read();
  EXPECT_THAT(alerts_, SizeIs(2));
}

}  // namespace
}  // namespace waymark::node
