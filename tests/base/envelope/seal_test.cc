#include "base/envelope/seal.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/envelope/payload.h"
#include "base/status/status.h"
#include "tests/base/envelope/fixture.h"

namespace waymark {
namespace {

using testing::Envelope;

std::string FlipBit(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  return bytes;
}

TEST(SealTest, WhatWasSealedOpens) {
  const Envelope net;
  const v1::ConsentToken token = net.Token();
  const v1::Message message = net.Seal(net.Header(), net.Payload(token));
  const auto opened = net.Open(message);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->header.referral_id(), net.referral.bytes());
  EXPECT_EQ(opened->header.token_hash(), TokenHash(opened->payload.token()));
  EXPECT_EQ(opened->header.token_valid_until(), ValidUntilHour(token));
  EXPECT_EQ(opened->payload.sections().need().service_code(), 206);
  ASSERT_TRUE(opened->token.has_value());
  EXPECT_EQ(opened->token->SerializeAsString(), token.SerializeAsString());
}

TEST(SealTest, AMessageWithoutATokenHasNoneInTheHeader) {
  const Envelope net;
  v1::Header header = net.Header();
  header.set_kind(v1::KIND_CAPACITY_QUERY);
  header.set_token_hash(std::string(32, 't'));
  v1::Payload payload;
  payload.mutable_capacity_query()->set_service_code(206);
  const auto opened = net.Open(net.Seal(header, payload));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(opened->header.token_hash().empty());
  EXPECT_FALSE(opened->token.has_value());
}

TEST(SealTest, TheBoxHasExactlyTheSizeOfItsBucket) {
  const Envelope net;
  v1::Payload payload = net.Payload(net.Token());
  EXPECT_EQ(net.Seal(net.Header(), payload).sealed().size(), 2048);
  for (int i = 0; i < 16; ++i) {
    payload.mutable_sections()->add_depn()->set_name_to_use(std::string(300, 'x'));
  }
  const v1::Message message = net.Seal(net.Header(), payload);
  EXPECT_EQ(message.sealed().size(), 8192);
  EXPECT_EQ(net.Open(message)->header.size_bucket(), v1::SIZE_BUCKET_8_KIB);
}

TEST(SealTest, TooLargeIsRefused) {
  const Envelope net;
  v1::Payload payload;
  payload.mutable_sections()->mutable_iden()->set_name_to_use(std::string(140'000, 'x'));
  EXPECT_EQ(ReasonOf(SealMessage(net.network, net.recipient_key(), net.Header(), payload,
                                 net.qso_key, net.random)
                         .status()),
            v1::REASON_FIELD_INVALID);
}

TEST(SealTest, TwoSealingsOfOnePayloadDiffer) {
  const Envelope net;
  const v1::Header header = net.Header();
  const v1::Payload payload = net.Payload(net.Token());
  EXPECT_NE(net.Seal(header, payload).sealed(), net.Seal(header, payload).sealed());
}

TEST(OpenTest, OneChangedBitAnywhereIsRefused) {
  const Envelope net;
  const v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  for (size_t bit = 0; bit < message.sealed().size() * 8; bit += 997) {
    v1::Message changed = message;
    changed.set_sealed(FlipBit(message.sealed(), bit));
    EXPECT_EQ(ReasonOf(net.Open(changed).status()), v1::REASON_SIGNATURE_INVALID) << bit;
  }
  for (size_t bit = 0; bit < message.signature().size() * 8; bit += 7) {
    v1::Message changed = message;
    changed.set_signature(FlipBit(message.signature(), bit));
    EXPECT_EQ(ReasonOf(net.Open(changed).status()), v1::REASON_SIGNATURE_INVALID) << bit;
  }
  for (size_t bit = 0; bit < message.header().size() * 8; ++bit) {
    v1::Message changed = message;
    changed.set_header(FlipBit(message.header(), bit));
    EXPECT_FALSE(net.Open(changed).ok()) << bit;
  }
}

TEST(OpenTest, ABoxOrHeaderSignedByTheSenderStillHasToBelongTogether) {
  const Envelope net;
  v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  message.set_sealed(FlipBit(message.sealed(), 9000));
  message.set_signature(
      net.qso_key.Sign("waymark/v1/message", {message.header(), message.sealed()}));
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_SEAL_BROKEN);
}

// A box that the sender itself moved under a changed header.
struct MoveCase {
  std::string name;
  std::function<void(const Envelope&, v1::Header&)> change;
};

class MoveTest : public ::testing::TestWithParam<MoveCase> {};

TEST_P(MoveTest, DoesNotOpen) {
  const Envelope net;
  v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  v1::Header header;
  ASSERT_TRUE(header.ParseFromString(message.header()));
  GetParam().change(net, header);
  message.set_header(header.SerializeAsString());
  message.set_signature(
      net.qso_key.Sign("waymark/v1/message", {message.header(), message.sealed()}));
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_SEAL_BROKEN);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, MoveTest,
    ::testing::Values(
        MoveCase{"Referral",
                 [](const Envelope& net, auto& h) {
                   h.set_referral_id(ReferralId::Generate(net.random).bytes());
                 }},
        MoveCase{"Stage", [](const Envelope&, auto& h) { h.set_stage(v1::STAGE_STARTED); }},
        MoveCase{"Kind", [](const Envelope&, auto& h) { h.set_kind(v1::KIND_DISCLOSE); }},
        MoveCase{"Token", [](const Envelope&, auto& h) { h.set_token_hash(std::string(32, 't')); }},
        MoveCase{"MessageId",
                 [](const Envelope& net, auto& h) {
                   h.set_message_id(MessageId::Generate(net.random).bytes());
                 }},
        MoveCase{"Expiry", [](const Envelope&, auto& h) { h.set_expires_at(h.expires_at() + 1); }}),
    [](const auto& tested) { return tested.param.name; });

TEST(OpenTest, AnotherRecipientIsNamedAsSuch) {
  const Envelope net;
  v1::Header header = net.Header();
  header.set_recipient_unit(net.bea_intake.bytes());
  v1::ConsentToken token = net.Token();
  token.set_recipient_unit(net.bea_intake.bytes());
  EXPECT_EQ(ReasonOf(net.Open(net.Seal(header, net.Payload(token))).status()),
            v1::REASON_WRONG_RECIPIENT);
}

TEST(OpenTest, AMemberCannotSendAsAnother) {
  const Envelope net;
  const v1::Message message = SealMessage(net.network, net.recipient_key(), net.Header(),
                                          net.Payload(net.Token()), net.bea_key, net.random)
                                  .value();
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_SIGNATURE_INVALID);
}

