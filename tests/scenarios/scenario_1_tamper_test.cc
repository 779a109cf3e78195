// What a recipient refuses of a message that is not what its sender sealed for it: real hub and
// nodes, and a member whose node is the test itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/envelope/header.h"
#include "base/envelope/token.h"
#include "base/random/random.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/scenarios/wire_referral.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"
#include "tests/support/wire_member.h"

namespace waymark::testing {
namespace {

class Scenario1TamperTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ready_ = Prepare(); }
  static void TearDownTestSuite() {
    other_.reset();
    sender_.reset();
    network_.reset();
  }
  void SetUp() override {
    ASSERT_TRUE(ready_.ok()) << ready_;
    const absl::Status made = Begin([](v1::ConsentToken&) {});
    ASSERT_TRUE(made.ok()) << made;
    const auto sealed = SealInquiry();
    ASSERT_TRUE(sealed.ok()) << sealed.status();
    message_ = *sealed;
  }

  static absl::Status Prepare() {
    ASSIGN_OR_RETURN(network_, NetworkFixture::Create(Scenario1Organisations({"bea", "lin"})));
    ASSIGN_OR_RETURN(sender_, JoinOnTheWire("qso"));
    ASSIGN_OR_RETURN(other_, JoinOnTheWire("stb"));
    RETURN_IF_ERROR(sender_->FetchDirectory());
    return sender_->Connect().status();
  }

  static absl::StatusOr<std::unique_ptr<WireMember>> JoinOnTheWire(const std::string& handle) {
    const node::MemberPlan plan = Scenario1Organisations({handle}).front().member;
    ASSIGN_OR_RETURN(auto member,
                     WireMember::Join(network_->folder() + "/" + handle, plan, network_->registry(),
                                      network_->desk(), network_->clock()));
    RETURN_IF_ERROR(network_->AwaitMember("lin", handle));
    return member;
  }

