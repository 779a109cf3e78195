#include "base/crypto/hash.h"

#include <set>

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"

namespace waymark {
namespace {

// The frame of docs/protocol, written out: two lengths of 8 bytes, most significant first, around
// the label, then each part.
TEST(HashTest, FrameIsByteExact) {
  const std::string frame = Unhex(
      "000000000000000c"
      "7761796d61726b2f74657374"
      "0000000000000002"
      "6162"
      "0000000000000000");
  EXPECT_EQ(Sha256("waymark/test", {"ab", ""}), PlainSha256(frame));
  EXPECT_EQ(Sha256("waymark/test", {"ab", ""}),
            Unhex("33be57c13e0ce75aaa6b7636b28c12b6e76b6265e81c070284e7a0de264829da"));
}

TEST(HashTest, NoTwoListsShareAFrame) {
  const std::string length("\0\0\0\0\0\0\0\1", 8);
  const std::set<std::string> digests = {
      Sha256("label", {}),           Sha256("label", {""}),     Sha256("label", {"", ""}),
      Sha256("label", {"ab", "c"}),  Sha256("label", {"abc"}),  Sha256("label", {"a", "bc"}),
      Sha256("label", {"abc", ""}),  Sha256("labela", {"bc"}),  Sha256("labe", {"labc"}),
      Sha256("", {"label", "abc"}),  Sha256("label", {length}), Sha256("label", {length + "x"}),
      Sha256("label", {"", length}),
  };
  EXPECT_EQ(digests.size(), 13u);
}

TEST(HashTest, PlainSha256OfFips180) {
  EXPECT_EQ(PlainSha256("abc"),
            Unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

TEST(HashTest, HmacIsFramed) {
  EXPECT_EQ(HmacSha256(SecretBytes::CopyOf("key"), "waymark/test", {"ab", ""}),
            Unhex("30d64c99b74fb26487b2017688d429ad68afe424e581ae24b1b601cd77706973"));
}

struct HkdfCase {
  std::string_view secret, salt, info, prk, output;
};

class HkdfTest : public testing::TestWithParam<HkdfCase> {};

TEST_P(HkdfTest, Rfc5869) {
  const std::string output = Unhex(GetParam().output);
  const SecretBytes prk = HkdfExtract(Unhex(GetParam().salt), Unhex(GetParam().secret));
  EXPECT_EQ(prk.view(), Unhex(GetParam().prk));
  EXPECT_EQ(HkdfExpand(prk, Unhex(GetParam().info), output.size()).view(), output);
  EXPECT_EQ(HkdfSha256(Unhex(GetParam().secret), Unhex(GetParam().salt), Unhex(GetParam().info),
                       output.size())
                .view(),
            output);
}

INSTANTIATE_TEST_SUITE_P(
    AppendixA, HkdfTest,
    testing::Values(
        HkdfCase{
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        HkdfCase{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
                 "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                 "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a9"
                 "6c8"}));

TEST(HashTest, HkdfReachesItsLimit) {
  const SecretBytes prk = HkdfExtract("salt", "secret");
  const SecretBytes longest = HkdfExpand(prk, "info", 255 * kSha256Size);
  EXPECT_EQ(longest.size(), 8160u);
  EXPECT_EQ(HkdfExpand(prk, "info", 5000).view(), longest.view().substr(0, 5000));
}

TEST(HashTest, ConstantTimeEquals) {
  EXPECT_TRUE(ConstantTimeEquals("", ""));
  EXPECT_TRUE(ConstantTimeEquals("same", "same"));
  EXPECT_FALSE(ConstantTimeEquals("same", "sane"));
  EXPECT_FALSE(ConstantTimeEquals("same", "same "));
}

}  // namespace
}  // namespace waymark
