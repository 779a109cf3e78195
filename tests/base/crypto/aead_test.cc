#include "base/crypto/aead.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

class AtRestTest : public testing::Test {
 protected:
  std::string Encrypt(std::string_view plaintext) {
    return *EncryptAtRest(key_, "section 7", plaintext, random_);
  }
  v1::Reason DecryptReason(std::string_view aad, std::string_view box) {
    return ReasonOf(DecryptAtRest(key_, aad, box));
  }

  SeededRandom random_{1};
  const SecretBytes key_ = GenerateAtRestKey(random_);
};

TEST_F(AtRestTest, RoundTrips) {
  for (int i = 0; i < 100; ++i) {
    const std::string plaintext = random_.Bytes(random_.Uniform(2000));
    const std::string box = Encrypt(plaintext);
    EXPECT_EQ(box.size(), plaintext.size() + 28);
    EXPECT_EQ(DecryptAtRest(key_, "section 7", box)->view(), plaintext);
  }
}

TEST_F(AtRestTest, EachBoxHasItsOwnNonce) { EXPECT_NE(Encrypt("same"), Encrypt("same")); }

TEST_F(AtRestTest, EveryChangeIsFound) {
  const std::string box = Encrypt("a stored value");
  ForEachFlippedByte(box, [&](const std::string& changed, size_t position) {
    EXPECT_EQ(DecryptReason("section 7", changed), v1::REASON_DATA_CORRUPT) << position;
  });
  for (size_t size = 0; size < box.size(); ++size) {
    EXPECT_EQ(DecryptReason("section 7", box.substr(0, size)), v1::REASON_DATA_CORRUPT);
  }
  EXPECT_EQ(DecryptReason("section 8", box), v1::REASON_DATA_CORRUPT);
  EXPECT_EQ(ReasonOf(DecryptAtRest(GenerateAtRestKey(random_), "section 7", box)),
            v1::REASON_DATA_CORRUPT);
}

TEST_F(AtRestTest, KeysOfAnotherSizeAreRefused) {
  EXPECT_EQ(ReasonOf(EncryptAtRest(SecretBytes(16), "", "x", random_)), v1::REASON_INTERNAL);
  EXPECT_EQ(ReasonOf(DecryptAtRest(SecretBytes(16), "", Encrypt("x"))), v1::REASON_INTERNAL);
}

}  // namespace
}  // namespace waymark
