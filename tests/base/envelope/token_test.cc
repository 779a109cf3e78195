#include "base/envelope/token.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "base/status/status.h"
#include "tests/base/envelope/fixture.h"

namespace waymark {
namespace {

TEST(TokenTest, WhatTheIssuerSignedVerifies) {
  const testing::Envelope net;
  const v1::ConsentToken token = net.Token();
  const SignedToken made = MakeToken(token, net.qso_key).value();
  const auto read = VerifyToken(made.bytes, made.signature, net.qso_key.verifying_key());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), token.SerializeAsString());
  EXPECT_EQ(ValidUntilHour(*read), testing::Envelope::kSentMinute / 60 + 48);
}

TEST(TokenTest, AnotherKeyOrOtherBytesDoNotVerify) {
  const testing::Envelope net;
  const SignedToken made = MakeToken(net.Token(), net.qso_key).value();
  EXPECT_EQ(ReasonOf(VerifyToken(made.bytes, made.signature, net.lin_key.verifying_key()).status()),
            v1::REASON_TOKEN_SIGNATURE);
  std::string changed = made.bytes;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_EQ(ReasonOf(VerifyToken(changed, made.signature, net.qso_key.verifying_key()).status()),
            v1::REASON_TOKEN_SIGNATURE);
  EXPECT_EQ(ReasonOf(VerifyToken(made.bytes, "", net.qso_key.verifying_key()).status()),
            v1::REASON_TOKEN_SIGNATURE);
}

TEST(TokenTest, TheHashDependsOnEveryByte) {
  const testing::Envelope net;
  const std::string bytes = MakeToken(net.Token(), net.qso_key).value().bytes;
  EXPECT_EQ(TokenHash(bytes).size(), 32);
  EXPECT_EQ(TokenHash(bytes), TokenHash(bytes));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(TokenHash(changed), TokenHash(bytes));
  }
}

struct TokenCase {
  std::string name;
  std::function<void(v1::ConsentToken&)> change;
  v1::Reason expected;
};

class TokenShapeTest : public ::testing::TestWithParam<TokenCase> {};

TEST_P(TokenShapeTest, IsRefusedByMakerAndReader) {
  const testing::Envelope net;
  v1::ConsentToken token = net.Token();
  GetParam().change(token);
  EXPECT_EQ(ReasonOf(MakeToken(token, net.qso_key).status()), GetParam().expected);
  EXPECT_EQ(ReasonOf(ParseToken(token.SerializeAsString()).status()), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TokenShapeTest,
    ::testing::Values(
        TokenCase{"NoNonce", [](auto& token) { token.clear_token_nonce(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoNetwork", [](auto& token) { token.clear_network_id(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoReferral", [](auto& token) { token.clear_referral_id(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"ShortIssuer", [](auto& token) { token.set_issuer_unit("qso"); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"ShortOnward", [](auto& token) { token.add_onward_recipients("bea"); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoLock", [](auto& token) { token.clear_revocation_lock(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoPurpose", [](auto& token) { token.clear_purposes(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"OnwardModeUnspecified", [](auto& token) { token.clear_onward_mode(); },
                  v1::REASON_ENUM_UNKNOWN},
        TokenCase{"ScopeOfNoField", [](auto& token) { token.add_scope_fields(4242); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoScope", [](auto& token) { token.clear_scope_fields(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoPack", [](auto& token) { token.clear_policy_pack(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"NoVersion", [](auto& token) { token.clear_version(); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"CeilingNone", [](auto& token) { token.set_stage_ceiling(v1::STAGE_NONE); },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"BasisUnknown",
                  [](auto& token) { token.set_legal_basis(static_cast<v1::LegalBasis>(77)); },
                  v1::REASON_ENUM_UNKNOWN},
        TokenCase{"BeginsWithinAMinute",
                  [](auto& token) {
                    token.mutable_valid_from()->set_seconds(token.valid_from().seconds() + 1);
                  },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"EndsWithinAnHour",
                  [](auto& token) {
                    token.mutable_valid_until()->set_seconds(token.valid_until().seconds() + 60);
                  },
                  v1::REASON_FIELD_INVALID},
        TokenCase{"EndsBeforeItBegins",
                  [](auto& token) {
                    token.mutable_valid_until()->set_seconds(token.valid_from().seconds() / 3600 *
                                                             3600);
                  },
                  v1::REASON_FIELD_INVALID}),
    [](const auto& tested) { return tested.param.name; });

TEST(TokenTest, AFieldThatNobodyChecksIsRefused) {
  const testing::Envelope net;
  v1::ConsentToken token = net.Token();
  v1::ConsentToken::GetReflection()->MutableUnknownFields(&token)->AddLengthDelimited(77, "more");
  EXPECT_EQ(ReasonOf(ParseToken(token.SerializeAsString()).status()), v1::REASON_MALFORMED);
}

TEST(RevocationTest, EveryTokenOfACaseHasALockOfItsOwn) {
  const SecretBytes secret = NewWithdrawalSecret(SystemRandom());
  ASSERT_EQ(secret.size(), kWithdrawalSecretSize);
  std::set<std::string> locks;
  for (uint32_t i = 0; i < kMaxTokensPerSecret; ++i) {
    locks.insert(RevocationLock(RevocationKey(secret, i).view()));
  }
  EXPECT_EQ(locks.size(), kMaxTokensPerSecret);
  EXPECT_TRUE(locks.count(RevocationLock(RevocationKey(secret, 7).view())));
  const SecretBytes other = NewWithdrawalSecret(SystemRandom());
  EXPECT_FALSE(locks.count(RevocationLock(RevocationKey(other, 7).view())));
}

}  // namespace
}  // namespace waymark
