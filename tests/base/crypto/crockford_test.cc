#include "base/crypto/crockford.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

v1::Reason DecodeReason(std::string_view code) {
  return ReasonOf(CrockfordDecodeChecked(code, 10));
}

TEST(CrockfordTest, EncodesKnownCodes) {
  EXPECT_EQ(CrockfordEncodeChecked(std::string(10, '\0')), "00000000000000000");
  EXPECT_EQ(CrockfordEncodeChecked(Unhex("00010203040506070809")), "000G40R40M30E209Y");
  EXPECT_EQ(CrockfordEncodeChecked(Unhex("ffffffffffffffffffff")), "ZZZZZZZZZZZZZZZZ~");
  EXPECT_EQ(CrockfordEncodeChecked(Unhex("123456789abcdef01122")), "28T5CY4TQKFF0492H");
}

TEST(CrockfordTest, RoundTrips) {
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = random.Bytes(10);
    const std::string code = CrockfordEncodeChecked(secret);
    EXPECT_EQ(CrockfordDecodeChecked(code, 10)->view(), secret);
    EXPECT_EQ(CrockfordDecodeChecked(InGroups(code, 4), 10)->view(), secret);
  }
}

TEST(CrockfordTest, ReadsWhatPeopleType) {
  const std::string secret = Unhex("00010203040506070809");
  for (const char* typed :
       {"000g40r40m30e209y", "OOOG-4OR4-OM3O-E2O9-Y", " 000G 40R4 0M30 E209 Y "}) {
    const auto decoded = CrockfordDecodeChecked(typed, 10);
    ASSERT_TRUE(decoded.ok()) << typed << decoded.status();
    EXPECT_EQ(decoded->view(), secret);
  }
  EXPECT_EQ(CrockfordDecodeChecked("28t5cy4tqkff0492h", 10)->view(), Unhex("123456789abcdef01122"));
}

TEST(CrockfordTest, FindsEveryWrongSymbol) {
  const std::string code = "28T5CY4TQKFF0492H";
  for (size_t i = 0; i + 1 < code.size(); ++i) {
    for (const char symbol : kAlphabet) {
      std::string wrong = code;
      wrong[i] = symbol;
      if (wrong == code) continue;
      EXPECT_EQ(DecodeReason(wrong), v1::REASON_FIELD_INVALID) << wrong;
    }
  }
}

TEST(CrockfordTest, FindsEverySwapOfNeighbours) {
  SeededRandom random(2);
  for (int round = 0; round < 50; ++round) {
    const std::string code = CrockfordEncodeChecked(random.Bytes(10));
    for (size_t i = 0; i + 1 < 16; ++i) {
      std::string swapped = code;
      std::swap(swapped[i], swapped[i + 1]);
      if (swapped == code) continue;
      EXPECT_EQ(DecodeReason(swapped), v1::REASON_FIELD_INVALID) << swapped;
    }
  }
}

TEST(CrockfordTest, RefusesOtherLengthsAndSymbolsWithoutRepeatingThem) {
  for (const char* wrong : {"", "-", "28T5CY4TQKFF0492", "28T5CY4TQKFF0492H0", "28T5CY4TQKFF049UH",
                            "28T5CY4TQKFF049*H", "28T5CY4TQKFF0492!", "28T5CY4TQKFF0492\xc3\xa4"}) {
    const auto decoded = CrockfordDecodeChecked(wrong, 10);
    EXPECT_EQ(ReasonOf(decoded), v1::REASON_FIELD_INVALID) << wrong;
    EXPECT_EQ(std::string(decoded.status().message()).find("28T5"), std::string::npos);
  }
}

TEST(CrockfordTest, EncodesAPrefixOfTheBits) {
  EXPECT_EQ(CrockfordEncode(Unhex("ffff"), 3), "ZZZ");
  EXPECT_EQ(CrockfordEncode(Unhex("0842"), 3), "111");
  EXPECT_EQ(CrockfordEncode("", 0), "");
  EXPECT_EQ(InGroups("ABCDE", 2), "AB-CD-E");
  EXPECT_EQ(InGroups("", 4), "");
}

}  // namespace
}  // namespace waymark
