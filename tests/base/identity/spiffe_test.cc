#include "base/identity/spiffe.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/seeded_random.h"

namespace waymark {
namespace {

constexpr std::string_view kNetwork = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kOrganisation = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

NetworkId Network() { return *NetworkId::FromHex(kNetwork); }
std::string Uri(const std::string& path) {
  return "spiffe://" + std::string(kNetwork) + ".waymark" + path;
}

TEST(SpiffeTest, FormatsEveryRole) {
  const auto organisation = *OrganisationId::FromHex(kOrganisation);
  EXPECT_EQ(SpiffeId::Organisation(Network(), organisation).ToUri(),
            Uri("/org/" + std::string(kOrganisation)));
  EXPECT_EQ(SpiffeId::Hub(Network()).ToUri(), Uri("/hub"));
  EXPECT_EQ(SpiffeId::Registry(Network()).ToUri(), Uri("/registry"));
}

TEST(SpiffeTest, ReadsWhatItFormats) {
  SeededRandom random(1);
  for (int i = 0; i < 50; ++i) {
    const NetworkId network = NetworkId::Generate(random);
    for (const SpiffeId& id : {SpiffeId::Organisation(network, OrganisationId::Generate(random)),
                               SpiffeId::Hub(network), SpiffeId::Registry(network)}) {
      const auto read = SpiffeId::Parse(id.ToUri());
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(*read, id);
    }
  }
}

TEST(SpiffeTest, RefusesEverythingElse) {
  const std::string organisation(kOrganisation);
  const std::string wrong[] = {
      "",
      "spiffe://",
      Uri(""),
      Uri("/"),
      Uri("/hub/"),
      Uri("/hub?x"),
      Uri("/HUB"),
      Uri("/org"),
      Uri("/org/"),
      Uri("/org/" + organisation + "/"),
      Uri("/org/" + organisation.substr(1)),
      Uri("/org/F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"),
      Uri("/org/" + std::string(32, '0')),
      Uri("/unit/" + organisation),
      "https" + Uri("/hub").substr(6),
      "spiffe://" + std::string(kNetwork) + ".waymarks/hub",
      "spiffe://" + std::string(kNetwork) + "/hub",
      "spiffe://" + std::string(32, '0') + ".waymark/hub",
      "spiffe://000102030405060708090A0B0C0D0E0F.waymark/hub",
      "spiffe://x" + std::string(kNetwork) + ".waymark/hub",
  };
  for (const std::string& uri : wrong) {
    EXPECT_EQ(ReasonOf(SpiffeId::Parse(uri)), v1::REASON_FIELD_INVALID) << uri;
  }
}

TEST(SpiffeTest, TrustDomainRoundTrip) {
  EXPECT_EQ(TrustDomainUri(Network()), Uri(""));
  EXPECT_EQ(NetworkOfTrustDomainUri(Uri("")), Network());
  EXPECT_EQ(NetworkOfTrustDomainUri(Uri("/hub")), std::nullopt);
  EXPECT_EQ(NetworkOfTrustDomainUri(""), std::nullopt);
}

}  // namespace
}  // namespace waymark
