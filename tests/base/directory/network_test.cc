#include "base/directory/network.h"

#include <fstream>
#include <string>

#include "absl/strings/ascii.h"
#include "base/crypto/signature.h"
#include "base/directory/enrolment.h"
#include "base/directory/neutral.h"
#include "base/directory/pem.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Network Sample() {
  v1::Network network;
  network.set_network_id(std::string(16, 'n'));
  network.set_name("Sample network");
  network.set_ca_certificate(std::string(100, 'c'));
  network.set_registry_key(SigningKey::Generate().verifying_key().spki());
  network.add_hub_addresses("127.0.0.1:7443");
  network.add_enrolment_addresses("127.0.0.1:7444");
  network.set_version(1);
  return network;
}

TEST(NetworkTest, ReadsBackWhatItWrites) {
  const v1::Network sample = Sample();
  auto network = ParseNetwork(FormatNetwork(sample));
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->id.bytes(), sample.network_id());
  EXPECT_EQ(network->name, "Sample network");
  EXPECT_EQ(network->registry_key.spki(), sample.registry_key());
  EXPECT_THAT(network->hub_addresses, ElementsAre("127.0.0.1:7443"));
  EXPECT_EQ(*DerFromPem(kPemCertificate, network->ca_pem), sample.ca_certificate());
}

TEST(NetworkTest, NamesTheFieldThatIsWrong) {
  v1::Network network = Sample();
  network.clear_hub_addresses();
  const auto refused = ParseNetwork(FormatNetwork(network)).status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("hub_addresses"));
  EXPECT_EQ(ReasonOf(ParseNetwork("{").status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(LoadNetwork("/nonexistent.json").status().message()),
              HasSubstr("/nonexistent.json"));
}

TEST(NetworkTest, RefusesAddressesThatNobodyCanConnectTo) {
  for (const char* address : {"a", "hub.example", "hub.example:0", "hub.example:70000", ":7443"}) {
    v1::Network network = Sample();
    network.add_enrolment_addresses(address);
    const absl::Status refused = CheckNetwork(network).status();
    EXPECT_EQ(ReasonOf(refused), v1::REASON_FIELD_INVALID) << address;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("enrolment_addresses")) << address;
  }
}

TEST(NeutralTest, RefusesEachStemOfTheWordList) {
  std::ifstream list(WAYMARK_WORD_LIST);
  int stems = 0;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++stems;
    EXPECT_FALSE(IsNeutral(line));
    line.front() = absl::ascii_toupper(static_cast<unsigned char>(line.front()));
    EXPECT_FALSE(IsNeutral("House of " + line + "s")) << stems;
  }
  EXPECT_EQ(stems, 6);
  EXPECT_TRUE(IsNeutral("Linden House, family rooms"));
  EXPECT_TRUE(IsNeutral(""));
}

TEST(PemTest, RoundTripAndRefusals) {
  const std::string der(200, 'x');
  const std::string pem = PemFromDer(kPemCertificateRequest, der);
  EXPECT_EQ(*DerFromPem(kPemCertificateRequest, pem), der);
  EXPECT_EQ(ReasonOf(DerFromPem(kPemCertificate, pem).status()), v1::REASON_FIELD_INVALID);
  EXPECT_FALSE(DerFromPem(kPemCertificate, "").ok());
}

TEST(EnrolmentTest, ProofBindsKeyInvitationAndRequest) {
  const SigningKey key = SigningKey::Generate();
  const std::string hash = InvitationHash(std::string(16, 's'));
  const std::string proof = SignEnrolment(key, hash, "csr");
  EXPECT_TRUE(VerifyEnrolment(key.verifying_key(), hash, "csr", proof).ok());
  EXPECT_FALSE(VerifyEnrolment(key.verifying_key(), hash, "other", proof).ok());
  EXPECT_FALSE(VerifyEnrolment(key.verifying_key(), "other", "csr", proof).ok());
  EXPECT_FALSE(VerifyRenewal(key.verifying_key(), "csr", proof).ok());
  EXPECT_TRUE(VerifyRenewal(key.verifying_key(), "csr", SignRenewal(key, "csr")).ok());
}

}  // namespace
}  // namespace waymark
