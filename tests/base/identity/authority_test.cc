#include "base/identity/authority.h"

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"
#include "tests/support/test_network.h"

namespace waymark {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class AuthorityTest : public testing::Test {
 protected:
  CertificateRequest RequestFor(const SpiffeId& id) {
    return *CertificateRequest::FromPem(*CreateRequest(GenerateTlsKey(), id));
  }

  v1::Reason IssueReason(const CertificateRequest& request, const IssueOptions& options) {
    return ReasonOf(network_.authority().Issue(request, options));
  }

  TestNetwork network_{1, kStart};
};

TEST_F(AuthorityTest, StoredAndReadAgainIssuesTheSameNetwork) {
  const auto again = CertificateAuthority::FromPem(
      network_.ca_pem(), network_.authority().key_pem(), network_.clock(), network_.random());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->network(), network_.id());
  const SpiffeId member = network_.NewMember();
  const auto pem = (*again)->Issue(RequestFor(member), {.id = member, .validity = absl::Hours(1)});
  ASSERT_TRUE(pem.ok()) << pem.status();
  EXPECT_TRUE(Certificate::FromPem(*pem)->VerifyIssuedBy(network_.ca_pem(), kStart).ok());
}

TEST_F(AuthorityTest, NeedsItsOwnCertificateAndKey) {
  TestNetwork other(2, kStart);
  const auto reason = [&](std::string_view certificate, const SecretBytes& key) {
    return ReasonOf(
        CertificateAuthority::FromPem(certificate, key, network_.clock(), network_.random()));
  };
  EXPECT_EQ(reason(network_.ca_pem(), other.authority().key_pem()), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(reason("", network_.authority().key_pem()), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(reason(network_.ca_pem(), SecretBytes()), v1::REASON_FIELD_INVALID);
  const KeyAndCertificate member = network_.IssueMember();
  EXPECT_EQ(reason(member.certificate_pem, member.key_pem), v1::REASON_FIELD_INVALID);
}

TEST_F(AuthorityTest, IssuesOnlyWhatIsAskedForInItsOwnNetwork) {
  TestNetwork other(2, kStart);
  const SpiffeId member = network_.NewMember();
  const CertificateRequest request = RequestFor(member);
  EXPECT_EQ(IssueReason(request, {.id = member, .validity = absl::Hours(1)}),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(IssueReason(request, {.id = network_.NewMember(), .validity = absl::Hours(1)}),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(IssueReason(request, {.id = SpiffeId::Hub(network_.id()), .validity = absl::Hours(1)}),
            v1::REASON_FIELD_INVALID);
  const SpiffeId foreign = other.NewMember();
  EXPECT_EQ(IssueReason(RequestFor(foreign), {.id = foreign, .validity = absl::Hours(1)}),
            v1::REASON_FIELD_INVALID);
}

TEST_F(AuthorityTest, RefusesUselessOptions) {
  const SpiffeId hub = SpiffeId::Hub(network_.id());
  const CertificateRequest request = RequestFor(hub);
  const IssueOptions good{.id = hub, .server_auth = true, .validity = absl::Hours(1)};
  EXPECT_EQ(IssueReason(request, good), v1::REASON_UNSPECIFIED);
  IssueOptions bad = good;
  bad.client_auth = bad.server_auth = false;
  EXPECT_EQ(IssueReason(request, bad), v1::REASON_FIELD_INVALID);
  bad = good;
  bad.validity = absl::ZeroDuration();
  EXPECT_EQ(IssueReason(request, bad), v1::REASON_FIELD_INVALID);
  for (const char* name : {"", "a b", "a,DNS:b", ".a", "A.example", "a\n", "*"}) {
    bad = good;
    bad.dns_names = {name};
    EXPECT_EQ(IssueReason(request, bad), v1::REASON_FIELD_INVALID) << name;
  }
  for (const char* address : {"", "1.2.3", "1.2.3.400", "::g"}) {
    bad = good;
    bad.ip_addresses = {address};
    EXPECT_EQ(IssueReason(request, bad), v1::REASON_FIELD_INVALID) << address;
  }
  IssueOptions named = good;
  named.dns_names = {"hub-1.network.test", "localhost"};
  named.ip_addresses = {"127.0.0.1", "::1"};
  EXPECT_EQ(IssueReason(request, named), v1::REASON_UNSPECIFIED);
}

TEST_F(AuthorityTest, NothingOutlivesIt) {
  const auto certificate =
      *Certificate::FromPem(network_.IssueMember(absl::Hours(24 * 3650)).certificate_pem);
  EXPECT_EQ(certificate.not_after(), kStart + absl::Hours(24 * 365));
}

TEST_F(AuthorityTest, ValidityFollowsTheClock) {
  network_.clock().Advance(absl::Hours(48));
  const auto certificate = *Certificate::FromPem(network_.IssueMember().certificate_pem);
  EXPECT_EQ(certificate.not_after(), kStart + absl::Hours(72));
  EXPECT_EQ(ReasonOf(certificate.VerifyIssuedBy(network_.ca_pem(), kStart)),
            v1::REASON_IDENTITY_MISSING);
}

TEST_F(AuthorityTest, NeedsANetworkAndAValidity) {
  EXPECT_EQ(ReasonOf(CertificateAuthority::Create(NetworkId(), absl::Hours(1), network_.clock(),
                                                  network_.random())),
            v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(CertificateAuthority::Create(network_.id(), absl::ZeroDuration(),
                                                  network_.clock(), network_.random())),
            v1::REASON_FIELD_INVALID);
}

}  // namespace
}  // namespace waymark
