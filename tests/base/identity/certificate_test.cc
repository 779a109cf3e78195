#include "base/identity/certificate.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/test_network.h"

namespace waymark {
namespace {

const absl::Time kIssuedAt = absl::FromUnixSeconds(1'800'000'000);

class CertificateTest : public testing::Test {
 protected:
  v1::Reason VerifyAt(const Certificate& certificate, absl::Time now) {
    return ReasonOf(certificate.VerifyIssuedBy(network_.ca_pem(), now));
  }

  TestNetwork network_{1, kIssuedAt};
};

TEST_F(CertificateTest, SaysWhoItIsAndForHowLong) {
  const SpiffeId member = network_.NewMember();
  const KeyAndCertificate issued = network_.Issue({.id = member, .validity = absl::Hours(24)});
  const auto certificate = Certificate::FromPem(issued.certificate_pem);
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  EXPECT_EQ(certificate->spiffe_id(), member);
  EXPECT_EQ(certificate->pem(), issued.certificate_pem);
  EXPECT_EQ(certificate->not_before(), kIssuedAt - absl::Minutes(1));
  EXPECT_EQ(certificate->not_after(), kIssuedAt + absl::Hours(24));
  EXPECT_EQ(certificate->fingerprint().size(), 29u);
  EXPECT_TRUE(CheckKeyMatches(issued.key_pem, *certificate).ok());
}

TEST_F(CertificateTest, IsValidFromItsStartToItsEnd) {
  const auto certificate = *Certificate::FromPem(network_.IssueMember().certificate_pem);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt - absl::Seconds(59)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt - absl::Seconds(61)), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt + absl::Hours(24) - absl::Seconds(1)),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt + absl::Hours(24) + absl::Seconds(1)),
            v1::REASON_IDENTITY_MISSING);
}

TEST_F(CertificateTest, OfAnotherNetworkIsNotAccepted) {
  TestNetwork other(2, kIssuedAt);
  const auto certificate = *Certificate::FromPem(other.IssueMember().certificate_pem);
  EXPECT_EQ(VerifyAt(certificate, kIssuedAt), v1::REASON_IDENTITY_MISSING);
}

TEST_F(CertificateTest, EveryChangedByteIsFound) {
  const std::string pem = network_.IssueMember().certificate_pem;
  const size_t begin = pem.find('\n') + 1;
  const size_t end = pem.find("\n-----END");
  for (size_t i = begin; i < end; ++i) {
    if (pem[i] == '\n') continue;
    std::string changed = pem;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == pem) continue;
    const auto certificate = Certificate::FromPem(changed);
    if (certificate.ok() && certificate->pem() != pem) {
      EXPECT_EQ(VerifyAt(*certificate, kIssuedAt), v1::REASON_IDENTITY_MISSING) << i;
    }
  }
}

TEST_F(CertificateTest, AnotherKeyDoesNotMatch) {
  const auto certificate = *Certificate::FromPem(network_.IssueMember().certificate_pem);
  EXPECT_EQ(ReasonOf(CheckKeyMatches(GenerateTlsKey(), certificate)), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(ReasonOf(CheckKeyMatches(SecretBytes(), certificate)), v1::REASON_FIELD_INVALID);
}

TEST_F(CertificateTest, AMemberIsNoAuthority) {
  const std::string member_pem = network_.IssueMember().certificate_pem;
  const auto certificate = *Certificate::FromPem(member_pem);
  EXPECT_EQ(ReasonOf(certificate.VerifyIssuedBy(member_pem, kIssuedAt)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(CaFingerprint(member_pem)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(CaFingerprint(network_.ca_pem())->size(), 29u);
}

TEST_F(CertificateTest, GarbageIsRefused) {
  EXPECT_EQ(ReasonOf(Certificate::FromPem("")), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(Certificate::FromPem("-----BEGIN CERTIFICATE-----\nMAA=\n")),
            v1::REASON_FIELD_INVALID);
  // The authority's own certificate names the network, but nobody in it.
  EXPECT_EQ(ReasonOf(Certificate::FromPem(network_.ca_pem())), v1::REASON_FIELD_INVALID);
}

TEST_F(CertificateTest, ARequestAsksForOneIdentity) {
  const SpiffeId member = network_.NewMember();
  const SecretBytes key = GenerateTlsKey();
  const auto request = CertificateRequest::FromPem(*CreateRequest(key, member));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->requested_id(), member);
  EXPECT_EQ(request->fingerprint().size(), 29u);
  const KeyAndCertificate issued = network_.IssueMember();
  EXPECT_EQ(ReasonOf(CertificateRequest::FromPem(issued.certificate_pem)),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(CreateRequest(SecretBytes(), member)), v1::REASON_FIELD_INVALID);
}

TEST_F(CertificateTest, AChangedRequestIsRefused) {
  const std::string pem = *CreateRequest(GenerateTlsKey(), network_.NewMember());
  const size_t begin = pem.find('\n') + 1;
  for (size_t i = begin; i < pem.find("\n-----END"); i += 5) {
    if (pem[i] == '\n') continue;
    std::string changed = pem;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == pem) continue;
    const auto request = CertificateRequest::FromPem(changed);
    EXPECT_TRUE(!request.ok() || request->pem() == pem) << i;
  }
}

}  // namespace
}  // namespace waymark