  // Makes a new referral to lin, whose token is as `change` leaves it.
  absl::Status Begin(const std::function<void(v1::ConsentToken&)>& change) {
    ASSIGN_OR_RETURN(referral_, BeginReferral(*sender_, network_->unit("lin.family"), change));
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Message> Seal(v1::Kind kind, v1::Stage stage, const v1::Sections& sections) {
    return SealUnder(*sender_, referral_, kind, stage, sections);
  }

  absl::StatusOr<v1::Message> SealInquiry(const v1::Sections& sections = {}) {
    return testing::SealInquiry(*sender_, referral_, network_->service("lin-206"), sections);
  }

  // Sends `message` with the token's registration before it, which the hub must accept, and returns
  // what the recipient's receipt says. UNSPECIFIED: stored.
  absl::StatusOr<v1::Reason> SendAndAwaitReceipt(const v1::Message& message) {
    ASSIGN_OR_RETURN(const auto outcomes,
                     sender_->Submit({Item(referral_.registration), Item(message)}));
    for (const v1::Outcome& outcome : outcomes) {
      if (outcome.reason() != v1::REASON_UNSPECIFIED) {
        return Error(outcome.reason(), "the hub refused what a recipient should refuse");
      }
    }
    return AwaitReceipt(HeaderOf(message).message_id());
  }

  absl::StatusOr<v1::Reason> AwaitReceipt(const std::string& message_id) {
    while (true) {
      ASSIGN_OR_RETURN(const auto opened, sender_->NextMessage());
      if (!opened.has_value()) return Error(v1::REASON_UNAVAILABLE, "no receipt came");
      const v1::Receipt& receipt = opened->payload.receipt();
      if (receipt.message_id() == message_id) return receipt.reason();
    }
  }

  // Whether the provider's message of this kind comes.
  bool AwaitMessage(v1::Kind kind) {
    while (true) {
      const auto opened = sender_->NextMessage();
      if (!opened.ok() || !opened->has_value()) return false;
      if ((*opened)->header.kind() == kind) return true;
    }
  }

  static v1::Header HeaderOf(const v1::Message& message) { return *ParseHeader(message.header()); }

  // The message under another header, signed again by its sender: only the seal can tell.
  v1::Message Readdress(const v1::Header& header) {
    v1::Message changed = message_;
    changed.set_header(header.SerializeAsString());
    sender_->Sign(changed);
    return changed;
  }

  // Sends the inquiry, and lets lin offer.
  void InquireAndBeOffered() {
    const auto inquired = SendAndAwaitReceipt(message_);
    ASSERT_TRUE(inquired.ok()) << inquired.status();
    ASSERT_EQ(*inquired, v1::REASON_UNSPECIFIED);
    v1::OfferRequest offer;
    offer.set_referral_id(referral_.id);
    offer.set_message_id(NewId(SystemRandom()));
    offer.mutable_prog()->mutable_offer()->set_quantity(1);
    offer.mutable_prog()->mutable_offer()->mutable_start()->set_seconds(
        absl::ToUnixSeconds(At(21, 30)));
    const auto offered = network_->node("lin").caseworker().Call(&NodeStub::Offer, offer);
    ASSERT_TRUE(offered.ok()) << offered.status();
    ASSERT_TRUE(AwaitMessage(v1::KIND_OFFER));
  }

  // Sends `message`, which its recipient must refuse for `reason` and keep nothing of.
  void ExpectRefused(const v1::Message& message, v1::Reason reason,
                     const std::string& node = "lin") {
    const auto receipt = SendAndAwaitReceipt(message);
    ASSERT_TRUE(receipt.ok()) << receipt.status();
    EXPECT_EQ(*receipt, reason) << v1::Reason_Name(*receipt);
    const auto traces = TracesOf(message, node);
    ASSERT_TRUE(traces.ok()) << traces.status();
    EXPECT_THAT(*traces, ::testing::Each(0)) << "of referral, sections, memory and inbox";
  }

  // How many rows a node's vault has of the message: of its referral and what belongs to it, of the
  // referral's sections, of its id as one seen, and of the inbox as a whole. The node is stopped
  // for that, because nobody else may open a vault that is in use.
  absl::StatusOr<std::vector<int>> TracesOf(const v1::Message& message, const std::string& handle) {
    NodeProcess& node = network_->node(handle);
    RETURN_IF_ERROR(node.Stop());
    const auto literal = [](const std::string& id) {
      return "x'" + absl::BytesToHexString(id) + "'";
    };
    const std::string referral = literal(HeaderOf(message).referral_id());
    std::vector<int> traces;
    for (const std::string& rows :
         {absl::StrCat("documents WHERE id = ", referral, " OR parent = ", referral),
          absl::StrCat("sections WHERE referral = ", referral),
          absl::StrCat("seen WHERE message_id = ", literal(HeaderOf(message).message_id())),
          std::string("inbox")}) {
      ASSIGN_OR_RETURN(const auto counted,
                       QueryDatabase(DatabaseOf(node), "SELECT COUNT(*) FROM " + rows));
      traces.push_back(std::stoi(counted.front().front()));
    }
    RETURN_IF_ERROR(node.Start());
    return traces;
  }

  // The sections that lin's vault has received of the referral, opened with its master key.
  absl::StatusOr<std::vector<int>> SectionsAtLin() {
    NodeProcess& node = network_->node("lin");
    RETURN_IF_ERROR(node.Stop());
    std::vector<int> sections;
    {
      ASSIGN_OR_RETURN(const auto vault, OpenVault(node));
      RETURN_IF_ERROR(vault->Read([&](const node::Reader& reader) -> absl::Status {
        ASSIGN_OR_RETURN(const auto records,
                         reader.ReadSections(*ReferralId::FromBytes(referral_.id),
                                             node::SectionDirection::kReceived));
        for (const node::SectionRecord& record : records) sections.push_back(record.section);
        return absl::OkStatus();
      }));
    }
    RETURN_IF_ERROR(node.Start());
    return sections;
  }

  static inline absl::Status ready_;
  static inline std::unique_ptr<NetworkFixture> network_;
  static inline std::unique_ptr<WireMember> sender_;
  // A member as good as the sender, with keys of its own.
  static inline std::unique_ptr<WireMember> other_;

  WireReferral referral_;
  // An inquiry of the referral, not yet sent.
  v1::Message message_;
};

TEST_F(Scenario1TamperTest, WhatNobodyChangedIsStored) {
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_UNSPECIFIED);
  const auto traces = TracesOf(message_, "lin");
  ASSERT_TRUE(traces.ok()) << traces.status();
  EXPECT_THAT(*traces, ::testing::ElementsAre(1, 1, 1, 0));
  const auto sections = SectionsAtLin();
  ASSERT_TRUE(sections.ok()) << sections.status();
  EXPECT_THAT(*sections, ::testing::ElementsAre(v1::SECTION_NEED));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherStageDoesNotOpen) {
  ASSERT_NO_FATAL_FAILURE(InquireAndBeOffered());
  const auto acceptance = Seal(v1::KIND_ACCEPT, v1::STAGE_ACCEPTED, {});
  ASSERT_TRUE(acceptance.ok()) << acceptance.status();
  const auto accepted = SendAndAwaitReceipt(*acceptance);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_EQ(*accepted, v1::REASON_UNSPECIFIED);
  v1::StartRequest start;
  start.set_referral_id(referral_.id);
  start.set_message_id(NewId(SystemRandom()));
  const auto started = network_->node("lin").caseworker().Call(&NodeStub::Start, start);
  ASSERT_TRUE(started.ok()) << started.status();
  ASSERT_TRUE(AwaitMessage(v1::KIND_START));

  v1::Sections sections;
  sections.mutable_lang()->set_preferred_language("ti");
  const auto disclosure = Seal(v1::KIND_DISCLOSE, v1::STAGE_ACCEPTED, sections);
  ASSERT_TRUE(disclosure.ok()) << disclosure.status();
  message_ = *disclosure;
  v1::Header header = HeaderOf(message_);
  header.set_stage(v1::STAGE_STARTED);
  const auto receipt = SendAndAwaitReceipt(Readdress(header));
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  const auto held = SectionsAtLin();
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_THAT(*held, ::testing::ElementsAre(v1::SECTION_NEED)) << "what the inquiry brought";
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxUnderAnotherHeaderDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_respond_by(header.respond_by() - 1);
  ExpectRefused(Readdress(header), v1::REASON_SEAL_BROKEN);
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherRecipientDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_recipient_unit(network_->unit("bea.intake").bytes());
  referral_.registration.set_recipient_unit(header.recipient_unit());
  ExpectRefused(Readdress(header), v1::REASON_SEAL_BROKEN, "bea");
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherReferralDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_referral_id(NewId(SystemRandom()));
  ExpectRefused(Readdress(header), v1::REASON_SEAL_BROKEN);
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxUnderAnotherTokenDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  const absl::Status made = Begin([](v1::ConsentToken&) {});
  ASSERT_TRUE(made.ok()) << made;
  header.set_token_hash(TokenHash(referral_.token.bytes));
  ExpectRefused(Readdress(header), v1::REASON_SEAL_BROKEN);
}

