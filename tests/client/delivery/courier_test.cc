#include "client/delivery/courier.h"

#include <csignal>

#include "base/log/log.h"
#include "client/casework/receiver.h"
#include "client/casework/sections.h"
#include "client/casework/upkeep.h"
#include "client/delivery/commands.h"
#include "client/delivery/planner.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

using local::v1::Delivery;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kCanary[] = "CANARY-name-orchid-7741";

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() : CourierTest(true) {}
  explicit CourierTest(bool keyed) : system_(records_.path(), keyed) {
    office_.PublishPartner();
    office_.Watch();
    LocalTarget target;
    target.name = "beds";
    target.connector = &system_;
    target.runner = &mappings_;
    target.outward = MappingProgram{"out.jq", "."};
    targets_.push_back(std::move(target));
    context_.local_copies = &planner_;
    Restart();
  }

  void Restart() {
    courier_ = std::make_unique<Courier>(
        context_, targets_.front(),
        [this](v1::Reason reason, const std::string& text) { alerts_.emplace_back(reason, text); });
  }

  void Run() {
    const auto next = courier_->RunDue();
    EXPECT_TRUE(next.ok()) << next.status();
  }
  // Runs until whatever waits for its time has had it.
  void RunLater() {
    office_.clock.Advance(absl::Hours(1));
    Run();
  }

  // A referral of the partner in this state, with a section that holds the canary.
  local::v1::Referral Referral(NodeState state = NodeState::kAccepted) {
    local::v1::Referral referral = office_.Referral(state, /*originated=*/false);
    v1::Sections sections;
    sections.mutable_iden()->set_name_to_use(kCanary);
    Write([&](Transaction& t) {
      return StoreSections(t, IdOf(referral), SectionDirection::kReceived, v1::STAGE_ACCEPTED,
                           sections);
    });
    Save(referral);
    return referral;
  }
  static ReferralId IdOf(const local::v1::Referral& referral) {
    return *ReferralId::FromBytes(referral.referral_id());
  }
  template <typename Change>
  void Write(Change change) {
    office_.Write(change);
  }
  void Save(const local::v1::Referral& referral) {
    Write([&](Transaction& t) { return SaveReferral(context_, t, referral); });
  }
  void Move(local::v1::Referral& referral, NodeState state) {
    referral.set_state(std::string(Name(state)));
    Save(referral);
  }

  // The person withdraws: the partner says so.
  void Withdraw(const local::v1::Referral& referral) {
    v1::Payload payload;
    payload.mutable_revocation()->add_token_hashes(referral.tokens(0).hash());
    payload.set_token(referral.tokens(0).token());
    payload.set_token_signature(referral.tokens(0).signature());
    office_.Arrive(office_.Header(v1::KIND_REVOKE, IdOf(referral)), payload);
    Receiver receiver(context_);
    const auto taken =
        receiver.ProcessInbox([](const absl::Status& verdict) { ADD_FAILURE() << verdict; });
    EXPECT_TRUE(taken.ok());
  }
  // What the partner hears about the withdrawal.
  std::vector<v1::RevocationAck> Acknowledgements() {
    std::vector<v1::RevocationAck> found;
    for (const Opened& message : office_.OpenLeaving()) {
      if (message.header.kind() != v1::KIND_REVOKE_ACK) continue;
      found.push_back(message.payload.revocation_ack());
    }
    return found;
  }

  std::vector<ShownDelivery> Shown(bool all = false) {
    const auto shown = ListDeliveries(*office_.vault, targets_, all);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return *shown;
  }
  Delivery Only() {
    const auto shown = Shown(true);
    EXPECT_THAT(shown, SizeIs(1));
    return shown.empty() ? Delivery() : shown.front().delivery;
  }
  DeliveryId OnlyId() { return *DeliveryId::FromBytes(Only().delivery_id()); }

  void Fail(WriteOutcome outcome, bool effect = false) {
    system_.next = [=] { return Fault{effect, {.outcome = outcome, .detail = "it did not"}}; };
  }
  void Heal() { system_.next = nullptr; }

  Office office_;
  TempFolder records_;
  FakeSystem system_;
  FakeMappings mappings_;
  std::vector<LocalTarget> targets_;
  DeliveryPlanner planner_{targets_, office_.clock, [] {}};
  CaseworkContext context_ = office_.context;
  std::vector<std::pair<v1::Reason, std::string>> alerts_;
  std::unique_ptr<Courier> courier_;
};