TEST(OpenTest, AnUnknownSenderIsPassedOn) {
  const Envelope net;
  v1::Header header = net.Header();
  header.set_sender_unit(UnitId::Generate(net.random).bytes());
  EXPECT_EQ(ReasonOf(net.Open(net.Seal(header, net.Payload(net.Token()))).status()),
            v1::REASON_UNIT_UNKNOWN);
}

TEST(OpenTest, AnotherNetworkDoesNotOpen) {
  const Envelope net;
  const v1::Message message =
      SealMessage(NetworkId::Generate(net.random), net.recipient_key(), net.Header(),
                  net.Payload(net.Token()), net.qso_key, net.random)
          .value();
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_SEAL_BROKEN);
}

TEST(OpenTest, EveryKeyOfTheUnitIsTried) {
  Envelope net;
  std::vector<OpeningKey> keys;
  keys.push_back(net.MakeOpeningKey());
  const auto open = [&](const v1::Message& message) {
    return OpenMessage(message, net.network, net.lin_family, keys,
                       [&net](const UnitId& unit) { return net.IdentityKey(unit); });
  };
  const v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  EXPECT_EQ(ReasonOf(open(message).status()), v1::REASON_SEAL_BROKEN);
  keys.push_back(
      {net.opening_keys()[0].id, SecretBytes::CopyOf(net.opening_keys()[0].private_key.view())});
  EXPECT_TRUE(open(message).ok());
  keys[1].id = KeyId::Generate(net.random);
  EXPECT_EQ(ReasonOf(open(message).status()), v1::REASON_SEAL_BROKEN);
  keys.clear();
  EXPECT_EQ(ReasonOf(open(message).status()), v1::REASON_KEY_UNKNOWN);
}

