#include "base/crypto/signature.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

constexpr std::string_view kLabel = "waymark/test message";

class SignatureTest : public testing::Test {
 protected:
  v1::Reason Check(std::string_view label, Parts parts, std::string_view signature) {
    return ReasonOf(key_.verifying_key().Verify(label, parts, signature));
  }

  const SigningKey key_ = SigningKey::Generate();
};

TEST_F(SignatureTest, VerifiesWhatItSigned) {
  SeededRandom random(1);
  for (int i = 0; i < 50; ++i) {
    const std::string header = random.Bytes(random.Uniform(100));
    const std::string sealed = random.Bytes(random.Uniform(4000));
    const std::string signature = key_.Sign(kLabel, {header, sealed});
    EXPECT_LE(signature.size(), 72u);
    EXPECT_EQ(Check(kLabel, {header, sealed}, signature), v1::REASON_UNSPECIFIED);
  }
}

TEST_F(SignatureTest, PartsDoNotSlide) {
  const std::string signature = key_.Sign(kLabel, {"header", "sealed"});
  EXPECT_EQ(Check(kLabel, {"header", "sealed"}, signature), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Check(kLabel, {"headers", "ealed"}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {"headersealed"}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {"sealed", "header"}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {"header", "sealed", ""}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {"", "header", "sealed"}, signature), v1::REASON_SIGNATURE_INVALID);
}

TEST_F(SignatureTest, OneLabelNeverStandsForAnother) {
  const std::string signature = key_.Sign(kLabel, {"content"});
  EXPECT_EQ(Check("waymark/test token", {"content"}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check("", {kLabel, "content"}, signature), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check("waymark/test", {" messagecontent"}, signature), v1::REASON_SIGNATURE_INVALID);
}

TEST_F(SignatureTest, EveryChangedByteIsFound) {
  const std::string content = "the signed content";
  const std::string signature = key_.Sign(kLabel, {content});
  ForEachFlippedByte(content, [&](const std::string& changed, size_t) {
    EXPECT_EQ(Check(kLabel, {changed}, signature), v1::REASON_SIGNATURE_INVALID);
  });
  ForEachFlippedByte(signature, [&](const std::string& changed, size_t) {
    EXPECT_EQ(Check(kLabel, {content}, changed), v1::REASON_SIGNATURE_INVALID);
  });
  EXPECT_EQ(Check(kLabel, {content}, ""), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {content}, signature + '\0'), v1::REASON_SIGNATURE_INVALID);
  EXPECT_EQ(Check(kLabel, {content}, signature.substr(0, 20)), v1::REASON_SIGNATURE_INVALID);
}

TEST_F(SignatureTest, AnotherKeyDoesNotVerify) {
  const SigningKey other = SigningKey::Generate();
  EXPECT_EQ(ReasonOf(other.verifying_key().Verify(kLabel, {"x"}, key_.Sign(kLabel, {"x"}))),
            v1::REASON_SIGNATURE_INVALID);
  EXPECT_FALSE(other.verifying_key() == key_.verifying_key());
}

TEST_F(SignatureTest, PemRoundTrip) {
  const SecretBytes pem = key_.ToPem();
  EXPECT_TRUE(pem.view().substr(0, 27) == "-----BEGIN PRIVATE KEY-----");
  const auto again = SigningKey::FromPem(pem);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->verifying_key() == key_.verifying_key());
  EXPECT_EQ(Check(kLabel, {"x"}, again->Sign(kLabel, {"x"})), v1::REASON_UNSPECIFIED);
}

TEST_F(SignatureTest, SpkiRoundTrip) {
  const std::string& spki = key_.verifying_key().spki();
  const auto key = VerifyingKey::FromSpki(spki);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(key->Verify(kLabel, {"x"}, key_.Sign(kLabel, {"x"})).ok());
  EXPECT_EQ(key->spki(), spki);
  EXPECT_EQ(key->fingerprint(), key_.verifying_key().fingerprint());
}

TEST_F(SignatureTest, OnlyTheOneSpellingOfAP256KeyIsRead) {
  const std::string& spki = key_.verifying_key().spki();
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki("")), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki(spki + '\0')), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki(spki.substr(0, 90))), v1::REASON_FIELD_INVALID);
  std::string off_curve = spki;
  off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki(off_curve)), v1::REASON_FIELD_INVALID);
  // The same key again, its point compressed.
  constexpr size_t kHead = 27;
  constexpr size_t kCoordinate = 32;
  const char sign = static_cast<char>(2 + (spki.back() & 1));
  const std::string compressed = Unhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") +
                                 sign + spki.substr(kHead, kCoordinate);
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki(compressed)), v1::REASON_FIELD_INVALID);
  const std::string x25519 = Unhex("302a300506032b656e032100") + std::string(32, 'k');
  EXPECT_EQ(ReasonOf(VerifyingKey::FromSpki(x25519)), v1::REASON_FIELD_INVALID);
}

TEST_F(SignatureTest, OtherPemIsRefusedWithoutAsking) {
  EXPECT_EQ(ReasonOf(SigningKey::FromPem(SecretBytes())), v1::REASON_FIELD_INVALID);
  const SecretBytes encrypted = SecretBytes::CopyOf(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_EQ(ReasonOf(SigningKey::FromPem(encrypted)), v1::REASON_FIELD_INVALID);
}

TEST(FingerprintTest, IsFiveGroupsOfFive) {
  EXPECT_EQ(Fingerprint("abc"), "Q9W1D-FWF07-7YMGA-183F5-VBH24");
}

}  // namespace
}  // namespace waymark
