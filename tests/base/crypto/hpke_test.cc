#include "base/crypto/hpke.h"

#include "base/crypto/hpke_evp.h"
#include "base/crypto/hpke_native.h"
#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

struct DerivationVector {
  std::string_view ikm, private_key, public_key;
};

struct SealVector {
  std::string_view info, ephemeral_private, ephemeral_public, recipient_private, recipient_public,
      aad, plaintext, ciphertext;
};

#include "tests/base/crypto/hpke_vectors.inc"

constexpr std::string_view kInfo = "waymark/test info";
constexpr std::string_view kHeader = "header bytes";

class HpkeTest : public testing::Test {
 protected:
  std::string Seal(std::string_view plaintext) {
    return *hpke::Seal(keys_.public_key, kInfo, kHeader, plaintext, random_);
  }

  v1::Reason OpenReason(std::string_view info, std::string_view aad, std::string_view sealed) {
    return ReasonOf(hpke::Open(keys_.private_key, info, aad, sealed));
  }

  SeededRandom random_{1};
  const hpke::KeyPair keys_ = hpke::GenerateKeyPair(random_);
};

TEST(HpkeVectorTest, DerivesTheKeysOfRfc9180) {
  for (const DerivationVector& vector : kDerivations) {
    const SecretBytes private_key = hpke::evp::DerivePrivateKey(Unhex(vector.ikm));
    EXPECT_EQ(private_key.view(), Unhex(vector.private_key));
    EXPECT_EQ(*hpke::PublicFromPrivate(private_key), Unhex(vector.public_key));
  }
}

TEST(HpkeVectorTest, SealsAndOpensAsRfc9180) {
  for (const SealVector& vector : kSeals) {
    const SecretBytes ephemeral = SecretBytes::CopyOf(Unhex(vector.ephemeral_private));
    const std::string expected = Unhex(vector.ephemeral_public) + Unhex(vector.ciphertext);
    const std::string info = Unhex(vector.info);
    const std::string aad = Unhex(vector.aad);
    EXPECT_EQ(*hpke::evp::Seal(Unhex(vector.recipient_public), info, aad, Unhex(vector.plaintext),
                               ephemeral),
              expected);
    const SecretBytes private_key = SecretBytes::CopyOf(Unhex(vector.recipient_private));
    EXPECT_EQ(hpke::Open(private_key, info, aad, expected)->view(), Unhex(vector.plaintext));
    EXPECT_EQ(hpke::evp::Open(private_key, info, aad, expected)->view(), Unhex(vector.plaintext));
  }
}

TEST_F(HpkeTest, RoundTripsEverySize) {
  for (const size_t size : {1u, 15u, 16u, 17u, 2048u, 8192u, 32768u, 131072u}) {
    const std::string plaintext = random_.Bytes(size);
    const std::string sealed = Seal(plaintext);
    EXPECT_EQ(sealed.size(), size + hpke::kOverhead);
    const auto opened = hpke::Open(keys_.private_key, kInfo, kHeader, sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->view(), plaintext);
  }
}

TEST_F(HpkeTest, RoundTripsRandomKeysInfosAndHeaders) {
  for (int i = 0; i < 100; ++i) {
    const hpke::KeyPair keys = hpke::GenerateKeyPair(random_);
    const std::string info = random_.Bytes(random_.Uniform(80));
    const std::string aad = random_.Bytes(random_.Uniform(300));
    const std::string plaintext = random_.Bytes(1 + random_.Uniform(500));
    const std::string sealed = *hpke::Seal(keys.public_key, info, aad, plaintext, random_);
    EXPECT_EQ(hpke::Open(keys.private_key, info, aad, sealed)->view(), plaintext);
  }
}

TEST_F(HpkeTest, OneSeedSealsAlikeAndAnotherDoesNot) {
  SeededRandom again(7), same(7), other(8);
  const std::string first = *hpke::Seal(keys_.public_key, kInfo, kHeader, "text", again);
  EXPECT_EQ(*hpke::Seal(keys_.public_key, kInfo, kHeader, "text", same), first);
  EXPECT_NE(*hpke::Seal(keys_.public_key, kInfo, kHeader, "text", other), first);
}