class UnkeyedCourierTest : public CourierTest {
 protected:
  UnkeyedCourierTest() : CourierTest(false) {}
};

TEST_F(CourierTest, AnAcceptedReferralIsOneRecordThatFollowsIt) {
  local::v1::Referral referral = Referral(NodeState::kInquired);
  Run();
  EXPECT_THAT(system_.Records(), IsEmpty()) << "an inquiry is not yet the local system's business";
  Move(referral, NodeState::kAccepted);
  Run();
  ASSERT_THAT(system_.Records(), SizeIs(1));
  EXPECT_EQ(system_.Records().begin()->first, IdOf(referral).hex());
  EXPECT_THAT(system_.Records().begin()->second, HasSubstr("ACCEPTED"));
  EXPECT_THAT(system_.Records().begin()->second, HasSubstr(kCanary));
  EXPECT_EQ(mappings_.last_args.at("key"), IdOf(referral).hex());
  Save(referral);
  Run();
  EXPECT_EQ(system_.writes, 1) << "nothing that the record shows has changed";
  Move(referral, NodeState::kCompleted);
  Run();
  ASSERT_THAT(system_.Records(), SizeIs(1));
  EXPECT_THAT(system_.Records().begin()->second, HasSubstr("COMPLETED"));
  EXPECT_THAT(Shown(), IsEmpty()) << "nothing is left to look at";
}

TEST_F(CourierTest, OnlyReferralsOfItsUnitsThatWereAskedOfThisNodeAreDelivered) {
  targets_.front().units = {office_.qso.unit};
  Referral();
  targets_.front().units = {};
  local::v1::Referral own = office_.Referral(NodeState::kAccepted, /*originated=*/true);
  Save(own);
  Run();
  EXPECT_EQ(system_.writes, 0);
}

TEST_F(CourierTest, ASystemThatIsNewInTheSettingsGetsWhatIsThere) {
  office_.Referral(NodeState::kStarted, /*originated=*/false);
  office_.Referral(NodeState::kCompleted, /*originated=*/false);
  Write([&](Transaction& t) { return planner_.NoteAll(t); });
  Run();
  EXPECT_THAT(system_.Records(), SizeIs(1)) << "what has ended before is not its business";
}

TEST_F(CourierTest, TheRecordIsMadeOfWhatStandsWhenItIsWritten) {
  local::v1::Referral referral = Referral();
  Fail(WriteOutcome::kNotNow);
  Run();
  Move(referral, NodeState::kScheduled);
  Move(referral, NodeState::kStarted);
  Heal();
  RunLater();
  EXPECT_EQ(system_.writes, 2);
  EXPECT_THAT(system_.Records().begin()->second, HasSubstr("STARTED"));
}

TEST_F(CourierTest, AChangeWhileItIsWrittenFollows) {
  local::v1::Referral referral = Referral();
  system_.reached = [&](std::string_view step) {
    if (step == "record stored" && referral.state() == "ACCEPTED") {
      Move(referral, NodeState::kStarted);
    }
  };
  Run();
  EXPECT_EQ(system_.writes, 2);
  EXPECT_THAT(system_.Records().begin()->second, HasSubstr("STARTED"));
}

TEST_F(CourierTest, AnOutageIsOneAlertAndItsEndAnother) {
  for (int i = 0; i < 20; ++i) Referral();
  Fail(WriteOutcome::kNotNow);
  for (int i = 0; i < 10; ++i) RunLater();
  EXPECT_LE(system_.writes, 10) << "a system that is away is asked with one delivery at a time";
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_EQ(alerts_.front().first, v1::REASON_LOCAL_SYSTEM_UNAVAILABLE);
  EXPECT_THAT(alerts_.front().second, HasSubstr("'beds'"));
  EXPECT_GT(courier_->counters().failed, 0);
  Heal();
  for (int i = 0; i < 3; ++i) RunLater();
  EXPECT_THAT(system_.Records(), SizeIs(20));
  ASSERT_THAT(alerts_, SizeIs(2));
  EXPECT_EQ(alerts_.back().first, v1::REASON_UNSPECIFIED);
  EXPECT_EQ(courier_->counters().written, 20);
  EXPECT_EQ(courier_->counters().waiting, 0);
}