TEST(OpenTest, ABoxOfAnotherSizeIsRefusedBeforeItIsOpened) {
  const Envelope net;
  v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  message.mutable_sealed()->append("x");
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_BUCKET_MISMATCH);
  message.clear_sealed();
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_BUCKET_MISMATCH);
}

TEST(OpenTest, AHeaderThatIsNoneIsMalformed) {
  const Envelope net;
  v1::Message message = net.Seal(net.Header(), net.Payload(net.Token()));
  message.set_header("\xff\xff");
  EXPECT_EQ(ReasonOf(net.Open(message).status()), v1::REASON_MALFORMED);
}

TEST(OpenTest, PayloadFieldsThatNobodyChecksAreRefusedAtAnyDepth) {
  const Envelope net;
  v1::Payload payload = net.Payload(net.Token());
  v1::NeedSection* need = payload.mutable_sections()->mutable_need();
  v1::NeedSection::GetReflection()->MutableUnknownFields(need)->AddLengthDelimited(77, "a story");
  EXPECT_EQ(ReasonOf(net.Open(net.Seal(net.Header(), payload)).status()), v1::REASON_MALFORMED);
}

// Seals `payload` under a header whose token hash SealMessage would not have written.
v1::Message SealWithHash(const Envelope& net, const v1::Payload& payload, const std::string& hash) {
  v1::Header header = net.Header();
  header.set_token_hash(hash);
  header.set_token_valid_until(hash.empty() ? 0 : ValidUntilHour(net.Token()));
  const PaddedPayload padded = Pad(payload.SerializeAsString()).value();
  header.set_size_bucket(padded.bucket);
  v1::Message message;
  message.set_header(header.SerializeAsString());
  const std::string info = "waymark/v1/seal" + net.network.bytes() + net.lin_family.bytes() +
                           net.recipient_key().id.bytes() +
                           std::string("\x00\x20\x00\x01\x00\x02", 6);
  message.set_sealed(hpke::Seal(net.recipient_key().public_key, info, message.header(),
                                padded.plaintext.view(), net.random)
                         .value());
  message.set_signature(
      net.qso_key.Sign("waymark/v1/message", {message.header(), message.sealed()}));
  return message;
}

TEST(OpenTest, TheTokenInsideMustBeTheHeaders) {
  const Envelope net;
  const v1::Payload payload = net.Payload(net.Token());
  EXPECT_TRUE(net.Open(SealWithHash(net, payload, TokenHash(payload.token()))).ok());
  EXPECT_EQ(ReasonOf(net.Open(SealWithHash(net, payload, std::string(32, 't'))).status()),
            v1::REASON_TOKEN_HASH_MISMATCH);
  EXPECT_EQ(ReasonOf(net.Open(SealWithHash(net, payload, "")).status()),
            v1::REASON_TOKEN_HASH_MISMATCH);
  EXPECT_EQ(
      ReasonOf(net.Open(SealWithHash(net, v1::Payload(), TokenHash(payload.token()))).status()),
      v1::REASON_TOKEN_HASH_MISMATCH);
}

TEST(OpenTest, AReceiptMayNameATokenThatItDoesNotCarry) {
  const Envelope net;
  v1::Header header = net.Header();
  header.set_kind(v1::KIND_RECEIPT);
  header.set_token_hash(std::string(32, 't'));
  header.set_token_valid_until(ValidUntilHour(net.Token()));
  v1::Payload payload;
  payload.mutable_receipt()->set_outcome(v1::RECEIPT_OUTCOME_REFUSED);
  const auto opened = net.Open(net.Seal(header, payload));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->header.token_hash(), header.token_hash());
  EXPECT_FALSE(opened->token.has_value());
}

TEST(OpenTest, OnlyItsIssuerSignsAToken) {
  const Envelope net;
  const v1::Payload payload = Envelope::Payload(MakeToken(net.Token(), net.bea_key).value());
  EXPECT_EQ(ReasonOf(net.Open(net.Seal(net.Header(), payload)).status()),
            v1::REASON_TOKEN_SIGNATURE);
}

struct BindingCase {
  std::string name;
  v1::Kind kind;
  std::function<void(const Envelope&, v1::ConsentToken&)> change;
  v1::Reason expected;
};

