#include "client/enrolment/join.h"

#include <sys/stat.h>

#include "base/identity/files.h"
#include "client/enrolment/identity.h"
#include "gmock/gmock.h"
#include "tests/client/enrolment/fake_desk.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

class JoinTest : public testing::Test {
 protected:
  JoinTest() { EXPECT_TRUE(MasterKey::CreateFile(root_.File("key"), SystemRandom()).ok()); }

  absl::StatusOr<std::unique_ptr<Join>> TryOpen(const v1::Invitation& invitation) {
    return Join::Open(invitation, folder_, *MasterKey::FromFile(root_.File("key")), {},
                      desk_.clock(), SystemRandom());
  }
  std::unique_ptr<Join> Open() {
    auto join = TryOpen(desk_.Invitation());
    EXPECT_TRUE(join.ok()) << join.status();
    return *std::move(join);
  }

  void BecomeMember() {
    const auto join = Open();
    ASSERT_TRUE(join->Advance(desk_).ok());
    desk_.Approve();
    ASSERT_EQ(join->Advance(desk_).value(), true);
  }

  TempFolder root_;
  const DataFolder folder_{root_.File("data")};
  FakeDesk desk_{absl::FromUnixSeconds(1'800'000'000)};
};

TEST_F(JoinTest, BecomesAMemberOnceTheOperatorApproved) {
  const auto join = Open();
  EXPECT_EQ(join->Advance(desk_).value(), false);
  EXPECT_EQ(join->fingerprint(), desk_.fingerprint());
  EXPECT_FALSE(folder_.CheckJoined().ok());

  desk_.Approve();
  EXPECT_EQ(join->Advance(desk_).value(), true);
  EXPECT_TRUE(folder_.CheckJoined().ok());
  const auto certificate = Certificate::FromPem(*ReadPublicFile(folder_.tls_certificate()));
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(certificate->spiffe_id(), desk_.id());
  EXPECT_TRUE(CheckKeyMatches(*ReadSecretFile(folder_.tls_key()), *certificate).ok());
  EXPECT_EQ(LoadNetwork(folder_.network())->id, desk_.id().network);
}

TEST_F(JoinTest, KeepsTheFolderFromOthers) {
  Open();
  struct stat info;
  ASSERT_EQ(stat(folder_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(folder_.join_key().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(JoinTest, ContinuesWhereItWasCutOff) {
  std::string fingerprint;
  {
    const auto join = Open();
    EXPECT_EQ(join->Advance(desk_).value(), false);
    fingerprint = join->fingerprint();
  }
  desk_.Approve();
  const auto join = Open();
  EXPECT_EQ(join->fingerprint(), fingerprint);
  EXPECT_EQ(join->Advance(desk_).value(), true);
}

TEST_F(JoinTest, DoesNothingOnceJoined) {
  BecomeMember();
  const int before = desk_.requests();
  const std::string certificate = *ReadPublicFile(folder_.tls_certificate());
  const auto join = Open();
  EXPECT_TRUE(join->joined());
  EXPECT_EQ(join->Advance(desk_).value(), true);
  EXPECT_EQ(desk_.requests(), before);
  EXPECT_EQ(*ReadPublicFile(folder_.tls_certificate()), certificate);
}

TEST_F(JoinTest, JoinsAgainUnderAnotherInvitationWithANewTlsKeyAndTheSameIdentity) {
  BecomeMember();
  const std::string fingerprint = desk_.fingerprint();
  const std::string before = *ReadPublicFile(folder_.tls_certificate());
  // A renewal that never came.
  ASSERT_TRUE(KeyReplacement::Renewing(folder_).Request(desk_.id()).ok());

  desk_.clock().Advance(absl::Hours(24 * 91));
  desk_.InviteAgain();
  {
    const auto join = Open();
    EXPECT_TRUE(join->again());
    EXPECT_FALSE(join->joined());
    EXPECT_EQ(join->Advance(desk_).value(), false);
    EXPECT_EQ(*ReadPublicFile(folder_.tls_certificate()), before) << "until the approval";
  }
  desk_.Approve();
  EXPECT_EQ(Open()->Advance(desk_).value(), true);
  EXPECT_EQ(desk_.fingerprint(), fingerprint);
  const auto certificate = *Certificate::FromPem(*ReadPublicFile(folder_.tls_certificate()));
  EXPECT_NE(certificate.pem(), before);
  EXPECT_NE(certificate.spki(), Certificate::FromPem(before)->spki());
  EXPECT_TRUE(CheckKeyMatches(*ReadSecretFile(folder_.tls_key()), certificate).ok());
  EXPECT_FALSE(KeyReplacement::Renewing(folder_).requested()) << "it must not replace this";
  EXPECT_TRUE(Open()->joined());
}

TEST_F(JoinTest, AnInvitationThatDoesNotCountChangesNothing) {
  BecomeMember();
  const v1::Invitation good = desk_.Invitation();
  const std::string before = *ReadPublicFile(folder_.tls_certificate());
  v1::Invitation spent = good;
  spent.set_secret(std::string(16, 's'));
  {
    const auto join = TryOpen(spent);
    ASSERT_TRUE(join.ok()) << join.status();
    EXPECT_EQ(ReasonOf((*join)->Advance(desk_).status()), v1::REASON_INVITATION_INVALID);
  }
  EXPECT_EQ(*ReadPublicFile(folder_.tls_certificate()), before);
  EXPECT_TRUE((*TryOpen(good))->joined());
}

TEST_F(JoinTest, FinishesAtTheNextOpeningWhatACrashCutOff) {
  std::string key;
  {
    const auto join = Open();
    ASSERT_TRUE(join->Advance(desk_).ok());
    key = std::string(ReadSecretFile(folder_.join_key())->view());
    desk_.Approve();
    ASSERT_EQ(join->Advance(desk_).value(), true);
  }
  // As when the power goes between the certificate's arrival and its place.
  const std::string certificate = *ReadPublicFile(folder_.tls_certificate());
  ASSERT_TRUE(WriteSecretFile(folder_.join_key(), SecretBytes::CopyOf(key)).ok());
  ASSERT_TRUE(WritePublicFile(folder_.join_certificate(), certificate).ok());
  RemoveFile(folder_.tls_certificate());
  EXPECT_TRUE(Open()->joined());
  EXPECT_EQ(*ReadPublicFile(folder_.tls_certificate()), certificate);
  EXPECT_FALSE(FileExists(folder_.join_key()));
}

TEST_F(JoinTest, KeepsTheIdentityKeyAndTheAdmissionInTheVault) {
  std::string fingerprint;
  {
    const auto join = Open();
    fingerprint = join->fingerprint();
    ASSERT_TRUE(join->Advance(desk_).ok());
    desk_.Approve();
    ASSERT_TRUE(join->Advance(desk_).ok());
  }
  const auto vault = Vault::Open({.path = folder_.vault()}, *MasterKey::FromFile(root_.File("key")),
                                 SystemRandom());
  ASSERT_TRUE(vault.ok()) << vault.status();
  EXPECT_EQ(LoadIdentityKey(**vault)->verifying_key().fingerprint(), fingerprint);
  EXPECT_EQ(LoadAdmission(**vault).value()->display_name(), "Linden House");
}

TEST_F(JoinTest, LeavesAFolderOfAnotherOrganisationOrNetworkAlone) {
  Open();
  v1::Invitation other = desk_.Invitation();
  other.set_organisation_id(OrganisationId::Generate(SystemRandom()).bytes());
  EXPECT_EQ(ReasonOf(TryOpen(other).status()), v1::REASON_EXISTS);
  FakeDesk elsewhere(desk_.clock().Now(), 8);
  EXPECT_EQ(ReasonOf(TryOpen(elsewhere.Invitation()).status()), v1::REASON_EXISTS);
  EXPECT_EQ(LoadNetwork(folder_.network())->id, desk_.id().network);
}

TEST_F(JoinTest, RefusesAFolderThatOthersMayRead) {
  ASSERT_EQ(mkdir(folder_.path().c_str(), 0755), 0);
  EXPECT_EQ(ReasonOf(TryOpen(desk_.Invitation()).status()), v1::REASON_FILE_UNUSABLE);
}

TEST_F(JoinTest, SaysWhenTheOperatorRejected) {
  const auto join = Open();
  ASSERT_TRUE(join->Advance(desk_).ok());
  desk_.Reject();
  EXPECT_EQ(ReasonOf(join->Advance(desk_).status()), v1::REASON_INVITATION_INVALID);
}

TEST_F(JoinTest, TakesNoCertificateOfAnotherOrganisationOrKey) {
  const auto join = Open();
  ASSERT_TRUE(join->Advance(desk_).ok());
  desk_.Approve();
  const SpiffeId other =
      SpiffeId::Organisation(desk_.id().network, OrganisationId::Generate(SystemRandom()));
  const std::string foreign =
      *DerFromPem(kPemCertificateRequest, *CreateRequest(GenerateTlsKey(), other));
  desk_.answer().set_certificate(desk_.Issue(foreign, other));
  EXPECT_EQ(ReasonOf(join->Advance(desk_).status()), v1::REASON_IDENTITY_MISSING);

  const std::string own_id =
      *DerFromPem(kPemCertificateRequest, *CreateRequest(GenerateTlsKey(), desk_.id()));
  desk_.answer().set_certificate(desk_.Issue(own_id, desk_.id()));
  EXPECT_EQ(ReasonOf(join->Advance(desk_).status()), v1::REASON_IDENTITY_MISSING);
  EXPECT_FALSE(join->joined());
}

TEST_F(JoinTest, TakesNoStatementAboutAnotherIdentityKeyOrSignature) {
  const auto join = Open();
  ASSERT_TRUE(join->Advance(desk_).ok());
  desk_.Approve();
  *desk_.answer().mutable_member() =
      desk_.SignMember(SigningKey::Generate().verifying_key().spki());
  EXPECT_EQ(ReasonOf(join->Advance(desk_).status()), v1::REASON_FINGERPRINT_MISMATCH);

  desk_.Approve();
  desk_.answer().mutable_member()->mutable_statement()->append("x");
  EXPECT_EQ(ReasonOf(join->Advance(desk_).status()), v1::REASON_STATEMENT_INVALID);
  EXPECT_FALSE(join->joined());
}

TEST(DataFolderTest, KnowsWhatLiesInIt) {
  TempFolder root;
  const DataFolder folder(root.File("data"));
  ASSERT_TRUE(folder.Make().ok());
  EXPECT_TRUE(folder.Contains(root.File("data")));
  EXPECT_TRUE(folder.Contains(root.File("data/master.key")));
  EXPECT_TRUE(folder.Contains(root.File("other/../data/sub/master.key")));
  EXPECT_FALSE(folder.Contains(root.File("master.key")));
  EXPECT_FALSE(folder.Contains(root.File("data.key")));
  std::filesystem::create_directory_symlink(root.File("data"), root.File("link"));
  EXPECT_TRUE(folder.Contains(root.File("link/master.key")));
}

}  // namespace
}  // namespace waymark::node