TEST_F(Scenario1TamperTest, ATokenOfAnotherReferralIsRefused) {
  referral_.id = NewId(SystemRandom());
  const auto sealed = SealInquiry();
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  ExpectRefused(*sealed, v1::REASON_TOKEN_BINDING);
}

// A field that the profile allows in an inquiry, and the token does not list.
TEST_F(Scenario1TamperTest, AFieldThatTheTokenDoesNotListIsRefused) {
  v1::Sections sections;
  sections.mutable_party()->set_adults_band(v1::ADULTS_BAND_ONE);
  const auto sealed = SealInquiry(sections);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  ExpectRefused(*sealed, v1::REASON_CONSENT_FIELD);
}

// A field that the token lists, and that this kind of service never receives.
TEST_F(Scenario1TamperTest, AFieldThatTheProfileBlocksIsRefused) {
  const absl::Status made = Begin([](v1::ConsentToken& token) {
    token.add_scope_fields(FieldByName("LEGL.topics")->field_no);
  });
  ASSERT_TRUE(made.ok()) << made;
  v1::Sections sections;
  sections.mutable_legl()->add_topics(v1::LEGAL_TOPIC_WAGES);
  const auto sealed = SealInquiry(sections);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  ExpectRefused(*sealed, v1::REASON_PROFILE_FIELD);
}

// The issuer told the hub of a higher ceiling than the token has.
TEST_F(Scenario1TamperTest, AStageAboveTheTokensCeilingIsRefused) {
  const absl::Status made =
      Begin([](v1::ConsentToken& token) { token.set_stage_ceiling(v1::STAGE_INQUIRY); });
  ASSERT_TRUE(made.ok()) << made;
  const auto inquiry = SealInquiry();
  ASSERT_TRUE(inquiry.ok()) << inquiry.status();
  message_ = *inquiry;
  ASSERT_NO_FATAL_FAILURE(InquireAndBeOffered());
  const auto acceptance = Seal(v1::KIND_ACCEPT, v1::STAGE_ACCEPTED, {});
  ASSERT_TRUE(acceptance.ok()) << acceptance.status();
  const auto receipt = SendAndAwaitReceipt(*acceptance);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_CONSENT_STAGE) << v1::Reason_Name(*receipt);
  v1::GetReferralRequest request;
  request.set_referral_id(referral_.id);
  const auto view = network_->node("lin").caseworker().Call(&NodeStub::GetReferral, request);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->summary().state(), "OFFERED");
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxChangedByOneBitIsRefused) {
  std::string& sealed = *message_.mutable_sealed();
  sealed[sealed.size() / 2] = static_cast<char>(sealed[sealed.size() / 2] ^ 1);
  ExpectRefused(message_, v1::REASON_SIGNATURE_INVALID);
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxChangedByOneBitDoesNotOpenThoughSigned) {
  std::string& sealed = *message_.mutable_sealed();
  sealed[sealed.size() / 2] = static_cast<char>(sealed[sealed.size() / 2] ^ 1);
  sender_->Sign(message_);
  ExpectRefused(message_, v1::REASON_SEAL_BROKEN);
}

