// What a recipient refuses of a message that is not what its sender sealed for it: real hub and
// nodes, and a member whose node is the test itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/envelope/header.h"
#include "base/envelope/token.h"
#include "base/random/random.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"
#include "tests/support/wire_member.h"

namespace waymark::testing {
namespace {

class Scenario1TamperTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ready_ = Prepare(); }
  static void TearDownTestSuite() {
    sender_.reset();
    network_.reset();
  }
  void SetUp() override {
    ASSERT_TRUE(ready_.ok()) << ready_;
    const absl::Status made = MakeToken("lin.family");
    ASSERT_TRUE(made.ok()) << made;
    const auto sealed = SealInquiry();
    ASSERT_TRUE(sealed.ok()) << sealed.status();
    message_ = *sealed;
  }

  static absl::Status Prepare() {
    ASSIGN_OR_RETURN(network_, NetworkFixture::Create(Scenario1Organisations({"bea", "lin"})));
    const node::MemberPlan plan = Scenario1Organisations({"qso"}).front().member;
    ASSIGN_OR_RETURN(sender_,
                     WireMember::Join(network_->folder() + "/qso", plan, network_->registry(),
                                      network_->desk(), network_->clock()));
    RETURN_IF_ERROR(sender_->FetchDirectory());
    RETURN_IF_ERROR(network_->AwaitMember("lin", "qso"));
    return sender_->Connect().status();
  }

  // A new referral to `recipient` with a token of its own, which `registration_` describes.
  absl::Status MakeToken(const std::string& recipient) {
    referral_ = NewId(SystemRandom());
    recipient_ = network_->unit(recipient);
    v1::ConsentToken token;
    token.set_consent_ref(NewId(SystemRandom()));
    for (const char* field : {"NEED.service_id", "NEED.service_code", "LANG.preferred_language"}) {
      token.add_scope_fields(FieldByName(field)->field_no);
    }
    token.add_purposes(206);
    token.set_stage_ceiling(v1::STAGE_STARTED);
    token.mutable_valid_from()->set_seconds(absl::ToUnixSeconds(At(19, 40)));
    token.mutable_valid_until()->set_seconds(absl::ToUnixSeconds(At(8, 0, 1)));
    token.set_onward_mode(v1::ONWARD_MODE_NONE);
    token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
    token.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
    token.set_readback_confirmed(true);
    token.set_transport_named(true);
    token.set_policy_pack("us-vsp");
    token.set_network_id(sender_->network().bytes());
    token.set_token_nonce(NewId(SystemRandom()));
    token.set_issuer_unit(sender_->unit().bytes());
    token.set_presenter_unit(sender_->unit().bytes());
    token.set_recipient_unit(recipient_.bytes());
    token.set_referral_id(referral_);
    token.set_version(1);
    token.set_profile_version(1);
    token.set_retention_days(30);
    token.set_revocation_lock(SystemRandom().Bytes(32));
    ASSIGN_OR_RETURN(token_, waymark::MakeToken(token, sender_->identity_key()));
    registration_.Clear();
    registration_.set_token_hash(TokenHash(token_.bytes));
    registration_.set_issuer_unit(token.issuer_unit());
    registration_.set_presenter_unit(token.presenter_unit());
    registration_.set_recipient_unit(token.recipient_unit());
    registration_.set_stage_ceiling(token.stage_ceiling());
    registration_.set_valid_until_hour(ValidUntilHour(token));
    registration_.set_revocation_lock(token.revocation_lock());
    return absl::OkStatus();
  }

  // A message of the referral under its token, sealed and signed as a node would.
  absl::StatusOr<v1::Message> Seal(v1::Kind kind, v1::Stage stage, const v1::Sections& sections) {
    v1::Header header = sender_->HeaderTo(recipient_, kind, stage);
    header.set_referral_id(referral_);
    v1::Payload payload;
    if (sections.ByteSizeLong() > 0) *payload.mutable_sections() = sections;
    payload.set_token(token_.bytes);
    payload.set_token_signature(token_.signature);
    return sender_->Seal(header, payload);
  }

  absl::StatusOr<v1::Message> SealInquiry() {
    v1::Sections sections;
    sections.mutable_need()->set_service_id(network_->service("lin-206").bytes());
    sections.mutable_need()->set_service_code(206);
    return Seal(v1::KIND_INQUIRY, v1::STAGE_INQUIRY, sections);
  }