class BindingTest : public ::testing::TestWithParam<BindingCase> {};

TEST_P(BindingTest, HoldsBetweenHeaderAndToken) {
  const Envelope net;
  v1::Header header = net.Header();
  header.set_kind(GetParam().kind);
  v1::ConsentToken token = net.Token();
  GetParam().change(net, token);
  const v1::Payload payload = Envelope::Payload(
      MakeToken(token, token.issuer_unit() == net.lin_family.view()   ? net.lin_key
                       : token.issuer_unit() == net.bea_intake.view() ? net.bea_key
                                                                      : net.qso_key)
          .value());
  EXPECT_EQ(ReasonOf(net.Open(net.Seal(header, payload)).status()), GetParam().expected);
}

// A token that lin.family issued and holds for the way from lin.family to qso.night; the message
// under test travels from qso.night to lin.family, so it is on its way back.
void Reverse(const Envelope& net, v1::ConsentToken& token) {
  token.set_issuer_unit(net.lin_family.bytes());
  token.set_presenter_unit(net.lin_family.bytes());
  token.set_recipient_unit(net.qso_night.bytes());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BindingTest,
    ::testing::Values(
        BindingCase{"Forward", v1::KIND_INQUIRY, [](const Envelope&, auto&) {},
                    v1::REASON_UNSPECIFIED},
        BindingCase{"OtherNetwork", v1::KIND_INQUIRY,
                    [](const Envelope& net, auto& token) {
                      token.set_network_id(NetworkId::Generate(net.random).bytes());
                    },
                    v1::REASON_TOKEN_BINDING},
        BindingCase{"OtherReferral", v1::KIND_INQUIRY,
                    [](const Envelope& net, auto& token) {
                      token.set_referral_id(ReferralId::Generate(net.random).bytes());
                    },
                    v1::REASON_TOKEN_BINDING},
        BindingCase{"OtherRecipient", v1::KIND_INQUIRY,
                    [](const Envelope& net, auto& token) {
                      token.set_recipient_unit(net.bea_intake.bytes());
                    },
                    v1::REASON_TOKEN_BINDING},
        BindingCase{"OtherPresenter", v1::KIND_INQUIRY,
                    [](const Envelope& net, auto& token) {
                      token.set_presenter_unit(net.bea_intake.bytes());
                    },
                    v1::REASON_TOKEN_BINDING},
        BindingCase{
            "OnwardPresenter", v1::KIND_INQUIRY,
            [](const Envelope& net, auto& token) { token.set_issuer_unit(net.bea_intake.bytes()); },
            v1::REASON_UNSPECIFIED},
        BindingCase{"IssuerPastPresenter", v1::KIND_INQUIRY,
                    [](const Envelope& net, auto& token) {
                      token.set_presenter_unit(net.bea_intake.bytes());
                    },
                    v1::REASON_TOKEN_BINDING},
        BindingCase{"IssuerRevokesPastPresenter", v1::KIND_REVOKE,
                    [](const Envelope& net, auto& token) {
                      token.set_presenter_unit(net.bea_intake.bytes());
                    },
                    v1::REASON_UNSPECIFIED},
        BindingCase{"ForwardKindBackwards", v1::KIND_DISCLOSE, Reverse, v1::REASON_TOKEN_BINDING},
        BindingCase{"ReturnKind", v1::KIND_PROGRESS, Reverse, v1::REASON_UNSPECIFIED},
        BindingCase{"ReturnKindForwards", v1::KIND_PROGRESS, [](const Envelope&, auto&) {},
                    v1::REASON_TOKEN_BINDING},
        BindingCase{"CancelForwards", v1::KIND_CANCEL, [](const Envelope&, auto&) {},
                    v1::REASON_UNSPECIFIED},
        BindingCase{"CancelBackwards", v1::KIND_CANCEL, Reverse, v1::REASON_UNSPECIFIED},
        BindingCase{"AcknowledgesToIssuer", v1::KIND_REVOKE_ACK,
                    [](const Envelope& net, auto& token) {
                      Reverse(net, token);
                      token.set_presenter_unit(net.bea_intake.bytes());
                    },
                    v1::REASON_UNSPECIFIED}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace waymark