TEST_F(HpkeTest, EveryChangedByteBreaksTheSeal) {
  ForEachFlippedByte(Seal("the payload"), [&](const std::string& changed, size_t position) {
    // X25519 ignores the top bit of a public key, but the key schedule binds it.
    EXPECT_EQ(OpenReason(kInfo, kHeader, changed), v1::REASON_SEAL_BROKEN) << position;
  });
  std::string top_bit = Seal("the payload");
  top_bit[31] = static_cast<char>(top_bit[31] ^ 0x80);
  EXPECT_EQ(OpenReason(kInfo, kHeader, top_bit), v1::REASON_SEAL_BROKEN);
}

TEST_F(HpkeTest, EveryTruncationAndExtensionBreaksTheSeal) {
  const std::string sealed = Seal("the payload");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(OpenReason(kInfo, kHeader, sealed.substr(0, size)), v1::REASON_SEAL_BROKEN);
  }
  EXPECT_EQ(OpenReason(kInfo, kHeader, sealed + '\0'), v1::REASON_SEAL_BROKEN);
}

TEST_F(HpkeTest, AnotherInfoHeaderOrKeyDoesNotOpen) {
  const std::string sealed = Seal("the payload");
  EXPECT_EQ(OpenReason("waymark/test inf", kHeader, sealed), v1::REASON_SEAL_BROKEN);
  EXPECT_EQ(OpenReason(kInfo, "header byte", sealed), v1::REASON_SEAL_BROKEN);
  EXPECT_EQ(OpenReason(kInfo, "", sealed), v1::REASON_SEAL_BROKEN);
  const hpke::KeyPair other = hpke::GenerateKeyPair(random_);
  EXPECT_EQ(ReasonOf(hpke::Open(other.private_key, kInfo, kHeader, sealed)),
            v1::REASON_SEAL_BROKEN);
}

TEST_F(HpkeTest, PointsOfLowOrderAreRefused) {
  const std::string zero(32, '\0');
  const std::string one = Unhex("01") + std::string(31, '\0');
  for (const std::string& point : {zero, one}) {
    EXPECT_EQ(ReasonOf(hpke::Seal(point, kInfo, kHeader, "text", random_)),
              v1::REASON_FIELD_INVALID);
    EXPECT_EQ(OpenReason(kInfo, kHeader, point + std::string(40, 'x')), v1::REASON_SEAL_BROKEN);
  }
}

TEST_F(HpkeTest, KeysOfAnotherSizeAreRefused) {
  EXPECT_EQ(ReasonOf(hpke::Seal("short", kInfo, kHeader, "text", random_)),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(hpke::Open(SecretBytes(31), kInfo, kHeader, Seal("text"))),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(hpke::PublicFromPrivate(SecretBytes(33))), v1::REASON_FIELD_INVALID);
}

TEST_F(HpkeTest, NothingAndTooLongAnInfoAreNotSealed) {
  EXPECT_EQ(ReasonOf(hpke::Seal(keys_.public_key, kInfo, kHeader, "", random_)),
            v1::REASON_INTERNAL);
  const std::string longest(hpke::kMaxInfoSize, 'i');
  EXPECT_TRUE(hpke::Seal(keys_.public_key, longest, kHeader, "text", random_).ok());
  EXPECT_EQ(ReasonOf(hpke::Seal(keys_.public_key, longest + "i", kHeader, "text", random_)),
            v1::REASON_INTERNAL);
}

#if WAYMARK_NATIVE_HPKE
TEST_F(HpkeTest, NativeAndEvpAgree) {
  for (int i = 0; i < 50; ++i) {
    const SecretBytes ikm = SecretBytes::CopyOf(random_.Bytes(32));
    const std::string plaintext = random_.Bytes(1 + random_.Uniform(3000));
    const std::string native =
        *hpke::native::Seal(keys_.public_key, kInfo, kHeader, plaintext, ikm);
    EXPECT_EQ(native, *hpke::evp::Seal(keys_.public_key, kInfo, kHeader, plaintext,
                                       hpke::evp::DerivePrivateKey(ikm.view())));
    EXPECT_EQ(hpke::native::Open(keys_.private_key, kInfo, kHeader, native)->view(), plaintext);
    EXPECT_EQ(hpke::evp::Open(keys_.private_key, kInfo, kHeader, native)->view(), plaintext);
  }
}
#endif

}  // namespace
}  // namespace waymark