  // Sends `message` with the token's registration before it, which the hub must accept, and returns
  // what the recipient's receipt says. UNSPECIFIED: stored.
  absl::StatusOr<v1::Reason> SendAndAwaitReceipt(const v1::Message& message) {
    ASSIGN_OR_RETURN(const auto outcomes, sender_->Submit({Item(registration_), Item(message)}));
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

  // Whether the node knows the referral that a message names.
  bool HasReferral(const std::string& node, const v1::Message& message) {
    v1::GetReferralRequest request;
    request.set_referral_id(HeaderOf(message).referral_id());
    return network_->node(node).caseworker().Call(&NodeStub::GetReferral, request).ok();
  }

  static inline absl::Status ready_;
  static inline std::unique_ptr<NetworkFixture> network_;
  static inline std::unique_ptr<WireMember> sender_;

  std::string referral_;
  UnitId recipient_;
  SignedToken token_;
  v1::TokenRegistration registration_;
  // An inquiry of the referral, not yet sent.
  v1::Message message_;
};

TEST_F(Scenario1TamperTest, WhatNobodyChangedIsStored) {
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_UNSPECIFIED);
  EXPECT_TRUE(HasReferral("lin", message_));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherStageDoesNotOpen) {
  node::NodeClient& provider = network_->node("lin").caseworker();
  const auto inquired = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(inquired.ok()) << inquired.status();
  v1::OfferRequest offer;
  offer.set_referral_id(referral_);
  offer.set_message_id(NewId(SystemRandom()));
  offer.mutable_prog()->mutable_offer()->set_quantity(1);
  offer.mutable_prog()->mutable_offer()->mutable_start()->set_seconds(
      absl::ToUnixSeconds(At(21, 30)));
  const auto offered = provider.Call(&NodeStub::Offer, offer);
  ASSERT_TRUE(offered.ok()) << offered.status();
  ASSERT_TRUE(AwaitMessage(v1::KIND_OFFER));
  const auto acceptance = Seal(v1::KIND_ACCEPT, v1::STAGE_ACCEPTED, {});
  ASSERT_TRUE(acceptance.ok()) << acceptance.status();
  const auto accepted = SendAndAwaitReceipt(*acceptance);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_EQ(*accepted, v1::REASON_UNSPECIFIED);
  v1::StartRequest start;
  start.set_referral_id(referral_);
  start.set_message_id(NewId(SystemRandom()));
  const auto started = provider.Call(&NodeStub::Start, start);
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
  v1::GetReferralRequest request;
  request.set_referral_id(referral_);
  const auto view = provider.Call(&NodeStub::GetReferral, request);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_FALSE(view->sections().has_lang()) << "nothing of it reached the vault";
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxUnderAnotherHeaderDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_respond_by(header.respond_by() - 1);
  const v1::Message changed = Readdress(header);
  const auto receipt = SendAndAwaitReceipt(changed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  EXPECT_FALSE(HasReferral("lin", changed));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherRecipientDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_recipient_unit(network_->unit("bea.intake").bytes());
  registration_.set_recipient_unit(header.recipient_unit());
  const v1::Message changed = Readdress(header);
  const auto receipt = SendAndAwaitReceipt(changed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  EXPECT_FALSE(HasReferral("bea", changed));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxMovedToAnotherReferralDoesNotOpen) {
  v1::Header header = HeaderOf(message_);
  header.set_referral_id(NewId(SystemRandom()));
  const v1::Message changed = Readdress(header);
  const auto receipt = SendAndAwaitReceipt(changed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  EXPECT_FALSE(HasReferral("lin", changed));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxUnderAnotherTokenDoesNotOpen) {
  const v1::Message sealed = message_;
  v1::Header header = HeaderOf(sealed);
  const absl::Status made = MakeToken("lin.family");
  ASSERT_TRUE(made.ok()) << made;
  header.set_token_hash(TokenHash(token_.bytes));
  const v1::Message changed = Readdress(header);
  const auto receipt = SendAndAwaitReceipt(changed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  EXPECT_FALSE(HasReferral("lin", changed));
}

TEST_F(Scenario1TamperTest, ATokenOfAnotherReferralIsRefused) {
  referral_ = NewId(SystemRandom());
  const auto sealed = SealInquiry();
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  const auto receipt = SendAndAwaitReceipt(*sealed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_TOKEN_BINDING);
  EXPECT_FALSE(HasReferral("lin", *sealed));
}

TEST_F(Scenario1TamperTest, WhatTokenStageOrProfileDoNotCoverIsRefused) {
  v1::Sections sections;
  sections.mutable_need()->set_service_id(network_->service("lin-206").bytes());
  sections.mutable_need()->set_service_code(206);
  sections.mutable_iden()->set_name_to_use("Sara");
  const auto sealed = Seal(v1::KIND_INQUIRY, v1::STAGE_INQUIRY, sections);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  const auto receipt = SendAndAwaitReceipt(*sealed);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_THAT(*receipt, ::testing::AnyOf(v1::REASON_CONSENT_FIELD, v1::REASON_PROFILE_FIELD,
                                         v1::REASON_CONSENT_STAGE));
  EXPECT_FALSE(HasReferral("lin", *sealed));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxChangedByOneBitIsRefused) {
  std::string& sealed = *message_.mutable_sealed();
  sealed[sealed.size() / 2] = static_cast<char>(sealed[sealed.size() / 2] ^ 1);
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SIGNATURE_INVALID) << "the sender did not sign this";
  EXPECT_FALSE(HasReferral("lin", message_));
}

TEST_F(Scenario1TamperTest, AC1_7_ABoxChangedByOneBitDoesNotOpenThoughSigned) {
  std::string& sealed = *message_.mutable_sealed();
  sealed[sealed.size() / 2] = static_cast<char>(sealed[sealed.size() / 2] ^ 1);
  sender_->Sign(message_);
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SEAL_BROKEN);
  EXPECT_FALSE(HasReferral("lin", message_));
}

TEST_F(Scenario1TamperTest, ASignatureByAnotherMemberIsRefused) {
  const SigningKey other = SigningKey::Generate();
  message_.set_signature(other.Sign("waymark/v1/message", {message_.header(), message_.sealed()}));
  const auto receipt = SendAndAwaitReceipt(message_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(*receipt, v1::REASON_SIGNATURE_INVALID);
  EXPECT_FALSE(HasReferral("lin", message_));
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

// A hub that is restored from its backup delivers again, and cannot know that it did so before; the
// node can.
class Scenario1RestoredHubTest : public Scenario1TamperTest {
 protected:
  // Delivers the message to lin, and makes a copy of the hub's data before that.
  void DeliverAfterBackup() {
    ASSERT_TRUE(network_->node("lin").Stop().ok());
    const auto submitted = sender_->Submit({Item(registration_), Item(message_)});
    ASSERT_TRUE(submitted.ok()) << submitted.status();
    ASSERT_TRUE(network_->hub().Stop().ok());
    std::filesystem::remove_all(Backup());
    std::filesystem::copy(Data(), Backup(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(network_->hub().Start().ok());
    ASSERT_TRUE(network_->node("lin").Start().ok());
    ASSERT_TRUE(sender_->Connect().ok());
    const auto receipt = AwaitReceipt(HeaderOf(message_).message_id());
    ASSERT_TRUE(receipt.ok()) << receipt.status();
    ASSERT_EQ(*receipt, v1::REASON_UNSPECIFIED);
  }

  void Restore() {
    ASSERT_TRUE(network_->hub().Stop().ok());
    std::filesystem::remove_all(Data());
    std::filesystem::copy(Backup(), Data(), std::filesystem::copy_options::recursive);
    ASSERT_TRUE(network_->hub().Start().ok());
  }

  bool LinLogs(const std::string& text) {
    return Eventually(
        [&] { return !FilesWith({network_->node("lin").folder() + "/node.log"}, text).empty(); });
  }

  int EventsAtLin() {
    v1::GetReferralRequest request;
    request.set_referral_id(referral_);
    const auto view = network_->node("lin").caseworker().Call(&NodeStub::GetReferral, request);
    EXPECT_TRUE(view.ok()) << view.status();
    return view.ok() ? view->events_size() : -1;
  }

  static std::string Data() { return network_->hub().folder() + "/data"; }
  static std::string Backup() { return network_->hub().folder() + "/backup"; }
};

TEST_F(Scenario1RestoredHubTest, AReplayIsRefused) {
  DeliverAfterBackup();
  Restore();
  EXPECT_TRUE(LinLogs("reason=REPLAYED"));
  EXPECT_EQ(EventsAtLin(), 1);
}

// The hub's clock stands still, or it is dishonest: it delivers what has ended long ago.
TEST_F(Scenario1RestoredHubTest, AReplayAfterTheMessagesEndIsRefused) {
  DeliverAfterBackup();
  network_->MoveNodesTo(absl::FromUnixSeconds(HeaderOf(message_).expires_at() * 60) +
                        absl::Minutes(3));
  Restore();
  EXPECT_TRUE(LinLogs("reason=MESSAGE_EXPIRED"));
  EXPECT_EQ(EventsAtLin(), 1);
}

}  // namespace
}  // namespace waymark::testing