TEST_F(Scenario1TamperTest, ASignatureByAnotherMemberIsRefused) {
  other_->Sign(message_);
  ExpectRefused(message_, v1::REASON_SIGNATURE_INVALID);
}

TEST_F(Scenario1TamperTest, AReplayIsAnsweredOnceAndStoredOnce) {
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  const auto again = sender_->Submit(message_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, v1::REASON_UNSPECIFIED) << "a repeat gets the first answer";
  v1::Header header = HeaderOf(message_);
  const v1::Message changed = [&] {
    v1::Header other = header;
    other.set_respond_by(header.respond_by() - 1);
    return Readdress(other);
  }();
  const auto reused = sender_->Submit(changed);
  ASSERT_TRUE(reused.ok()) << reused.status();
  EXPECT_EQ(*reused, v1::REASON_ID_REUSED);
  v1::GetReferralRequest request;
  request.set_referral_id(header.referral_id());
  const auto view = network_->node("lin").caseworker().Call(&NodeStub::GetReferral, request);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->events_size(), 1);
}

// A hub that is restored from its backup has forgotten what it delivered, and delivers it again
// when it is sent again; the node knows.
class Scenario1RestoredHubTest : public Scenario1TamperTest {
 protected:
  // Delivers the message to lin, and makes a copy of the hub's data before that.
  void DeliverAfterBackup() {
    ASSERT_TRUE(network_->node("lin").Stop().ok());
    // An earlier test may have restored the hub.
    Reconnect();
    const auto submitted = sender_->Submit({Item(referral_.registration), Item(message_)});
    ASSERT_TRUE(submitted.ok()) << submitted.status();
    ASSERT_TRUE(network_->hub().Stop().ok());
    std::filesystem::remove_all(Backup());
    std::filesystem::copy(Data(), Backup(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(network_->hub().Start().ok());
    ASSERT_TRUE(network_->node("lin").Start().ok());
    Reconnect();
    const auto receipt = AwaitReceipt(HeaderOf(message_).message_id());
    ASSERT_TRUE(receipt.ok()) << receipt.status();
    ASSERT_EQ(*receipt, v1::REASON_UNSPECIFIED);
  }

  void RestoreAndSendAgain() {
    ASSERT_TRUE(network_->hub().Stop().ok());
    std::filesystem::remove_all(Data());
    std::filesystem::copy(Backup(), Data(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(network_->hub().Start().ok());
    Reconnect();
    const auto again = sender_->Submit({Item(referral_.registration), Item(message_)});
    ASSERT_TRUE(again.ok()) << again.status();
    for (const v1::Outcome& outcome : *again) EXPECT_EQ(outcome.reason(), v1::REASON_UNSPECIFIED);
  }

  static void Reconnect() {
    const auto welcome = sender_->Connect();
    ASSERT_TRUE(welcome.ok()) << welcome.status();
  }

  bool LinLogs(const std::string& text) {
    return Eventually(
        [&] { return !FilesWith({network_->node("lin").folder() + "/node.log"}, text).empty(); });
  }

  int EventsAtLin() {
    v1::GetReferralRequest request;
    request.set_referral_id(referral_.id);
    const auto view = network_->node("lin").caseworker().Call(&NodeStub::GetReferral, request);
    EXPECT_TRUE(view.ok()) << view.status();
    return view.ok() ? view->events_size() : -1;
  }

  static std::string Data() { return network_->hub().folder() + "/data"; }
  static std::string Backup() { return network_->hub().folder() + "/backup"; }
};

TEST_F(Scenario1RestoredHubTest, AReplayIsRefused) {
  DeliverAfterBackup();
  RestoreAndSendAgain();
  EXPECT_TRUE(LinLogs("reason=REPLAYED"));
  EXPECT_EQ(EventsAtLin(), 1);
}

// The hub's clock stands still, or it is dishonest: it delivers what has ended long ago.
TEST_F(Scenario1RestoredHubTest, AReplayAfterTheMessagesEndIsRefused) {
  DeliverAfterBackup();
  network_->MoveNodesTo(absl::FromUnixSeconds(HeaderOf(message_).expires_at() * 60) +
                        absl::Minutes(3));
  RestoreAndSendAgain();
  EXPECT_TRUE(LinLogs("reason=MESSAGE_EXPIRED"));
  EXPECT_EQ(EventsAtLin(), 1);
}

}  // namespace
}  // namespace waymark::testing
