#include "client/enrolment/renewal.h"

#include "base/identity/files.h"
#include "client/enrolment/identity.h"
#include "client/enrolment/join.h"
#include "gmock/gmock.h"
#include "tests/client/enrolment/fake_desk.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

// A member whose certificate lasts 90 days.
class RenewalTest : public testing::Test {
 protected:
  RenewalTest() {
    EXPECT_TRUE(MasterKey::CreateFile(root_.File("key"), SystemRandom()).ok());
    const MasterKey key = *MasterKey::FromFile(root_.File("key"));
    {
      const auto join =
          Join::Open(desk_.Invitation(), folder_, key, {}, desk_.clock(), SystemRandom());
      EXPECT_TRUE((*join)->Advance(desk_).ok());
      desk_.Approve();
      EXPECT_TRUE((*join)->Advance(desk_).ok());
    }
    const auto vault = *Vault::Open({.path = folder_.vault()}, key, SystemRandom());
    identity_key_ = LoadIdentityKey(*vault).value();
    before_ = CertificateInPlace().pem();
  }

  Certificate CertificateInPlace() {
    return *Certificate::FromPem(*ReadPublicFile(folder_.tls_certificate()));
  }
  // Whether key and certificate in place belong together.
  bool PairFits() {
    return CheckKeyMatches(*ReadSecretFile(folder_.tls_key()), CertificateInPlace()).ok();
  }

  TempFolder root_;
  const DataFolder folder_{root_.File("data")};
  FakeDesk desk_{absl::FromUnixSeconds(1'800'000'000)};
  SigningKey identity_key_ = SigningKey::Generate();
  std::string before_;
};

TEST_F(RenewalTest, WaitsForTwoThirdsOfTheValidity) {
  Renewal renewal(folder_, desk_.id(), identity_key_, desk_.clock());
  desk_.clock().Advance(absl::Hours(24 * 59));
  EXPECT_EQ(renewal.Advance(desk_).value(), false);
  EXPECT_TRUE(desk_.renewal_request().empty());
  desk_.clock().Advance(absl::Hours(24 * 2));
  EXPECT_EQ(renewal.Advance(desk_).value(), false);
  EXPECT_FALSE(desk_.renewal_request().empty());
}

TEST_F(RenewalTest, PutsANewKeyAndCertificateInPlace) {
  desk_.clock().Advance(absl::Hours(24 * 61));
  Renewal renewal(folder_, desk_.id(), identity_key_, desk_.clock());
  ASSERT_EQ(renewal.Advance(desk_).value(), false);
  desk_.ApproveRenewal();
  EXPECT_EQ(renewal.Advance(desk_).value(), true);
  EXPECT_NE(CertificateInPlace().pem(), before_);
  EXPECT_TRUE(PairFits());
  EXPECT_FALSE(FileExists(folder_.next_key()));
  EXPECT_FALSE(FileExists(folder_.next_request()));
  EXPECT_FALSE(FileExists(folder_.next_certificate()));
  EXPECT_EQ(renewal.Advance(desk_).value(), false);
}

TEST_F(RenewalTest, AsksWithTheSameKeyUntilThereIsAnAnswer) {
  desk_.clock().Advance(absl::Hours(24 * 61));
  ASSERT_TRUE(Renewal(folder_, desk_.id(), identity_key_, desk_.clock()).Advance(desk_).ok());
  const std::string first = desk_.renewal_request();
  ASSERT_TRUE(Renewal(folder_, desk_.id(), identity_key_, desk_.clock()).Advance(desk_).ok());
  EXPECT_EQ(desk_.renewal_request(), first);
}

TEST_F(RenewalTest, MakesANewRequestAfterARejection) {
  desk_.clock().Advance(absl::Hours(24 * 61));
  Renewal renewal(folder_, desk_.id(), identity_key_, desk_.clock());
  ASSERT_TRUE(renewal.Advance(desk_).ok());
  const std::string first = desk_.renewal_request();
  desk_.renewal().set_state(v1::ENROLMENT_STATE_REJECTED);
  EXPECT_EQ(ReasonOf(renewal.Advance(desk_).status()), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(renewal.Advance(desk_).value(), false);
  EXPECT_NE(desk_.renewal_request(), first);
}

TEST_F(RenewalTest, TakesNoCertificateForAnotherKey) {
  desk_.clock().Advance(absl::Hours(24 * 61));
  Renewal renewal(folder_, desk_.id(), identity_key_, desk_.clock());
  ASSERT_TRUE(renewal.Advance(desk_).ok());
  desk_.ApproveRenewal();
  desk_.renewal().set_certificate(
      desk_.Issue(*DerFromPem(kPemCertificateRequest, *CreateRequest(GenerateTlsKey(), desk_.id())),
                  desk_.id()));
  EXPECT_EQ(ReasonOf(renewal.Advance(desk_).status()), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(CertificateInPlace().pem(), before_);
  EXPECT_TRUE(PairFits());
}

TEST_F(RenewalTest, FinishesWhatACrashCutOff) {
  // The certificate has come; of the pair in place only the key was replaced.
  const SecretBytes key = GenerateTlsKey();
  const std::string request = *CreateRequest(key, desk_.id());
  const std::string certificate = PemFromDer(
      kPemCertificate, desk_.Issue(*DerFromPem(kPemCertificateRequest, request), desk_.id()));
  ASSERT_TRUE(WriteSecretFile(folder_.next_key(), key).ok());
  ASSERT_TRUE(WritePublicFile(folder_.next_request(), request).ok());
  ASSERT_TRUE(WritePublicFile(folder_.next_certificate(), certificate).ok());
  ASSERT_TRUE(WriteSecretFile(folder_.tls_key(), key).ok());
  EXPECT_FALSE(PairFits());

  EXPECT_TRUE(KeyReplacement::Renewing(folder_).Finish().ok());
  EXPECT_TRUE(PairFits());
  EXPECT_EQ(CertificateInPlace().pem(), certificate);
  EXPECT_FALSE(FileExists(folder_.next_certificate()));
  EXPECT_TRUE(KeyReplacement::Renewing(folder_).Finish().ok());
}

}  // namespace
}  // namespace waymark::node