TEST_F(CourierTest, ADeadLetterSaysWhyAndGoesWithOneCommand) {
  Referral();
  Fail(WriteOutcome::kRefused);
  Run();
  RunLater();
  EXPECT_EQ(system_.writes, 1) << "a refusal is not repeated";
  const auto shown = Shown();
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(shown.front().delivery.state(), local::v1::LOCAL_STATE_DEAD);
  EXPECT_EQ(shown.front().delivery.reason(), v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_EQ(shown.front().delivery.detail(), "it did not");
  EXPECT_THAT(shown.front().cure, HasSubstr("then replay"));
  Heal();
  EXPECT_EQ(*ReplayDead(*office_.vault, office_.clock, "other"), 0);
  EXPECT_EQ(*ReplayDead(*office_.vault, office_.clock, ""), 1);
  Run();
  EXPECT_THAT(system_.Records(), SizeIs(1));
  EXPECT_THAT(alerts_, SizeIs(2));
}

TEST_F(CourierTest, AMappingThatFailsIsADeadLetterAndHoldsUpNothing) {
  const local::v1::Referral bad = Referral();
  mappings_.run = [&](const std::string& input) -> FakeMappings::Outputs {
    if (input.find("STARTED") == std::string::npos) {
      return Error(v1::REASON_MAPPING_FAILED, "mapping out.jq");
    }
    return std::vector<std::string>{input};
  };
  Referral(NodeState::kStarted);
  Run();
  EXPECT_THAT(system_.Records(), SizeIs(1));
  ASSERT_THAT(Shown(), SizeIs(1));
  EXPECT_EQ(Shown().front().delivery.reason(), v1::REASON_MAPPING_FAILED);
  EXPECT_EQ(Shown().front().delivery.referral_id(), bad.referral_id());
}

TEST_F(CourierTest, SeveralRecordsOrNoObjectAreRefusedAndNoneIsNothing) {
  Referral();
  for (const std::vector<std::string>& outputs :
       std::vector<std::vector<std::string>>{{"{}", "{}"}, {"[1]"}}) {
    mappings_.run = [&](const std::string&) { return outputs; };
    Run();
    EXPECT_EQ(Only().reason(), v1::REASON_MAPPING_OUTPUT_INVALID);
    EXPECT_TRUE(ReplayDelivery(*office_.vault, office_.clock, OnlyId()).ok());
  }
  mappings_.run = [](const std::string&) { return std::vector<std::string>(); };
  Run();
  EXPECT_EQ(Only().state(), local::v1::LOCAL_STATE_DONE);
  EXPECT_EQ(system_.writes, 0);
}

TEST_F(CourierTest, NothingIsOpenedAfterTheConsentEnded) {
  Referral();
  office_.clock.Advance(absl::Hours(72));
  Run();
  EXPECT_EQ(system_.writes, 0);
  EXPECT_EQ(Only().state(), local::v1::LOCAL_STATE_DEAD);
  EXPECT_EQ(Only().reason(), v1::REASON_TOKEN_EXPIRED);
}

TEST_F(CourierTest, AWithdrawalIsAcknowledgedOnceTheRecordIsErased) {
  const local::v1::Referral referral = Referral();
  Run();
  Fail(WriteOutcome::kNotNow);
  Withdraw(referral);
  Run();
  EXPECT_THAT(Acknowledgements(), IsEmpty()) << "the record is still there";
  EXPECT_THAT(system_.Records(), SizeIs(1));
  Heal();
  RunLater();
  EXPECT_THAT(system_.Records(), IsEmpty());
  ASSERT_THAT(Acknowledgements(), SizeIs(1));
  EXPECT_EQ(Acknowledgements().front().outcome(), v1::ERASURE_OUTCOME_ERASED);
  RunLater();
  EXPECT_THAT(Acknowledgements(), SizeIs(1)) << "once";
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(CourierTest, TheEndOfRetentionReachesTheLocalSystem) {
  local::v1::Referral referral = Referral(NodeState::kStarted);
  Run();
  const auto tick = [&] {
    EXPECT_TRUE(Upkeep(context_).Tick().ok());
    Run();
  };
  // Tokens of the office end after two days; the pack keeps for thirty.
  office_.clock.Advance(absl::Hours(24 * 31));
  tick();
  EXPECT_THAT(system_.Records(), SizeIs(1));
  office_.clock.Advance(absl::Hours(24 * 2));
  tick();
  EXPECT_THAT(system_.Records(), IsEmpty());
  EXPECT_THAT(office_.Read([&](const Reader& reader) {
    return reader.ReadSections(IdOf(referral), SectionDirection::kReceived);
  }),
              IsEmpty());
  EXPECT_THAT(Acknowledgements(), IsEmpty()) << "nobody withdrew";
  EXPECT_THAT(Shown(), IsEmpty());
}

TEST_F(CourierTest, TheEndOfRetentionIsToldOnceNoCopyIsLeft) {
  local::v1::Referral referral = Referral(NodeState::kStarted);
  AddEvent(referral, MessageId(), v1::KIND_INQUIRY, v1::STAGE_INQUIRY, /*sent=*/false, TestNow());
  referral.mutable_events(0)->add_field_nos(203);
  v1::ConsentToken token = *ParseToken(referral.tokens(0).token());
  token.set_retention_days(1);
  referral.mutable_tokens(0)->set_token(token.SerializeAsString());
  Save(referral);
  Run();
  Fail(WriteOutcome::kNotNow);
  referral.mutable_tokens(0)->set_valid_until_hour(absl::ToUnixSeconds(TestNow()) / 3600 - 12);
  Save(referral);
  office_.clock.Advance(absl::Hours(13));
  EXPECT_TRUE(Upkeep(context_).Tick().ok());
  Run();
  EXPECT_THAT(office_.KindsLeaving(), IsEmpty()) << "the local system has it still";
  Heal();
  RunLater();
  EXPECT_THAT(office_.KindsLeaving(), ElementsAre(v1::KIND_RECEIPT)) << "once";
}

TEST_F(CourierTest, AfterItsEndAReferralIsKeptForAsLongAndNoLonger) {
  local::v1::Referral referral = Referral(NodeState::kStarted);
  referral.set_state_since_ms(ToMillis(office_.clock.Now()));
  Move(referral, NodeState::kCompleted);
  Run();
  office_.clock.Advance(absl::Hours(24 * 30));
  EXPECT_TRUE(Upkeep(context_).Tick().ok());
  Run();
  EXPECT_THAT(system_.Records(), IsEmpty());
  EXPECT_EQ(office_.Load(referral).state(), "COMPLETED");
}

TEST_F(CourierTest, AnErasureBeatsAWaitingPut) {
  const local::v1::Referral referral = Referral();
  Withdraw(referral);
  Run();
  EXPECT_EQ(system_.writes, 0);
  EXPECT_EQ(system_.erasures, 0) << "nothing was ever there";
  EXPECT_THAT(Acknowledgements(), SizeIs(1));
}

TEST_F(CourierTest, AnErasureWhileTheRecordIsMappedKeepsItHere) {
  const local::v1::Referral referral = Referral();
  mappings_.run = [&](const std::string& input) -> FakeMappings::Outputs {
    Withdraw(referral);
    return std::vector<std::string>{input};
  };
  Run();
  EXPECT_EQ(system_.writes, 0);
}

TEST_F(CourierTest, AnErasureWhileItIsWrittenFollows) {
  const local::v1::Referral referral = Referral();
  system_.reached = [&](std::string_view step) {
    if (step == "write begins") Withdraw(referral);
  };
  Run();
  EXPECT_THAT(system_.Records(), IsEmpty());
  EXPECT_EQ(system_.erasures, 1);
  EXPECT_THAT(Acknowledgements(), SizeIs(1));
}

TEST_F(CourierTest, WhatCannotBeErasedIsReportedWithItsGround) {
  for (const WriteOutcome outcome : {WriteOutcome::kUnsupported, WriteOutcome::kRefused}) {
    targets_.front().kept = KeptRecords{v1::RETENTION_GROUND_FINANCIAL_RECORD, 10};
    const local::v1::Referral referral = Referral();
    Run();
    Fail(outcome);
    Withdraw(referral);
    Run();
    Heal();
    ASSERT_FALSE(Acknowledgements().empty());
    const v1::RevocationAck ack = Acknowledgements().back();
    EXPECT_EQ(ack.outcome(), v1::ERASURE_OUTCOME_ERASED_EXCEPT);
    EXPECT_EQ(ack.ground(), v1::RETENTION_GROUND_FINANCIAL_RECORD);
    EXPECT_TRUE(ack.has_kept_until());
    EXPECT_EQ(Shown().front().delivery.state(), local::v1::LOCAL_STATE_KEPT);
  }
}

TEST_F(CourierTest, WithoutAGroundNobodyIsToldThatItWasErased) {
  const local::v1::Referral referral = Referral();
  Run();
  Fail(WriteOutcome::kUnsupported);
  Withdraw(referral);
  Run();
  EXPECT_THAT(Acknowledgements(), IsEmpty());
  EXPECT_EQ(Only().state(), local::v1::LOCAL_STATE_DEAD);
  EXPECT_THAT(Shown().front().cure, HasSubstr("waymark retain"));
  EXPECT_THAT(alerts_, SizeIs(1));
  EXPECT_TRUE(ResolveDelivery(*office_.vault, office_.clock, OnlyId(), Sighting::kNotThere).ok());
  Run();
  ASSERT_THAT(Acknowledgements(), SizeIs(1));
  EXPECT_EQ(Acknowledgements().front().outcome(), v1::ERASURE_OUTCOME_ERASED);
}

TEST_F(CourierTest, ARecordInASystemThatLeftTheSettingsIsNotForgotten) {
  const local::v1::Referral referral = Referral();
  Run();
  targets_.clear();
  Withdraw(referral);
  EXPECT_THAT(Acknowledgements(), IsEmpty());
  ASSERT_THAT(Shown(), SizeIs(1));
  EXPECT_THAT(Shown().front().cure, HasSubstr("no such connector"));
}

TEST_F(UnkeyedCourierTest, ALostAnswerWaitsForAPersonsWord) {
  Referral();
  Fail(WriteOutcome::kUncertain, /*effect=*/true);
  Run();
  for (int i = 0; i < 5; ++i) RunLater();
  EXPECT_EQ(system_.writes, 1);
  EXPECT_EQ(Only().state(), local::v1::LOCAL_STATE_UNCERTAIN);
  EXPECT_THAT(Shown().front().cure, HasSubstr("resolve"));
  EXPECT_EQ(ReasonOf(ReplayDelivery(*office_.vault, office_.clock, OnlyId())),
            v1::REASON_STATE_FORBIDS);
  EXPECT_TRUE(ResolveDelivery(*office_.vault, office_.clock, OnlyId(), Sighting::kThere).ok());
  RunLater();
  EXPECT_EQ(system_.writes, 1);
  EXPECT_THAT(system_.Records(), SizeIs(1));
}

TEST_F(UnkeyedCourierTest, APersonLetsItBeWrittenAgain) {
  Referral();
  Fail(WriteOutcome::kUncertain);
  Run();
  Heal();
  EXPECT_TRUE(ResolveDelivery(*office_.vault, office_.clock, OnlyId(), Sighting::kNotThere).ok());
  Run();
  EXPECT_EQ(system_.writes, 2);
  EXPECT_THAT(system_.Records(), SizeIs(1));
}

TEST_F(CourierTest, NothingThatIsToldHoldsAValueOrTheKindOfHelp) {
  const TempFolder folder;
  ASSERT_TRUE(StartLog({.level = LogLevel::kDebug, .file = folder.File("log")}).ok());
  const local::v1::Referral referral = Referral();
  Fail(WriteOutcome::kRefused);
  Run();
  Heal();
  mappings_.run = [](const std::string&) -> FakeMappings::Outputs {
    return std::vector<std::string>{"[1]"};
  };
  EXPECT_EQ(*ReplayDead(*office_.vault, office_.clock, ""), 1);
  Run();
  std::string told;
  for (const auto& [unused, text] : alerts_) told += text;
  for (const ShownDelivery& shown : Shown(true)) told += shown.delivery.DebugString() + shown.cure;
  std::ifstream file(folder.File("log"));
  std::stringstream log;
  log << file.rdbuf();
  EXPECT_THAT(log.str(), HasSubstr("local_system_failing"));
  told += log.str();
  EXPECT_THAT(told, Not(HasSubstr(kCanary)));
  EXPECT_THAT(told, Not(HasSubstr("service"))) << "which would be the kind of help";
  ASSERT_TRUE(StartLog({.level = LogLevel::kWarning}).ok());
}

// The real runner, whose child is killed between and during attempts.
TEST_F(CourierTest, AKilledMappingChildLosesNothing) {
  const auto runner = JqRunner::Create({.program = WAYMARK_JQ_PROGRAM});
  ASSERT_TRUE(runner.ok()) << runner.status();
  targets_.front().outward =
      MappingProgram{"out.jq", "{state: .referral.state, name: .sections.iden.name_to_use}"};
  targets_.front().runner = runner->get();
  Restart();
  system_.reached = [&](std::string_view) {
    if (const int child = (*runner)->child_pid(); child > 0) kill(child, SIGKILL);
  };
  for (int i = 0; i < 5; ++i) Referral();
  for (int i = 0; i < 5; ++i) RunLater();
  EXPECT_THAT(system_.Records(), SizeIs(5));
  for (const auto& [key, record] : system_.Records()) EXPECT_THAT(record, HasSubstr(kCanary));
}

}  // namespace
}  // namespace waymark::node
