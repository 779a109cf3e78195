#include "base/envelope/payload.h"

#include <gtest/gtest.h>

#include <string>

#include "base/crypto/hpke.h"
#include "base/status/status.h"

namespace waymark {
namespace {

TEST(PayloadTest, BucketsHaveTheirExactSizes) {
  EXPECT_EQ(BucketBytes(v1::SIZE_BUCKET_2_KIB), 2048);
  EXPECT_EQ(BucketBytes(v1::SIZE_BUCKET_8_KIB), 8192);
  EXPECT_EQ(BucketBytes(v1::SIZE_BUCKET_32_KIB), 32768);
  EXPECT_EQ(BucketBytes(v1::SIZE_BUCKET_128_KIB), 131072);
  EXPECT_EQ(BucketBytes(v1::SIZE_BUCKET_UNSPECIFIED), 0);
  EXPECT_EQ(BucketCapacity(v1::SIZE_BUCKET_UNSPECIFIED), 0);
  EXPECT_EQ(BucketCapacity(v1::SIZE_BUCKET_2_KIB), 2048 - 48 - 4);
}

struct SizeCase {
  size_t payload;
  v1::SizeBucket bucket;
};

class PadTest : public ::testing::TestWithParam<SizeCase> {};

TEST_P(PadTest, TakesTheSmallestBucketAndReadsBack) {
  const std::string payload(GetParam().payload, 'x');
  const auto padded = Pad(payload);
  ASSERT_TRUE(padded.ok()) << padded.status();
  EXPECT_EQ(padded->bucket, GetParam().bucket);
  EXPECT_EQ(padded->plaintext.size() + hpke::kOverhead, BucketBytes(padded->bucket));
  const auto back = Unpad(padded->plaintext.view());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, payload);
}

INSTANTIATE_TEST_SUITE_P(Edges, PadTest,
                         ::testing::Values(SizeCase{0, v1::SIZE_BUCKET_2_KIB},
                                           SizeCase{1996, v1::SIZE_BUCKET_2_KIB},
                                           SizeCase{1997, v1::SIZE_BUCKET_8_KIB},
                                           SizeCase{8140, v1::SIZE_BUCKET_8_KIB},
                                           SizeCase{8141, v1::SIZE_BUCKET_32_KIB},
                                           SizeCase{32716, v1::SIZE_BUCKET_32_KIB},
                                           SizeCase{32717, v1::SIZE_BUCKET_128_KIB},
                                           SizeCase{131020, v1::SIZE_BUCKET_128_KIB}));

TEST(PayloadTest, TooLargeNamesBothSizes) {
  const auto padded = Pad(std::string(131021, 'x'));
  EXPECT_EQ(ReasonOf(padded.status()), v1::REASON_FIELD_INVALID);
  EXPECT_NE(padded.status().ToString().find("131021"), std::string::npos);
  EXPECT_NE(padded.status().ToString().find("131020"), std::string::npos);
}

TEST(PayloadTest, TheLengthIsFourBytesMostSignificantFirst) {
  const auto padded = Pad(std::string(0x0102, 'x'));
  ASSERT_TRUE(padded.ok());
  EXPECT_EQ(padded->plaintext.view().substr(0, 5), std::string_view("\x00\x00\x01\x02x", 5));
}

TEST(PayloadTest, UnpadRefusesWhatPadDoesNotMake) {
  EXPECT_EQ(ReasonOf(Unpad("abc").status()), v1::REASON_MALFORMED);
  EXPECT_EQ(ReasonOf(Unpad(std::string("\x00\x00\x00\x02x", 5)).status()), v1::REASON_MALFORMED);
  EXPECT_EQ(ReasonOf(Unpad(std::string("\xff\xff\xff\xffx", 5)).status()), v1::REASON_MALFORMED);
  EXPECT_EQ(ReasonOf(Unpad(std::string("\x00\x00\x00\x01x\x00\x01", 7)).status()),
            v1::REASON_MALFORMED);
  EXPECT_EQ(*Unpad(std::string("\x00\x00\x00\x01x\x00\x00", 7)), "x");
}

}  // namespace
}  // namespace waymark
