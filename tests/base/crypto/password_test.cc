#include "base/crypto/password.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

constexpr ScryptCost kCheap{16, 8, 2};
constexpr std::string_view kSalt = "0123456789abcdef";

TEST(PasswordTest, DerivesAsRfc7914) {
  // Computed by an implementation written out from the RFC.
  EXPECT_EQ(DeriveFromPassphrase(SecretBytes::CopyOf("correct horse"), kSalt, kCheap, 32)->view(),
            Unhex("2581f7aaaa873a60b54a0383739881a1f7b8dce0db8d4e28a340f3d6363f03de"));
}

TEST(PasswordTest, TheDefaultCostIsLegal) {
  EXPECT_EQ(DeriveFromPassphrase(SecretBytes::CopyOf("x"), kSalt, ScryptCost(), 32)->size(), 32u);
}

TEST(PasswordTest, BadSaltAndCostAreRefused) {
  const SecretBytes passphrase = SecretBytes::CopyOf("correct horse");
  const auto reason = [&](std::string_view salt, ScryptCost cost) {
    return ReasonOf(DeriveFromPassphrase(passphrase, salt, cost, 32));
  };
  EXPECT_EQ(reason(kSalt.substr(1), kCheap), v1::REASON_FIELD_INVALID);
  for (const ScryptCost& cost :
       {ScryptCost{0, 8, 1}, ScryptCost{1, 8, 1}, ScryptCost{24, 8, 1}, ScryptCost{16, 0, 1},
        ScryptCost{16, 8, 0}, ScryptCost{16, 8, 17}, ScryptCost{1 << 19, 8, 1},
        ScryptCost{uint64_t{1} << 63, 8, 1}, ScryptCost{16, 0xffffffff, 1}}) {
    EXPECT_EQ(reason(kSalt, cost), v1::REASON_FIELD_INVALID) << cost.n << ' ' << cost.r;
  }
}

TEST(PasswordTest, AVerifierKnowsItsPassphrase) {
  SeededRandom random(1);
  const SecretBytes passphrase = SecretBytes::CopyOf("correct horse");
  const std::string verifier = *MakePassphraseVerifier(passphrase, kCheap, random);
  EXPECT_EQ(verifier.substr(0, 14), "scrypt$16$8$2$");
  EXPECT_TRUE(CheckPassphrase(passphrase, verifier).ok());
  EXPECT_EQ(ReasonOf(CheckPassphrase(SecretBytes::CopyOf("correct horse "), verifier)),
            v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(CheckPassphrase(SecretBytes(), verifier)), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_NE(*MakePassphraseVerifier(passphrase, kCheap, random), verifier);
}

TEST(PasswordTest, ADamagedVerifierIsToldFromAWrongPassphrase) {
  SeededRandom random(1);
  const SecretBytes passphrase = SecretBytes::CopyOf("correct horse");
  const std::string verifier = *MakePassphraseVerifier(passphrase, kCheap, random);
  const std::string damaged[] = {"",
                                 "scrypt$16$8$2$$",
                                 "argon2" + verifier.substr(6),
                                 verifier + "$",
                                 verifier + "0",
                                 verifier.substr(0, verifier.size() - 2),
                                 "scrypt$17" + verifier.substr(9),
                                 "scrypt$-16" + verifier.substr(9),
                                 "scrypt$1048576" + verifier.substr(9),
                                 verifier.substr(0, verifier.size() - 1) + "g"};
  for (const std::string& text : damaged) {
    EXPECT_EQ(ReasonOf(CheckPassphrase(passphrase, text)), v1::REASON_DATA_CORRUPT) << text;
  }
}

}  // namespace
}  // namespace waymark
